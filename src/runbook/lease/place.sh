# The folder of leases, for holder.sh and ask.sh, which follow it. Sent to /bin/sh (dash, bash, busybox ash) after
# lines that set SHARED (the folder of the operators' group), OWN (this account's; empty for the one below its home),
# APART (not empty: without the group's folder, accounts do not keep each other off), JOURNALS (the folder of the runs'
# folders; empty for beside the locks) and RUN. Comment lines are dropped before it is sent.
#
# Nothing is believed of a file but its owner's number, and nothing is made where another account can write, except in
# folders of the group. No link is followed: names are looked at first, and noclobber makes files only anew.

exec 2>/dev/null
set -C
umask 027
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL
me=$(id -u)

refuse() { printf 'refused %s\n' "$1"; exit 1; }

# Mode and owner (a number) of a file or folder.
facts() {
  set -f
  set -- $(ls -lnd "$1")
  set +f
  mode=$1 owner=$3
}

# An account's name, for eyes.
named() { stat -c %U "$1" || printf '%s' "$owner"; }

plain() { [ -f "$1" ] && [ ! -L "$1" ]; }

# A folder that nobody but its owner can write to.
owned() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  facts "$1"
  case $mode in d????-??-*) return 0 ;; esac
  return 1
}

# Goes into a folder of the folder of leases, which only its owner can write to. A member of the group can rename it at any
# moment and put a link or another folder in its place: from here on names within it have no path.
enter() {
  up=$(cd -P "${1%/*}" && pwd -P)
  cd -P "$1" && [ "$(pwd -P)" = "$up/${1##*/}" ] && owned .
}

# A folder that stays in its place: it is root's or this account's, and nobody else can rename it.
stays() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  facts "$1"
  [ "$owner" = 0 ] || [ "$owner" = "$me" ] || return 1
  facts "${1%/*}/"
  [ "$owner" = 0 ] || [ "$owner" = "$me" ] || return 1
  case $mode in d????-??-*|d????????[tT]*) return 0 ;; esac
  return 1
}

# A folder of the operators' group: root's, and only the group can write to it.
of_group() {
  fix="as root: rm -r $1; install -d -o root -g jumpdeck -m 2770 $1"
  [ -d "$1" ] && [ ! -L "$1" ] || refuse "$1 is not a folder ($fix)"
  facts "$1"
  [ "$owner" = 0 ] || refuse "$1 is not made by root: whoever made it can end and fake leases ($fix)"
  case $mode in
    drwxrws---|drwxrws---.|drwxrws--T|drwxrws--T.) ;;
    *) refuse "$1 has the mode $mode, which lets other accounts end and fake leases ($fix)" ;;
  esac
  [ -w "$1" ] && [ -x "$1" ] ||
    refuse "this account is not in the group of $1 (as root: usermod -a -G jumpdeck $(id -un))"
}

# D: the folder of the locks; J: the folder of the runs' folders.
place() {
  locks "$1"
  J=$D
  [ -z "$JOURNALS" ] || { J=$JOURNALS; of_group "$J"; }
}

# Which folder it is must not depend on who asks: the group's where there is one. `everyone` is what all accounts lock
# where there is none: any of them can open that folder and so lock it, and none but root can remove it.
locks() {
  kind=group D=$SHARED everyone=
  if [ -e "$D" ] || [ -L "$D" ]; then
    of_group "$D"
    return
  fi
  kind=account D=${OWN:-$HOME/.jumpdeck-lease}
  if [ -z "$APART" ]; then
    kind=box everyone=${SHARED%/*}
    [ "$1" != make ] || stays "$everyone" ||
      refuse "$everyone is not a folder owned by root (as root: groupadd jumpdeck; install -d $everyone; \
install -d -o root -g jumpdeck -m 2770 $SHARED)"
  fi
  [ "$1" = make ] && [ ! -e "$D" ] && [ ! -L "$D" ] && mkdir -m 700 "$D"
  [ "$1" = make ] || [ -e "$D" ] || [ -L "$D" ] || return
  owned "$D" && [ "$owner" = "$me" ] || refuse "$D is not a folder that only this account can write to"
}

# The folders of a run that count: RUN is that of the account that began it, RUN.UID that of account UID, which took it over.
of_run() { case ${1##*/} in "$RUN"|"$RUN.$owner") return 0 ;; esac; return 1; }

# Whether a run is over, by one of its folders.
ended() {
  for folder in "$J/$RUN" "$J/$RUN".*; do
    ( enter "$folder" && of_run "$folder" && plain over ) && return
  done
  return 1
}

# What a run's folder says of its holder, when the owner of the folder wrote it. A member of the group chooses the name of a folder: one with
# a line end in it would be lines of its own.
show() (
  run=${1##*/}
  case $run in ''|*[!A-Za-z0-9._-]*) exit ;; esac
  enter "$1" && plain holder || exit
  whose=$owner
  facts holder
  [ "$owner" = "$whose" ] || exit
  printf 'holder %s\t%s\t%s\t%s\t%s\n' "$(date +%s)" "$owner" "$(named holder)" "$run" \
    "$(head -c 16000 holder | head -n 1)"
)
