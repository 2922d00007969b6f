#!/usr/bin/env bash
# Builds what guests have of Debian's programs, if it is missing or anything it is made of has changed: the guest that is a Linux
# initiator, with Debian's generic kernel and an initramfs that is its whole system; and the guest agent. Needs neither root nor a
# network; the same inputs give the same bytes.
#
#   vmlinuz           Debian's generic kernel as it is
#   initrd.cpio       open-iscsi, multipath-tools, sg3-utils, fio, udev… of Debian with their libraries, and our checks
#   guest-agent.cpio  QEMU's guest agent with its libraries, to be put before the initramfs of build.sh
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C TZ=UTC

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../scripts/lib/guest-kernel.sh
. "$here/../scripts/lib/guest-kernel.sh"
# shellcheck source-path=SCRIPTDIR source=../scripts/lib/guest-packages.sh
. "$here/../scripts/lib/guest-packages.sh"
# shellcheck source-path=SCRIPTDIR source=lib/parts.sh
. "$here/lib/parts.sh"

usage() {
  cat <<'TEXT'
Usage: test-images/build-initiator.sh [--output DIR] [--force]
  --output DIR  where the images go (default: test-images/target/initiator)
  --force       build even when they are up to date
Prints DIR when the images are there. Exit code: 0 they are, 1 they cannot be built, 2 wrong usage.
TEXT
}

output=$here/target/initiator
force=no
while [ $# -gt 0 ]; do
  case $1 in
    --output)
      [ $# -ge 2 ] || { usage >&2; exit 2; }
      output=$2
      shift
      ;;
    --force) force=yes ;;
    -h | --help) usage; exit 0 ;;
    *) echo "build-initiator.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

MODULES='virtio_pci virtio_console virtio_net iscsi_tcp sd_mod sg crc32c_intel crc32c_generic ext4
  dm_multipath dm_service_time dm_queue_length dm_round_robin scsi_dh_alua'
# Programs, and libraries that are loaded by name at run time. What they are linked with is found.
PROGRAMS='sbin/iscsid sbin/iscsiadm sbin/iscsi-iname sbin/multipath sbin/multipathd sbin/mpathpersist sbin/kpartx
  sbin/mke2fs sbin/e2fsck sbin/resize2fs sbin/dumpe2fs sbin/blkdiscard sbin/blockdev sbin/blkid sbin/dmsetup
  bin/lsblk bin/udevadm bin/dmesg usr/bin/fio'
LOADED='lib/multipath/*.so lib/x86_64-linux-gnu/libgcc_s.so.1 lib/udev/scsi_id'
# Copied as they are.
DATA='lib/udev/rules.d lib/udev/kpartx_id etc/iscsi etc/mke2fs.conf'
GUEST_AGENT=usr/sbin/qemu-ga
# Where the libraries lie in Debian's packages.
LIBRARY_PATH='lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu lib usr/lib/x86_64-linux-gnu/ceph lib/systemd lib/x86_64-linux-gnu/systemd'
# Every time stamp in the image; what is set here may be anything but "now".
export SOURCE_DATE_EPOCH=1767225600

say() { printf 'initiator: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

for tool in busybox cpio modprobe flock; do
  command -v $tool > /dev/null || die "no $tool: run scripts/setup.sh --initiator"
done
kernel=$(guest_kernel_dir "$INITIATOR_KERNEL_FLAVOUR") || die "no generic kernel: run scripts/setup.sh --initiator"
packages=$(guest_packages_dir) || die "no packages for the guest: run scripts/setup.sh --initiator"
busybox=$(command -v busybox)

key() {
  {
    basename "$kernel"
    sha256sum < "$kernel/vmlinuz"
    sha256sum < "$busybox"
    cat "$packages/versions"
    cd "$here" && find build-initiator.sh lib src/main/initiator -type f | sort | xargs sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

up_to_date() { [ $force = no ] && [ -f "$output/key" ] && [ "$(cat "$output/key")" = "$wanted_key" ]; }

# libraries_of FILE…: the libraries they need, all of them, as paths below the packages' root. The packages' own loader
# answers, so that no library of this machine is meant.
libraries_of() {
  local path='' folder file
  for folder in $LIBRARY_PATH; do path=$path:$packages/root/$folder; done
  for file in "$@"; do
    "$packages/root/lib64/ld-linux-x86-64.so.2" --library-path "${path#:}" --list "$file" > "$work/libraries" \
      || die "cannot read what $file is linked with"
    if grep -q 'not found' "$work/libraries"; then
      die "no package has what $file is linked with: $(grep 'not found' "$work/libraries" | tr -s '[:space:]' ' ')"
    fi
    sed -n "s|.* => $packages/root/\(.*\) (0x.*|\1|p" "$work/libraries"
  done | sort -u
}

# copy NAME…: from the packages' root to the tree, links as files.
copy() { (cd "$packages/root" && cp -rL --parents "$@" "$tree/"); }

build_tree() {
  local programs libraries file sg
  programs=$(cd "$packages/root" && for sg in usr/bin/sg_* usr/bin/sgp_dd; do
    # sg3-utils has a few scripts, for bash; they are not used.
    [ "$(head -c 4 "$sg" | tr -d '\0')" != $'\x7fELF' ] || echo "$sg"
  done)
  # shellcheck disable=SC2086 # lists, on purpose
  programs="$programs $(cd "$packages/root" && echo $PROGRAMS $LOADED)"
  mkdir -p "$tree"/{bin,sbin,dev,proc,sys,run,tmp,root,mnt,var/lib,lib64}
  # shellcheck disable=SC2086
  copy $programs $DATA
  # shellcheck disable=SC2086
  libraries=$(cd "$packages/root" && libraries_of $programs)
  # shellcheck disable=SC2086
  copy $libraries
  copy lib64/ld-linux-x86-64.so.2
  mkdir -p "$tree/lib/systemd" "$tree/usr/sbin"
  ln -s ../../bin/udevadm "$tree/lib/systemd/systemd-udevd"
  ln -s ../run "$tree/var/run"
  ln -s mke2fs "$tree/sbin/mkfs.ext4"
  cp "$busybox" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  cp -r "$here/src/main/initiator/." "$tree/"
}

# The other guests' init puts the folder beside the system that it starts (src/main/guest).
build_agent() {
  local file libraries folder=$work/agent/guest-agent
  mkdir -p "$folder"
  libraries=$(cd "$packages/root" && libraries_of "$GUEST_AGENT")
  for file in $GUEST_AGENT $libraries lib64/ld-linux-x86-64.so.2; do
    cp -L "$packages/root/$file" "$folder/$(basename "$file")"
  done
  chmod 755 "$folder"/*
}

wanted_key=$(key)
if up_to_date; then
  echo "$output"
  exit 0
fi

mkdir -p "$output"
# Two builds at once: the second waits, and then finds the work done.
exec 9> "$output/.lock"
flock 9
if up_to_date; then
  echo "$output"
  exit 0
fi
started=$(date +%s%N)
work=$(mktemp -d "$output/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree

say "collecting the system (kernel $(basename "$kernel"), $(wc -l < "$packages/versions") packages)"
build_tree
# shellcheck disable=SC2086 # several names, on purpose
collect_modules "$kernel" "$tree" $MODULES
chmod -R u=rwX,go=rX "$tree"
chmod 755 "$tree/init" "$tree/checks/run"
pack_initramfs "$tree" > "$work/initrd.cpio"
build_agent
pack_initramfs "$work/agent" > "$work/guest-agent.cpio"
cp "$kernel/vmlinuz" "$work/vmlinuz"

# The key goes first and comes back last: images without their key count as stale.
rm -f "$output/key"
for image in vmlinuz initrd.cpio guest-agent.cpio; do
  chmod 644 "$work/$image"
  mv "$work/$image" "$output/$image"
done
echo "$wanted_key" > "$output/key"
say "built in $((($(date +%s%N) - started) / 1000000)) ms"
echo "$output"
