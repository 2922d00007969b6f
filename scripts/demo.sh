#!/usr/bin/env bash
# Shows a guest that outlives its storage server: sets up and builds what is missing, then runs the drill.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill DemoCommand 256m -- "$@"
