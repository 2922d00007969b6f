#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test: unit and integration tests on the default Java, then the unit tests
# once more on the newest other Java that is installed. Extra arguments go to Maven.
set -euo pipefail
cd "$(dirname "$0")/.."

./scripts/setup.sh
./scripts/build.sh

java_version() { "$1/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/.*java\.specification\.version = //p'; }

first="${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}"
echo "=== every test on Java $(java_version "$first")"
JAVA_HOME="$first" mvn -B -ntp verify "$@"

other=""
for home in /usr/lib/jvm/*; do
    if [ -x "$home/bin/javac" ] && [ "$(java_version "$home")" = 25 ]; then
        other="$home"
        break
    fi
done
if [ -n "$other" ]; then
    echo "=== unit tests and a drill on Java 25"
    # The classes under test are the ones that were just built for release 17; only the runtime differs.
    JAVA_HOME="$other" mvn -B -ntp surefire:test
    JAVA_HOME="$other" ./scripts/build.sh
    JAVA_HOME="$other" ./scripts/demo.sh --outage 2
else
    echo "skipped: tests on Java 25: no JDK 25 is installed below /usr/lib/jvm"
fi
