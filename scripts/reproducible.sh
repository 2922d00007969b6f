#!/usr/bin/env bash
# Proves that the packages follow from the sources alone: builds them once more, in another directory, and compares.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/reproducible.sh [--version VERSION] [--against FILE]
Copies the sources (what git knows of, as it lies here) to a directory of another name, builds the packages there, and
compares their SHA-256 with those of the packages built here.
  --version VERSION  of the packages
  --against FILE     what scripts/package.sh printed here; without it the packages are built here first
Exit code: 0 the same bytes, 1 they differ (and in which file), 2 wrong usage.
TEXT
}

version=()
against=""
while [ $# -gt 0 ]; do
    case $1 in
        --version) version=(--version "${2:?--version needs a value}"); shift 2 ;;
        --against) against=$(readlink -f "${2:?--against needs a file}"); shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) echo "reproducible: unknown argument '$1' (see --help)" >&2; exit 2 ;;
    esac
done
cd "$(dirname "$0")/.."
work=$(mktemp -d /var/tmp/holdfast-reproducible.XXXXXX)
trap 'rm -rf "$work"' EXIT

if [ -z "$against" ]; then
    against=$work/here.sums
    scripts/package.sh "${version[@]}" > "$against"
fi
other=$work/elsewhere/by-another-name
mkdir -p "$other"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    # A file that was removed and not committed yet is still known to git.
    [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --null -T - -cf - | tar -C "$other" -xf -
# Another time zone, language and mask than here, whatever they are here.
(cd "$other" && umask 077 && TZ=Pacific/Auckland LC_ALL=C.UTF-8 scripts/package.sh "${version[@]}") > "$work/there.sums"
if diff "$against" "$work/there.sums"; then
    echo "reproducible: two builds in two directories are the same bytes"
    exit 0
fi
for name in $(awk '{ print $2 }' "$against"); do
    case $name in
        *.deb)
            for side in here there; do
                mkdir "$work/$side"
                place=packaging/target
                [ $side = here ] || place=$other/packaging/target
                dpkg-deb -R "$place/$name" "$work/$side"
            done
            diff -rq "$work/here" "$work/there" || true
            ;;
    esac
done
exit 1
