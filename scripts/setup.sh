#!/usr/bin/env bash
# Installs, from Debian only, what Holdfast's build, demo, tests and benchmarks need and this machine lacks.
# When everything is there it asks dpkg nothing, calls no apt and ends in well under a second.
set -u
PATH=$PATH:/usr/sbin:/sbin

usage() {
  cat <<'TEXT'
Usage: scripts/setup.sh [--check] [--quiet] [--tests] [--initiator]
  --check      only say what is missing; install nothing
  --quiet      say nothing when everything is there
  --tests      also a JDK of exactly version 17, which every test runs on (scripts/test.sh needs it)
  --initiator  also what the guest with the Linux initiator is made of: Debian's generic kernel and 100 packages, 125 MB,
               unpacked, not installed (scripts/initiator.sh and scripts/test.sh need it)
Exit code: 0 everything is there, 1 something is missing (named, with what it is needed for), 2 wrong usage.
HOLDFAST_CACHE names the folder for what the guests are made of (default: .cache in the checkout).
TEXT
}

check_only=no
quiet=no
tests=no
initiator=no
for argument in "$@"; do
  case $argument in
    --check) check_only=yes ;;
    --quiet) quiet=yes ;;
    --tests) tests=yes ;;
    --initiator) initiator=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "setup: unknown option '$argument' (see --help)" >&2; exit 2 ;;
  esac
done

# shellcheck source-path=SCRIPTDIR source=lib/guest-kernel.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/guest-kernel.sh"
# shellcheck source-path=SCRIPTDIR source=lib/guest-packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/guest-packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/jvm.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/jvm.sh"

say() { printf 'setup: %s\n' "$*"; }
complain() { printf 'setup: %s\n' "$*" >&2; }

# One row per need: what it is for | Debian package | how to see that it is there.
# cmd:NAME is a command on the path, file:GLOB an installed file, jdk:N a javac of version N or newer, jdk-exactly:N a
# development kit of just that version (for --tests only).
NEEDS='
build|openjdk-17-jdk-headless|jdk:17
build|maven|cmd:mvn
tests|openjdk-17-jdk-headless|jdk-exactly:17
guests|qemu-system-x86|cmd:qemu-system-x86_64
guests|seabios|file:/usr/share/seabios/bios-256k.bin
guests|qemu-utils|cmd:qemu-img
guests|qemu-block-extra|file:/usr/lib/*/qemu/block-iscsi.so
guest images|busybox-static|file:/var/lib/dpkg/info/busybox-static.list
guest images|cpio|cmd:cpio
guest images|kmod|cmd:modprobe
guest images|e2fsprogs|cmd:debugfs
guest images|fdisk|cmd:sfdisk
guest images|gcc|cmd:gcc
guest images|libc6-dev|file:/usr/lib/*/libc.a
guest images|grub-common|cmd:grub-mkimage
guest images|grub-pc-bin|file:/usr/lib/grub/i386-pc/boot.img
fault drills|iproute2|cmd:ss
fault drills|procps|cmd:pgrep
fault drills|util-linux|cmd:flock
fault drills|socat|cmd:socat
fault drills|nftables|cmd:nft
fault drills and durability tests|strace|cmd:strace
tests of client certificates|openssl|cmd:openssl
conformance and benchmarks|libiscsi-bin|cmd:iscsi-test-cu
conformance and benchmarks|tgt|cmd:tgtd
conformance and benchmarks|nbdkit|cmd:nbdkit
conformance and benchmarks|fio|cmd:fio
'
GUEST_KERNEL_FLAVOUR=cloud-amd64

# has_jdk VERSION: JAVA_HOME or the javac on the path is that version or newer.
# Reads the JDK's own `release` file: starting a JVM would cost most of the second this script may take.
has_jdk() {
  local javac home version
  javac=${JAVA_HOME:+$JAVA_HOME/bin/javac}
  [ -x "$javac" ] || javac=$(command -v javac) || return 1
  home=$(dirname "$(dirname "$(readlink -f "$javac")")")
  if [ -f "$home/release" ]; then
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
  else
    version=$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
  fi
  [ "${version:-0}" -ge "$1" ]
}

is_there() {
  case $1 in
    cmd:*) command -v "${1#cmd:}" > /dev/null ;;
    file:*) compgen -G "${1#file:}" > /dev/null ;;
    jdk:*) has_jdk "${1#jdk:}" ;;
    jdk-exactly:*) [ $tests = no ] || [ -n "$(find_jdk "${1#jdk-exactly:}" "${1#jdk-exactly:}")" ] ;;
  esac
}

# Fills missing_packages, missing_kernel, missing_initiator, broken (what does not work without them) and working.
look() {
  local purpose package check
  missing_packages=()
  missing_kernel=no
  missing_initiator=()
  declare -gA broken=()
  declare -gA working=()
  while IFS='|' read -r purpose package check; do
    [ -n "$purpose" ] || continue
    working[$purpose]=yes
    if ! is_there "$check"; then
      missing_packages+=("$package")
      broken[$purpose]="${broken[$purpose]:-} $package"
    fi
  done <<< "$NEEDS"
  if ! guest_kernel_dir "$GUEST_KERNEL_FLAVOUR" > /dev/null; then
    missing_kernel=yes
    broken["guest images"]="${broken["guest images"]:-} linux-image-$GUEST_KERNEL_FLAVOUR"
  fi
  if [ $initiator = yes ]; then
    working["initiator guest"]=yes
    guest_kernel_dir "$INITIATOR_KERNEL_FLAVOUR" > /dev/null || missing_initiator+=(kernel)
    guest_packages_dir > /dev/null || missing_initiator+=(packages)
    [ ${#missing_initiator[@]} -eq 0 ] || broken["initiator guest"]=" ${missing_initiator[*]} (see scripts/setup.sh --help)"
  fi
  # Nothing boots without images, and neither part runs without the build.
  [ -z "${broken["guest images"]:-}" ] || broken["guests"]="${broken["guests"]:-} (guest images)"
  for purpose in "${!broken[@]}"; do unset "working[$purpose]"; done
}

everything_is_there() { [ $((${#missing_packages[@]} + ${#missing_initiator[@]})) -eq 0 ] && [ $missing_kernel = no ]; }

report_missing() {
  local purpose
  for purpose in "${!broken[@]}"; do complain "missing for $purpose:${broken[$purpose]}"; done
  if [ ${#working[@]} -gt 0 ]; then
    complain "still works:$(printf ' %s,' "${!working[@]}" | sed 's/,$//')"
  else
    complain "nothing works without them"
  fi
}

# apt's own words go to a log; people get one line per step, and the end of the log when a step failed.
log=$(holdfast_cache_dir)/setup.log
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" < /dev/null >> "$log" 2>&1 && return
  complain "apt-get $1 failed; the last lines of $log:"
  tail -n 5 "$log" >&2
  return 1
}

# Packages must not start their services (tgt would open a port): Debian's own switch for that is policy-rc.d.
POLICY=/usr/sbin/policy-rc.d
policy_is_ours=no
remove_policy() { if [ $policy_is_ours = yes ]; then rm -f "$POLICY"; fi; }
trap remove_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
forbid_service_starts() {
  [ -e "$POLICY" ] && return
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' > "$POLICY"
  chmod 755 "$POLICY"
}

install_packages() {
  local had_tgt=no package
  if [ "$(id -u)" -ne 0 ]; then
    complain "installing needs root: run it with sudo, or as root: apt-get install --no-install-recommends $*"
    return 1
  fi
  command -v tgtd > /dev/null && had_tgt=yes
  forbid_service_starts
  say "installing $# package(s): $* (log: $log)"
  if ! apt_get install -y --no-install-recommends "$@" && [ $# -gt 1 ]; then
    # One that cannot be had must not keep the others away.
    for package in "$@"; do
      say "installing $package on its own"
      apt_get install -y --no-install-recommends "$package" || complain "cannot get $package"
    done
  fi
  # The tests start their own tgtd on a port of their own; the system's need not come up at the next boot.
  if [ $had_tgt = no ] && command -v tgtd > /dev/null && command -v systemctl > /dev/null; then
    systemctl disable tgt.service > /dev/null 2>&1 || complain "could not disable tgt.service; it starts at the next boot"
  fi
  remove_policy
  policy_is_ours=no
}

look
if everything_is_there; then
  [ $quiet = yes ] || say "everything is there"
  exit 0
fi
if [ $check_only = yes ]; then
  report_missing
  exit 1
fi
if ! command -v apt-get > /dev/null || ! command -v dpkg > /dev/null; then
  report_missing
  complain "this machine has no apt-get: install the above by its own means (the names are Debian 12's)"
  exit 1
fi
if [ "$(dpkg --print-architecture)" != amd64 ]; then
  complain "the guest images need an amd64 Debian; this is $(dpkg --print-architecture)"
fi

prepare_holdfast_cache || { complain "cannot write to $(holdfast_cache_dir)"; exit 1; }
: > "$log"
# Reading the lists needs no root, refreshing them does.
if [ "$(id -u)" -eq 0 ]; then
  say "refreshing the package lists (apt-get update)"
  apt_get update || complain "going on with the package lists as they are (is there a network?)"
fi
[ ${#missing_packages[@]} -eq 0 ] || install_packages "${missing_packages[@]}"
if [ $missing_kernel = yes ]; then
  say "fetching the guests' kernel (linux-image-$GUEST_KERNEL_FLAVOUR, about 27 MB; it is unpacked, not installed)"
  if ! fetch_guest_kernel "$GUEST_KERNEL_FLAVOUR" >> "$log" 2>&1; then
    complain "cannot get the guests' kernel; the last lines of $log:"
    tail -n 3 "$log" >&2
  fi
fi
for part in "${missing_initiator[@]}"; do
  say "fetching the initiator guest's $part (unpacked, not installed)"
  case $part in
    kernel) fetch_guest_kernel "$INITIATOR_KERNEL_FLAVOUR" >> "$log" 2>&1 ;;
    packages) fetch_guest_packages >> "$log" 2>&1 ;;
  esac && continue
  complain "cannot get the initiator guest's $part; the last lines of $log:"
  tail -n 3 "$log" >&2
done

look
if everything_is_there; then
  say "done: everything is there"
  exit 0
fi
report_missing
exit 1
