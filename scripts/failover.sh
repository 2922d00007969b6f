#!/usr/bin/env bash
# Takes the storage server away from guests in every way there is, and judges what they noticed: sets up and builds what is
# missing, then plays the drills.
set -euo pipefail

# shellcheck source=scripts/lib/drill.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/drill.sh"
drill FailoverCommand 1g -- "$@"
