#!/usr/bin/env bash
# Measures the Holdfast server against peers in one alternating run on equal files: throughput, latency, CPU per I/O, ratios.
# How to read the result: docs/benchmarks.md.
set -u
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=bench/servers.sh
. "$checkout/scripts/bench/servers.sh"

# One row per workload: name | what the load client is asked for | unit of the table | least ratio to a peer, for --require |
# how it is run: cold, with nothing of the file in the page cache; beside, with a second client that reads cold at depth 16,
# and the first one's part of the file cached; qemu, with `qemu-img bench` instead of our own client.
WORKLOADS='
read-4k-qd1      | --mode read  --access random     --block-size 4K   --queue-depth 1                  | kIOPS | tgt 1.3             |
read-4k-qd32     | --mode read  --access random     --block-size 4K   --queue-depth 32                 | kIOPS | tgt 4.0, nbdkit 2.0 |
write-4k-qd32    | --mode write --access random     --block-size 4K   --queue-depth 32                 | kIOPS | tgt 4.0, nbdkit 2.0 |
read-4k-4xqd32   | --mode read  --access random     --block-size 4K   --queue-depth 32 --connections 4 | kIOPS | tgt 4.5             |
read-128k-qd8    | --mode read  --access sequential --block-size 128K --queue-depth 8                  | MiB/s | ceiling 0.8         |
write-128k-qd8   | --mode write --access sequential --block-size 128K --queue-depth 8                  | MiB/s | ceiling 0.8         |
read-1m-qd8      | --mode read  --access sequential --block-size 1M   --queue-depth 8                  | MiB/s | ceiling 0.8         |
write-1m-qd8     | --mode write --access sequential --block-size 1M   --queue-depth 8                  | MiB/s | ceiling 0.8         |
qemu-read-4k-qd32 | --mode read --access sequential --block-size 4K   --queue-depth 32                 | kIOPS | tgt 1.6             | qemu
cold-4k-qd16     | --mode read  --access random     --block-size 4K   --queue-depth 16                 | kIOPS |                     | cold
hot-beside-cold  | --mode read  --access random     --block-size 4K   --queue-depth 1 --span 64M       | kIOPS |                     | beside
'

usage() {
  cat <<TEXT
Usage: scripts/bench.sh [options]
Runs each workload on Holdfast and on each peer in turn, several rounds, and prints medians and ratios.

  --peers LIST       whom to compare with (tgt), separated by commas; self is a second one of the subject, a control
                     known: $(server_kinds | paste -sd ' ')
                     and holdfast@DIR, the Holdfast that was built in another checkout
  --subject KIND     who is compared (holdfast); another one for control runs
  --workloads LIST   which workloads, separated by commas (all; on tmpfs, where nothing is cold, those that can be measured)
                     known: $(workload_names | paste -sd ' ')
  --rounds N         measured rounds of each workload (5)
  --seconds S        length of one measurement (3)
  --warm-up S        unmeasured load of each workload on each server before the first round (2)
  --io WAY           how Holdfast does I/O: ring, portable, auto (auto)
  --java-home DIR    the Java that runs Holdfast (JAVA_HOME, or the java on the path)
  --dir DIR          where the files to serve are made (/dev/shm); they are removed at the end
  --size MIB         size of each file (2048); one for each server
  --one-file         all serve the same file, one after the other: each is started, warmed up and ended for every measurement.
                     Takes longer; no difference between two files is taken for one between two servers
  --json FILE        write every round, the medians and the machine there too
  --require          fail when a ratio to tgt is below the project's goal for it
  --no-set-up        neither install nor build anything
Exit code: 0 measured; 1 a server died, an I/O failed, or --require missed a goal; 2 wrong usage.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "bench: $*"; exit 1; }
wrong() { say "bench: $* (see --help)"; exit 2; }

workload_names() { sed -n 's/^\([a-z0-9-]*\) *|.*/\1/p' <<< "$WORKLOADS"; }
# workload_field NAME N: the Nth column of that row, without the blanks around it.
workload_field() {
  awk -F'|' -v name="$1" -v column="$2" '
    { key = $1; gsub(/ /, "", key) }
    key == name { value = $column; gsub(/^ +| +$/, "", value); gsub(/ +/, " ", value); print value }' <<< "$WORKLOADS"
}

peers=tgt
subject=holdfast
workloads=
rounds=5
seconds=3
warm_up=2
io=auto
java_home=${JAVA_HOME:-}
dir=/dev/shm
size_mib=2048
one_file=no
json=
require=no
set_up=yes

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --peers | --subject | --workloads | --rounds | --seconds | --warm-up | --io | --java-home | --dir | --size | --json)
        [ $# -ge 2 ] || wrong "$1 wants a value"
        ;;&
      --peers) peers=$2; shift ;;
      --subject) subject=$2; shift ;;
      --workloads) workloads=$2; shift ;;
      --rounds) rounds=$2; shift ;;
      --seconds) seconds=$2; shift ;;
      --warm-up) warm_up=$2; shift ;;
      --io) io=$2; shift ;;
      --java-home) java_home=$2; shift ;;
      --dir) dir=$2; shift ;;
      --size) size_mib=$2; shift ;;
      --json) json=$2; shift ;;
      --one-file) one_file=yes ;;
      --require) require=yes ;;
      --no-set-up) set_up=no ;;
      -h | --help) usage; exit 0 ;;
      *) wrong "unknown option '$1'" ;;
    esac
    shift
  done
}

# whole_number OPTION VALUE LEAST MOST
whole_number() {
  if ! [[ $2 =~ ^[0-9]{1,6}$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
    wrong "$1 '$2': want a whole number from $3 to $4"
  fi
}

check_options() {
  local kind name
  whole_number --rounds "$rounds" 1 100
  whole_number --seconds "$seconds" 1 600
  whole_number --warm-up "$warm_up" 0 600
  # The verifying pass and the largest blocks at their queue depth need room.
  whole_number --size "$size_mib" 128 999999
  case $io in ring | portable | auto) ;; *) wrong "--io '$io': want ring, portable or auto" ;; esac
  for kind in $subject ${peers//,/ }; do
    [ "$kind" = self ] || is_server_kind "$kind" || wrong "'$kind' is no server this script can start"
  done
  [ "$subject" != self ] || wrong "--subject 'self': name the server"
  [ -n "${peers//,/}" ] || wrong "--peers: name at least one"
  for name in ${workloads//,/ }; do
    workload_names | grep -qxF -- "$name" || wrong "'$name' is no workload"
  done
  if ! [ -d "$dir" ] || ! [ -w "$dir" ]; then wrong "--dir '$dir': no folder to write to"; fi
  choose_workloads
  [ -z "$java_home" ] || [ -x "$java_home/bin/java" ] || wrong "--java-home '$java_home': has no bin/java"
  # Better now than after minutes of measuring.
  [ -z "$json" ] || : > "$json" || wrong "--json '$json': cannot be written"
}

# On tmpfs nothing is cold: what was asked for and cannot be measured is an error, the rest of all workloads is left out.
choose_workloads() {
  local name chosen=
  file_system=$(stat -f -c %T "$dir")
  workloads=${workloads//,/ }
  # shellcheck disable=SC2046 # a list of words, on purpose
  for name in ${workloads:-$(workload_names)}; do
    if [ "$file_system" = tmpfs ] && is_cold "$name"; then
      [ -z "$workloads" ] || wrong "--workloads '$name': nothing is cold on tmpfs: give a --dir on a disk"
    else
      [[ ",$chosen," = *",$name,"* ]] || chosen+=${chosen:+,}$name
    fi
  done
  workloads=$chosen
}

is_cold() { case $(workload_field "$1" 5) in cold | beside) ;; *) false ;; esac; }

# ---- set-up -----------------------------------------------------------------------------------------------------------------

client=$checkout/scripts/bench/target/iscsi-load
ceiling=$checkout/scripts/bench/target/ceiling

# build_tool PROGRAM FOLDER: of the C files there, if one is newer.
build_tool() {
  local newest
  newest=$(find "$2" -maxdepth 1 -name '*.[ch]' -newer "$1" -print -quit 2> /dev/null)
  [ ! -x "$1" ] || [ -n "$newest" ] || return 0
  mkdir -p "$(dirname "$1")"
  gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$1" "$2"/*.c || die "cannot build $(basename "$1")"
}

set_up() {
  local kinds tool tools=gcc missing=
  kinds=" $subject ${peers//,/ } "
  [[ $kinds != *" holdfast"* ]] || tools+=' java mvn'
  [[ $kinds != *" tgt "* ]] || tools+=' tgtd tgtadm'
  [[ $kinds != *" nbdkit "* ]] || tools+=' nbdkit'
  [[ $kinds != *" qemu-nbd "* ]] || tools+=' qemu-nbd'
  [[ $workloads != *qemu-* ]] || tools+=' qemu-img'
  for tool in $tools; do command -v "$tool" > /dev/null || missing+=" $tool"; done
  if [ -n "$missing" ] && [ $set_up = yes ]; then
    # It installs more than a benchmark needs, and may fail for something else: what counts is looked at again.
    "$checkout/scripts/setup.sh" >&2
    missing=
    for tool in $tools; do command -v "$tool" > /dev/null || missing+=" $tool"; done
  fi
  [ -z "$missing" ] || die "needs$missing: scripts/setup.sh installs them"
  build_tool "$client" "$checkout/scripts/bench"
  [[ $kinds != *" ceiling "* ]] || build_tool "$ceiling" "$checkout/scripts/bench/ceiling"
  if [[ $kinds = *" holdfast"* ]] && [ $set_up = yes ]; then
    "$checkout/scripts/build.sh" >&2 || die "cannot build Holdfast"
  fi
}

check_room() {
  local count needed_mib free_mib available_mib
  count=$(( 1 + $(tr ',' '\n' <<< "$peers" | grep -c .) ))
  [ $one_file = no ] || count=1
  needed_mib=$(( count * size_mib + 64 ))
  free_mib=$(( $(df --output=avail -B1M "$dir" | tail -n 1) ))
  [ "$free_mib" -ge "$needed_mib" ] || die "$dir has $free_mib MiB free; $count files need $needed_mib: use --dir or --size"
  if [ "$file_system" = tmpfs ]; then
    # A tmpfs promises more than there is memory for, and what misses is then taken from the servers.
    available_mib=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    [ "$available_mib" -ge $(( needed_mib + 1024 )) ] \
      || die "the files live in memory: $needed_mib MiB and 1 GiB to work with are needed, $available_mib MiB are there: use --size"
  fi
}

# No holes, and nothing that compresses to one: 64 MiB of random bytes, again and again.
make_files() {
  local i mib server
  head -c 64M /dev/urandom > "$image_dir/piece" || die "cannot write to $dir"
  for server in "${!server_kind[@]}"; do
    if [ $one_file = yes ] && [ "$server" -gt 0 ]; then
      ln "$image_dir/disk0.img" "$image_dir/disk$server.img" || die "cannot make a second name for a file in $dir"
      continue
    fi
    mib=0
    while [ $mib -lt "$size_mib" ]; do
      i=$(( size_mib - mib < 64 ? size_mib - mib : 64 ))
      head -c ${i}M "$image_dir/piece" || die "cannot write to $dir"
      mib=$(( mib + 64 ))
    done > "$image_dir/disk$server.img"
  done
  rm -f "$image_dir/piece"
  # On a disk the run must not share it with the write-back of what was just made.
  [ "$file_system" = tmpfs ] || sync -f "$image_dir"
}

# ---- measuring --------------------------------------------------------------------------------------------------------------

run_dir=
image_dir=
load_pid=
clean_up() {
  trap '' INT TERM HUP
  if [ -n "$load_pid" ]; then
    kill "$load_pid" 2> /dev/null
    wait "$load_pid" 2> /dev/null
  fi
  stop_servers
  [ -z "$run_dir" ] || rm -rf "$run_dir"
  [ -z "$image_dir" ] || rm -rf "$image_dir"
}

# load SERVER SECONDS OPTIONS...: one run of the client; its JSON is in $run_dir/load.json then.
load() {
  local server=$1 run_seconds=$2 status
  shift 2
  # In the background and waited for: only so does bash act on a signal at once.
  timeout -k 2 $(( run_seconds + 60 )) "$client" --seconds "$run_seconds" --json "$run_dir/load.json" "$@" "${server_url[$server]}" \
    > "$run_dir/load.out" 2> "$run_dir/load.err" &
  load_pid=$!
  wait "$load_pid"
  status=$?
  load_pid=
  if [ $status -ne 0 ] || ! server_is_alive "$server"; then
    cat "$run_dir/load.err" >&2
    say "bench: the end of ${server_label[$server]}'s log:"
    tail -n 20 "${server_log[$server]}" >&2
    server_is_alive "$server" || die "${server_label[$server]} died under: $*"
    die "${server_label[$server]} failed (status $status) under: $*"
  fi
}

# take_turn SERVER: it runs, and no other does. end_turn SERVER: it waits, or is gone if another one is to have its file.
take_turn() {
  [ -z "${server_pid[$1]:-}" ] || { resume_server "$1"; return; }
  start_server "$1"
}

end_turn() {
  if [ $one_file = yes ]; then stop_server "$1"; else pause_server "$1"; fi
}

# warm_up_for SERVER WORKLOAD: by several connections, each for half of what is left of the time. A JVM that has seen no connection end
# throws away, when the first one does, much of what it has compiled, and compiles it anew in the seconds after.
warm_up_for() {
  local options piece left=$warm_up
  read -ra options <<< "$(workload_field "$2" 2)"
  while [ "$left" -gt 0 ]; do
    piece=$(( (left + 1) / 2 ))
    load "$1" "$piece" "${options[@]}"
    left=$(( left - piece ))
  done
}

warm_up_servers() {
  local server name began=$SECONDS
  for server in "${!server_kind[@]}"; do
    take_turn "$server"
    # A server that is fast by being wrong would show here.
    load "$server" 1 --verify --span 64M --mode mixed --block-size 4K --queue-depth 32 --connections 2
    load "$server" 1 --verify --span 64M --mode mixed --block-size 1M --queue-depth 4
    for name in ${workloads//,/ }; do
      [ $one_file = yes ] || warm_up_for "$server" "$name"
    done
    end_turn "$server"
  done
  warm_up_seconds=$(( (SECONDS - began) / ${#server_kind[@]} ))
}

# json_number FILE KEY
json_number() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"; }

# The file's pages leave the page cache, if they are clean: they are, after sync.
chill() { sync "$image_dir/disk$1.img" && dd if="$image_dir/disk$1.img" iflag=nocache count=0 status=none; }

# qemu_load SERVER SECONDS OPTION...: as load, by QEMU's own client. It does a number of I/Os, not seconds: as many as a first
# short run lets expect. It knows no latencies.
qemu_load() {
  local server=$1 run_seconds=$2 count=20000 step line
  for step in first measured; do
    { TIMEFORMAT='%U %S'; time timeout -k 2 $(( run_seconds * 10 + 60 )) qemu-img bench -f raw -t none -d 32 -s 4096 -c "$count" \
        "${server_url[$server]}" > "$run_dir/load.out" 2> "$run_dir/load.err"; } 2> "$run_dir/load.times" \
      || { cat "$run_dir/load.err" >&2; die "qemu-img bench failed on ${server_label[$server]}"; }
    line=$(sed -n 's/^Run completed in \([0-9.]*\) seconds.*/\1/p' "$run_dir/load.out")
    [ $step = measured ] || count=$(awk -v took="$line" -v count=$count -v wanted="$run_seconds" 'BEGIN {
      printf("%d", took > 0 ? count / took * wanted : count) }')
  done
  awk -v took="$line" -v count="$count" -v times="$(tail -n 1 "$run_dir/load.times")" 'BEGIN {
    split(times, cpu, " ")
    printf("{\"ios\":%d,\"seconds\":%.3f,\"iops\":%.1f,\"mib_per_s\":%.2f,\"client_cpu_percent\":%.1f}\n",
      count, took, count / took, count / took / 256, (cpu[1] + cpu[2]) / took * 100) }' > "$run_dir/load.json"
  printf 'qemu-img bench: %s IOPS\n' "$(json_number "$run_dir/load.json" iops)" > "$run_dir/load.out"
}

measure() {
  local server=$1 name=$2 round=$3 options ticks busy figures way beside_pid=
  read -ra options <<< "$(workload_field "$name" 2)"
  way=$(workload_field "$name" 5)
  take_turn "$server"
  [ $one_file = no ] || warm_up_for "$server" "$name"
  ! is_cold "$name" || chill "$server"
  if [ "$way" = beside ]; then
    load "$server" 5 --access sequential --block-size 1M --span 64M --count 64
    "$client" --seconds $(( seconds + 1 )) --seed "$(( round + 1000 ))" --block-size 4K --queue-depth 16 "${server_url[$server]}" \
      > "$run_dir/beside.out" 2>&1 &
    beside_pid=$!
  fi
  ticks=$(server_cpu_ticks "$server")
  busy=$(machine_busy_ticks)
  if [ "$way" = qemu ]; then
    qemu_load "$server" "$seconds"
  else
    load "$server" "$seconds" --seed "$round" "${options[@]}"
  fi
  busy=$(( $(machine_busy_ticks) - busy ))
  ticks=$(( $(server_cpu_ticks "$server") - ticks ))
  if [ -n "$beside_pid" ]; then
    wait "$beside_pid" || { cat "$run_dir/beside.out" >&2; die "the client beside failed on ${server_label[$server]}"; }
    say "    beside it: $(cut -d: -f2- "$run_dir/beside.out")"
  fi
  # printf with brackets: without them awk takes the > for a file to write.
  # The server's CPU time per I/O in us, and the share of one core that neither server nor client used.
  figures=$(awk -v server="$ticks" -v busy="$busy" -v hertz="$(getconf CLK_TCK)" -v ios="$(json_number "$run_dir/load.json" ios)" \
    -v seconds="$(json_number "$run_dir/load.json" seconds)" -v client="$(json_number "$run_dir/load.json" client_cpu_percent)" 'BEGIN {
      others = (busy - server) / hertz / seconds * 100 - client
      printf("%.2f\t%.0f", ios ? server / hertz * 1e6 / ios : 0, others > 0 ? others : 0) }')
  [ -n "$figures" ] || die "cannot compute what ${server_label[$server]} used"
  printf 'round\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$server" "$round" "$figures" "$(cat "$run_dir/load.json")" \
    "$(server_rss_mib "$server")" >> "$run_dir/rounds.tsv"
  end_turn "$server"
  say "  round $round ${server_label[$server]}: $(cut -d: -f2- "$run_dir/load.out"); server CPU ${figures%$'\t'*} us per I/O," \
    "others ${figures#*$'\t'} % of a core"
}

measure_all() {
  local name round server
  for server in "${!server_kind[@]}"; do
    printf 'server\t%s\t%s\t%s\n' "$server" "${server_label[$server]}" "${server_told[$server]}"
  done > "$run_dir/rounds.tsv"
  for name in ${workloads//,/ }; do
    printf 'workload\t%s\t%s\t%s\n' "$name" "$(workload_field "$name" 3)" "$(workload_field "$name" 4)" >> "$run_dir/rounds.tsv"
    say "$name: $(workload_field "$name" 2)"
    for (( round = 1; round <= rounds; round++ )); do
      for server in "${!server_kind[@]}"; do measure "$server" "$name" "$round"; done
    done
  done
}

# ---- the result -------------------------------------------------------------------------------------------------------------

describe() {
  printf 'setting\t%s\t%s\n' \
    date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    cores "$(nproc)" \
    cpu "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" \
    memory_mib "$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)" \
    kernel "$(uname -sr)" \
    file_system "$file_system" \
    file_mib "$size_mib" \
    one_file "$one_file" \
    rounds "$rounds" \
    seconds "$seconds" \
    warm_up_seconds "$warm_up_seconds" >> "$run_dir/rounds.tsv"
}

report() { awk -f "$checkout/scripts/bench/report.awk" -v form="$1" "$run_dir/rounds.tsv"; }

parse_options "$@"
check_options
trap clean_up EXIT
trap 'say "bench: interrupted"; exit 130' INT
trap 'say "bench: told to stop"; exit 143' TERM HUP
set_up
check_room
run_dir=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-bench.XXXXXX") || die "cannot make a folder in ${TMPDIR:-/tmp}"
image_dir=$(mktemp -d "$dir/holdfast-bench.XXXXXX") || die "cannot make a folder in $dir"
# shellcheck disable=SC2086 # a list of words, on purpose
declare_servers "$subject" ${peers//,/ }
make_files
for server in "${!server_kind[@]}"; do
  start_server "$server"
  server_told[server]=$(server_version "$server")
  say "${server_label[$server]}: ${server_told[$server]}, ${server_url[$server]}"
  end_turn "$server"
done
warm_up_servers
say "warm-up: ${warm_up_seconds} s on each server, its data verified; now $rounds rounds of $seconds s of each workload"
measure_all
describe
report table || die "cannot make the table"
if [ -n "$json" ]; then
  report json > "$json" || die "cannot write $json"
fi
[ $require = no ] || report misses || exit 1
