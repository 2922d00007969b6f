#!/usr/bin/env bash
# Builds the images the test guests boot, if they are missing or anything they are made of has changed.
# Needs neither root nor loop devices nor a network; the same inputs give the same bytes.
#
#   vmlinuz    Debian's cloud kernel as it is
#   initrd.gz  busybox and the virtio and SCSI drivers
#   root.img   ext4, 128 MiB, sparse: the root disk of a guest started with -kernel
#   bios.img   the same root in a partition, with boot loader, kernel and initrd: SeaBIOS boots it from any disk
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C TZ=UTC

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../scripts/lib/guest-kernel.sh
. "$here/../scripts/lib/guest-kernel.sh"
# shellcheck source-path=SCRIPTDIR source=lib/parts.sh
. "$here/lib/parts.sh"

usage() {
  cat <<'TEXT'
Usage: test-images/build.sh [--output DIR] [--force]
  --output DIR  where the images go (default: test-images/target/images)
  --force       build even when they are up to date
Prints DIR when the images are there. Exit code: 0 they are, 1 they cannot be built, 2 wrong usage.
TEXT
}

output=$here/target/images
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
    *) echo "build.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

# What these depend on is looked up, and loaded first. ext4 is part of the kernel.
MODULES='virtio_pci virtio_console virtio_blk virtio_scsi sd_mod sr_mod sg'
ROOT_MIB=128
ROOT_UUID=48464c44-0000-4000-8000-000000000001
HASH_SEED=48464c44-0000-4000-8000-000000000002
DISK_ID=0x48464c44
PARTITION_MIB=1
# Every time stamp in the images; what is set here may be anything but "now".
export SOURCE_DATE_EPOCH=1767225600
# How e2fsprogs of Debian 12 is told the same.
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
# The machine's own mke2fs.conf must not show in the image: every feature is named (see make_root).
EXT4_FEATURES=none,has_journal,ext_attr,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file
EXT4_FEATURES=$EXT4_FEATURES,huge_file,dir_nlink,extra_isize,metadata_csum

say() { printf 'images: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

for tool in busybox cpio modprobe mke2fs debugfs sfdisk gcc grub-mkimage flock; do
  command -v $tool > /dev/null || die "no $tool: run scripts/setup.sh"
done
kernel=$(guest_kernel_dir cloud-amd64) || die "no kernel for the guests: run scripts/setup.sh"
kernel_version=$(basename "$kernel")
busybox=$(command -v busybox)
events_tool=$(dirname "$here")/scripts/guest/holdfast-events
grub=/usr/lib/grub/i386-pc

key() {
  {
    echo "$kernel_version"
    gcc --version | head -n 1
    mke2fs -V 2>&1 | head -n 1
    sha256sum < "$kernel/vmlinuz"
    sha256sum < "$busybox"
    sha256sum < "$events_tool"
    sha256sum < "$(gcc -print-file-name=libc.a)"
    cat "$grub/boot.img" "$grub/kernel.img" | sha256sum
    cd "$here" && find build.sh lib src/main/c src/main/guest -type f | sort | xargs sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

up_to_date() { [ $force = no ] && [ -f "$output/key" ] && [ "$(cat "$output/key")" = "$wanted_key" ]; }

compile_workload() {
  say "compiling the workload"
  # Compiled where the sources are, by relative names, so that no path of this machine gets into the program.
  (cd "$here/src/main/c" && gcc -static -O2 -std=gnu11 -Wall -Wextra -Wconversion -Werror -s -o "$work/holdfast-guest" ./*.c)
}

build_initrd() {
  say "packing the initramfs (kernel $kernel_version)"
  local tree=$work/initrd
  mkdir -p "$tree/bin"
  cp "$busybox" "$tree/bin/busybox"
  sed "s/@ROOT_UUID@/$ROOT_UUID/" "$here/src/main/guest/initramfs-init" > "$tree/init"
  # shellcheck disable=SC2086 # several names, on purpose
  collect_modules "$kernel" "$tree" $MODULES
  chmod -R u=rwX,go=rX "$tree"
  chmod 755 "$tree/init" "$tree/bin/busybox"
  pack_initramfs "$tree" | gzip -9 -n > "$work/initrd.gz"
}

# make_root FILE [LOCAL=PATH…]: an ext4 root, with further files in it.
# Filled by debugfs commands and not by `mke2fs -d`: that copies owners, times and the order of directories from here.
make_root() {
  local image=$1 extra
  shift
  printf '[fs_types]\n ext4 = {\n  inode_size = 256\n }\n small = {\n  inode_size = 256\n }\n' > "$work/mke2fs.conf"
  # No lazy initialisation: the guest's kernel would go on writing by itself.
  truncate -s "${ROOT_MIB}M" "$image"
  MKE2FS_CONFIG=$work/mke2fs.conf mke2fs -q -F -t ext4 -b 4096 -I 256 -N 4096 -m 0 -e remount-ro -L holdfast-root -U "$ROOT_UUID" -J size=4 \
    -O "$EXT4_FEATURES" -E "hash_seed=$HASH_SEED,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0" "$image"
  {
    printf 'mkdir %s\n' bin boot data dev opt proc sbin sys
    echo "write \"$busybox\" bin/busybox"
    echo "symlink bin/sh busybox"
    echo "symlink sbin/hwclock ../bin/busybox"
    echo "write \"$here/src/main/guest/root-init\" sbin/init"
    echo "write \"$work/holdfast-guest\" sbin/holdfast-guest"
    echo "write \"$events_tool\" bin/holdfast-events"
    printf 'set_inode_field %s mode 0100755\n' bin/busybox sbin/init sbin/holdfast-guest bin/holdfast-events
    for extra in "$@"; do
      echo "write \"${extra%%=*}\" ${extra#*=}"
      echo "set_inode_field ${extra#*=} mode 0100644"
    done
  } > "$work/commands"
  debugfs -w -f "$work/commands" "$image" > "$work/debugfs.log" 2>&1
  # debugfs ends with 0 whatever happened.
  e2fsck -f -n "$image" > "$work/e2fsck.log" 2>&1 || { cat "$work/debugfs.log" "$work/e2fsck.log" >&2; die "bad root image"; }
  for extra in bin/busybox sbin/init sbin/holdfast-guest bin/holdfast-events "${@#*=}"; do
    debugfs -R "stat $extra" "$image" 2> /dev/null | grep -q 'Type: regular' \
      || { cat "$work/debugfs.log" >&2; die "no $extra in the root image"; }
  done
}

# The boot loader needs no installing program: GRUB's boot.img loads what lies in the next sector, and that is
# where its core image expects to lie. Its configuration is inside the core image.
build_bios_image() {
  say "building the disk for SeaBIOS"
  local partition=$work/partition.img disk=$work/bios.img core_sectors
  make_root "$partition" "$work/vmlinuz=boot/vmlinuz" "$work/initrd.gz=boot/initrd.gz"
  grub-mkimage -O i386-pc -p '(,msdos1)/boot' -c "$here/src/main/guest/grub.cfg" -o "$work/core.img" \
    biosdisk part_msdos ext2 linux boot serial terminal echo
  core_sectors=$((($(stat -c %s "$work/core.img") + 511) / 512))
  [ $core_sectors -lt $((PARTITION_MIB * 2048)) ] || die "GRUB's core image of $core_sectors sectors reaches into the partition"
  truncate -s "$((PARTITION_MIB + ROOT_MIB))M" "$disk"
  sfdisk -q "$disk" <<TABLE
label: dos
label-id: $DISK_ID
start=${PARTITION_MIB}MiB, size=${ROOT_MIB}MiB, type=83, bootable
TABLE
  # 440 bytes of code; the partition table lies behind them.
  dd if="$grub/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
  dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
  dd if="$partition" of="$disk" bs=1M seek=$PARTITION_MIB conv=notrunc,sparse status=none
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

compile_workload
cp "$kernel/vmlinuz" "$work/vmlinuz"
build_initrd
say "building the root disk"
make_root "$work/root.img"
build_bios_image

# The key goes first and comes back last: images without their key count as stale.
rm -f "$output/key"
for image in vmlinuz initrd.gz root.img bios.img; do
  chmod 644 "$work/$image"
  mv "$work/$image" "$output/$image"
done
echo "$wanted_key" > "$output/key"
say "built in $((($(date +%s%N) - started) / 1000000)) ms"
echo "$output"
