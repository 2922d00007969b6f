#!/usr/bin/env bash
# Shows many guests on one server, each with its own port name and LU: sets up and builds what is missing, then runs the drill.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill ClientsCommand 256m -- "$@"
