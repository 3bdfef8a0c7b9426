#!/usr/bin/env bash
# Makes github-*.gz anew, from npm: GitHub's webhook payloads, their schema, and what Ajv says of each payload with
# formats off, as it is and changed in four places. Needs node, npm and a network.
#
# usage: make_github_cases.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/make_github_cases.js" "$work"
cd "$work"
npm init -y >/dev/null
npm install --silent ajv@6.15.0 @octokit/webhooks-examples@7.6.1 @octokit/webhooks-schemas@7.6.1
node make_github_cases.js "$here"
