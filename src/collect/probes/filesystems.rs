//! Local filesystems: space and inodes, all of them asked at once.
//!
//! Which ones: see `jd_mounts` in `resident.sh`. `df` is given their mount points by name: older ones (coreutils
//! before 8.24, Ubuntu 14.04's) touch network mounts even with `-l`, and would hang with a dead one.

use std::collections::HashSet;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::snapshot::HostFacts;
use crate::domain::storage::Filesystem;
use crate::domain::text::Clean;
use crate::domain::time::Moment;

use super::df::{Refusals, Row, Rows, each_mount};

pub(super) struct Filesystems;

impl Probe for Filesystems {
    fn name(&self) -> &'static str {
        "filesystems"
    }

    fn script(&self) -> &'static str {
        // GNU df since coreutils 8.21 tells space and inodes in one run; others are run twice. What these filesystems
        // are asked for, the kernel has in memory: a plain time limit does, and saves processes. Once it has struck,
        // `apart` asks until there is an answer again.
        r#"
        filesystems_limited() {
            filesystems_said=$($LIMIT 3 df "$@" 2>&1)
            filesystems_status=$?
            if [ "$filesystems_status" = 1 ] && [ -n "$SUDO" ]; then
                filesystems_said=$($SUDO $LIMIT 3 df "$@" 2>&1)
                filesystems_status=$?
            fi
            [ "${#filesystems_said}" -lt 65536 ] || filesystems_said=$(printf '%.65536s' "$filesystems_said")
            case $filesystems_status in 124|137) filesystems_status=124 filesystems_slow=yes ;; esac
            [ "$filesystems_status" != 124 ]
        }
        filesystems_plain() {
            jd_df -k "$@"; filesystems_status=$?
            echo @inodes
            jd_df -i "$@"
            return "$filesystems_status"
        }
        probe_filesystems() {
            jd_mounts || return 1
            [ -n "$jd_local" ] || return 0
            [ -n "$LIMIT" ] || { say 'timeout: not found'; return 127; }
            IFS=$NL; set -- $jd_local; IFS=$jd_ifs
            jd_out=$jd_local_rows
            if [ "$filesystems_slow" = yes ]; then
                say @space
                apart filesystems 3 filesystems_plain "$@"
                filesystems_status=$?
                [ "$filesystems_status" = 124 ] || filesystems_slow=
                return "$filesystems_status"
            fi
            if [ "$filesystems_twice" != yes ]; then
                filesystems_limited -k --output=source,size,used,avail,pcent,itotal,ipcent,target "$@" || return 124
                case $filesystems_said in
                    *'Mounted on'*) say "@both$NL$filesystems_said"; return "$filesystems_status" ;;
                esac
                filesystems_twice=yes
            fi
            say @space
            filesystems_limited -P -k "$@" || return 124
            say "$filesystems_said$NL@inodes"
            filesystems_space=$filesystems_status
            filesystems_limited -P -i "$@" && say "$filesystems_said"
            return "$filesystems_space"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.filesystems.take(raw.and_then(parse), at);
    }
}

/// Status 1 is a `df` that failed for one of many: each mount then says for itself. A time limit that struck after the
/// figures for space has cost the inodes only.
fn parse(raw: &Raw) -> Result<Vec<Filesystem>, Gap> {
    let text = raw.text.as_str();
    if let Some((listed, both)) = text.split_once("@both\n") {
        let rows = Rows::new(both.lines().filter_map(Row::parse_both));
        return each(listed, both, &rows, &Rows::new(std::iter::empty()));
    }
    let (listed, answers) = text.split_once("@space\n").unwrap_or((text, ""));
    if let Some((space, inodes)) = answers.split_once("@inodes\n") {
        let space_rows = Rows::new(space.lines().filter_map(Row::parse));
        let inode_rows = Rows::new(inodes.lines().filter_map(Row::parse));
        return each(listed, space, &space_rows, &inode_rows);
    }
    match raw.gap() {
        Some(Gap::Failed(_)) if !answers.is_empty() => Err(Gap::Failed(Clean::first_line(answers, 200))),
        Some(gap) => Err(gap),
        None if text.is_empty() => Ok(Vec::new()),
        None => Err(unreadable("no end of the figures for space")),
    }
}

/// Each mount listed, with its rows; `said` is what `df` printed, for those that have none.
fn each(listed: &str, said: &str, space: &Rows<'_>, inodes: &Rows<'_>) -> Result<Vec<Filesystem>, Gap> {
    let refusals = Refusals::read(said);
    let mut found = each_mount(listed, |_, mount| {
        let row = space.find(mount);
        let usage = match row {
            Some(row) => row.usage(inodes.find(mount)),
            None => Err(refusals.of(mount)),
        };
        mount.filesystem(row.map(|r| r.device), usage)
    })?;
    // Mounted over: the later mount is the one that is seen.
    let mut seen = HashSet::new();
    found.reverse();
    found.retain(|filesystem| seen.insert(filesystem.mount.clone()));
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn raw(status: u8, text: &str) -> Raw {
        Raw { status, text: text.to_owned() }
    }

    // coreutils 9.1; the mount with a space and the one refused are as it prints them for an ordinary user.
    const ANSWER: &str = r"/dev/vda / ext4
/dev/mapper/backup1-lvbackup1 /mnt/my\040backup xfs
/dev/vdc /root/hidden ext4
@space
df: /root/hidden: Permission denied
Filesystem                    1024-blocks     Used Available Capacity Mounted on
/dev/vda                         10317860  3669948   6123800      38% /
/dev/mapper/backup1-lvbackup1    41943040 41818112    124928     100% /mnt/my backup
@inodes
df: /root/hidden: Permission denied
Filesystem                      Inodes  IUsed   IFree IUse% Mounted on
/dev/vda                        655360 101234  554126   16% /
/dev/mapper/backup1-lvbackup1  2621440      3 2621437    1% /mnt/my backup
";

    #[test]
    fn each_mount_speaks_for_itself() {
        let found = parse(&raw(1, ANSWER)).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].usage.as_ref().unwrap().use_percent, Some(38));
        assert_eq!(found[0].usage.as_ref().unwrap().inodes_use_percent, Some(16));
        assert_eq!(found[1].mount.as_str(), "/mnt/my backup");
        assert_eq!(found[1].usage.as_ref().unwrap().available_kb, 124_928);
        assert!(matches!(&found[2].usage, Err(Gap::NotPermitted(_))));
    }

    // coreutils 9.1, `df -k --output=…`
    const BOTH: &str = "/dev/vda / ext4
/dev/vdb /mnt btrfs
/dev/vdc /root/hidden ext4
@both
df: /root/hidden: Permission denied
Filesystem     1K-blocks     Used    Avail Use%   Inodes IUse% Mounted on
/dev/vda       264212084 26937604 68348284  29% 16777216    3% /
/dev/vdb         4194304   131072  3932160   4%        0     - /mnt
";

    #[test]
    fn space_and_inodes_in_one_run() {
        let found = parse(&raw(1, BOTH)).unwrap();
        let root = found[0].usage.as_ref().unwrap();
        assert_eq!((root.size_kb, root.used_kb, root.available_kb), (264_212_084, 26_937_604, 68_348_284));
        assert_eq!((root.use_percent, root.inodes_use_percent), (Some(29), Some(3)));
        assert_eq!(found[1].usage.as_ref().unwrap().inodes_use_percent, None);
        assert!(matches!(&found[2].usage, Err(Gap::NotPermitted(_))));
    }

    #[test]
    fn a_time_limit_is_no_empty_list() {
        assert_eq!(parse(&raw(124, "/dev/vda / ext4\n@space\n")), Err(Gap::TimedOut));
        assert_eq!(parse(&raw(124, "")), Err(Gap::TimedOut));
        let cut = ANSWER.split_inclusive("@inodes\n").next().unwrap();
        assert_eq!(parse(&raw(124, cut)).unwrap()[0].usage.as_ref().unwrap().inodes_use_percent, None);
        assert_eq!(parse(&raw(0, "")), Ok(Vec::new()));
    }

    #[test]
    fn garbage_is_unreadable() {
        for text in ["\x1b[2J", "/dev/vda /\n@space\n@inodes\n", "/dev/vda / ext4\n@space\n"] {
            assert!(matches!(parse(&raw(0, text)), Err(Gap::Unreadable(_))), "{text:?}");
        }
        let found = parse(&raw(0, "/dev/vda / ext4\n@space\nnoise\n@inodes\n")).unwrap();
        assert!(matches!(&found[0].usage, Err(Gap::Failed(_))));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(status in 0_u8.., text in "(/dev/vda / ext4\n|@both\n|@space\n|@inodes\n|[ -~]{0,30}\n|\\PC)*") {
            let _ = parse(&raw(status, &text));
        }
    }
}
