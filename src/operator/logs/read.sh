# Reads logs of a host, a piece at each request. Sent on the standard input of /bin/sh over a session channel, as requests are:
# a request is a line that calls jd_read or jd_journal, one for each log, and then jd_done. Nothing is written on the host, and nothing
# runs there between two requests. POSIX sh: dash, bash, busybox ash, zsh as sh. Comment lines are dropped before it is sent.
#
# Before it the console sends jd_mark (a word that no log line can hold: it is random), and, where lines are filtered, jd_pattern and
# jd_kind (-E or -F). An answer is lines of the log between two lines that begin with jd_mark; see reader.rs.

exec 2>/dev/null
umask 077
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL
unset GREP_OPTIONS GREP_COLOR GREP_COLORS SYSTEMD_COLORS SYSTEMD_LESS
# Bytes of a log that one request reads as lines; what more there is, is counted.
jd_most=131072
# Bytes of a line without end that are shown.
jd_shown=4096
# Bytes of a log's end that the first request looks through.
jd_back=524288
# Bytes that are counted line by line; more than that is named as bytes.
jd_counted=134217728

if [ -n "$jd_kind" ]; then
  jd_keep() { grep -a "$jd_kind" -e "$jd_pattern"; }
  # A line is cut first: grep keeps each line in memory.
  jd_count() { cut -b 1-8192 | grep -a -c "$jd_kind" -e "$jd_pattern"; }
  jd_keep_journal() { grep -a "$jd_kind" -e "$jd_pattern" -e "$jd_cursor_line"; }
  jd_said=$(grep "$jd_kind" -e "$jd_pattern" < /dev/null 2>&1)
  if [ "$?" -gt 1 ]; then echo "$jd_mark pattern $jd_said"; fi
else
  jd_keep() { cat; }
  jd_count() { wc -l; }
  jd_keep_journal() { cat; }
fi
# How journalctl says where it ended. With -F it would be a text: then lines of the journal pass that hold it.
jd_cursor_line='^-- cursor: '
if [ "$jd_kind" = -F ]; then jd_cursor_line='-- cursor: '; fi

for jd_tool in stat tail head wc cat; do
  command -v "$jd_tool" > /dev/null || echo "$jd_mark lacks $jd_tool"
done
echo "$jd_mark clock $(date '+%s %z')"

# COUNT bytes of FILE after its first FROM.
jd_bytes() { tail -c "+$(($2 + 1))" -- "$1" | head -c "$3"; }

# How many of these bytes are behind the last line end: jd_tail.
jd_behind() {
  jd_tail=$({ jd_bytes "$1" "$2" "$3"; echo x; } | tail -n 1 | wc -c)
  jd_tail=$((jd_tail - 2))
}

# How many of these bytes belong to the line that they begin in: jd_gone; jd_mid is 1 when it does not end in them.
jd_skip() {
  jd_gone=$(jd_bytes "$1" "$2" "$3" | head -n 1 | wc -c)
  jd_gone=$((jd_gone + 0))
  jd_mid=0
  [ "$jd_gone" -ge "$3" ] || return
  jd_ends=$(jd_bytes "$1" "$(($2 + $3 - 1))" 1 | wc -l)
  [ "$((jd_ends + 0))" = 1 ] || jd_mid=1
}

# Lines of FILE (INODE) from AT to SIZE: at most jd_most bytes, the rest counted.
jd_span() {
  jd_from=$3 jd_len=$(($4 - $3)) jd_long=0 jd_rest=0 jd_blind=0
  [ "$jd_len" -gt 0 ] || return
  if [ "$jd_mid" = 1 ]; then
    jd_skip "$1" "$jd_from" "$jd_len"
    jd_long=$jd_gone jd_from=$((jd_from + jd_gone)) jd_len=$((jd_len - jd_gone))
  fi
  jd_take=$jd_len
  [ "$jd_take" -le "$jd_most" ] || jd_take=$jd_most
  jd_tail=0
  [ "$jd_take" -eq 0 ] || jd_behind "$1" "$jd_from" "$jd_take"
  jd_next=$jd_from
  if [ "$jd_take" = "$jd_most" ] && [ "$jd_tail" = "$jd_take" ]; then
    # A line that is longer than a request reads.
    jd_skip "$1" "$jd_from" "$jd_len"
    echo "$jd_mark data $jd_i $2 $((jd_from + jd_gone)) $jd_mid 0 0 $((jd_gone - jd_shown)) $jd_long"
    jd_bytes "$1" "$jd_from" "$jd_shown" | jd_keep
    echo
    echo "$jd_mark end $jd_i"
    return
  fi
  [ "$jd_flush" = 0 ] || jd_tail=0
  jd_take=$((jd_take - jd_tail)) jd_next=$((jd_from + jd_take))
  if [ "$jd_len" -gt "$jd_most" ]; then
    jd_end=$4
    if [ "$((jd_end - jd_next))" -gt "$jd_counted" ]; then
      jd_blind=$((jd_end - jd_next - jd_counted)) jd_end=$((jd_next + jd_counted))
    fi
    jd_left=$((jd_end - jd_next)) jd_last=$jd_left
    [ "$jd_last" -le "$jd_most" ] || jd_last=$jd_most
    jd_behind "$1" "$((jd_end - jd_last))" "$jd_last"
    if [ "$jd_blind" -gt 0 ]; then jd_tail=0 jd_mid=1; fi
    if [ "$jd_tail" = "$jd_last" ]; then jd_tail=0 jd_mid=1; fi
    jd_left=$((jd_left - jd_tail))
    jd_rest=$(jd_bytes "$1" "$jd_next" "$jd_left" | jd_count)
    jd_next=$((jd_next + jd_left + jd_blind))
  fi
  echo "$jd_mark data $jd_i $2 $jd_next $jd_mid $((jd_rest + 0)) $jd_blind 0 $jd_long"
  [ "$jd_take" -eq 0 ] || jd_bytes "$1" "$jd_from" "$jd_take" | jd_keep
  echo
  echo "$jd_mark end $jd_i"
}

# The last LINES lines of FILE, of its last jd_back bytes.
jd_first() {
  jd_from=0
  [ "$jd_size" -le "$jd_back" ] || jd_from=$((jd_size - jd_back))
  jd_len=$((jd_size - jd_from)) jd_tail=0
  [ "$jd_len" -eq 0 ] || jd_behind "$jd_f" "$jd_from" "$jd_len"
  jd_skipped=1
  [ "$jd_from" -eq 0 ] || jd_skipped=2
  jd_mid=0
  if [ "$jd_tail" = "$jd_len" ] && [ "$jd_from" -gt 0 ]; then jd_tail=0 jd_mid=1; fi
  echo "$jd_mark first $jd_i $jd_inode $((jd_size - jd_tail)) $jd_mid $jd_from"
  if [ "$jd_lines" -gt 0 ] && [ "$jd_len" -gt 0 ]; then
    jd_bytes "$jd_f" "$jd_from" "$((jd_len - jd_tail))" | tail -n "+$jd_skipped" | jd_keep | tail -n "$jd_lines"
  fi
  echo
  echo "$jd_mark end $jd_i"
}

# The file has another inode: reads what is left of the one before, where it is beside it under another name.
jd_turned() {
  for jd_old_name in "$jd_f".[0-9] "$jd_f"-*; do
    [ -f "$jd_old_name" ] && [ -r "$jd_old_name" ] || continue
    jd_stat=$(stat -L -c '%i %s' -- "$jd_old_name") || continue
    [ "${jd_stat% *}" = "$jd_old" ] || continue
    echo "$jd_mark turned $jd_i 1"
    jd_was=$jd_flush jd_flush=1
    jd_span "$jd_old_name" "$jd_old" "$jd_at" "${jd_stat#* }"
    jd_flush=$jd_was
    return
  done
  echo "$jd_mark turned $jd_i 0"
}

# jd_read INDEX FILE INODE AT MID FLUSH LINES: what is in FILE after AT; INODE 0 is for one that was not read yet. MID 1: AT is in a
# line that is too long. FLUSH 1: an end without a line end is a line, too.
jd_read() {
  jd_i=$1 jd_f=$2 jd_old=$3 jd_at=$4 jd_mid=$5 jd_flush=$6 jd_lines=$7
  if [ ! -e "$jd_f" ]; then
    jd_folder=${jd_f%/*}
    while [ -n "$jd_folder" ] && [ ! -d "$jd_folder" ]; do jd_folder=${jd_folder%/*}; done
    if [ -x "$jd_folder/" ]; then echo "$jd_mark missing $jd_i"; else echo "$jd_mark closed $jd_i"; fi
    return
  fi
  if [ ! -f "$jd_f" ]; then echo "$jd_mark other $jd_i"; return; fi
  if [ ! -r "$jd_f" ]; then echo "$jd_mark closed $jd_i"; return; fi
  jd_stat=$(stat -L -c '%i %s' -- "$jd_f")
  if [ -z "$jd_stat" ]; then echo "$jd_mark failed $jd_i"; return; fi
  jd_inode=${jd_stat% *} jd_size=${jd_stat#* }
  if [ "$jd_old" = 0 ]; then
    jd_first
    return
  fi
  if [ "$jd_inode" != "$jd_old" ]; then
    jd_turned
    jd_at=0 jd_mid=0
  elif [ "$jd_size" -lt "$jd_at" ]; then
    echo "$jd_mark cut $jd_i"
    jd_at=0 jd_mid=0
  fi
  echo "$jd_mark there $jd_i $jd_inode $jd_at $jd_mid"
  jd_span "$jd_f" "$jd_inode" "$jd_at" "$jd_size"
}

# jd_journal INDEX CURSOR LINES SINCE UNIT: what is in the journal behind CURSOR; without one its last LINES lines.
jd_journal() {
  jd_i=$1 jd_cursor=$2 jd_lines=$3 jd_since=$4 jd_unit=$5
  if ! command -v journalctl > /dev/null || { [ ! -d /run/log/journal ] && [ ! -d /var/log/journal ]; }; then
    echo "$jd_mark missing $jd_i"
    return
  fi
  set -- --no-pager -o short-iso --show-cursor
  [ -z "$jd_unit" ] || set -- "$@" -u "$jd_unit"
  if [ -n "$jd_cursor" ]; then
    set -- "$@" "--after-cursor=$jd_cursor"
  else
    # What it says of rights, and of options that it does not know.
    jd_said=$(journalctl "$@" -n 1 < /dev/null 2>&1 > /dev/null | head -c 400 | tr '\n' ' ')
    [ -z "$jd_said" ] || echo "$jd_mark said $jd_i $jd_said"
    [ -z "$jd_since" ] || set -- "$@" --since "$jd_since"
    set -- "$@" -n "$jd_lines"
  fi
  echo "$jd_mark journal $jd_i"
  journalctl "$@" < /dev/null | jd_keep_journal | {
    head -c "$jd_most"
    echo
    echo "$jd_mark rest $jd_i"
    sed -n -e '$=' -e '$p'
  }
  echo
  echo "$jd_mark end $jd_i"
}

# jd_done NUMBER: the answer to this request is whole.
jd_done() { echo "$jd_mark done $1"; }
