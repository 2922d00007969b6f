#!/usr/bin/env bash
# Builds the program if a source is newer than what was built: the jar, and a class-data archive for the Java in use, which
# takes a third of a second from every start. Says nothing when there is nothing to do.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/build.sh
Builds what is missing or older than a source: management/target/holdfast.jar, failover-drills/target/drills.jar, and a
class-data archive for the Java in use (JAVA_HOME, or the java on the path). Says nothing when there is nothing to do.
Exit code: 0 built, 1 it cannot be built, 2 wrong usage.
TEXT
}

for argument in "$@"; do
    case $argument in
        -h | --help) usage; exit 0 ;;
        *) echo "build: unknown argument '$argument' (see --help)" >&2; exit 2 ;;
    esac
done
cd "$(dirname "$0")/.."
# Archives keep the files' modes: the same sources give the same bytes, whatever the mask of who builds.
umask 022
# shellcheck source=scripts/lib/jvm.sh
. scripts/lib/jvm.sh

java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
jar=management/target/holdfast.jar
drills=failover-drills/target/drills.jar

# stale ARTIFACT: true if it is missing or older than a source.
stale() {
    [ ! -f "$1" ] || [ -n "$(find pom.xml ./*/pom.xml ./*/src/main -newer "$1" -type f -print -quit)" ]
}

# told: one short line for each module that Maven begins, and what is wrong; the rest of its output helps nobody.
told() {
    local line begins='^\[INFO\] Building (Holdfast :: )?([^ ]+) [^ ]+ +\[([0-9]+/[0-9]+)\]$'
    while IFS= read -r line; do
        if [[ $line =~ $begins ]]; then
            echo "build: ${BASH_REMATCH[3]} ${BASH_REMATCH[2]}" >&2
        elif [[ $line == '[ERROR]'* || $line == '[WARNING] '*.java:* ]]; then
            # A compiler's warning is what an error is for here.
            printf '%s\n' "$line" >&2
        fi
    done
}

if stale "$jar" || stale "$drills"; then
    echo "build: the first time takes a minute or two, and fetches what it is made of" >&2
    mvn -B -ntp -Dstyle.color=never -DskipTests -Dspotless.check.skip=true package 2>&1 | told
    touch "$jar" "$drills"
fi

archive="$(class_data_archive "$PWD/management/target/class-data" "$java")"
if [ ! -f "$archive" ] || [ "$jar" -nt "$archive" ]; then
    mkdir -p "$(dirname "$archive")"
    rm -f "$archive"
    # A rehearsal that loads what a start and a first freeze load; the archive keeps those classes.
    if ! HOLDFAST_MAKE_ARCHIVE="$archive" scripts/holdfast warm-up; then
        echo "build: no class-data archive for $java: starts take longer, nothing else changes" >&2
        rm -f "$archive"
    fi
fi
