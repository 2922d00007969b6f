#!/usr/bin/env bash
# Measures a server of many clients and LUs: sets up and builds what is missing, then makes and measures them.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill ScaleCommand 256m -- "$@"
