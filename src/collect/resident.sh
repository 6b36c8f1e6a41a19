# The resident probe. Sent on the standard input of /bin/sh over a session channel; nothing is written on the host.
# POSIX sh: dash (since Ubuntu 10.04), bash, busybox ash, zsh as sh. Comment lines are dropped before it is sent.
#
# It ends with one line `jd_main NONCE SECTION...` (see resident.rs), which answers a first report and then one report
# for each line `tick NONCE SECTION...` on standard input; it ends when that ends. The loop starts only when all
# of this is parsed: dash reads its script in blocks, and would swallow a tick that comes with the last of it.
#
# A section is a function `probe_NAME`. It adds to the report with the helpers below, and its status is the section's:
# 0 fine, 123 an earlier question still waits in the kernel, 124 its time limit ended it, 126 not permitted, 127 the tool to
# ask with is missing (the first line names it), else failed.
#   say TEXT                     adds a line; no process is started
#   slurp FILE                   adds a small file (at most 200 lines); no process is started; fails when unreadable
#   need FILE                    the same, and says what is wrong with the file
#   lacks TOOL                   whether a tool is missing; says which
#   barred TOOL...               whether one of these is there, and this account may not run it; see there
#   jd_ask SECONDS BYTES CMD...  puts the output of a program or function, bounded, into jd_got; see there
#   apart KEY SECONDS CMD...     adds the output, both kinds, of a program or function that may hang; $jd_in is its input
#   jd_listens PORT              where a TCP port is open; see there
#   jd_look                      looks through the process table; see there, jd_still and jd_seek
#   jd_mounts                    reads the mount table into jd_local, jd_local_rows, jd_remote, jd_remote_rows
# and with $NL, $SUDO (empty or `sudo -n`), $LIMIT (`timeout -k 1`: ends a command), $DB_EXPECTED (`yes` on hosts of role db).
# Names starting with jd_ are the resident probe's own; a section uses names starting with its own name. One that keeps an answer
# counts the looks until it asks again down in NAME_wait.

exec 2>/dev/null
set -f
umask 077
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL
unset LANGUAGE ENV BASH_ENV CDPATH POSIXLY_CORRECT BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE
# bash and ksh end a `read` after that many seconds. A read-only one cannot be unset, and trying ends a POSIX shell.
if [ -n "$TMOUT" ] && (unset TMOUT); then unset TMOUT; fi
NL='
'
jd_ifs=" 	$NL"
IFS=$jd_ifs
jd_in= jd_parts=
jd_table=
jd_whole=

# Ends a command after a number of seconds, for hosts without `timeout`. Its status is then 143 or 137.
jd_bounded() (
  jd_bound=$1
  shift
  # What runs in the background would read nothing; and bash, whose own input is the script, passes none on otherwise.
  exec 4<&0
  "$@" <&4 4<&- &
  jd_bounded_pid=$!
  exec 4<&-
  (
    trap 'kill "$jd_nap"; exit' TERM
    sleep "$jd_bound" & jd_nap=$!
    wait
    kill "$jd_bounded_pid"
    sleep 1 & jd_nap=$!
    wait
    kill -9 "$jd_bounded_pid"
  ) < /dev/null > /dev/null 2>&1 &
  jd_dog=$!
  wait "$jd_bounded_pid"
  jd_bounded_status=$?
  kill "$jd_dog"
  exit "$jd_bounded_status"
)

# coreutils before 8.5 know no -k, BusyBox before 1.30 wants the seconds after -t; without a `timeout` the shell counts.
# On most hosts one question finds both `timeout -k` and `head -c`.
jd_has_head=
jd_limits() {
  if [ "$(echo abc | "$@" 5 head -c 2)" = ab ]; then jd_has_head=yes; return 0; fi
  "$@" 5 true
}
if jd_limits timeout -k 1; then LIMIT='timeout -k 1'
elif jd_limits timeout -s KILL; then LIMIT='timeout -s KILL'
elif jd_limits timeout -s KILL -t; then LIMIT='timeout -s KILL -t'
elif command -v sleep > /dev/null; then LIMIT=jd_bounded
else LIMIT=
fi
if [ -n "$jd_has_head" ] || [ "$(echo abc | head -c 2)" = ab ]; then
  jd_has_head=yes
  jd_head() { head -c "$1"; }
else
  jd_head() { dd bs=512 count="$(($1 / 512))"; }
fi
# The tool that is missing of those that every bounded question needs.
jd_missing=
if [ -z "$LIMIT" ]; then jd_missing='timeout or sleep'
elif ! command -v cat > /dev/null; then jd_missing=cat
elif [ -z "$jd_has_head" ] && ! command -v dd > /dev/null; then jd_missing='head or dd'
fi

say() { jd_out="$jd_out$1$NL"; }

slurp() {
  [ -r "$1" ] && [ ! -d "$1" ] || return 1
  jd_lines=0
  while IFS= read -r jd_line || [ -n "$jd_line" ]; do
    jd_out="$jd_out$jd_line$NL"
    jd_lines=$((jd_lines + 1))
    [ "$jd_lines" -lt 200 ] || break
  done < "$1"
}

need() {
  slurp "$1" && return
  say "$1: cannot be read"
  [ ! -e "$1" ] || return 126
  return 1
}

lacks() {
  ! command -v "$1" > /dev/null || return 1
  say "$1"
}

# Whether one of these programs is in a folder of the PATH, and this account may not run it: jd_barred is its path. For those that
# `command -v` does not find; no process is started.
barred() {
  jd_barred=
  IFS=:
  for jd_folder in $PATH; do
    for jd_tool in "$@"; do
      jd_file=$jd_folder/$jd_tool
      [ -n "$jd_barred" ] || [ ! -f "$jd_file" ] || [ -x "$jd_file" ] || jd_barred=$jd_file
    done
  done
  IFS=$jd_ifs
  [ -n "$jd_barred" ]
}

# Hundredths of a second since the machine started; 0 where they cannot be read.
jd_clock() {
  jd_up=
  read -r jd_up jd_idle < /proc/uptime
  case $jd_up in
    *[!0-9.]*|0*) jd_up=0 ;;
    *.[0-9][0-9]) jd_up=${jd_up%.*}${jd_up#*.} ;;
    *) jd_up=0 ;;
  esac
}

# Cuts a question's limit to its share of the report's time, and puts it into jd_seconds. The console waits 8 s for a report.
# On a host where everything hangs the limits add up to more, and none of the gaps would arrive: so a report takes 7 s, of
# which up to three sections that still follow keep a second each. A question has at least one second. When the 7 s are over
# it fails: the question is not asked, and jd_refused says so.
jd_share() {
  jd_clock
  jd_seconds=$(((jd_begun + 700 - jd_up) / 100 - jd_follow))
  [ "$jd_seconds" -le "$1" ] || jd_seconds=$1
  [ "$jd_seconds" -lt 1 ] || return 0
  jd_seconds=1
  [ "$((jd_up - jd_begun))" -ge 700 ] || return 0
  jd_refused=yes
  return 1
}

# Puts standard output of a program or function into jd_got. Longer output is cut, possibly within a line, and jd_cut is then
# `yes`. Standard error is dropped: it is no data. The status is the command's own, or 124 when it did not end in time (then it
# and what it started are killed) or the report's time was over before. The shell never waits longer, even for a process that cannot be killed: that ends when it
# next writes. What runs under $SUDO needs its own $LIMIT: nobody may kill root's processes.
# What came before the limit is kept only with jd_parts=yes, for that takes two processes more.
jd_ask() {
  [ -z "$jd_missing" ] || { say "$jd_missing"; return 127; }
  jd_share "$1" || { jd_got= jd_parts= jd_cut= jd_status=124; return 124; }
  jd_bytes=$2
  shift 2
  # Few processes: they are most of what a report costs the host.
  if [ -n "$jd_has_head" ] && [ -z "$jd_parts" ]; then
    jd_got=$({ { jd_beside "$@" & echo "@jd-pid $jd_nonce $!" >&3; } | $LIMIT "$jd_seconds" head -c "$jd_bytes" 3>&-; } 3>&1)
  else
    jd_got=$({ jd_beside "$@" & echo "@jd-pid $jd_nonce $!"; } | $LIMIT "$jd_seconds" cat | jd_head "$jd_bytes")
  fi
  # Nobody else knows the nonce: no text of the command's own passes for these two lines.
  jd_parts= jd_cut= jd_status=124 jd_pid=
  case $jd_got in
    *"$NL@jd-status $jd_nonce "*)
      # One that ends at once may be done before its id is written.
      jd_status=${jd_got##*"$NL@jd-status $jd_nonce "}
      jd_status=${jd_status%%"$NL"*}
      jd_got=${jd_got%"$NL@jd-status $jd_nonce "*} ;;
    *) if [ "${#jd_got}" -ge "$((jd_bytes - 512))" ]; then jd_cut=yes jd_status=0; fi ;;
  esac
  case $jd_got in
    *"@jd-pid $jd_nonce "*)
      jd_rest=${jd_got#*"@jd-pid $jd_nonce "}
      jd_pid=${jd_rest%%"$NL"*}
      jd_rest=${jd_rest#"$jd_pid"}
      jd_got="${jd_got%%"@jd-pid $jd_nonce "*}${jd_rest#"$NL"}" ;;
  esac
  [ "$jd_status" != 124 ] || jd_kill
  jd_as_status "$jd_status"
}

# Runs a command for jd_ask, beside the shell. Descriptor 3 is the shell's answer, for which it would wait.
jd_beside() {
  exec 3>&-
  "$@" < /dev/null
  echo "$NL@jd-status $jd_nonce $?"
}

# Kills jd_pid, a shell of jd_ask, and all that came of it.
jd_kill() {
  case $jd_pid in ''|*[!0-9]*) return ;; esac
  set +f
  set -- /proc/[0-9]*/stat
  set -f
  jd_pids=" $jd_pid " jd_more=yes
  while [ -n "$jd_more" ]; do
    jd_more=
    for jd_stat in "$@"; do
      IFS= read -r jd_line < "$jd_stat" || continue
      # ID (NAME) STATE PARENT ...: the name may be anything.
      jd_id=${jd_line%% *}
      jd_line=${jd_line##*') '}
      jd_line=${jd_line#* }
      case $jd_pids in
        *" $jd_id "*) ;;
        *" ${jd_line%% *} "*) jd_pids="$jd_pids$jd_id " jd_more=yes ;;
      esac
    done
  done
  kill -9 $jd_pids
}

# Returns a status that came through a program's output; the signals of a time limit count as 124.
jd_as_status() {
  case $1 in
    137|143) return 124 ;;
    ''|*[!0-9]*|????*) return 1 ;;
    *) return "$1" ;;
  esac
}

# Why a command failed: what it says on standard error.
jd_messages() { "$@" 2>&1 > /dev/null; }

jd_feed() { if [ -n "$jd_in" ]; then printf '%s' "$jd_in" | "$@"; else "$@"; fi; }

# Waits for the output until the limit, and never for the process: one that is stuck on a dead disk or server cannot be
# killed. While it exists (kill -0) no second one is started: the answer is then `stuck`, at once.
apart() {
  [ -z "$jd_missing" ] || { say "$jd_missing"; return 127; }
  jd_share "$2" || return 124
  jd_key=$1
  shift 2
  eval "jd_pid=\${jd_stuck_$jd_key:-}"
  if [ -n "$jd_pid" ] && kill -0 "$jd_pid"; then return 123; fi
  jd_got=$({ { jd_feed "$@" 2>&1; echo "$NL@jd-status $?"; } & echo "@jd-pid $!"; } | $LIMIT "$jd_seconds" cat)
  # `cat`, not `head`: what it has read when the limit ends it is already written, the process id above all.
  jd_rest=${jd_got#*@jd-pid }
  jd_pid=${jd_rest%%"$NL"*}
  jd_rest=${jd_rest#"$jd_pid"}
  jd_got="${jd_got%%@jd-pid *}${jd_rest#"$NL"}"
  jd_status=124
  case $jd_got in
    *"$NL@jd-status "*)
      jd_status=${jd_got##*@jd-status }
      jd_status=${jd_status%%"$NL"*}
      jd_got=${jd_got%"$NL@jd-status "*}
      jd_pid= ;;
  esac
  [ "${#jd_got}" -lt 131072 ] || jd_got=$(printf '%.131072s' "$jd_got")
  # Only where it matches: bash takes minutes to find that a long text does not end so.
  case $jd_got in *"$NL") jd_got=${jd_got%"$NL"} ;; esac
  [ -z "$jd_got" ] || say "$jd_got"
  case $jd_pid in *[!0-9]*) jd_pid= ;; esac
  eval "jd_stuck_$jd_key=\$jd_pid"
  jd_as_status "$jd_status"
}

# Looks through the process table, once a report: jd_processes has a line `NAME FOLDER` for each process whose name is in
# jd_wanted. A section adds to that, outside its function, the names that it looks for, each with a space behind it.
jd_wanted=' df '
jd_look() {
  [ -z "$jd_looked" ] || return 0
  jd_looked=yes jd_processes=$NL
  set +f
  set -- /proc/[0-9]*/comm
  set -f
  for jd_comm in "$@"; do
    IFS= read -r jd_line < "$jd_comm" || continue
    case $jd_wanted in *" $jd_line "*) jd_processes="$jd_processes$jd_line ${jd_comm%/comm}$NL" ;; esac
  done
}

# Whether the process of a folder of /proc still has that name: what an earlier look found costs no second one.
jd_still() {
  jd_line=
  [ -z "$1" ] || IFS= read -r jd_line < "$1/comm"
  [ -n "$jd_line" ] && [ "$jd_line" = "$2" ]
}

# Looks for the process of a service, where its client cannot tell. jd_process is then `id NUMBER`, empty where there is none, or
# `hidden` where this account cannot see every process; jd_at is its folder. $1: a function that says whether the command line in
# jd_line is one of the service; then the names that the process may have, of those in jd_wanted.
jd_seek() {
  jd_process=hidden jd_at= jd_is=$1
  [ -r /proc/1/comm ] || return
  jd_look
  shift
  jd_process= jd_names=" $* "
  IFS=$NL
  set -- $jd_processes
  IFS=$jd_ifs
  for jd_row in "$@"; do
    case $jd_names in *" ${jd_row%% /*} "*) ;; *) continue ;; esac
    jd_at=/${jd_row#* /}
    jd_line=
    IFS= read -r jd_line < "$jd_at/cmdline"
    # One that ends, or that this account may not look at.
    if [ -z "$jd_line" ]; then jd_process=hidden
    elif "$jd_is"; then jd_process="id ${jd_at##*/}"; return
    fi
  done
  jd_at=
}

# Where a TCP port is open, by the kernel's list: jd_open has its addresses of IPv4, each with a space behind it, and `*` for all.
# The port is written as there: 2BCB is 11211. Open ports come before connections.
jd_listens() {
  jd_open=
  for jd_ports in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$jd_ports" ] || continue
    while read -r jd_row jd_place jd_far jd_state jd_rest; do
      case $jd_state in st) continue ;; 0A) ;; *) break ;; esac
      case $jd_place in *:"$1") ;; *) continue ;; esac
      jd_hex=${jd_place%:*}
      jd_hex=${jd_hex#0000000000000000FFFF0000}
      case $jd_hex in
        00000000|00000000000000000000000000000000) jd_open="$jd_open* " ;;
        *[!0-9A-F]*) ;;
        ????????) jd_dotted ;;
      esac
    done < "$jd_ports"
  done
}

# 0500000A is 10.0.0.5.
jd_dotted() {
  jd_first=${jd_hex#??????} jd_second=${jd_hex#????} jd_third=${jd_hex#??} jd_fourth=${jd_hex%??????}
  jd_second=${jd_second%??} jd_third=${jd_third%????}
  jd_open="$jd_open$((0x$jd_first)).$((0x$jd_second)).$((0x$jd_third)).$((0x$jd_fourth)) "
}

# Lists the `df` of an earlier connection that still wait in the kernel (state D), where nothing can end them: jd_waiting has
# their command lines, one a line, without the spaces. Looked for with the first report, and after a time limit.
jd_find_waiting() {
  jd_waiting=
  jd_look
  IFS=$NL
  set -- $jd_processes
  IFS=$jd_ifs
  for jd_row in "$@"; do
    case $jd_row in 'df '*) jd_row=${jd_row#df } ;; *) continue ;; esac
    IFS= read -r jd_line < "$jd_row/stat" || continue
    case $jd_line in *'(df) D '*) ;; *) continue ;; esac
    jd_line=
    IFS= read -r jd_line < "$jd_row/cmdline"
    # Each word of it ends with a NUL, which only zsh keeps.
    [ -z "$ZSH_VERSION" ] || jd_line=${jd_line%?}
    jd_waiting="$jd_waiting$jd_line$NL"
  done
}

# Whether a `df` whose last argument was this mount still waits in the kernel.
jd_waits() { case $jd_waiting in *"$1$NL"*) return 0 ;; *) return 1 ;; esac; }

# Sorts the mount table into local filesystems, which one df is asked about, and remote ones, which are asked one by one
# because they may hang: those on another machine, in a user-space process or in a cluster. Skipped are mounts without
# storage, read-only images (always full), what containers, logins and units mount for themselves, and further mounts of the
# same device (bind mounts). A tmpfs or an overlay counts where an administrator would put one: /, /tmp, /run, /var/log, ...
# The table is read once a report; a short one without a process, a long one with `head` (some shells read a byte at a time).
jd_mounts() {
  [ -z "$jd_mounts_read" ] || return 0
  [ -r /proc/mounts ] || { say '/proc/mounts: cannot be read'; return 1; }
  jd_mounts_read=yes jd_new=
  if [ "${#jd_table}" -lt 4000 ] || [ -n "$jd_missing" ]; then
    while IFS= read -r jd_line; do
      jd_new="$jd_new$jd_line$NL"
      [ "${#jd_new}" -lt 8000 ] || [ -n "$jd_missing" ] || break
    done < /proc/mounts
  fi
  if [ -z "$jd_new" ] || { [ "${#jd_new}" -ge 8000 ] && [ -z "$jd_missing" ]; }; then
    jd_new=$(jd_head 2097152 < /proc/mounts)$NL
  fi
  [ "$jd_new" != "$jd_table" ] || return 0
  jd_table=$jd_new jd_local= jd_local_rows= jd_remote= jd_remote_rows= jd_seen=$NL
  jd_few= jd_few_rows= jd_locals=0 jd_remotes=0 jd_more_local=0 jd_more_remote=0
  IFS=$NL
  set -- $jd_new
  IFS=$jd_ifs
  for jd_row in "$@"; do
    set -- $jd_row
    jd_dir=$2
    jd_odd=
    # A line end would make two names of one, and none is asked about: such a mount is listed, and its figures are unknown.
    case $jd_dir in '') continue ;; *'\012'*) jd_odd=yes ;; *'\'*) jd_dir=$(printf '%b' "$jd_dir") ;; esac
    jd_kind=local
    case $3 in
      fuse.lxcfs|fuse.portal|fuse.gvfsd-fuse|fuse.snapfuse|fusectl) continue ;;
      nfs|nfs4|cifs|smb3|smbfs|ncpfs|afs|ceph|glusterfs|lustre|beegfs|orangefs|pvfs2|gpfs|9p|sshfs|fuse|fuse.*|fuseblk) jd_kind=remote ;;
      gfs2|ocfs2|virtiofs|vboxsf|vmhgfs|prl_fs) jd_kind=remote ;;
      ext2|ext3|ext4|xfs|btrfs|zfs|jfs|reiserfs|f2fs|bcachefs|nilfs2|vfat|exfat|ntfs|ntfs3|ufs|minix) ;;
      ubifs|jffs2|yaffs2|hfsplus|apfs|ecryptfs|zonefs) ;;
      overlay|overlayfs|aufs|unionfs|tmpfs)
        case $jd_dir in
          /run/user/*|/run/credentials/*|/run/lock|/run/netns|/run/snapd/*|/run/docker*|/run/containerd/*|/run/k3s/*) continue ;;
          /run/systemd/*|/run/containers/*|/run/crio/*|/run/initramfs*|/run/qemu|/var/run/*|/var/lock) continue ;;
          /dev|/dev/lxd|/dev/.*|/sys|/sys/*|/proc|/proc/*|/snap/*|/var/snap/*|/var/lib/snapd/*) continue ;;
          /var/lib/docker/*|/var/lib/containers/*|/var/lib/containerd/*|/var/lib/kubelet/*|/var/lib/lxc*|/var/lib/incus/*) continue ;;
          /var/lib/nfs/*|/var/lib/machines/*|/var/lib/rancher/*|*/containers/storage/*|*/kubelet/pods/*) continue ;;
        esac ;;
      *) case $1 in /dev/*) case $3 in squashfs|iso9660|udf|erofs|cramfs|romfs) continue ;; esac ;; *) continue ;; esac ;;
    esac
    case $1 in
      /dev/root) ;;
      /*|*:*)
        case $jd_seen in *"$NL$1 $jd_kind$NL"*) continue ;; esac
        jd_seen="$jd_seen$1 $jd_kind$NL" ;;
    esac
    if [ -n "$jd_odd" ]; then
      jd_locals=$((jd_locals + 1)) jd_few_rows="$jd_few_rows$1 $2 $3$NL"
    elif [ "$jd_kind" = remote ]; then
      if [ "$jd_remotes" -ge 100 ]; then jd_more_remote=$((jd_more_remote + 1)); continue; fi
      jd_remotes=$((jd_remotes + 1))
      jd_remote="$jd_remote$jd_dir$NL" jd_remote_rows="$jd_remote_rows$1 $2 $3$NL"
    else
      if [ "$jd_locals" -ge 5000 ]; then jd_more_local=$((jd_more_local + 1)); continue; fi
      jd_locals=$((jd_locals + 1))
      jd_few="$jd_few$jd_dir$NL" jd_few_rows="$jd_few_rows$1 $2 $3$NL"
      # A part at a time: a text that grows by a row is copied with every row.
      if [ "${#jd_few_rows}" -gt 4000 ]; then
        jd_local="$jd_local$jd_few" jd_local_rows="$jd_local_rows$jd_few_rows" jd_few= jd_few_rows=
      fi
    fi
  done
  jd_local="$jd_local$jd_few" jd_local_rows="$jd_local_rows$jd_few_rows"
}

jd_report() {
  jd_nonce=$1 jd_count=0 jd_mounts_read= jd_looked=
  shift
  jd_clock
  jd_begun=$jd_up jd_follow=3 jd_left=$#
  jd_all="%$jd_nonce begin$NL"
  for jd_name in "$@"; do
    jd_left=$((jd_left - 1))
    [ "$jd_left" -ge 3 ] || jd_follow=$jd_left
    case $jd_name in *[!a-z0-9_]*) continue ;; esac
    jd_out= jd_in= jd_refused=
    "probe_$jd_name"
    jd_all="$jd_all%$jd_nonce section $jd_name $?$NL$jd_out"
    # What was not asked is asked with the next look.
    [ -z "$jd_refused" ] || eval "${jd_name}_wait=0"
    jd_count=$((jd_count + 1))
  done
  jd_all="$jd_all%$jd_nonce end $jd_count$NL"
  # One write: several cost a round trip more. bash writes every line by itself, others what fits their buffer (4 KiB).
  if [ -n "$BASH_VERSION" ] || [ "${#jd_all}" -gt 4000 ]; then
    # Tried once: a `dd` without fullblock writes what it happens to read, and some of uutils write rubbish when obs is
    # larger than ibs.
    if [ -z "$jd_whole" ]; then
      jd_whole=$({ echo 1; echo 2; } | dd bs=1024 iflag=fullblock)
      if [ "$jd_whole" = "1${NL}2" ]; then jd_whole=yes; else jd_whole=no; fi
    fi
    if [ "$jd_whole" = yes ]; then printf '%s' "$jd_all" | dd bs=2097152 iflag=fullblock; return; fi
  fi
  printf '%s' "$jd_all"
}

jd_main() {
  jd_report "$@"
  jd_part=
  while :; do
    jd_tick=
    IFS= read -r jd_tick
    jd_ended=$?
    jd_tick=$jd_part$jd_tick jd_part=
    if [ "$jd_ended" != 0 ]; then
      # Above 128: a time limit of the shell's own (a TMOUT that is read-only) ended the read, and the input goes on.
      [ "$jd_ended" -gt 128 ] || break
      jd_part=$jd_tick
      continue
    fi
    case $jd_tick in 'tick '*) ;; *) continue ;; esac
    set -- $jd_tick
    shift
    jd_report "$@"
  done
  exit 0
}
