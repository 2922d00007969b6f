#!/usr/bin/env bash
# Installs the Debian package in a clean Debian and uses it: what a new user would do, and what must never happen to him.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/package-test.sh [--keep] [--reproducible]
Builds the package, makes a clean Debian 12 by debootstrap (root and the network are needed; it is kept in .cache for the next
time), and there installs it, serves a disk and reads it from outside, upgrades, removes and purges. --reproducible builds it
twice and compares. --keep leaves the clean Debian's copy where it was.
Exit code: 0 all as it should be (or skipped, and said why), 1 something is wrong.
TEXT
}

keep=no
reproducible=no
for argument in "$@"; do
    case $argument in
        --keep) keep=yes ;;
        --reproducible) reproducible=yes ;;
        -h | --help) usage; exit 0 ;;
        *) echo "package-test: unknown argument '$argument' (see --help)" >&2; exit 2 ;;
    esac
done
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib/guest-kernel.sh
. scripts/lib/guest-kernel.sh

skip() { echo "package-test: skipped: $*"; exit 0; }
step() { echo "package-test: $*"; }
die() { echo "package-test: FAILED: $*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || skip "a chroot needs root"
command -v debootstrap > /dev/null || skip "debootstrap is not installed (apt-get install debootstrap)"
command -v iscsi-ls > /dev/null || skip "iscsi-ls is not installed (apt-get install libiscsi-bin)"

step "building 0.1.0~test1 and 0.1.0~test2"
scripts/package.sh --version 0.1.0~test1 > packaging/target.sums
cp packaging/target/holdfast_0.1.0~test1_all.deb packaging/first.deb
trap 'rm -f packaging/first.deb packaging/target.sums' EXIT
if [ $reproducible = yes ]; then
    scripts/package.sh --version 0.1.0~test1 | diff - packaging/target.sums || die "two builds differ"
    step "two builds are the same bytes"
fi
scripts/package.sh --version 0.1.0~test2 > /dev/null

prepare_holdfast_cache
clean=$(holdfast_cache_dir)/debian-12
if [ ! -f "$clean.complete" ]; then
    step "making a clean Debian (two or three minutes, once)"
    rm -rf "$clean"
    debootstrap --variant=minbase --include=openjdk-17-jre-headless,adduser bookworm "$clean" \
        > "$clean.log" 2>&1 || { tail -n 3 "$clean.log" >&2; skip "debootstrap cannot make it here"; }
    touch "$clean.complete"
fi
place=$(mktemp -d /var/tmp/holdfast-package-test.XXXXXX)
cp -a "$clean/." "$place/"
server=""
clean_up() {
    [ -z "$server" ] || kill -9 "$server" 2> /dev/null || true
    umount "$place/proc" 2> /dev/null || true
    if [ $keep = yes ]; then step "left in $place"; else rm -rf --one-file-system "$place"; fi
    rm -f packaging/first.deb packaging/target.sums
}
trap clean_up EXIT
mount -t proc proc "$place/proc"
cp packaging/first.deb "$place/first.deb"
cp packaging/target/holdfast_0.1.0~test2_all.deb "$place/second.deb"
inside() { chroot "$place" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
there() { [ -e "$place/$1" ] || die "$1 is missing $2"; }
gone() { [ ! -e "$place/$1" ] || die "$1 is there $2"; }

step "installing"
inside dpkg -i /first.deb > "$place/install.log" 2>&1 || { cat "$place/install.log" >&2; die "it cannot be installed"; }
there usr/share/man/man1/holdfast-serve.1.gz "after the installation"
there usr/lib/systemd/system/holdfast.service "after the installation"
there var/lib/holdfast/images "after the installation"
ls "$place"/var/cache/holdfast/*.jsa > /dev/null 2>&1 || die "no class-data archive was made"
inside holdfast --version
inside getent passwd holdfast > /dev/null || die "there is no user holdfast"

step "a first disk, by the settings file"
cat >> "$place/etc/holdfast/holdfast.toml" <<'TEXT'
[[export]]
path = "/var/lib/holdfast/images/web1.img"
size = "64M"
TEXT
port=13260
sed -i "s/:3260/:$port/; s/:3261/:$((port + 1))/" "$place/etc/holdfast/holdfast.toml"
serve() {
    chroot --userspec=holdfast:holdfast "$place" /usr/bin/env -i PATH=/usr/bin:/bin \
        holdfast serve --config /etc/holdfast/holdfast.toml > "$place/serve.out" 2> "$place/serve.log" &
    server=$!
    for _ in $(seq 100); do
        if grep -q '^iscsi://' "$place/serve.out"; then return; fi
        kill -0 "$server" 2> /dev/null || break
        sleep 0.1
    done
    cat "$place/serve.log" >&2
    die "the server does not serve"
}
target=iscsi://127.0.0.1:$port/iqn.2026-11.io.holdfast:web1/0
serve
iscsi-ls -s "iscsi://127.0.0.1:$port" | grep -q 'iqn.2026-11.io.holdfast:web1' || die "the disk is not to be seen"
if command -v qemu-io > /dev/null; then
    qemu-io -f raw -c 'write -P 7 0 1M' -c flush "$target" > /dev/null || die "the disk cannot be written"
fi
uuid=$(grep -o '"uuid"[^,]*' "$place/var/lib/holdfast/units.json")

step "upgrading, with changed settings"
kill -TERM "$server"
wait "$server" || true
before=$(ls -l --time-style=full-iso "$place"/var/cache/holdfast/*.jsa)
inside dpkg -i --force-confdef --force-confold /second.deb > "$place/upgrade.log" 2>&1 || die "it cannot be upgraded"
grep -q web1.img "$place/etc/holdfast/holdfast.toml" || die "the settings were overwritten"
[ "$before" != "$(ls -l --time-style=full-iso "$place"/var/cache/holdfast/*.jsa)" ] || die "the class-data archive is the old one"
serve
if command -v qemu-io > /dev/null; then
    qemu-io -f raw -c 'read -P 7 0 1M' "$target" | grep -q 'read 1048576' || die "what was written is not there any more"
fi
[ "$uuid" = "$(grep -o '"uuid"[^,]*' "$place/var/lib/holdfast/units.json")" ] || die "the disk is another disk"
kill -TERM "$server"
wait "$server" || true
server=""

step "removing: settings and disks stay"
inside dpkg -r holdfast > /dev/null 2>&1 || die "it cannot be removed"
gone usr/bin/holdfast "after the removal"
there etc/holdfast/holdfast.toml "after the removal"
there var/lib/holdfast/images/web1.img "after the removal"

step "purging: disks stay"
inside dpkg -P holdfast > "$place/purge.log" 2>&1 || die "it cannot be purged"
gone etc/holdfast/holdfast.toml "after the purge"
gone var/cache/holdfast "after the purge"
there var/lib/holdfast/images/web1.img "after the purge"
there var/lib/holdfast/units.json "after the purge"
grep -q 'is left as it is' "$place/purge.log" || die "the purge does not say that disks stay"

step "installing and purging with no disk leaves nothing"
rm -rf "$place/var/lib/holdfast"
inside dpkg -i /first.deb > /dev/null 2>&1
inside dpkg -P holdfast > /dev/null 2>&1
gone var/lib/holdfast "after a purge without disks"
step "all as it should be"
