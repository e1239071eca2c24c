#!/bin/sh
# A program sends files to a recipe over HTTP: one is accepted and waited for, one has a bad row, one is sent twice.
# The script uses its own store, server and daemon, and removes all of them: sh examples/upload.sh
set -u
jobctl=${JOBCTL:-jobctl}
folder=$(mktemp -d "${TMPDIR:-/tmp}/upload.XXXX")
cd "$folder" || exit 1
export JOBCTL_HOME="$folder/store" XDG_CONFIG_HOME="$folder/config" COLUMNS=100
PATH="$(dirname "$(command -v "$jobctl")"):$PATH"
trap 'kill "$server"; wait "$server"; jobctl -q daemon stop; cd /; rm -rf "$folder"' EXIT

mkdir -p config/jobctl
cat >config/jobctl/config.toml <<'END'
[recipe.load]
command = ["echo", "{id}", "{total}"]
http = true
END
printf 'id,total\n1,9.50\n2,30.00\n' >orders.csv
printf 'id,total\n1,9.50\n2\n' >broken.csv

jobctl -q daemon start
jobctl -q serve --no-tcp &
server=$!
post() { curl -sS --unix-socket store/serve.sock "$@"; }
load=http://jobctl/v1/recipes/load/jobs
until [ -S store/serve.sock ]; do sleep 0.1; done

echo '# Accept a file and wait for the end of its job:'
post -H 'Prefer: wait=60' -F file=@orders.csv "$load" | jq '{job, state, succeeded: .counts.succeeded}'

echo '# A file with a bad row is refused, with the place of the row:'
post -F file=@broken.csv "$load" | jq '{status, detail, row: .errors[0] | {line, record, message}}'

echo '# The same file with the same key is one job, however often it is sent:'
for _ in 1 2; do
  post -H 'Idempotency-Key: orders-2026-11-29' -F file=@orders.csv "$load" | jq '{job, idempotency}'
done
