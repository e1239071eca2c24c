# Takes back one row of the campaign. It says whose row it is and with which token, then runs as any item does.
# Arguments: ITEM PLACE. Some rows can be taken back only when the file "repaired" is there.
kind=true
case $JOBCTL_UNDO_OF in
  *5) [ -e "$2/repaired" ] || kind=fail ;;
  *3 | *7) kind=nap ;;
  *1) kind=long ;;
esac
echo "$JOBCTL_UNDO_OF $JOBCTL_JOB $1 $JOBCTL_TOKEN" >>"$2/undone"
exec sh "${0%/*}/item.sh" "$kind" "$1" "$2"
