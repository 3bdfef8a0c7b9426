#!/usr/bin/env bash
# npm's standardwebhooks verifies our signatures. Skipped where npm, or that package, is not to be had.
#
# usage: verify_with_npm.sh WEBHOOK_SENDER WORK
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sender=$1 work=$2
skip() {
    echo "skipped: $*"
    exit 0
}
command -v node >/dev/null && command -v npm >/dev/null || skip "there is no node and npm"
mkdir -p "$work"
cd "$work"
if [ ! -d node_modules/standardwebhooks ]; then
    timeout 120 npm install --prefix "$work" --no-audit --no-fund --ignore-scripts --loglevel=error standardwebhooks@1 ||
        skip "npm cannot get standardwebhooks: is there a network?"
fi
node "$here/verify_signature.mjs" "$sender"
