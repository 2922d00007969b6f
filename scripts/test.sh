#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test: all of them on Java 17, which the sources are written for, whatever
# JAVA_HOME says; then the unit tests and a short drill once more on Java 25 or newer, if there is one.
# Extra arguments go to Maven.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: scripts/test.sh [MAVEN-ARGUMENT...]
Sets up what is missing, builds, and runs every test on Java 17, then the unit tests and a drill on Java 25 or newer if
there is one. Arguments go to Maven: -pl client-agent -am runs the tests of one module and of what it needs.
Exit code: 0 all green.
TEXT
}

case ${1:-} in
    -h | --help) usage; exit 0 ;;
esac
cd "$(dirname "$0")/.."

# shellcheck source=scripts/lib/jvm.sh
. scripts/lib/jvm.sh

./scripts/setup.sh --tests --initiator
java17="$(find_jdk 17 17)"
if [ -z "$java17" ]; then
    echo "test: no JDK 17 at JAVA_HOME or below $JVMS, and every test must run on it: apt-get install openjdk-17-jdk-headless" >&2
    exit 1
fi
newer="$(find_jdk 25 999)"

echo "=== on Java 17 ($java17): every unit test, integration test and drill"
if [ -n "$newer" ]; then
    echo "=== then on Java $(java_version "$newer") ($newer): the unit tests and one drill"
else
    echo "=== on Java 25: nothing, there is none at JAVA_HOME or below $JVMS"
fi

export JAVA_HOME="$java17"
./scripts/build.sh
# The jar is the one that was built just now: a new one would be newer than its class-data archive, and every server that
# the tests start would start without it.
mvn -B -ntp verify -Dholdfast.shade.skip=true "$@"
# Without arguments only: with them Maven tests a part.
if [ $# -eq 0 ]; then
    ./scripts/fuzz.sh --seconds 2
fi
echo "=== done on Java 17: every test"

if [ -n "$newer" ]; then
    # The classes are those that were just built for release 17; only the virtual machine differs.
    mvn -B -ntp test -Djacoco.skip=true -Djvm="$newer/bin/java" "$@"
    JAVA_HOME="$newer" ./scripts/demo.sh --outage 2
    echo "=== done on Java $(java_version "$newer"): unit tests, one drill"
fi
