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
# Those below may have another user, no environment and no tag: they are known by a word of their command line.
token=hostile.$JOBCTL_JOB.$item. hidden=$place/alive/$token
if [ -e "$hidden" ]; then
  while read -r pid; do
    case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
      *" $token "*) echo "overlap $JOBCTL_JOB $item $JOBCTL_ATTEMPT $pid" >>"$place/witness" ;;
    esac
  done <"$hidden"
fi
hide() { # LAUNCHER...: a process that outlives the start of a daemon, started in this way
  : >>"$hidden" && chmod 666 "$hidden"
  "$@" sh -c 'echo $$ >>"$2"; sleep 3; :' sh "$token" "$hidden"
}
untag() { prlimit --pid $$ --locks=unlimited 2>/dev/null; }
as_other() { # COMMAND...: by another user, if we may
  if [ "$(id -u)" != 0 ]; then "$@"; else su nobody -s /bin/sh -c 'exec "$@"' -- sh "$@"; fi
}
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
  user) hide as_other ;;
  user_session) hide as_other setsid & wait ;;
  limits) untag; hide env -i PATH="$PATH" setsid -w ;;
  limits_parent) untag; (hide env -i PATH="$PATH" setsid &); sleep 0.3 ;;
  session_parent) untag; (hide setsid </dev/null >/dev/null 2>&1 &); sleep 0.3 ;;
  background) hide & ;;
  daemon) hide setsid </dev/null >/dev/null 2>&1 & sleep 0.1 ;;
  stall) (sleep 0.3; kill -CONT $$) & kill -STOP $$ ;;
  deaf) trap '' TERM HUP INT; hide ;;
  scribble)
    for fd in 3 4 5 6 7 8 9; do eval "echo scribble >&$fd" 2>/dev/null; done
    python3 -c 'import fcntl, os; fcntl.fcntl(1, fcntl.F_SETFL, 0); os.lseek(1, 0, 0); os.write(1, b"over")' 2>/dev/null
    ;;
  nested) head -c 1500 /dev/zero | tr '\0' '['; echo ;;
  hog) x=$(head -c 200000000 /dev/zero | tr '\0' x) ;;
  forever) trap '' TERM; while :; do sleep 1; done ;;
esac
echo "end $JOBCTL_JOB $item $JOBCTL_ATTEMPT $$" >>"$place/witness"
if [ "$kind" = fail ]; then exit 3; fi
