#!/bin/sh
# The parts of a trip are booked one by one. If one of them cannot be booked, those before it are cancelled, the last
# one first. The script uses its own store and folder, and removes both: sh examples/booking.sh
set -u
jobctl=${JOBCTL:-jobctl}
folder=$(mktemp -d "${TMPDIR:-/tmp}/trip.XXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export JOBCTL_HOME="$folder/store" COLUMNS=100
PATH="$(dirname "$(command -v "$jobctl")"):$PATH"

# The service that books keeps a file for each booking. It refuses the car, because none is left.
cat >book <<'END'
#!/bin/sh
[ "$1" != car ] || { echo "no car is left" >&2; exit 65; }
echo "$JOBCTL_TOKEN" >"booked-$1" && echo "R-$2"
END
# It cancels by the reference that it returned, and does nothing for a token that it has seen.
cat >cancel <<'END'
#!/bin/sh
echo "$1 $2" >>cancelled
grep -qsxF -e "$JOBCTL_TOKEN" tokens || { echo "$JOBCTL_TOKEN" >>tokens; rm "booked-$1"; }
END
chmod +x book cancel
printf 'part,number\nflight,17\nhotel,4\ncar,9\n' >trip.csv

# Prints a command, runs it, and prints its output.
type_in() {
  printf '\n$ %s\n' "$1"
  sh -c "$1" 2>&1
  code=$?
  [ "$code" = 0 ] || printf '[exit %s]\n' "$code"
}

echo '# Book the three parts, one after the other; cancel what was booked if a part fails:'
type_in "jobctl run trip.csv -q -j 1 --undo './cancel {part} {jobctl_undo_result}' --undo-on-failure -- ./book {part} {number}"
type_in 'cat cancelled'

echo
echo '# What was taken back, row by row:'
type_in 'jobctl explain 1'
type_in 'jobctl items 1 | cut -f 1,2,12,13'
type_in 'jobctl undo 1'
type_in 'jobctl verify 1'
