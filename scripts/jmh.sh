#!/usr/bin/env bash
# Benchmarks of single parts of the hot path (vscsi-target/src/jmh), with what they allocate. Arguments go to JMH.
set -euo pipefail

case ${1:-} in
  -h | --help)
    cat <<'TEXT'
Usage: scripts/jmh.sh [JMH-ARGUMENT...]
Runs the benchmarks of decoder, command dispatch and digests; the column gc.alloc.rate.norm is bytes allocated for each
operation. scripts/jmh.sh Digest runs those with that in their name; -h after -- is JMH's own help.
TEXT
    exit 0 ;;
  --) shift ;;
esac
cd "$(dirname "$0")/.."
mvn -B -ntp -q -Pjmh -pl vscsi-target -am test-compile dependency:build-classpath -Djacoco.skip=true \
  -Dmdep.outputFile=target/jmh-classpath
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
exec "$java" -cp "vscsi-target/target/test-classes:vscsi-target/target/classes:$(cat vscsi-target/target/jmh-classpath)" \
  org.openjdk.jmh.Main -prof gc "$@"
