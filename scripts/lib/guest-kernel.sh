# shellcheck shell=bash
# The kernel the test guests boot: fetched once from Debian, unpacked below the checkout, never installed.
# Sourced by scripts/setup.sh (fetches) and test-images/build.sh (reads).

# Kept outside every target/ folder, so that `mvn clean` does not cost a download.
holdfast_cache_dir() {
  local lib_dir
  lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  printf '%s\n' "${HOLDFAST_CACHE:-$(dirname "$(dirname "$lib_dir")")/.cache}"
}

prepare_holdfast_cache() {
  local cache
  cache=$(holdfast_cache_dir)
  mkdir -p "$cache" || return 1
  # The folder hides itself from git, wherever HOLDFAST_CACHE puts it.
  [ -f "$cache/.gitignore" ] || echo '*' > "$cache/.gitignore"
}

# guest_kernel_dir FLAVOUR: the newest unpacked kernel of that flavour (`cloud-amd64`); fails when there is none.
# The folder holds `vmlinuz` and `lib/modules/VERSION/`.
guest_kernel_dir() {
  local newest
  newest=$(find "$(holdfast_cache_dir)/guest-kernel" -mindepth 1 -maxdepth 1 -type d -name "*[0-9]-$1" 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] && [ -f "$newest/vmlinuz" ] && printf '%s\n' "$newest"
}

# fetch_guest_kernel FLAVOUR: downloads the kernel that Debian's meta package names now, and unpacks it.
fetch_guest_kernel() (
  flavour=$1
  package=$(apt-cache depends --important "linux-image-$flavour" 2>/dev/null \
    | sed -n "s/^ *Depends: \(linux-image-[0-9][^ ]*-$flavour\)$/\1/p" | head -n 1)
  if [ -z "$package" ]; then
    echo "the package lists do not know linux-image-$flavour" >&2
    return 1
  fi
  version=${package#linux-image-}
  cache=$(holdfast_cache_dir)
  prepare_holdfast_cache && mkdir -p "$cache/guest-kernel" || return 1
  scratch=$(mktemp -d "$cache/guest-kernel/.fetch.XXXXXX") || return 1
  trap 'rm -rf "$scratch"' EXIT
  cd "$scratch" || return 1
  # As root apt would fetch as user _apt, which need not be able to write here.
  apt-get -q -o APT::Sandbox::User=root download "$package" < /dev/null || return 1
  dpkg -x ./*.deb unpacked || return 1
  mkdir -p ready || return 1
  mv "unpacked/boot/vmlinuz-$version" ready/vmlinuz || return 1
  mv unpacked/lib ready/lib || return 1
  # Renamed last: a folder that is there is complete. Another set-up may have been quicker; its result is as good.
  if ! mv -T ready "$cache/guest-kernel/$version" 2>/dev/null; then
    [ -f "$cache/guest-kernel/$version/vmlinuz" ]
  fi
)
