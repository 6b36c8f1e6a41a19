//! Local filesystems: space and inodes, all of them asked at once.
//!
//! Which ones: see `jd_mounts` in `resident.sh`. `df` is given their mount points by name: older ones (coreutils
//! before 8.24, Ubuntu 14.04's) touch network mounts even with `-l`, and would hang with a dead one.

use std::collections::HashSet;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::storage::Filesystem;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::df::{DfRow, Listed, Mount, Refusals, Rows};

pub(super) struct Filesystems;

impl Probe for Filesystems {
    fn name(&self) -> &'static str {
        "filesystems"
    }

    fn script(&self) -> &'static str {
        // GNU df since coreutils 8.21 tells space and inodes in one run; others are run twice. After a time limit a df that
        // waits in the kernel is looked for first: no second one is started beside it.
        r#"
        filesystems_ask() {
            jd_ask 3 786432 df "$@"
            filesystems_status=$?
            filesystems_said=$jd_got
            [ -z "$jd_cut" ] || filesystems_cut='768 KiB'
            if [ "$filesystems_status" = 1 ] && [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                jd_ask 3 786432 $SUDO $LIMIT 3 df "$@"
                filesystems_status=$?
                filesystems_said="$filesystems_said$NL$jd_got"
            fi
            [ "$filesystems_status" != 124 ] || filesystems_slow=yes
            [ "$filesystems_status" != 124 ]
        }
        filesystems_why() {
            case $filesystems_status in 0|124|127) return ;; esac
            if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                jd_ask 3 16384 jd_messages $SUDO $LIMIT 3 df "$@"
            else
                jd_ask 3 16384 jd_messages df "$@"
            fi
            say "@said$NL$jd_got"
        }
        probe_filesystems() {
            filesystems_used=
            jd_mounts || return 1
            [ -n "$jd_local" ] || return 0
            ! lacks df || return 127
            [ -z "$jd_missing" ] || { say "$jd_missing"; return 127; }
            IFS=$NL; set -- $jd_local; IFS=$jd_ifs
            if [ "${filesystems_slow-yes}" = yes ]; then
                for filesystems_last in "$@"; do :; done
                jd_find_waiting
                ! jd_waits "$filesystems_last" || return 123
                filesystems_slow=
            fi
            jd_out=$jd_local_rows filesystems_cut=
            [ "$jd_more_local" = 0 ] || say "@more $jd_more_local"
            if [ "$filesystems_twice" != yes ]; then
                filesystems_ask -k --output=source,size,used,avail,pcent,itotal,ipcent,target "$@" ||
                    return "$filesystems_status"
                case $filesystems_said in
                    *'Mounted on'*)
                        filesystems_both=yes filesystems_used=$filesystems_said
                        [ -z "$filesystems_cut" ] || say "@cut $filesystems_cut"
                        say "@both$NL$filesystems_said"
                        filesystems_why -k --output=source,size,used,avail,pcent,itotal,ipcent,target "$@"
                        return "$filesystems_status" ;;
                esac
                filesystems_twice=yes
            fi
            filesystems_ask -P -k "$@" || return "$filesystems_status"
            [ "$filesystems_status" != 127 ] || { jd_out="df$NL"; return 127; }
            filesystems_space=$filesystems_status filesystems_used=$filesystems_said
            [ -z "$filesystems_cut" ] || say "@cut $filesystems_cut"
            say "@space$NL$filesystems_said"
            filesystems_why -P -k "$@"
            filesystems_ask -P -i "$@" && say "@inodes$NL$filesystems_said" && filesystems_why -P -i "$@"
            return "$filesystems_space"
        }
        "#
    }

    fn longest(&self) -> usize {
        3 * 1024 * 1024
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
    let parts = Parts::read(&raw.text);
    match raw.gap() {
        None if raw.text.is_empty() => return Ok(Vec::new()),
        None if parts.space.is_none() => return Err(unreadable("no figures for space")),
        Some(gap) if parts.space.is_none() => return Err(gap),
        None | Some(_) => {}
    }
    let listed = Listed::read(parts.listed.kept.iter().copied())?;
    let mut found = parts.filesystems(&listed, raw.status);
    // Mounted over: the later mount is the one that is seen.
    let mut seen = HashSet::new();
    found.reverse();
    found.retain(|filesystem| seen.insert(filesystem.mount.clone()));
    found.reverse();
    Ok(found)
}

/// Shorter lines are neither a mount (`d / t`) nor a row nor a message: a flood of them would cost eight times its bytes.
const SHORTEST: usize = 5;

/// Lines of a part that may say something.
#[derive(Default)]
struct PartLines<'a> {
    kept: Vec<&'a str>,
    last_is_kept: bool,
}

impl<'a> PartLines<'a> {
    fn push(&mut self, line: &'a str) {
        self.last_is_kept = line.len() >= SHORTEST;
        if self.last_is_kept {
            self.kept.push(line);
        }
    }

    /// Leaves the last line out: of what was cut it is a part only.
    fn drop_last(&mut self) {
        if std::mem::take(&mut self.last_is_kept) {
            self.kept.pop();
        }
    }
}

/// The section's lines, by the marks between them.
#[derive(Default)]
struct Parts<'a> {
    /// The mounts asked about.
    listed: PartLines<'a>,
    /// How much of an answer was read, where it was longer.
    cut: Option<&'a str>,
    /// Space and inodes stand in one row.
    both: bool,
    space: Option<PartLines<'a>>,
    space_said: PartLines<'a>,
    inodes: Option<PartLines<'a>>,
    inodes_said: PartLines<'a>,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = Self::default();
        let mut said = false;
        for line in text.lines() {
            match (line, line.strip_prefix("@cut ")) {
                ("@both" | "@space", _) if parts.space.is_none() => {
                    parts.both = line == "@both";
                    parts.space = Some(PartLines::default());
                    said = false;
                }
                ("@inodes", _) if parts.space.is_some() && parts.inodes.is_none() => {
                    parts.inodes = Some(PartLines::default());
                    said = false;
                }
                ("@said", _) => said = true,
                (_, Some(cut)) if parts.space.is_none() => parts.cut = Some(cut),
                (line, _) => parts.place(said).push(line),
            }
        }
        if parts.cut.is_some() {
            for rows in [&mut parts.space, &mut parts.inodes].into_iter().flatten() {
                rows.drop_last();
            }
        }
        parts
    }

    fn place(&mut self, said: bool) -> &mut PartLines<'a> {
        match (&mut self.space, &mut self.inodes, said) {
            (_, Some(_), true) => &mut self.inodes_said,
            (_, Some(rows), false) => rows,
            (Some(_), None, true) => &mut self.space_said,
            (Some(rows), None, false) => rows,
            (None, None, _) => &mut self.listed,
        }
    }

    /// Each mount listed, with its rows, or with the reason why it has none.
    fn filesystems(&self, listed: &Listed, status: u8) -> Vec<Filesystem> {
        let space_lines = self.space.iter().flat_map(|rows| rows.kept.iter().copied());
        let inode_lines = self.inodes.iter().flat_map(|rows| rows.kept.iter().copied());
        let space = Rows::new(listed, space_lines, if self.both { DfRow::parse_both } else { DfRow::parse });
        let inodes = Rows::new(listed, inode_lines, DfRow::parse);
        let (space_said, inodes_said) = (
            Refusals::read(self.space_said.kept.iter().copied()),
            Refusals::read(self.inodes_said.kept.iter().copied()),
        );
        let missing = |said: &Refusals<'_>, mount: &Mount| match self.cut {
            Some(cut) => Gap::Cut(Clean::new(&format!("the answer of df is longer than {cut}"))),
            None => said.of(mount),
        };
        listed.filesystems(|_, mount| {
            let (row, inode_row) = (space.find(mount), inodes.find(mount));
            let Some(row) = row else { return mount.filesystem(None, Err(missing(&space_said, mount))) };
            let mut found = mount.filesystem(Some(row.device), row.usage(inode_row));
            found.inodes_gap = match (self.both || inode_row.is_some(), &self.inodes) {
                (true, _) => None,
                (false, Some(_)) => Some(missing(&inodes_said, mount)),
                (false, None) if status == 124 => Some(Gap::TimedOut),
                (false, None) => Some(Gap::Failed("df -i gave no figures".into())),
            };
            found
        })
    }
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
Filesystem                    1024-blocks     Used Available Capacity Mounted on
/dev/vda                         10317860  3669948   6123800      38% /
/dev/mapper/backup1-lvbackup1    41943040 41818112    124928     100% /mnt/my backup
@said
df: /root/hidden: Permission denied
@inodes
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
Filesystem     1K-blocks     Used    Avail Use%   Inodes IUse% Mounted on
/dev/vda       264212084 26937604 68348284  29% 16777216    3% /
/dev/vdb         4194304   131072  3932160   4%        0     - /mnt
@said
sudo: unable to resolve host app1: Name or service not known
df: /root/hidden: Permission denied
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
        assert_eq!(parse(&raw(124, "/dev/vda / ext4\n")), Err(Gap::TimedOut));
        assert_eq!(parse(&raw(123, "/dev/vda / ext4\n")), Err(Gap::Stuck));
        assert_eq!(parse(&raw(127, "df\n")), Err(Gap::NoTool("df".into())));
        assert_eq!(parse(&raw(124, "")), Err(Gap::TimedOut));
        let without = ANSWER.split("@inodes\n").next().unwrap();
        let root = &parse(&raw(124, without)).unwrap()[0];
        assert_eq!(root.usage.as_ref().unwrap().inodes_use_percent, None);
        assert_eq!(root.inodes_gap, Some(Gap::TimedOut));
        assert_eq!(parse(&raw(0, "")), Ok(Vec::new()));
    }

    #[test]
    fn garbage_is_unreadable() {
        for text in ["\x1b[2J", "/dev/vda /\n@space\n@inodes\n", "/dev/vda / ext4\n"] {
            assert!(matches!(parse(&raw(0, text)), Err(Gap::Unreadable(_))), "{text:?}");
        }
        let found = parse(&raw(0, "/dev/vda / ext4\n@space\nnoise\n@inodes\n")).unwrap();
        assert!(matches!(&found[0].usage, Err(Gap::Failed(_))));
    }

    /// Case 23: one row that we did not read says so, and the others stay.
    #[test]
    fn a_mount_whose_row_was_cut_off_says_so() {
        let text = "/dev/vda / ext4\n/dev/vdb /srv ext4\n@more 4\n@cut 768 KiB\n@both\n/dev/vda 100 97 3 97% 10 1% /\n\
                    /dev/vdb 100 1 99 1% 10 1% /srv";
        let found = parse(&raw(0, text)).unwrap();
        assert_eq!(found[0].usage.as_ref().unwrap().use_percent, Some(97));
        let cut = found[1].usage.as_ref().unwrap_err();
        assert_eq!(cut.describe(), "cut by jumpdeck: the answer of df is longer than 768 KiB");
        assert_eq!(found[2].mount.as_str(), "4 more");
        assert!(matches!(found[2].usage, Err(Gap::Cut(_))));
    }

    #[test]
    fn inodes_that_were_asked_for_and_not_told_have_a_reason() {
        let text =
            "/dev/vda / ext4\n@space\n/dev/vda 100 9 91 9% /\n@inodes\n@said\ndf: invalid option -- 'i'\n";
        let found = parse(&raw(1, text)).unwrap();
        assert!(found[0].usage.is_ok() && matches!(found[0].inodes_gap, Some(Gap::Failed(_))), "{found:?}");
        let none = "/dev/vda / btrfs\n@space\n/dev/vda 100 9 91 9% /\n@inodes\n/dev/vda 0 0 0 - /\n";
        let found = parse(&raw(0, none)).unwrap();
        assert_eq!(
            (found[0].usage.as_ref().unwrap().inodes_use_percent, &found[0].inodes_gap),
            (None, &None)
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(status in 0_u8.., text in "(/dev/vda / ext4\n|@both\n|@space\n|@inodes\n|@said\n|@cut x\n|@more 3\n|[ -~]{0,30}\n|\\PC)*") {
            let _ = parse(&raw(status, &text));
        }
    }
}
