#!/usr/bin/env bash
# Takes the storage server away from guests in every way there is, and judges what they noticed: sets up and builds what is
# missing, then plays the drills.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$checkout/scripts/setup.sh" --quiet
"$checkout/scripts/build.sh"

options=(
  -Dholdfast.checkout="$checkout"
  # As for the demo: a small heap, and no second compiler beside the guests' CPUs.
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx1g
  -Djnr.ffi.x86asm.enabled=false
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
  -cp "$checkout/failover-drills/target/drills.jar:$checkout/failover-drills/target/lib/*" \
  io.holdfast.drills.FailoverCommand "$@"
