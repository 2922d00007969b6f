# shellcheck shell=bash
# Programs for guests, most of them for the one that is a Linux initiator: fetched once from Debian, unpacked below the checkout, never installed.
# Sourced by scripts/setup.sh (fetches) and test-images/build-initiator.sh (reads). Needs guest-kernel.sh.

INITIATOR_KERNEL_FLAVOUR=amd64
# What the guest runs; the libraries they need are found by apt. Packages that are not named here and not libraries
# (perl, python, dpkg…) are not fetched: none of these programs is started.
INITIATOR_PACKAGES='dmsetup e2fsprogs fio kpartx multipath-tools open-iscsi qemu-guest-agent sg3-utils sg3-utils-udev udev util-linux'

guest_packages_key() { printf '%s\n' "$INITIATOR_PACKAGES" | sha256sum | cut -c 1-12; }

# guest_packages_dir: the unpacked packages; fails when they have not been fetched.
# The folder holds `root/`, as if they were installed there, and `versions`, the names of the package files.
guest_packages_dir() {
  local folder
  folder=$(holdfast_cache_dir)/guest-packages/$(guest_packages_key)
  [ -f "$folder/versions" ] && printf '%s\n' "$folder"
}

# fetch_guest_packages: downloads the packages in their present versions with all libraries, and unpacks them.
fetch_guest_packages() (
  cache=$(holdfast_cache_dir)
  key=$(guest_packages_key)
  prepare_holdfast_cache && mkdir -p "$cache/guest-packages" || return 1
  scratch=$(mktemp -d "$cache/guest-packages/.fetch.XXXXXX") || return 1
  trap 'rm -rf "$scratch"' EXIT
  mkdir -p "$scratch/none/partial" "$scratch/debs" "$scratch/ready/root" || return 1
  # As if nothing were installed and nothing downloaded, so that the answer does not depend on this machine.
  # shellcheck disable=SC2086 # several names, on purpose
  apt-get install --print-uris -qq -y --no-install-recommends -o Debug::NoLocking=1 \
    -o Dir::State::status=/dev/null -o Dir::Cache::archives="$scratch/none" $INITIATOR_PACKAGES < /dev/null > "$scratch/uris" || return 1
  sed -n "s/^'[^']*' \([^_ ]*\)_.*/\1/p" "$scratch/uris" | while read -r name; do
    case " $INITIATOR_PACKAGES " in
      *" $name "*) echo "$name" ;;
      *)
        case $name in
          libperl* | libpython* | libpam* | libsemanage*) ;;
          lib* | zlib1g) echo "$name" ;;
        esac
        ;;
    esac
  done > "$scratch/names"
  [ -s "$scratch/names" ] || { echo "the package lists know none of: $INITIATOR_PACKAGES" >&2; return 1; }
  cd "$scratch/debs" || return 1
  # As root apt would fetch as user _apt, which need not be able to write here.
  xargs apt-get -q -o APT::Sandbox::User=root download < "$scratch/names" || return 1
  for package in *.deb; do
    dpkg -x "$package" "$scratch/ready/root" || return 1
  done
  rm -rf "$scratch/ready/root/usr/share/doc" "$scratch/ready/root/usr/share/man" "$scratch/ready/root/usr/share/locale"
  printf '%s\n' *.deb > "$scratch/ready/versions"
  # Renamed last: a folder that is there is complete. Another set-up may have been quicker; its result is as good.
  if ! mv -T "$scratch/ready" "$cache/guest-packages/$key" 2> /dev/null; then
    [ -f "$cache/guest-packages/$key/versions" ]
  fi
)
