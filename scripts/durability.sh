#!/usr/bin/env bash
# Kills a loaded server again and again and looks up in the image what it had acknowledged; then checks, by the system calls
# of a server under load, that nothing is acknowledged before it would survive a loss of power.
# What this proves and what not: docs/proofs.md.
set -u
export LC_ALL=C

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$checkout/scripts/durability/target

usage() {
  cat <<TEXT
Usage: scripts/durability.sh [options]
  --kills N          SIGKILLs in all (200), shared among the ways of I/O
  --ways LIST        which (portable,portable-direct,ring,ring-direct), separated by commas
  --power-loss S     seconds under load for each proof against loss of power (3); 0: leave them out
  --initiators N     sessions that load the server (4)      --queue-depth N   commands in flight for each (8)
  --dir DIR          where the image is made (a folder in ${TMPDIR:-/tmp}); on tmpfs there is nothing to lose
  --size MIB         size of the image (32)
  --seed N           another load, and kills at other moments (the time)
  --no-set-up        do not build anything but the proof's own tools
The last line is the verdict: kills=… acked=… lost=… torn=… power_loss_violations=…
Exit code: 0 nothing was lost or torn, 1 something was or the proof could not be made, 2 wrong usage.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "durability: $*"; exit 1; }
wrong() { say "durability: $* (see --help)"; exit 2; }

kills=200
ways=portable,portable-direct,ring,ring-direct
power_loss=3
initiators=4
depth=8
dir=${TMPDIR:-/tmp}
size_mib=32
seed=$(date +%s)
set_up=yes

while [ $# -gt 0 ]; do
  case $1 in
    --kills | --ways | --power-loss | --initiators | --queue-depth | --dir | --size | --seed) [ $# -ge 2 ] || wrong "$1 wants a value" ;;&
    --kills) kills=$2; shift ;;
    --ways) ways=$2; shift ;;
    --power-loss) power_loss=$2; shift ;;
    --initiators) initiators=$2; shift ;;
    --queue-depth) depth=$2; shift ;;
    --dir) dir=$2; shift ;;
    --size) size_mib=$2; shift ;;
    --seed) seed=$2; shift ;;
    --no-set-up) set_up=no ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option '$1'" ;;
  esac
  shift
done

# whole_number OPTION VALUE LEAST MOST
whole_number() {
  if ! [[ $2 =~ ^[0-9]{1,10}$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
    wrong "$1 '$2': want a whole number from $3 to $4"
  fi
}
whole_number --kills "$kills" 0 100000
whole_number --power-loss "$power_loss" 0 60
whole_number --initiators "$initiators" 1 16
whole_number --queue-depth "$depth" 1 64
whole_number --size "$size_mib" 8 1024
whole_number --seed "$seed" 0 4000000000
read -ra way_list <<< "${ways//,/ }"
[ ${#way_list[@]} -gt 0 ] || wrong "--ways is empty"
for way in "${way_list[@]}"; do
  case $way in portable | portable-direct | ring | ring-direct) ;; *) wrong "--ways '$way': want portable, portable-direct, ring or ring-direct" ;; esac
done

command -v gcc > /dev/null || die "needs gcc: apt-get install gcc libc6-dev"
mkdir -p "$tools" || die "cannot write to $tools"
sources=$checkout/scripts/durability
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$tools/durability" "$sources/durability.c" "$sources/initiator.c" \
  "$checkout/scripts/bench/session.c" "$checkout/scripts/bench/stream.c" "$checkout/scripts/bench/nbd.c" \
  "$checkout/scripts/bench/blocks.c" || die "cannot build the proof"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$tools/replay" "$sources/replay.c" || die "cannot build the replay"
if [ $set_up = yes ]; then
  "$checkout/scripts/build.sh" >&2 || die "cannot build Holdfast"
fi

work=$(mktemp -d "$dir/holdfast-durability.XXXXXX") || die "cannot make a folder in $dir"
proof_pid=
clean_up() {
  trap '' INT TERM HUP
  if [ -n "$proof_pid" ]; then
    # Its server and initiators are its children, in its own group.
    kill -KILL -- "-$proof_pid" 2> /dev/null
    wait "$proof_pid" 2> /dev/null
  fi
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ "$(stat -f -c %T "$work")" = tmpfs ]; then
  say "durability: $dir is a tmpfs: it takes no direct I/O before Linux 6.6, and a sync does nothing there; --dir names another"
fi

# prove OPTIONS... -- SERVER...: one run, its verdict in $work/verdict.
prove() {
  setsid "$tools/durability" --image "$work/disk.img" --initiators "$initiators" --queue-depth "$depth" --seed "$seed" "$@" \
    > "$work/verdict" 2> "$work/errors" &
  proof_pid=$!
  wait "$proof_pid"
  local status=$?
  proof_pid=
  if [ $status -ne 0 ]; then
    grep -v ' INFO ' "$work/errors" | tail -n 20 >&2
  fi
  return $status
}

# figure NAME FILE
figure() { sed -n "s/.*\\b$1=\\([0-9]*\\).*/\\1/p" "$2" | tail -n 1; }

fresh_image() {
  rm -f "$work/disk.img"
  truncate -s "${size_mib}M" "$work/disk.img" || die "cannot make an image in $work"
}

# server WAY [ATTRIBUTE…]: the command in the array server_command. Not the launcher: what is killed must be the server itself.
server() {
  local export="$work/disk.img" io=${1%-direct}
  [ "$1" = "$io" ] || export=$export,direct
  [ $# -eq 1 ] || export=$export,$2
  server_command=("$checkout/scripts/holdfast" serve --listen 127.0.0.1:0 --io "$io" --export "$export")
}

acked=0 lost=0 torn=0 killed=0 violations=0 failed=no
share=$(( kills / ${#way_list[@]} ))
rest=$(( kills % ${#way_list[@]} ))
for way in "${way_list[@]}"; do
  count=$(( share + (rest > 0 ? 1 : 0) ))
  rest=$(( rest > 0 ? rest - 1 : 0 ))
  [ $count -gt 0 ] || continue
  fresh_image
  server "$way"
  prove --kills $count -- "${server_command[@]}" || failed=yes
  say "$way: $(cat "$work/verdict")"
  [ -n "$(figure kills "$work/verdict")" ] || die "no verdict for $way"
  killed=$(( killed + $(figure kills "$work/verdict") ))
  acked=$(( acked + $(figure acked "$work/verdict") ))
  lost=$(( lost + $(figure lost "$work/verdict") ))
  torn=$(( torn + $(figure torn "$work/verdict") ))
done

# power_loss_proof WAY CACHE
power_loss_proof() {
  local options=()
  fresh_image
  server "$1" "cache=$2"
  [ "$2" = writeback ] || options+=(--write-through)
  prove --longest $(( power_loss * 1000 )) --records "$work/records" -- strace -f -y -s 0 --timestamps=unix,ns --syscall-times=ns \
    --signal=none -e trace=pwritev2,pwrite64,fdatasync,fsync -o "$work/trace" "${server_command[@]}" || { failed=yes; return; }
  "$tools/replay" "${options[@]}" "$work/trace" "$work/records" "$work/disk.img" > "$work/replayed" || failed=yes
  say "$1, cache=$2, loss of power: $(cat "$work/replayed")"
  violations=$(( violations + $(figure violations "$work/replayed") ))
  # A proof that cannot fail is none: without the server's syncs the same record must show losses.
  if "$tools/replay" "${options[@]}" --without-syncs "$work/trace" "$work/records" "$work/disk.img" > /dev/null 2>&1; then
    die "the control run without syncs finds nothing to object to"
  fi
}

if [ "$power_loss" -gt 0 ]; then
  if strace -f -o /dev/null true 2> /dev/null; then
    for way in "${way_list[@]}"; do
      power_loss_proof "$way" writeback
      power_loss_proof "$way" writethrough
    done
  else
    say "durability: SKIPPED the proofs against loss of power: strace is missing, or may not trace here"
    violations=skipped
  fi
fi
echo "kills=$killed acked=$acked lost=$lost torn=$torn power_loss_violations=$violations"
[ $failed = no ]
