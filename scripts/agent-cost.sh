#!/usr/bin/env bash
# What the agent costs on the data path: 4 KiB reads and writes at depth 32 through QEMU's block layer and its initiator, by
# the agent's portal and straight to the server, in turn.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/agent-cost.sh [--rounds N] [--requests N]
Prints I/Os per second through the agent's portal and straight to the server, round by round, and the ratio of the medians.
  --rounds N     rounds of each way, in turn (default 5)
  --requests N   requests in each (default 200000)
Exit code: 0 measured, 1 something failed, 2 wrong usage. A ratio below 0.98 is told, and fails nothing: machines are noisy.
TEXT
}

rounds=5
requests=200000
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --rounds | --requests)
            if [[ ! ${2:-} =~ ^[1-9][0-9]{0,8}$ ]]; then
                echo "agent-cost: $1 '${2:-}': a number from 1 on is allowed" >&2
                exit 2
            fi
            declare "${1#--}=$2"
            shift
            ;;
        *) echo "agent-cost: unknown option '$1' (see --help)" >&2; exit 2 ;;
    esac
    shift
done

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$checkout/scripts/setup.sh" --quiet
"$checkout/scripts/build.sh"
work=$(mktemp -d /var/tmp/holdfast-cost.XXXXXX)
server=""
agent=""
# shellcheck disable=SC2329 # by the trap
clean_up() {
    [ -z "$agent" ] || kill "$agent" 2> /dev/null || true
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    wait
    rm -rf "$work"
}
trap clean_up EXIT

# await FILE PATTERN: waits until a line of a log matches, and prints it.
await() {
    local i
    for ((i = 0; i < 300; i++)); do
        grep -m 1 -E "$2" "$1" && return
        sleep 0.1
    done
    echo "agent-cost: nothing like '$2' in 30 s; the log:" >&2
    cat "$1" >&2
    return 1
}

port() { shuf -i 20000-31999 -n 1; }

iscsi=$(port) control=$(port) portal=$(port)
"$checkout/scripts/holdfast" serve --listen "127.0.0.1:$iscsi" --control "127.0.0.1:$control" \
    --export "$work/disk.img,size=256M" > "$work/server.log" 2>&1 &
server=$!
await "$work/server.log" 'iscsi://' > /dev/null
"$checkout/scripts/holdfast" agent --server "127.0.0.1:$control" --state "$work/agent" \
    --vm "cost=$work/none.qmp,portal=127.0.0.1:$portal" > "$work/agent.log" 2>&1 &
agent=$!
await "$work/agent.log" 'serves' > /dev/null
target=iqn.2026-11.io.holdfast:disk/0

# once PORT [OPTION...]: requests per second of one run.
once() {
    local at=$1 seconds
    shift
    seconds=$(qemu-img bench -f raw -t none -c "$requests" -d 32 -s 4096 "$@" "iscsi://127.0.0.1:$at/$target" \
        | sed -n 's/^Run completed in \([0-9.]*\) seconds.*/\1/p')
    awk -v n="$requests" -v s="$seconds" 'BEGIN { printf "%.0f\n", n / s }'
}

# compare NAME [OPTION...]: both ways in turn, and the ratio of their medians.
compare() {
    local name=$1 i with without
    shift
    : > "$work/with"
    : > "$work/without"
    for ((i = 1; i <= rounds; i++)); do
        # Who is first changes: a machine that gets faster or slower meanwhile favours neither.
        if ((i % 2)); then
            with=$(once "$portal" "$@") without=$(once "$iscsi" "$@")
        else
            without=$(once "$iscsi" "$@") with=$(once "$portal" "$@")
        fi
        echo "$with" >> "$work/with"
        echo "$without" >> "$work/without"
        printf '%s %d: %s with the agent, %s without\n' "$name" "$i" "$with" "$without"
    done
    with=$(sort -n "$work/with" | sed -n "$(((rounds + 1) / 2))p")
    without=$(sort -n "$work/without" | sed -n "$(((rounds + 1) / 2))p")
    awk -v name="$name" -v w="$with" -v o="$without" \
        'BEGIN { r = w / o; printf "agent-cost %s with=%d without=%d ratio=%.3f%s\n", name, w, o, r, r < 0.98 ? " (below 0.98)" : "" }'
}

once "$iscsi" -w > /dev/null # the image's blocks are there, and everything is warm
compare reads
compare writes -w
