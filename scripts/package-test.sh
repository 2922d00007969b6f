#!/usr/bin/env bash
# Installs the Debian package in a clean Debian that systemd has booted, and uses it as the operator's guide says: what a new
# user would do, and what must never happen to him.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/package-test.sh [--keep] [--reproducible] [--packages DIR]
Builds the package in two versions, boots a clean Debian 12 with systemd as its first process (systemd-nspawn, a network of
its own), and there runs the commands of docs/operating.md as they stand: installs, makes an LU and a client, boots a guest
from the LU. Under that guest the server is restarted, killed and upgraded, and the agent restarted. Then the package is
removed, purged, and the tarball tried. Root and Debian's mirror are needed; what was fetched is kept in .cache.
  --keep          leaves the Debian's files where they are
  --reproducible  also builds the package in a second directory, and compares the bytes
  --packages DIR  builds none: versions 0.1.0~test1 and 0.1.0~test2 lie there
Exit code: 0 all as it should be, 1 something is wrong, 2 wrong usage, 77 it cannot be run here (and says why).
TEXT
}

keep=no
reproducible=no
packages=""
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --reproducible) reproducible=yes ;;
        --packages) packages=$(readlink -e "${2:?--packages needs a directory}"); shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "package-test: unknown argument '$1' (see --help)" >&2; exit 2 ;;
    esac
    shift
done
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$checkout"
# shellcheck source=scripts/lib/guest-kernel.sh
. scripts/lib/guest-kernel.sh
# shellcheck source=scripts/lib/clean-debian.sh
. scripts/lib/clean-debian.sh

step() { echo "package-test: $*"; }
skip() { echo "package-test: skipped: $*"; exit 77; }
die() {
    echo "package-test: FAILED: $*" >&2
    tell_story >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || skip "root is needed"
for need in debootstrap/debootstrap systemd-nspawn/systemd-container qemu-img/qemu-utils; do
    command -v "${need%/*}" > /dev/null || skip "${need%/*} is not installed (apt-get install ${need#*/})"
done

work=$(mktemp -d /var/tmp/holdfast-package-test.XXXXXX)
box=$work/debian
guest=""
tell_story() {
    for log in five-minutes.err guest.log upgrade.log remove purge; do
        [ ! -s "$box/root/$log" ] || { echo "--- $log"; tail -n 15 "$box/root/$log"; }
    done
    if debian_runs; then
        echo "--- journal"
        inside journalctl --no-pager -n 60 -u 'holdfast*' || true
    fi
}
clean_up() {
    debian_stop
    if [ $keep = yes ]; then step "left in $work"; else rm -rf --one-file-system "$work"; fi
}
trap clean_up EXIT

# guide NAME: the commands below the comment "<!-- proof: NAME -->" of the operator's guide, as they stand there.
guide() {
    awk -v mark="<!-- proof: $1 -->" '
        $0 == mark { found = 1; next }
        found && /^    / { print substr($0, 5); any = 1; next }
        found && any { exit }
    ' docs/operating.md | grep . || die "docs/operating.md has no commands marked 'proof: $1'"
}
# as_written NAME: runs them in the clean Debian.
as_written() { guide "$1" | inside_shell > "$box/root/$1" 2>&1 || { cat "$box/root/$1" >&2; die "the guide's commands '$1' fail"; }; }
there() { [ -e "$box/$1" ] || die "$1 is missing $2"; }
gone() { [ ! -e "$box/$1" ] && [ ! -L "$box/$1" ] || die "$1 is there $2"; }
await() { # SECONDS WHAT COMMAND...
    local limit=$1 what=$2 deadline=$((SECONDS + $1))
    shift 2
    until "$@"; do
        [ $SECONDS -lt $deadline ] || die "waited $limit s for $what"
        [ -z "$guest" ] || kill -0 "$guest" 2> /dev/null || "$@" || die "the guest ended, while waiting for $what"
        sleep 0.2
    done
}

scripts/setup.sh --quiet
if [ -z "$packages" ]; then
    step "building 0.1.0~test1 and 0.1.0~test2"
    packages=$work
    scripts/package.sh --version 0.1.0~test1 > "$work/first.sums"
    cp packaging/target/holdfast_0.1.0~test1_all.deb packaging/target/holdfast-0.1.0~test1.tar.gz "$work/"
    if [ $reproducible = yes ]; then
        scripts/reproducible.sh --version 0.1.0~test1 --against "$work/first.sums" || die "two builds differ"
    fi
    scripts/package.sh --version 0.1.0~test2 > /dev/null
    cp packaging/target/holdfast_0.1.0~test2_all.deb "$work/"
fi
first=$packages/holdfast_0.1.0~test1_all.deb
second=$packages/holdfast_0.1.0~test2_all.deb
images=$(test-images/build.sh)
# Stands for the image of a real distribution, and boots in seconds without KVM; its program writes and tells of each write.
qemu-img convert -O qcow2 "$images/bios.img" "$work/debian-12-nocloud-amd64.qcow2"
if command -v lintian > /dev/null; then
    lintian --fail-on error "$first" > "$work/lintian" 2>&1 \
        || { cat "$work/lintian" >&2; die "lintian objects"; }
fi

step "a clean Debian 12"
debian_make "$box" || skip "debootstrap cannot make one here"
mkdir -p "$box/root/upgrade"
cp "$first" "$packages/holdfast-0.1.0~test1.tar.gz" "$work/debian-12-nocloud-amd64.qcow2" "$box/root/"
cp "$second" "$box/root/upgrade/"
# The booted Debian has no network but its own loopback.
debian_fetch "$box" ./root/holdfast_0.1.0~test1_all.deb qemu-system-x86 qemu-utils qemu-block-extra \
    libvirt-daemon-system libvirt-clients || die "apt cannot fetch what they need"
debian_boot "$box" "$work/console" || die "systemd does not come up; its console: $(tail -n 5 "$work/console")"
step "systemd $(inside systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p') is its first process"

step "the guide: the first disk and VM in five minutes"
# One shell from the installation to the guest, as the guide says. Its last command is QEMU, whose serial line is kept with
# the time of each line.
mkfifo "$box/root/keyboard"
{
    echo 'set -e; cd /root'
    for part in install disk fill agent guest; do guide "$part"; done
} > "$box/root/five-minutes"
inside sh -c 'exec bash /root/five-minutes <> /root/keyboard 2> /root/five-minutes.err' \
    | while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done > "$box/root/guest.log" &
guest=$!
acks() { local count; count=$(grep -c ' ack [0-9]' "$box/root/guest.log" 2> /dev/null) || true; echo "${count:-0}"; }
writes() { [ "$(acks)" -gt "$1" ]; }
began=$SECONDS
await 400 "the guest to boot from its LU and write" writes 50
step "the guest writes to the LU that it has booted from, $((SECONDS - began)) s after the first command"
# goes_on WHAT: the guest writes on, and has seen no error; prints the longest time without an acknowledged write.
goes_on() {
    local before
    before=$(acks)
    await 60 "the guest to write on after $1" writes $((before + 50))
    if grep -E ' (error|kmsg) [0-9]' "$box/root/guest.log" > "$work/complaints"; then
        die "the guest complains after $1: $(head -n 3 "$work/complaints")"
    fi
    step "$1: the guest stood still for $(awk '/ ack [0-9]/ { if (last && $1 - last > most) most = $1 - last; last = $1 }
        END { printf "%.0f", most * 1000 }' "$work/span") ms"
}
# while_watched WHAT COMMAND...: what the guest says meanwhile is kept for goes_on.
while_watched() {
    local what=$1 from
    shift
    from=$(wc -l < "$box/root/guest.log")
    "$@" || die "$what failed"
    await 60 "the guest to write after $what" writes $(($(acks) + 20))
    tail -n "+$from" "$box/root/guest.log" > "$work/span"
    goes_on "$what"
}
# Its exit code is 1 whenever it finds anything.
doctor_finds() { { inside holdfast doctor 2>&1 || true; } > "$work/doctor" && grep -Eq "^FAIL  $1" "$work/doctor"; }
# Back when systemd has another one running.
kill_server() {
    local before
    before=$(property holdfast.service MainPID)
    inside systemctl kill -s KILL holdfast.service
    await 60 "another server" another_server "$before"
}
another_server() {
    [ "$(property holdfast.service ActiveState)" = active ] && [ "$(property holdfast.service MainPID)" != "$1" ]
}
property() { inside systemctl show -P "$2" "$1"; }

as_written status
while_watched "systemctl restart, as the guide has it" as_written restart
while_watched "kill -9 of the server" kill_server
while_watched "systemctl restart holdfast-agent" inside systemctl restart holdfast-agent
while_watched "systemctl reload holdfast" inside systemctl reload holdfast
# Which doctor asks for, where the kernel has it.
inside sh -c 'cd /proc/sys/net/ipv4; [ ! -e tcp_syn_linear_timeouts ] || echo 100 > tcp_syn_linear_timeouts'
as_written doctor
grep -q 'Nothing need be changed' "$box/root/doctor" || { cat "$box/root/doctor"; die "doctor finds something"; }

step "the server away for longer: doctor says so"
inside systemctl stop holdfast.socket holdfast.service
await 20 "the agent to note that it froze the VM" doctor_finds 'vm-frozen .*vm web1 is frozen since'
doctor_finds 'server .*the server at 127.0.0.1:3261 is away' || die "doctor does not see that the server is away"
while_watched "systemctl start" inside systemctl start holdfast.socket holdfast.service

step "upgrading with changed settings, under the guest"
echo '# kept' >> "$box/etc/holdfast/holdfast.toml"
before=$(property holdfast.service MainPID)
archive=$(stat -c %Y "$box"/var/cache/holdfast/*.jsa)
uuid=$(inside holdfast lu show web1 -fmt : --field uuid)
upgrade() { guide upgrade | inside_shell /root/upgrade > "$box/root/upgrade.log" 2>&1; }
while_watched "the upgrade" upgrade
[ "$(property holdfast.service MainPID)" != "$before" ] || die "the old server still runs"
grep -q '^# kept' "$box/etc/holdfast/holdfast.toml" || die "the settings were overwritten"
[ "$(stat -c %Y "$box"/var/cache/holdfast/*.jsa)" -gt "$archive" ] || die "the class-data archive is the old one"
[ "$(inside holdfast lu show web1 -fmt : --field uuid)" = "$uuid" ] || die "the LU is another disk"

step "shutting the guest down"
wait_for_end=$guest
guest=""
printf 'stop\nreport\npoweroff\n' > "$box/root/keyboard"
await 60 "the guest's report" grep -q ' report errors=' "$box/root/guest.log"
grep ' report ' "$box/root/guest.log" | grep -q 'errors=0 kmsg=0 remounted_ro=no' \
    || die "the guest says: $(grep ' report ' "$box/root/guest.log")"

wait "$wait_for_end"

step "the guide: a second VM, by libvirt"
# The box has no cgroups of its own that libvirt could divide: it is told to do without.
{
    guide libvirt-disk
    echo "echo 'cgroup_controllers = [ ]' >> /etc/libvirt/qemu.conf; systemctl restart libvirtd"
    guide libvirt-domain
} | inside_shell > "$box/root/libvirt" 2>&1 || { cat "$box/root/libvirt" >&2; die "the guide's commands for libvirt fail"; }
# What the guest has written so far.
libvirt_writes() { inside virsh domblkstat web2 vda | awk '$2 == "wr_req" { print $3 }'; }
libvirt_wrote() { local now; now=$(libvirt_writes) && [ "${now:-0}" -gt "$1" ]; }
await 120 "the second VM to boot and write" libvirt_wrote 50
inside systemctl restart holdfast
before=$(libvirt_writes)
await 60 "the second VM to write on" libvirt_wrote $((before + 50))
inside virsh domblkerror web2 | grep -q 'No errors found' || die "libvirt's VM saw errors: $(inside virsh domblkerror web2)"
inside journalctl --no-pager -u holdfast-agent | grep -q 'vm web2: RUNNING (thawed)' || die "the agent did not lead web2 back"
# Its exit code is 1 for the VM that has ended.
{ inside holdfast doctor || true; } > "$work/doctor" 2>&1
grep -Eq '^OK +vm-disk .*\(web2\)' "$work/doctor" || { cat "$work/doctor" >&2; die "doctor does not see the disk of libvirt's VM"; }
inside sh -c 'virsh destroy web2 && virsh undefine web2' > /dev/null

step "removing: settings and disks stay"
as_written remove
gone usr/bin/holdfast "after the removal"
gone etc/systemd/system/sockets.target.wants/holdfast.socket "after the removal"
there etc/holdfast/holdfast.toml "after the removal"
there var/lib/holdfast/images/web1.img "after the removal"

step "purging: disks stay"
as_written purge
gone etc/holdfast/holdfast.toml "after the purge"
gone var/cache/holdfast "after the purge"
there var/lib/holdfast/images/web1.img "after the purge"
grep -q 'is left as it is' "$box/root/purge" || die "the purge does not say that disks stay"

step "installing and purging with no disk leaves nothing"
rm -rf "$box/var/lib/holdfast"
inside dpkg -i /root/holdfast_0.1.0~test1_all.deb > "$work/again" 2>&1 || die "$(cat "$work/again")"
there var/lib/holdfast/images "after the installation"
inside dpkg -P holdfast > "$work/again" 2>&1 || die "$(cat "$work/again")"
gone var/lib/holdfast "after a purge without disks"

step "the tarball"
as_written tarball
debian_stop
step "all as it should be"
