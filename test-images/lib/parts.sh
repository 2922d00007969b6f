# shellcheck shell=bash
# What the builds of the images share. Sourced; the caller has `set -e`, `say`, `die` and `work`, a scratch folder.

# collect_modules KERNEL_DIR TREE MODULE…: copies the modules and all they depend on to TREE/lib/modules, and writes the
# order in which they are to be loaded to TREE/lib/modules/order.
collect_modules() {
  local kernel=$1 tree=$2 version module file
  version=$(basename "$kernel")
  shift 2
  # depmod wants to write beside the modules; the fetched kernel stays as it is.
  mkdir -p "$work/kernel/lib/modules" "$tree/lib/modules"
  cp -r --reflink=auto "$kernel/lib/modules/$version" "$work/kernel/lib/modules/"
  depmod -b "$work/kernel" "$version"
  : > "$tree/lib/modules/order"
  for module in "$@"; do
    modprobe -d "$work/kernel" -S "$version" --show-depends "$module" > "$work/depends" \
      || die "kernel $version has no module $module"
    sed -n 's/^insmod \(.*\.ko[.a-z]*\).*/\1/p' "$work/depends" | while read -r file; do
      [ ! -f "$tree/lib/modules/$(basename "$file")" ] || continue
      cp "$file" "$tree/lib/modules/"
      basename "$file" >> "$tree/lib/modules/order"
    done
  done
}

# pack_initramfs TREE: a cpio archive of it to the standard output; same tree, same bytes.
pack_initramfs() {
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  (cd "$1" && find . | sort | cpio --quiet -o -H newc --reproducible -R +0:+0)
}
