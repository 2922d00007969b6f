#!/usr/bin/env bash
# Proves the server against the Linux kernel's initiator, in a guest: sets up and builds what is missing, then runs the checks.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill InitiatorCommand 256m --initiator -- "$@"
