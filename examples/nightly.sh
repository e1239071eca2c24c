#!/bin/sh
# A nightly job that stops after too many failures and says why. After the fix, the same line finishes it.
# The script uses its own store and folder, and removes both: sh examples/nightly.sh
set -u
jobctl=${JOBCTL:-jobctl}
folder=$(mktemp -d "${TMPDIR:-/tmp}/night.XXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export JOBCTL_HOME="$folder/store" COLUMNS=100
PATH="$(dirname "$(command -v "$jobctl")"):$PATH"

# The command for each row: price an order with the tax table of its country. The table for Switzerland is missing.
mkdir tax && echo 19 >tax/DE && echo 20 >tax/AT
cat >price <<'END'
#!/bin/sh
tax=$(cat "tax/$2" 2>/dev/null) || { echo "order $1: no tax table for $2" >&2; exit 1; }
echo "order $1: $(($3 * (100 + tax) / 100))"
END
chmod +x price
awk 'BEGIN {
  print "order,country,amount"
  for (n = 1; n <= 240; n++) print 7000 + n "," (n % 16 == 9 ? "CH" : n % 3 ? "DE" : "AT") "," 100 * n
}' >orders.csv

# Prints a command, runs it, and prints its output.
type_in() {
  printf '\n$ %s\n' "$1"
  sh -c "$1" 2>&1
  code=$?
  [ "$code" = 0 ] || printf '[exit %s]\n' "$code"
}

night='jobctl run orders.csv --key orders-2026-11-24 --on-duplicate resume --max-failures 5% --attempts 2 --backoff 100ms -q -- ./price {order} {country} {amount}'

echo '# 02:15, the line that cron runs (a crontab needs \% for each percent sign):'
type_in "$night"

echo
echo '# The next morning:'
type_in 'jobctl status last'
type_in 'jobctl explain last'
type_in 'jobctl explain last.9'

echo
echo '# The tax table arrives. Type the command that the status shows, or the same line again:'
type_in 'echo 8 > tax/CH'
type_in "$night"

echo
echo '# It prints nothing, because all items succeeded.'
type_in 'jobctl status last --json | python3 -c "import json, sys; d = json.load(sys.stdin); print(d[\"state\"], d[\"round\"], d[\"state_reason\"])"'
type_in 'jobctl verify last'
type_in 'jobctl logs last.9'
type_in 'jobctl results last'
