#!/usr/bin/env bash
# Shows many guests on one server, each with its own port name and LU: sets up and builds what is missing, then runs the drill.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$checkout/scripts/setup.sh" --quiet
"$checkout/scripts/build.sh"

options=(
  -Dholdfast.checkout="$checkout"
  # The drill measures milliseconds on the machine it loads: a small heap, and no second compiler beside the guest's CPUs.
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m
  -Djnr.ffi.x86asm.enabled=false
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
  -cp "$checkout/failover-drills/target/drills.jar:$checkout/failover-drills/target/lib/*" \
  io.holdfast.drills.ClientsCommand "$@"
