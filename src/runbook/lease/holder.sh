# Holds a lease on the jump box. Sent after place.sh and a line that sets FIRST (what is known of the holder, JSON), before
# the last line, `main KEY...`. Nothing more is sent before it says `taken`: dash reads its script in blocks.
#
# Then each line of its input is one of
#   beat N NONCE JSON   what is known of the holder now; the question that is put, or -; answered `beat N`
#   say JSON            an entry of the run's journal, to be kept beside what it knows of the holder
#   part TEXT           the next part of an entry that is too long for one line; `say` has the last
#   safe N              answered `safe N` when all entries that were said are on the disk, or `deaf N` when they are not
#   anew                the entries are said from the first
#   open                the run may change something from now on
#   over                the run is over
#   end                 let go
# It also says `approved` for each approval of that question. It ends with its input, or when no beat came for 4 s.
#
# A lock is a flock on a file that is never removed, held by this shell alone: the watchdog starts before any is taken,
# and each nested redirection of descriptor 9 keeps the one around it. What others may know is in a folder of the run's
# own, to which only this account writes, except yes/, where the group puts approvals.

# What earlier runs of this account left: a holder that beats is never that old. Only files are removed, and no folder
# within yes/ is entered: a member of the group can put folders there, and exchange them at any moment. A run that may have
# left changes in effect keeps its entries until it is over. Of one that is over, a note stays for a month, so that nobody
# goes on with it from an older journal.
sweep() {
  find "$J" -mindepth 1 -maxdepth 1 -type d -user "$me" -mmin +"$1" ! -name '*[!A-Za-z0-9._-]*' |
    while IFS= read -r old; do
      (
        enter "$old" && [ "$owner" = "$me" ] || exit
        all=1
        if plain over; then
          [ "$1" -gt 60 ] || all=
        elif plain open; then
          over_elsewhere || exit
        fi
        find . -mindepth 1 -maxdepth 2 ! -type d ! -path ./over -exec rm -f {} +
        rmdir yes
        [ -n "$all" ] || exit
        rm -f over
        rmdir "$old"
      )
    done
}

# Whether another account took over the run of this folder, and it is over.
over_elsewhere() { RUN=${old##*/} RUN=${RUN%.$me} && ended; }

watchdog() {
  seen= quiet=0
  while sleep "$tick"; do
    kill -0 "$holder" || break
    beat=
    IFS= read -r beat < holder
    for full in full.*; do beat=$beat$full; done
    if [ "$beat" = "$seen" ]; then quiet=$((quiet + 1)); else seen=$beat quiet=0; fi
    if [ "$quiet" -ge "$ticks" ]; then
      rm -f holder
      kill -KILL "$holder"
      break
    fi
  done
}

# Any account of the jump box can fill /run/lock. That ends no lease: others see an old holder, and the watchdog sees a
# name with the beat's number, which takes no room.
note() {
  rm -f holder.new
  if printf '{"beat":%s,"n":%s,"holder":%s}\n' "$(date +%s)" "$1" "$2" > holder.new; then
    mv -f holder.new holder
    return
  fi
  rm -f holder.new
  mv -f full.* "full.$1"
}

holders() {
  for folder in "$J"/*/; do show "${folder%/}"; done
}

# Where entries go: beside those of an earlier holder, until all of them were said again.
begin() {
  kept=entries
  if plain entries; then
    kept=entries.new
    rm -f "$kept"
  fi
  ( : > "$kept" ) || return
  exec 8>> "$kept"
}

# On the disk, where there is one: in a file system in memory only the file's being there is looked at.
flush() {
  case $disk in
    none) [ -e "$1" ] ;;
    file) sync -d "$1" ;;
    *) sync ;;
  esac
}

safe() {
  flush "$kept" || return
  [ "$kept" = entries ] || { mv -f "$kept" entries && kept=entries && exec 8>> entries && flush .; }
}

# Approvals of the question that is put, each once, and no more than a few: a member of the group could make thousands.
# Each is read when it is out of the folder where they could put another file, or a pipe, in its place.
approvals() {
  [ "$1" != - ] && [ "$kind" = group ] || return
  left=20
  for file in yes/"$1".*; do
    plain "$file" || continue
    left=$((left - 1))
    [ "$left" -ge 0 ] || break
    count=$((count + 1)) yes=approval.$count
    mv -f "$file" "$yes" && plain "$yes" || continue
    facts "$yes"
    printf 'approved %s\t%s\t%s\n' "$owner" "$(named "$yes")" "$(head -c 4000 "$yes" | head -n 1)"
    rm -f "$yes"
  done
}

# Locks the file that descriptor 9 is open on, if there is one, and goes on with the next. A level of nesting for each
# lock and no more: shells bear so many only. A redirection of `:` that fails would end the shell: hence the subshells.
hold() {
  if [ -n "$file" ]; then
    flock -n 9
    case $? in
      0) ;;
      1) holders
        if [ "$file" = "$everyone" ]; then printf 'busy\n'; else printf 'held\n'; fi
        return ;;
      *) refuse "$file cannot be locked" ;;
    esac
    if [ -e /proc/self/fd/9 ] && [ ! "$file" -ef /proc/self/fd/9 ]; then refuse "$file was changed meanwhile"; fi
  fi
  [ "$#" -gt 0 ] || { serve; return; }
  file=$1
  shift
  if [ "$file" != "$everyone" ]; then
    [ -e "$file" ] || [ -L "$file" ] || ( : > "$file" )
    plain "$file" || refuse "$file is not a plain file"
  fi
  # Another account's file, and a folder, can only be opened to read; that is enough for a lock.
  if ( : <> "$file" ); then hold "$@" 9<> "$file"; else hold "$@" 9< "$file"; fi
}

# Whether root made the group's folder meanwhile: what another account puts there ends no lease, and is refused to new ones.
made() {
  [ -d "$SHARED" ] && [ ! -L "$SHARED" ] || return 1
  facts "$SHARED"
  [ "$owner" = 0 ]
}

serve() {
  if [ "$kind" = group ] && [ ! -e yes ]; then mkdir yes && chmod 3770 yes; fi
  rm -f full.*
  ( : > full.0 ) && note 0 "$FIRST" && begin ||
    refuse "$R cannot be written to: is ${J%/*} full? (df ${J%/*})"
  disk=all
  if sync -d full.0; then disk=file; fi
  case $(stat -f -c %T .) in tmpfs|ramfs) disk=none ;; esac
  count=0 deaf=
  # Whoever removes a lock's file takes the lock away: the next one would lock another file of the same name.
  inodes=$(ls -id $files)
  printf 'taken %s\t%s\t%s\n' "$kind" "$me" "$(id -un)"
  while IFS= read -r line; do
    case $line in
      'beat '*)
        line=${line#beat }
        number=${line%% *} line=${line#* }
        note "$number" "${line#* }" || { printf 'lost %s cannot be written to\n' "$R"; break; }
        [ "$(ls -id $files)" = "$inodes" ] || { printf 'lost one of its lock files was removed\n'; break; }
        [ "$R" -ef . ] || { printf 'lost %s was moved\n' "$R"; break; }
        [ "$kind" = group ] || ! made || { printf 'lost %s was made meanwhile\n' "$SHARED"; break; }
        approvals "${line%% *}"
        printf 'beat %s\n' "$number" ;;
      # After a part of an entry that found no room, the next one would not be readable.
      'part '*) [ -n "$deaf" ] || printf '%s' "${line#part }" >&8 || deaf=1 ;;
      'say '*) [ -n "$deaf" ] || printf '%s\n' "${line#say }" >&8 || deaf=1 ;;
      'safe '*)
        [ -n "$deaf" ] || safe || deaf=1
        if [ -n "$deaf" ]; then printf 'deaf %s\n' "${line#safe }"; else printf 'safe %s\n' "${line#safe }"; fi ;;
      anew) deaf=; begin || deaf=1 ;;
      open) plain open || ( : > open ) || deaf=1 ;;
      over) plain over || ( : > over ) || deaf=1 ;;
      end) break ;;
    esac
  done
  rm -f holder
}

main() {
  command -v flock > /dev/null || refuse 'there is no flock (package util-linux) on the jump box'
  place make
  sweep 60
  sweep 43200
  for key; do
    shift
    set -- "$@" "$D/$key.lock"
  done
  [ -z "$everyone" ] || set -- "$@" "$everyone"
  files=$*
  if sleep 0.01; then tick=0.5 ticks=8; else tick=1 ticks=4; fi
  holder=$$
  R=$J/$RUN
  # The folder of a run that another account began is that account's.
  if [ -e "$R" ] && [ ! -L "$R" ]; then
    facts "$R"
    [ "$owner" = "$me" ] || R=$R.$me
  fi
  [ -e "$R" ] || [ -L "$R" ] || mkdir "$R"
  enter "$R" && [ "$owner" = "$me" ] || refuse "$R is not a folder that only this account can write to"
  # It must not count what an earlier holder of the same run left there.
  watchdog < /dev/null > /dev/null &
  file=
  hold "$@"
  printf 'ended\n'
  exit
}
