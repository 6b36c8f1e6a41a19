# Maintenance sessions, after place.sh. Each account that takes part has a folder beside those of runs, to which only it writes:
# session@ENV@ID@UID, with its records and, when it saw the end of the session, the file `over`. The @ keeps it out of what looks for runs.

# In a folder that was entered: whether its name is that of its owner's part in a session.
part() {
  case $1 in *[!A-Za-z0-9._@-]*|*@*@*@*@*) return 1 ;; session@*@*@*) ;; *) return 1 ;; esac
  [ "${1##*@}" = "$owner" ]
}

# A record in a folder that was entered, of the folder's owner.
kept() {
  case $1 in ''|*[!0-9a-f]*) return 1 ;; esac
  plain "$1" || return 1
  facts "$1"
  [ "$owner" = "$whose" ]
}

show_part() (
  enter "$1" && part "${1##*/}" || exit
  whose=$owner state=open
  if plain over; then state=over; fi
  printf 'part %s\t%s\t%s\t%s\n' "$whose" "$(named .)" "$state" "${1##*/}"
  for record in *; do
    kept "$record" && printf 'record %s\t%s\n' "$record" "$(wc -c < "$record" | tr -cd 0-9)"
  done
)

# $1: an environment, or * for all.
parts() {
  case $1 in
    '*') for folder in "$J"/session@*/; do show_part "${folder%/}"; done ;;
    *) for folder in "$J/session@$1@"*/; do show_part "${folder%/}"; done ;;
  esac
}

sessions() {
  place
  printf 'place %s\t%s\t%s\n' "$kind" "$me" "$(date +%s)"
  [ -d "$J" ] && parts "$1"
  printf 'all\n'
}

# Bytes of a record, from byte $5 on, at most $6 of them. $1: environment, $2: session, $3: account, $4: record.
record() {
  place
  enter "$J/session@$1@$2@$3" && part "session@$1@$2@$3" || return
  whose=$owner
  kept "$4" && tail -c "+$(($5 + 1))" "$4" | head -c "$6"
}

# Whether a session is over, by one of its folders.
is_over() {
  for folder in "$J/session@$1@$2@"*/; do
    folder=${folder%/}
    ( enter "$folder" && part "${folder##*/}" && plain over ) && return
  done
  return 1
}

# A session of the environment that is not over, other than $2.
other() {
  for found in "$J/session@$1@"*/; do
    found=${found%/}
    ( enter "$found" && part "${found##*/}" ) || continue
    id=${found%@*} id=${id##*@}
    [ "$id" = "$2" ] || is_over "$1" "$id" || return 0
  done
  return 1
}

# Of sessions that ended a month ago: this account's part.
tidy() {
  find "$J" -mindepth 1 -maxdepth 1 -type d -user "$me" -mmin +43200 -name 'session@*' ! -name '*[!A-Za-z0-9._@-]*' |
    while IFS= read -r old; do
      (
        enter "$old" && part "${old##*/}" && plain over || exit
        find . -mindepth 1 -maxdepth 1 ! -type d -exec rm -f {} +
        rmdir "$old"
      )
    done
}

# Of two that begin at the same time one is second: descriptor 9 is the lock.
begin() {
  flock -n 9 || { printf 'busy\n'; exit; }
  tidy
  if other "$1" "$2"; then
    printf 'other\n'
    parts "$1"
    printf 'all\n'
    exit
  fi
  mkdir "$F" || refuse "$F cannot be made: is ${J%/*} full? (df ${J%/*})"
}

# Adds the bytes $5 to this account's record $3 of a session, which has $4 bytes; nothing when it has another number of them.
add() {
  command -v flock > /dev/null || refuse 'there is no flock (package util-linux) on the jump box'
  place make
  F=$J/session@$1@$2@$me
  if [ ! -e "$F" ] && [ ! -L "$F" ]; then
    lock=$D/session.$1.lock
    [ -e "$lock" ] || [ -L "$lock" ] || ( : > "$lock" )
    plain "$lock" || refuse "$lock is not a plain file"
    # Another account's file can only be opened to read; that is enough for a lock.
    if ( : <> "$lock" ); then begin "$1" "$2" 9<> "$lock"; else begin "$1" "$2" 9< "$lock"; fi
  fi
  enter "$F" && [ "$owner" = "$me" ] || refuse "$F is not a folder that only this account can write to"
  append "$3" "$4" "$5" 8>> "$3"
}

append() {
  flock -n 8 || { printf 'busy\n'; exit; }
  size=$(wc -c < "$1" | tr -cd 0-9)
  if [ "$size" = "$2" ]; then
    printf '%s' "$3" >&8 || printf 'full\n'
    case $(stat -f -c %T .) in tmpfs|ramfs) ;; *) sync -d "$1" || sync ;; esac
  fi
  printf 'size %s\n' "$(wc -c < "$1" | tr -cd 0-9)"
}

# The session is over.
close() {
  place
  enter "$J/session@$1@$2@$me" && [ "$owner" = "$me" ] || refuse 'this account takes no part in the session'
  plain over || ( : > over ) || refuse "the end of the session cannot be written: is ${J%/*} full? (df ${J%/*})"
  printf 'done\n'
}
