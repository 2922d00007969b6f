#!/usr/bin/env bash
# Shows that an upgrade of the server is a short stand-still and nothing else: sets up and builds what is missing, then runs
# the drill.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill UpgradeCommand 256m -- "$@"
