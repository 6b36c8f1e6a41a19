# Holds a lease on the jump box. Sent on the standard input of /bin/sh (dash, bash, busybox ash) after lines that set
# PLACES, RUN and FIRST (what is known of the holder, JSON), and before the last line, `main KEY...`. Comment lines are
# dropped before it is sent. Nothing more is sent before it says `taken`: dash reads its script in blocks.
#
# Then each line of its input is one of
#   beat N JSON   what is known of the holder now; answered `beat N`
#   say JSON      an entry for those who watch
#   end           let go
# It also says `approved OWNER JSON` for each new approval. It ends with its input, or when no beat came for 4 s.
#
# A lock is a flock on a file that is never removed, held by this shell alone: the watchdog starts before any is taken,
# and each nested redirection of descriptor 9 keeps the one around it.

exec 2>/dev/null
set -C
umask 022
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL
me=$(id -un | tr -cd 'A-Za-z0-9_.@-')

refuse() { printf 'refused %s\n' "$1"; exit 1; }

open_to_all() { case $(ls -ld "$1") in drwxrwxrwt*) return 0 ;; esac; return 1; }

# One folder for everybody: which one must not depend on who asks.
place() {
  for D in $PLACES; do
    if [ ! -e "$D" ] && [ ! -L "$D" ]; then
      open_to_all "${D%/*}" || continue
      mkdir "$D" && chmod 1777 "$D"
    fi
    [ -d "$D" ] && [ ! -L "$D" ] || refuse "$D is no folder"
    open_to_all "$D" || sleep 1
    open_to_all "$D" || refuse "$D is not open to everybody with the sticky bit (chmod 1777)"
    return 0
  done
  refuse 'there is no folder for locks that is open to everybody'
}

# What earlier runs of this account left: a holder that beats is never that old.
sweep() {
  find "$D" -name '*.holder*' -user "$me" -mmin +60 -exec rm -f {} \;
  find "$D" -name '*.approve.*' -user "$me" -mmin +1440 -exec rm -f {} \;
  find "$D" -name '*.jsonl' -user "$me" -mmin +60 | while IFS= read -r old; do
    [ -e "${old%.jsonl}.holder" ] || rm -f "$old"
  done
}

watchdog() {
  seen= quiet=0
  while sleep "$tick"; do
    kill -0 "$holder" || break
    beat=
    IFS= read -r beat < "$D/$RUN.holder"
    if [ "$beat" = "$seen" ]; then quiet=$((quiet + 1)); else seen=$beat quiet=0; fi
    if [ "$quiet" -ge "$ticks" ]; then
      rm -f "$D/$RUN.holder"
      kill -KILL "$holder"
      break
    fi
  done
}

note() {
  rm -f "$D/$RUN.holder.$$"
  printf '{"account":"%s","beat":%s,"n":%s,"holder":%s}\n' "$me" "$(date +%s)" "$1" "$2" > "$D/$RUN.holder.$$" &&
    mv -f "$D/$RUN.holder.$$" "$D/$RUN.holder"
}

holders() {
  for file in "$D"/*.holder; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    printf 'holder %s %s\n' "$(date +%s)" "$(head -c 8000 "$file" | head -n 1)"
  done
}

approvals() {
  for file in "$D/$RUN".approve.*; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    case $known in *" ${file##*/} "*) continue ;; esac
    known="$known${file##*/} "
    [ "$1" = tell ] || continue
    set -- "$1" $(ls -ld "$file")
    printf 'approved %s %s\n' "$4" "$(head -c 4000 "$file" | head -n 1)"
  done
}

# Locks the file that descriptor 9 is open on, if there is one, and goes on with the next. A level of nesting for each
# lock and no more: shells bear so many only. A redirection of `:` that fails would end the shell: hence the subshells.
hold() {
  if [ -n "$file" ]; then
    flock -n 9
    case $? in
      0) ;;
      1) holders; printf 'held\n'; return ;;
      *) refuse "$file cannot be locked" ;;
    esac
    if [ -e /proc/self/fd/9 ] && [ ! "$file" -ef /proc/self/fd/9 ]; then refuse "$file was changed meanwhile"; fi
  fi
  [ "$#" -gt 0 ] || { serve; return; }
  file=$D/$1.lock
  [ -e "$file" ] || [ -L "$file" ] || ( : > "$file" )
  [ -f "$file" ] && [ ! -L "$file" ] || refuse "$file is no plain file"
  shift
  # Another account's file can only be opened to read; that is enough for a lock.
  if ( : <> "$file" ); then hold "$@" 9<> "$file"; else hold "$@" 9< "$file"; fi
}

serve() {
  note 0 "$FIRST" || refuse "$D cannot be written to"
  rm -f "$D/$RUN.jsonl"
  ( : > "$D/$RUN.jsonl" ) || refuse "$D/$RUN.jsonl is another account's"
  exec 8>> "$D/$RUN.jsonl"
  known=' '
  approvals
  # Whoever removes a lock's file takes the lock away: the next one would lock another file of the same name.
  inodes=$(ls -i $files)
  printf 'taken %s\n' "$me"
  while IFS= read -r line; do
    case $line in
      'beat '*)
        line=${line#beat }
        note "${line%% *}" "${line#* }" || { printf 'lost %s cannot be written to\n' "$D"; break; }
        [ "$(ls -i $files)" = "$inodes" ] || { printf 'lost a file of its locks was removed\n'; break; }
        approvals tell
        printf 'beat %s\n' "${line%% *}" ;;
      'say '*) printf '%s\n' "${line#say }" >&8 || printf 'deaf\n' ;;
      end) break ;;
    esac
  done
  rm -f "$D/$RUN.holder"
}

main() {
  command -v flock > /dev/null || refuse 'there is no flock (package util-linux) on the jump box'
  place
  sweep
  files=
  for key; do files="$files $D/$key.lock"; done
  if sleep 0.01; then tick=0.5 ticks=8; else tick=1 ticks=4; fi
  holder=$$
  # It must not count what an earlier holder of the same run left there.
  watchdog < /dev/null > /dev/null &
  file=
  hold "$@"
  printf 'ended\n'
  exit
}
