#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test: unit and integration tests on the default Java, then the unit tests
# once more on the newest other Java that is installed. Extra arguments go to Maven.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/lib/jvm.sh
. scripts/lib/jvm.sh

./scripts/setup.sh
./scripts/build.sh

java_version() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"; }

home="$(java_home "${JAVA_HOME:+$JAVA_HOME/bin/}javac")"
echo "=== every test, on Java $(java_version "$home")"
JAVA_HOME="$home" mvn -B -ntp verify "$@"

other=""
for candidate in /usr/lib/jvm/*; do
    if [ -x "$candidate/bin/java" ] && [ -f "$candidate/release" ] && [ "$(java_version "$candidate")" -ge 25 ]; then
        other="$candidate"
    fi
done
if [ -z "$other" ]; then
    echo "skipped: tests on Java 25: no such Java below /usr/lib/jvm"
elif [ "$other" = "$home" ]; then
    echo "skipped: tests on a second Java: Java $(java_version "$home") is the newest there is"
else
    echo "=== unit tests and a drill, on Java $(java_version "$other")"
    # The classes are those that were just built for release 17; only the virtual machine differs.
    JAVA_HOME="$home" mvn -B -ntp test -Djacoco.skip=true -Djvm="$other/bin/java" "$@"
    JAVA_HOME="$other" ./scripts/demo.sh --outage 2
fi
