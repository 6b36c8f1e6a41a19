//! Filesystems on other machines or in user-space processes: each asked by itself, for each may hang.
//!
//! A question that is not answered within two seconds is ended, and its mount reported as timed out. One that waits in
//! the kernel cannot be ended: its mount is reported as stuck, and no second one is asked, not by a later connection
//! either, for such processes must not become a heap.

use std::collections::HashMap;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::storage::Filesystem;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::df::{DfRow, Listed, Mount};

pub(super) struct NetworkFilesystems;

impl Probe for NetworkFilesystems {
    fn name(&self) -> &'static str {
        "network_filesystems"
    }

    fn script(&self) -> &'static str {
        // Each answer is lines of their own that name the mount by its number, for some shells write line by line, and the
        // answers come in any order: `@row N ROW`, `@inodes N ROW`, `@why N MESSAGE`, `@df N STATUS`.
        r#"
        netfs_last() { netfs_row=${netfs_row%"$NL"}; netfs_row=${netfs_row##*"$NL"}; }
        netfs_df() {
            if [ "$filesystems_both" = yes ]; then
                set -- -k --output=source,size,used,avail,pcent,itotal,ipcent,target "$1"
            else
                set -- -P -k "$1"
            fi
            netfs_row=$({ $LIMIT 2 $netfs_as df "$@"; echo "@status $?"; } | jd_head 4096)
            netfs_status=${netfs_row##*@status }
            netfs_row=${netfs_row%@status *}
            netfs_last
            case $netfs_status in
                0) printf '%s\n' "@row $netfs_n $netfs_row"
                   if [ "$1" = -P ]; then
                       netfs_row=$($LIMIT 2 $netfs_as df -P -i "$3" | jd_head 4096)
                       netfs_last
                       printf '%s\n' "@inodes $netfs_n $netfs_row"
                   fi ;;
                124|137|143) netfs_status=124 ;;
                *[!0-9]*|????*) netfs_status=125 ;;
                1) if [ -z "$netfs_as" ] && [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                       netfs_as=$SUDO
                       for netfs_dir in "$@"; do :; done
                       netfs_df "$netfs_dir"
                       return
                   fi ;;
            esac
            if [ "$netfs_status" = 1 ]; then
                netfs_row=$(jd_messages $LIMIT 2 $netfs_as df "$@" | jd_head 1024)
                netfs_last
                printf '%s\n' "@why $netfs_n $netfs_row"
            fi
            echo "@df $netfs_n $netfs_status"
        }
        netfs_ask() {
            netfs_n=0 netfs_as=
            for netfs_dir in "$@"; do
                netfs_n=$((netfs_n + 1))
                if jd_waits "$netfs_dir"; then echo "@df $netfs_n 123"; else netfs_df "$netfs_dir" & fi
            done
            wait
        }
        probe_network_filesystems() {
            jd_mounts || return 1
            [ -n "$jd_remote" ] || return 0
            ! lacks df || return 127
            [ -z "$jd_missing" ] || { say "$jd_missing"; return 127; }
            if [ "$netfs_asked" = yes ]; then jd_waiting=; else jd_find_waiting; fi
            IFS=$NL; set -- $jd_remote; IFS=$jd_ifs
            netfs_asked=yes
            jd_parts=yes
            jd_ask 2 524288 netfs_ask "$@"
            case $jd_got in *' 124'*|*' 123'*) netfs_asked= ;; esac
            [ "$jd_status" != 124 ] || netfs_asked=
            jd_out=$jd_remote_rows
            [ "$jd_more_remote" = 0 ] || say "@more $jd_more_remote"
            say "@answers$NL$jd_got"
        }
        "#
    }

    fn longest(&self) -> usize {
        1024 * 1024
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.network_filesystems.take(raw.and_then(parse), at);
    }
}

/// The n-th mount listed is answered by lines with its number, in whatever order they came; one without `@df n STATUS` has
/// not answered.
fn parse(raw: &Raw) -> Result<Vec<Filesystem>, Gap> {
    let text = raw.text.as_str();
    let Some((listed, answers)) = text.split_once("@answers\n") else {
        return match raw.gap() {
            Some(gap) => Err(gap),
            None if text.is_empty() => Ok(Vec::new()),
            None => Err(unreadable(text)),
        };
    };
    let listed = Listed::read(listed.lines())?;
    let answers = MountAnswers::read(answers);
    Ok(listed.filesystems(|at, mount| answers.of(at + 1, mount)))
}

/// What was said of each mount, by its number; of two of a kind the first counts.
#[derive(Default)]
struct MountAnswers<'a> {
    statuses: HashMap<usize, u8>,
    rows: HashMap<usize, &'a str>,
    inodes: HashMap<usize, &'a str>,
    why: HashMap<usize, &'a str>,
}

impl<'a> MountAnswers<'a> {
    fn read(text: &'a str) -> Self {
        let mut answers = Self::default();
        for line in text.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(kind), Some(Ok(number)), Some(rest)) =
                (words.next(), words.next().map(str::parse::<usize>), words.next())
            else {
                continue;
            };
            match (kind, rest.parse()) {
                ("@df", Ok(status)) => drop(answers.statuses.entry(number).or_insert(status)),
                ("@row", _) => drop(answers.rows.entry(number).or_insert(rest)),
                ("@inodes", _) => drop(answers.inodes.entry(number).or_insert(rest)),
                ("@why", _) => drop(answers.why.entry(number).or_insert(rest)),
                _ => {}
            }
        }
        answers
    }

    fn of(&self, number: usize, mount: &Mount) -> Filesystem {
        let gap = match self.statuses.get(&number) {
            None | Some(124 | 137) => Gap::TimedOut,
            Some(123) => Gap::Stuck,
            Some(127) => Gap::NoTool("df".into()),
            Some(_) => self.why(number),
        };
        let Some(line) = self.rows.get(&number).filter(|_| self.statuses.contains_key(&number)) else {
            return mount.filesystem(None, Err(gap));
        };
        if let Some(row) = DfRow::parse_both(line).filter(|row| row.is_of(mount)) {
            return mount.filesystem(Some(row.device), row.usage(None));
        }
        let Some(row) = DfRow::parse(line).filter(|row| row.is_of(mount)) else {
            return mount.filesystem(None, Err(gap));
        };
        let inodes =
            self.inodes.get(&number).and_then(|line| DfRow::parse(line)).filter(|row| row.is_of(mount));
        let mut found = mount.filesystem(Some(row.device), row.usage(inodes.as_ref()));
        found.inodes_gap = inodes.is_none().then(|| Gap::Failed("df -i gave no figures".into()));
        found
    }

    fn why(&self, number: usize) -> Gap {
        match self.why.get(&number).map(|line| Clean::first_line(line, 200)) {
            Some(line) if line.as_str().contains("ermission denied") => Gap::NotPermitted(line),
            Some(line) if !line.is_empty() => Gap::Failed(line),
            Some(_) | None => Gap::Failed("df has no row for it".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn raw(status: u8, text: &str) -> Raw {
        Raw { status, text: text.to_owned() }
    }

    // coreutils 9.1 through a shell that writes line by line.
    const ANSWER: &str = "storage3:/wiki-images /srv/webplatform/wiki/images fuse.glusterfs
nas:/dead /mnt/dead nfs4
nas:/gone /mnt/gone nfs
nas:/stuck /mnt/stuck nfs
nas:/left /mnt/left nfs
ops@x: /mnt/sshfs fuse.sshfs
@answers
@df 4 123
@why 3 df: /mnt/gone: Stale file handle
@row 1 storage3:/wiki-images    52403200 851968  51551232       2% 6554 27% /srv/webplatform/wiki/images
@row 6 ops@x: 1000 250 750 25% /mnt/sshfs
@row 5 /dev/vda 1000 250 750 25% 10 1% /
@df 5 0
@df 3 1
@inodes 6 ops@x: 100 90 10 90% /mnt/sshfs
@df 6 0
@df 1 0
";

    #[test]
    fn each_mount_speaks_for_itself() {
        let found = parse(&raw(0, ANSWER)).unwrap();
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|f| f.remote));
        let wiki = found[0].usage.as_ref().unwrap();
        assert_eq!((wiki.use_percent, wiki.inodes_use_percent), (Some(2), Some(27)));
        assert_eq!(found[1].usage, Err(Gap::TimedOut));
        assert_eq!(found[2].usage, Err(Gap::Failed("df: /mnt/gone: Stale file handle".into())));
        assert_eq!(found[3].usage, Err(Gap::Stuck));
        assert!(matches!(found[4].usage, Err(Gap::Failed(_))), "the row of / is none of /mnt/left's");
        let sshfs = found[5].usage.as_ref().unwrap();
        assert_eq!((sshfs.use_percent, sshfs.inodes_use_percent), (Some(25), Some(90)));
    }

    /// Real fleet, 11: inodes of network mounts are asked for, and a reason stands where they are not told.
    #[test]
    fn inodes_have_a_figure_or_a_reason() {
        let text = "a:/b /c nfs\n@answers\n@row 1 a:/b 10 5 5 50% /c\n@inodes 1 \n@df 1 0\n";
        let found = parse(&raw(0, text)).unwrap();
        assert!(found[0].usage.is_ok() && found[0].inodes_gap.is_some(), "{found:?}");
    }

    #[test]
    fn none_is_none_and_garbage_is_unreadable() {
        assert_eq!(parse(&raw(0, "")), Ok(Vec::new()));
        assert!(matches!(parse(&raw(0, "\x07\x1b[2J")), Err(Gap::Unreadable(_))));
        assert!(matches!(parse(&raw(0, "nonsense\n@answers\n")), Err(Gap::Unreadable(_))));
        assert_eq!(parse(&raw(127, "df\n")), Err(Gap::NoTool("df".into())));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(a:/b /c nfs\n|@answers\n|@(df|row|why|inodes) [0-9]{1,3} [0-9]{1,4}\n|[ -~]{0,30}\n|\\PC)*") {
            let _ = parse(&raw(0, &text));
        }
    }
}
