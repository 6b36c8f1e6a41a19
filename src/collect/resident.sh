# The resident probe. Sent on the standard input of /bin/sh over a session channel; nothing is written on the host.
# POSIX sh: dash (since Ubuntu 10.04), bash, busybox ash, zsh as sh. Comment lines are dropped before it is sent.
#
# It ends with one line `jd_main NONCE SECTION...` (see resident.rs), which answers a first report and then one report
# for each line `tick NONCE SECTION...` on standard input; it ends when that ends. The loop starts only when all
# of this is parsed: dash reads its script in blocks, and would swallow a tick that comes with the last of it.
#
# A section is a function `probe_NAME`. It adds to the report with the helpers below, and its status is the section's:
# 0 fine, 124 its time limit ended it, 126 not permitted, 127 not installed, else failed.
#   say TEXT                   adds a line; no process is started
#   slurp FILE                 adds a small file (at most 200 lines); no process is started; fails when unreadable
#   apart KEY SECONDS CMD...   adds the output, both kinds, of a program or function that may hang; $jd_in is its input
#   jd_mounts                  reads the mount table into jd_local, jd_local_rows, jd_remote, jd_remote_rows
# and with $NL, $SUDO (empty or `sudo -n`), $LIMIT (`timeout -k 1`), $DB_EXPECTED (`yes` on hosts of role db).
# Names starting with jd_ are the resident probe's own; a section uses names starting with its own name.

exec 2>/dev/null
set -f
umask 077
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL
unset LANGUAGE ENV BASH_ENV CDPATH POSIXLY_CORRECT BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE
NL='
'
jd_ifs=" 	$NL"
IFS=$jd_ifs
jd_in=
jd_table=

# coreutils before 8.5 know no -k; without any `timeout`, what may hang is not asked.
if timeout -k 1 5 true; then LIMIT='timeout -k 1'
elif timeout -s KILL 5 true; then LIMIT='timeout -s KILL'
else LIMIT=
fi

jd_dd=$(command -v dd)

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

jd_feed() { if [ -n "$jd_in" ]; then printf '%s' "$jd_in" | "$@"; else "$@"; fi; }

# `df`, and once more with more rights where some mount refused us: the parser takes the last row of each mount.
jd_df() { df -P "$@" || { [ -n "$SUDO" ] && $SUDO df -P "$@"; }; }

# Waits for the output at most so many seconds, and never for the process: one stuck on a dead disk or server cannot
# be killed. While it is there (kill -0) no other is started: the answer is then `timed out`, at once.
apart() {
  [ -n "$LIMIT" ] || { say 'timeout: not found'; return 127; }
  jd_key=$1 jd_seconds=$2
  shift 2
  eval "jd_pid=\${jd_stuck_$jd_key:-}"
  if [ -n "$jd_pid" ] && kill -0 "$jd_pid"; then return 124; fi
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
      jd_got=${jd_got%"$NL@jd-status "*}
      jd_pid= ;;
  esac
  [ "${#jd_got}" -lt 131072 ] || jd_got=$(printf '%.131072s' "$jd_got")
  # Only where it matches: bash takes minutes to find that a long text does not end so.
  case $jd_got in *"$NL") jd_got=${jd_got%"$NL"} ;; esac
  [ -z "$jd_got" ] || say "$jd_got"
  case $jd_pid in *[!0-9]*) jd_pid= ;; esac
  eval "jd_stuck_$jd_key=\$jd_pid"
  [ "$jd_status" != 137 ] || jd_status=124
  return "$jd_status"
}

# The mount table, sorted into what df may be asked at once and what is asked one by one: what lives on another machine,
# in a user-space process or in a cluster may hang. Left out: what is no storage, read-only images (always full), overlays other
# than /, tmpfs other than /tmp, and further mounts of a device seen before (bind mounts).
# Read once a report; a short table without a process, a long one with `cat` (some shells read a byte at a time).
jd_mounts() {
  [ -z "$jd_mounts_read" ] || return 0
  [ -r /proc/mounts ] || return 1
  jd_mounts_read=yes jd_new=
  if [ "${#jd_table}" -lt 4000 ]; then
    while IFS= read -r jd_line; do jd_new="$jd_new$jd_line$NL"; done < /proc/mounts
  else
    jd_new=$(cat /proc/mounts)$NL
  fi
  [ "$jd_new" != "$jd_table" ] || return 0
  jd_table=$jd_new jd_local= jd_local_rows= jd_remote= jd_remote_rows= jd_seen=$NL
  IFS=$NL
  set -- $jd_new
  IFS=$jd_ifs
  for jd_row in "$@"; do
    set -- $jd_row
    jd_dir=$2
    case $jd_dir in *'\012'*|'') continue ;; *'\'*) jd_dir=$(printf '%b' "$jd_dir") ;; esac
    jd_kind=local
    case $3 in
      fuse.lxcfs|fuse.portal|fuse.gvfsd-fuse|fuse.snapfuse|fusectl) continue ;;
      nfs|nfs4|cifs|smb3|smbfs|ncpfs|afs|ceph|glusterfs|lustre|beegfs|orangefs|9p|sshfs|fuse|fuse.*|fuseblk) jd_kind=remote ;;
      gfs2|ocfs2) jd_kind=remote ;;
      ext2|ext3|ext4|xfs|btrfs|zfs|jfs|reiserfs|f2fs|bcachefs|nilfs2|vfat|exfat|ntfs|ntfs3|ufs|minix) ;;
      overlay|overlayfs|aufs|unionfs) [ "$jd_dir" = / ] || continue ;;
      tmpfs) case $jd_dir in /tmp|/var/tmp) ;; *) continue ;; esac ;;
      *) case $1 in /dev/*) case $3 in squashfs|iso9660|udf|erofs|cramfs|romfs) continue ;; esac ;; *) continue ;; esac ;;
    esac
    case $1 in
      /dev/root) ;;
      /*|*:*)
        case $jd_seen in *"$NL$1 $jd_kind$NL"*) continue ;; esac
        jd_seen="$jd_seen$1 $jd_kind$NL" ;;
    esac
    if [ "$jd_kind" = remote ]; then
      jd_remote="$jd_remote$jd_dir$NL" jd_remote_rows="$jd_remote_rows$1 $2 $3$NL"
    else
      jd_local="$jd_local$jd_dir$NL" jd_local_rows="$jd_local_rows$1 $2 $3$NL"
    fi
  done
}

jd_report() {
  jd_nonce=$1 jd_count=0 jd_mounts_read=
  shift
  jd_all="%$jd_nonce begin$NL"
  for jd_name in "$@"; do
    case $jd_name in *[!a-z0-9_]*) continue ;; esac
    jd_out= jd_in=
    "probe_$jd_name"
    jd_all="$jd_all%$jd_nonce section $jd_name $?$NL$jd_out"
    jd_count=$((jd_count + 1))
  done
  jd_all="$jd_all%$jd_nonce end $jd_count$NL"
  # One write: several cost a round trip more. bash writes every line by itself, others what fits their buffer (4 KiB).
  if [ -n "$jd_dd" ] && { [ -n "$BASH_VERSION" ] || [ "${#jd_all}" -gt 4000 ]; }; then
    printf '%s' "$jd_all" | dd ibs=65536 obs=1048576
  else
    printf '%s' "$jd_all"
  fi
}

jd_main() {
  jd_report "$@"
  while IFS= read -r jd_tick; do
    case $jd_tick in 'tick '*) ;; *) continue ;; esac
    set -- $jd_tick
    shift
    jd_report "$@"
  done
  exit 0
}
