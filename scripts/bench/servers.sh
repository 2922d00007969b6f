# shellcheck shell=bash disable=SC2154,SC2034,SC2015 # bench.sh sets and reads the variables; `a && b || die` is meant so
# The servers a benchmark can start. Sourced by scripts/bench.sh, which provides die, say and the folders.
#
# A new kind is a row in server_kinds and two functions: start_KIND sets server_pid and server_url of the server it is given,
# version_KIND prints one line. It must speak iSCSI or NBD and stay in the foreground.

server_kinds() {
  printf '%s\n' holdfast holdfast-ring holdfast-portable tgt nbdkit qemu-nbd ceiling
}

# holdfast@DIR is the Holdfast that was built in another checkout.
is_server_kind() {
  case $1 in
    holdfast@*) [ -x "${1#holdfast@}/scripts/holdfast" ] ;;
    *) server_kinds | grep -qxF -- "$1" ;;
  esac
}

server_kind=()
server_label=()
server_pid=()
server_url=()
server_log=()
server_told=()

# declare_servers KIND...: the subject is number 0.
declare_servers() {
  local kind number label
  for kind in "$@"; do
    [ "$kind" != self ] || kind=${server_kind[0]}
    number=${#server_kind[@]}
    label=$kind
    case $kind in holdfast@*) label=holdfast@$(basename "$(realpath "${kind#holdfast@}")") ;; esac
    [[ " ${server_kind[*]} " != *" $kind "* ]] || label=$kind-$(( number + 1 ))
    server_kind[number]=$kind
    server_label[number]=$label
    server_log[number]=$run_dir/log$number
  done
}

start_server() {
  case ${server_kind[$1]} in
    holdfast) start_holdfast "$1" "$io" "$checkout" ;;
    holdfast-*) start_holdfast "$1" "${server_kind[$1]#holdfast-}" "$checkout" ;;
    holdfast@*) start_holdfast "$1" "$io" "${server_kind[$1]#holdfast@}" ;;
    *) "start_${server_kind[$1]//-/_}" "$1" ;;
  esac
}

server_version() {
  case ${server_kind[$1]} in
    holdfast@*) version_holdfast "$1" "${server_kind[$1]#holdfast@}" ;;
    holdfast*) version_holdfast "$1" "$checkout" ;;
    *) "version_${server_kind[$1]//-/_}" ;;
  esac
}

# A process that is gone but not yet waited for would still take a signal.
server_is_alive() { [ -n "${server_pid[$1]:-}" ] && grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/${server_pid[$1]}/status" 2> /dev/null; }

# The server that is not measured must not take a cycle from the one that is.
pause_server() { kill -STOP "${server_pid[$1]}" 2> /dev/null; }
resume_server() { kill -CONT "${server_pid[$1]}" 2> /dev/null; }

# User and system time of all its threads so far, in clock ticks: fields 14 and 15 of /proc/PID/stat (proc(5)). Field 2, the
# name, may hold blanks: counted from behind it.
server_cpu_ticks() { sed 's/^.*) //' "/proc/${server_pid[$1]}/stat" | awk '{ print $12 + $13 }'; }

# What it holds of the machine's memory, in MiB: all that is resident, shared pages and files it maps included.
server_rss_mib() { awk '/^VmRSS:/ { printf("%.0f", $2 / 1024) }' "/proc/${server_pid[$1]}/status"; }

# What all CPUs did so far but idle and wait for disks, in clock ticks; steal, taken by other machines, included (proc(5), /proc/stat).
machine_busy_ticks() { awk '$1 == "cpu" { print $2 + $3 + $4 + $7 + $8 + $9; exit }' /proc/stat; }

# await SERVER SECONDS COMMAND...: until the command succeeds; ends the benchmark when the server dies or time is up.
await() {
  local server=$1 left=$(( $2 * 20 ))
  shift 2
  until "$@" > /dev/null 2>&1; do
    left=$(( left - 1 ))
    if [ $left -le 0 ] || ! server_is_alive "$server"; then
      tail -n 20 "${server_log[$server]}" >&2
      die "${server_label[$server]} did not start"
    fi
    sleep 0.05
  done
}

# Stopped processes first wake up, then are asked, then are killed.
stop_servers() {
  local pid
  for pid in "${server_pid[@]}"; do ask_to_end "$pid"; done
  for pid in "${server_pid[@]}"; do await_end "$pid"; done
  server_pid=()
}

# Where it listened is forgotten: it may be started again.
stop_server() {
  ask_to_end "${server_pid[$1]}"
  await_end "${server_pid[$1]}"
  unset "server_pid[$1]"
  rm -f "$run_dir/out$1"
}

ask_to_end() {
  kill -CONT "$1" 2> /dev/null
  kill -TERM "$1" 2> /dev/null
}

await_end() {
  local left=60
  while kill -0 "$1" 2> /dev/null && [ $left -gt 0 ]; do
    left=$(( left - 1 ))
    sleep 0.05
  done
  kill -KILL "$1" 2> /dev/null
  wait "$1" 2> /dev/null
}

# ---- Holdfast ---------------------------------------------------------------------------------------------------------------

# start_holdfast SERVER IO-WAY CHECKOUT
start_holdfast() {
  local server=$1
  JAVA_HOME=$java_home "$3/scripts/holdfast" serve --listen 127.0.0.1:0 --control 127.0.0.1:0 --io "$2" \
    --export "$image_dir/disk$server.img" > "$run_dir/out$server" 2> "${server_log[$server]}" &
  server_pid[server]=$!
  await "$server" 30 grep -q '^iscsi://' "$run_dir/out$server"
  server_url[server]=$(grep -m 1 -o '^iscsi://[^ ]*' "$run_dir/out$server")
}

# version_holdfast SERVER CHECKOUT
version_holdfast() {
  local way java=${java_home:+$java_home/bin/}java
  # `auto` leaves the choice to the server: it says in its log what it chose.
  way=$(sed -n 's/.*serving .* \(ring\|portable\) I\/O.*/\1/p' "${server_log[$1]}" | head -n 1)
  printf 'Holdfast %s, %s I/O, %s\n' "$(git -C "$2" describe --always --dirty 2> /dev/null || echo '?')" "${way:-unknown}" \
    "$("$java" -version 2>&1 | sed -n '2,3p' | paste -sd ' ' | sed 's/.*(build \([^)]*\)).*/Java \1/')"
}

# ---- tgt --------------------------------------------------------------------------------------------------------------------

# A port nobody listens on. Another may take it before we do: the caller tries again then.
free_port() {
  local port
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$(( 20000 + RANDOM % 10000 ))
    if ! (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
      echo $port
      return
    fi
  done
  die "found no free port"
}

# All of tgt's own defaults but the places: 16 I/O threads, and what it offers at login.
start_tgt() {
  local server=$1 port name=iqn.2026-11.io.holdfast:bench
  command -v tgtd > /dev/null && command -v tgtadm > /dev/null || die "needs tgt: scripts/setup.sh installs it"
  port=$(free_port) || exit 1
  # A control socket of our own: numbers (-C) are shared with every tgtd of the machine.
  TGT_IPC_SOCKET=$run_dir/tgt$server tgtd -f -C 0 -t 16 --iscsi "portal=127.0.0.1:$port" > "${server_log[$server]}" 2>&1 &
  server_pid[server]=$!
  await "$server" 10 tgt_admin "$server" --op show --mode system
  tgt_admin "$server" --lld iscsi --op new --mode target --tid 1 --targetname $name \
    && tgt_admin "$server" --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 --bstype rdwr \
      --backing-store "$image_dir/disk$server.img" \
    && tgt_admin "$server" --lld iscsi --op bind --mode target --tid 1 --initiator-address ALL \
    || die "tgt does not take its target: see above"
  server_url[server]=iscsi://127.0.0.1:$port/$name/1
}

tgt_admin() {
  local server=$1
  shift
  TGT_IPC_SOCKET=$run_dir/tgt$server timeout 10 tgtadm -C 0 "$@"
}

version_tgt() { printf 'tgt %s\n' "$(tgtd --version 2>&1 | head -n 1)"; }

# ---- NBD: nbdkit, qemu-nbd and the ceiling ------------------------------------------------------------------------------------

# start_nbd SERVER PORT COMMAND...: NBD is another protocol, with less to do for each request; docs/benchmarks.md.
start_nbd() {
  local server=$1 port=$2
  shift 2
  "$@" > "${server_log[$server]}" 2>&1 &
  server_pid[server]=$!
  await "$server" 10 eval ": < /dev/tcp/127.0.0.1/$port"
  server_url[server]=nbd://127.0.0.1:$port
}

# Its own defaults: a thread for each request in flight, 16 at most for each connection.
start_nbdkit() {
  local port
  port=$(free_port) || exit 1
  start_nbd "$1" "$port" nbdkit -f -i 127.0.0.1 -p "$port" file "$image_dir/disk$1.img"
}

version_nbdkit() { printf 'nbdkit %s, file plugin\n' "$(nbdkit --version | sed 's/^nbdkit //')"; }

start_qemu_nbd() {
  local port
  port=$(free_port) || exit 1
  start_nbd "$1" "$port" qemu-nbd -t -e 64 -f raw --cache=writeback -b 127.0.0.1 -p "$port" "$image_dir/disk$1.img"
}

version_qemu_nbd() { qemu-nbd --version | head -n 1; }

start_ceiling() {
  local port
  port=$(free_port) || exit 1
  start_nbd "$1" "$port" "$ceiling" "$port" "$image_dir/disk$1.img"
}

version_ceiling() { echo 'scripts/bench/ceiling, one thread, no protocol to speak of'; }
