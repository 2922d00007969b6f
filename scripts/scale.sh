#!/usr/bin/env bash
# Measures a server of many clients and LUs: sets up and builds what is missing, then makes and measures them.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$checkout/scripts/setup.sh" --quiet
"$checkout/scripts/build.sh"

options=(
  -Dholdfast.checkout="$checkout"
  # It measures milliseconds on the machine it loads: a small heap, and no second compiler beside the server.
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m
  -Djnr.ffi.x86asm.enabled=false
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
  -cp "$checkout/failover-drills/target/drills.jar:$checkout/failover-drills/target/lib/*" \
  io.holdfast.drills.ScaleCommand "$@"
