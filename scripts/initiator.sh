#!/usr/bin/env bash
# Proves the server against the Linux kernel's initiator, in a guest: sets up and builds what is missing, then runs the checks.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$checkout/scripts/setup.sh" --quiet --initiator
"$checkout/scripts/build.sh"

options=(
  -Dholdfast.checkout="$checkout"
  -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m
  -Djnr.ffi.x86asm.enabled=false
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
)
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" "${options[@]}" \
  -cp "$checkout/failover-drills/target/drills.jar:$checkout/failover-drills/target/lib/*" \
  io.holdfast.drills.InitiatorCommand "$@"
