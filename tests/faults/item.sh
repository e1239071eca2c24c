# One item of the campaign. It says when it starts and when it ends, one write each, in a file outside the store,
# and looks whether an earlier attempt of the same item still lives. Arguments: KIND ITEM PLACE.
kind=$1 item=$2 place=$3
alive=$place/alive/$JOBCTL_JOB.$item
if [ -e "$alive" ]; then
  while read -r pid; do
    if [ "$pid" != $$ ] && grep -qz "^JOBCTL_JOB=$JOBCTL_JOB\$" "/proc/$pid/environ" 2>/dev/null &&
      grep -qz "^JOBCTL_ITEM=$item\$" "/proc/$pid/environ" 2>/dev/null; then
      echo "overlap $JOBCTL_JOB $item $JOBCTL_ATTEMPT $pid" >>"$place/witness"
    fi
  done <"$alive"
fi
echo $$ >>"$alive"
echo "start $JOBCTL_JOB $item $JOBCTL_ATTEMPT $$" >>"$place/witness"
case $kind in
  true) ;;
  nap) sleep 0.1 ;;
  long) sleep 0.4 ;;
  fail) echo "order $item: no such customer" >&2 ;;
  big) head -c 1000000 /dev/zero | tr '\0' x; echo ;;
  escape) setsid sh -c 'echo $$ >>"$1"; exec sleep 30' faults.item "$alive" & ;;
  stubborn)
    trap '' TERM
    setsid sh -c 'trap "" TERM; echo $$ >>"$1"; while :; do sleep 1; done' faults.item "$alive" &
    sleep 0.2
    ;;
  hog) x=$(head -c 200000000 /dev/zero | tr '\0' x) ;;
  forever) trap '' TERM; while :; do sleep 1; done ;;
esac
echo "end $JOBCTL_JOB $item $JOBCTL_ATTEMPT $$" >>"$place/witness"
if [ "$kind" = fail ]; then exit 3; fi
