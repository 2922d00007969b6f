#!/usr/bin/env bash
# Makes what is installed elsewhere: a Debian package, and a tarball for other systems. The same sources give the same bytes.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/package.sh [--version VERSION]
Builds packaging/target/holdfast_VERSION_all.deb (jdeb) and packaging/target/holdfast-VERSION.tar.gz, and prints their names
with SHA-256. VERSION: that of pom.xml; a snapshot sorts before its release.
Exit code: 0 made, 1 it cannot be made, 2 wrong usage.
TEXT
}

version=""
while [ $# -gt 0 ]; do
    case $1 in
        --version) version=${2:?--version needs a value}; shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) echo "package: unknown argument '$1' (see --help)" >&2; exit 2 ;;
    esac
done
cd "$(dirname "$0")/.."
# What somebody's mask forbids others to read is kept in archives, and must not depend on who builds.
umask 022
scripts/build.sh
# What it is made of. The jar stays the one that was built just now. Whatever Maven says is not this script's result.
mvn -q -B -Psbom -pl management -am -DskipTests -Dspotless.check.skip=true -Dholdfast.shade.skip=true package >&2

# The first version in the file is the project's own.
[ -n "$version" ] || version=$(sed -n 's|^  <version>\(.*\)</version>|\1|p' pom.xml | head -n 1 | sed 's/-SNAPSHOT/~snapshot/')
timestamp=$(sed -n 's|.*<project.build.outputTimestamp>\(.*\)</project.build.outputTimestamp>.*|\1|p' pom.xml | head -n 1)
target=packaging/target
stage=$target/stage
rm -rf "$target"
mkdir -p "$target"

put() { install -D -m "$1" "$2" "$stage/$3"; }
packed() { mkdir -p "$stage/$(dirname "$2")"; gzip -9 -n < "$1" > "$stage/$2"; }

put 755 scripts/holdfast usr/bin/holdfast
put 755 scripts/holdfast-port usr/bin/holdfast-port
put 644 scripts/guest/holdfast-events usr/share/holdfast/guest/holdfast-events
put 644 management/target/holdfast.jar usr/share/holdfast/holdfast.jar
put 644 scripts/lib/jvm.sh usr/share/holdfast/jvm.sh
put 644 packaging/etc/holdfast.toml etc/holdfast/holdfast.toml
put 644 packaging/etc/agent.toml etc/holdfast/agent.toml
# Completions and man pages are the program's own tables, printed.
scripts/holdfast generate --completion "$target/completion" --manual "$target/man" --date "${timestamp%%T*}"
put 644 "$target/completion" usr/share/bash-completion/completions/holdfast
for page in "$target"/man/*.1; do packed "$page" "usr/share/man/man1/$(basename "$page").gz"; done
for unit in packaging/systemd/*; do put 644 "$unit" "usr/lib/systemd/system/$(basename "$unit")"; done
put 644 packaging/copyright usr/share/doc/holdfast/copyright
packed CHANGELOG.md usr/share/doc/holdfast/changelog.gz
packed docs/operating.md usr/share/doc/holdfast/operating.md.gz
# What the guide and the help texts point to.
for page in docs/security.md docs/reference/*.md docs/decisions/*.md; do
    put 644 "$page" "usr/share/doc/holdfast/${page#docs/}"
done
put 644 management/target/sbom.json usr/share/doc/holdfast/sbom.json
find "$stage" -exec touch -h -d "$timestamp" {} +

mvn -q -B -f packaging/pom.xml package -Ddeb.version="$version" -Dproject.build.outputTimestamp="$timestamp" >&2

# The same for other systems: bin, share, etc below one directory. Its class-data archive: bin/holdfast warm-up.
tree=$target/tree/holdfast-$version
mkdir -p "$tree/share/holdfast/class-data"
cp -a "$stage/usr/bin" "$tree/"
cp -a "$stage/usr/share/." "$tree/share/"
cp -a "$stage/etc/holdfast" "$tree/etc"
cp -a "$stage/usr/lib/systemd" "$tree/"
cp LICENSE "$tree/"
tar -C "$target/tree" --sort=name --mtime="$timestamp" --owner=0 --group=0 --numeric-owner -cf - "holdfast-$version" \
    | gzip -9 -n > "$target/holdfast-$version.tar.gz"

(cd "$target" && sha256sum "holdfast_${version}_all.deb" "holdfast-$version.tar.gz")
