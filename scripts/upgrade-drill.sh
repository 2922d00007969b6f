#!/usr/bin/env bash
# Shows that an upgrade of the server is a short stand-still and nothing else: sets up and builds what is missing, then runs
# the drill.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$checkout/scripts/setup.sh" --quiet
"$checkout/scripts/build.sh"

options=(
  -Dholdfast.checkout="$checkout"
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m
  -Djnr.ffi.x86asm.enabled=false
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
  -cp "$checkout/failover-drills/target/drills.jar:$checkout/failover-drills/target/lib/*" \
  io.holdfast.drills.UpgradeCommand "$@"
