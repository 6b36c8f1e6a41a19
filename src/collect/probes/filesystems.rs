//! Local filesystems: space and inodes, all of them asked at once.
//!
//! Which ones: see `jd_mounts` in `resident.sh`. `df` is given their mount points by name: older ones (coreutils
//! before 8.24, Ubuntu 14.04's) touch network mounts even with `-l`, and would hang with a dead one.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::snapshot::HostFacts;
use crate::domain::storage::Filesystem;
use crate::domain::time::Moment;

use super::df::{Mount, Row, refusal};

pub(super) struct Filesystems;

impl Probe for Filesystems {
    fn name(&self) -> &'static str {
        "filesystems"
    }

    fn script(&self) -> &'static str {
        r#"
        filesystems_df() {
            jd_df -k "$@"; filesystems_status=$?
            echo @inodes
            jd_df -i "$@"
            return "$filesystems_status"
        }
        probe_filesystems() {
            jd_mounts || return 1
            [ -n "$jd_local" ] || return 0
            jd_out="$jd_local_rows@space$NL"
            IFS=$NL; set -- $jd_local; IFS=$jd_ifs
            apart filesystems 3 filesystems_df "$@"
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
    let Some((listed, answers)) = raw.text.split_once("@space\n") else {
        return raw.ok().and_then(|t| if t.is_empty() { Ok(Vec::new()) } else { Err(unreadable(t)) });
    };
    let (space, inodes) = match answers.split_once("@inodes\n") {
        Some(parts) => parts,
        None => {
            let answers = Raw { status: raw.status, text: answers.to_owned() };
            return Err(answers.gap().unwrap_or_else(|| unreadable("no end of the figures for space")));
        }
    };
    let space_rows: Vec<Row<'_>> = space.lines().filter_map(Row::parse).collect();
    let inode_rows: Vec<Row<'_>> = inodes.lines().filter_map(Row::parse).collect();
    let mut found: Vec<Filesystem> = Vec::new();
    for line in listed.lines() {
        let mount = Mount::parse(line).ok_or_else(|| unreadable(line))?;
        let row = Row::find(&space_rows, &mount);
        let usage = match row {
            Some(row) => row.usage(Row::find(&inode_rows, &mount)),
            None => Err(refusal(space, &mount)),
        };
        let filesystem = mount.filesystem(row.map(|r| r.device), usage);
        // Mounted over: the later mount is the one that is seen.
        found.retain(|f| f.mount != filesystem.mount);
        found.push(filesystem);
    }
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
        fn nothing_panics(status in 0_u8.., text in "(/dev/vda / ext4\n|@space\n|@inodes\n|[ -~]{0,30}\n|\\PC)*") {
            let _ = parse(&raw(status, &text));
        }
    }
}
