//! Filesystems on other machines or in user-space processes: each asked by itself, for each may hang.
//!
//! A question that is not answered within two seconds is left to itself, its mount reported as timed out, and no
//! second one is asked while the first still waits: a process stuck in the kernel cannot be killed, and must not
//! become a heap of them.

use std::collections::HashMap;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::snapshot::HostFacts;
use crate::domain::storage::Filesystem;
use crate::domain::time::Moment;

use super::df::{Refusals, Row, Rows, each_mount};

pub(super) struct NetworkFilesystems;

impl Probe for NetworkFilesystems {
    fn name(&self) -> &'static str {
        "network_filesystems"
    }

    fn script(&self) -> &'static str {
        // netfs_stuck: a line `PID MOUNT` for each question that waits; netfs_busy: their mounts, a line each.
        r#"
        netfs_df() {
            netfs_row=$($LIMIT 60 df -P -k "$1" 2>&1) ||
                { [ -n "$SUDO" ] && netfs_row=$($SUDO $LIMIT 60 df -P -k "$1" 2>&1); }
            netfs_status=$?
            [ "${#netfs_row}" -lt 4096 ] || netfs_row=$(printf '%.4096s' "$netfs_row")
            printf '%s' "@df $netfs_n $netfs_status$NL$netfs_row$NL"
        }
        netfs_ask() {
            for netfs_dir in "$@"; do
                netfs_n=$((netfs_n + 1))
                [ "$netfs_busy" = "${netfs_busy#*"$NL$netfs_dir$NL"}" ] || continue
                netfs_df "$netfs_dir" &
                printf '%s' "@pid $netfs_n $!$NL"
            done
        }
        probe_network_filesystems() {
            jd_mounts || return 1
            [ -n "$jd_remote" ] || return 0
            [ -n "$LIMIT" ] || { say 'timeout: not found'; return 127; }
            netfs_busy=$NL netfs_still=
            IFS=$NL; set -- $netfs_stuck; IFS=$jd_ifs
            for netfs_line in "$@"; do
                if kill -0 "${netfs_line%% *}"; then
                    netfs_still="$netfs_still$netfs_line$NL" netfs_busy="$netfs_busy${netfs_line#* }$NL"
                fi
            done
            netfs_stuck=$netfs_still
            IFS=$NL; set -- $jd_remote; IFS=$jd_ifs
            netfs_n=0
            netfs_got=$(netfs_ask "$@" | $LIMIT 2 cat)
            netfs_n=0
            for netfs_dir in "$@"; do
                netfs_n=$((netfs_n + 1))
                netfs_pid=${netfs_got#*"@pid $netfs_n "}
                [ "$netfs_pid" != "$netfs_got" ] || continue
                [ "$netfs_got" = "${netfs_got#*"@df $netfs_n "}" ] || continue
                netfs_stuck="$netfs_stuck${netfs_pid%%"$NL"*} $netfs_dir$NL"
            done
            jd_out="$jd_remote_rows@space$NL"
            say "$netfs_got"
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Every
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.network_filesystems.take(raw.and_then(|raw| parse(raw.ok()?)), at);
    }
}

/// The n-th mount listed is answered by `@df n STATUS` and its row, in whatever order they came; one without that has
/// not answered.
fn parse(text: &str) -> Result<Vec<Filesystem>, Gap> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (listed, answers) = text.split_once("@space\n").ok_or_else(|| unreadable(text))?;
    let rows = Rows::new(answers.lines().filter_map(Row::parse));
    let refusals = Refusals::read(answers);
    let statuses = statuses(answers);
    each_mount(listed, |at, mount| {
        let row = rows.find(mount);
        let usage = match (statuses.get(&(at + 1)), row) {
            (None | Some(124 | 137), _) => Err(Gap::TimedOut),
            (Some(_), Some(row)) => row.usage(None),
            (Some(_), None) => Err(refusals.of(mount)),
        };
        mount.filesystem(row.map(|r| r.device), usage)
    })
}

/// The exit status of each `df`, by the number of its mount; the first one counts. None while it runs.
fn statuses(answers: &str) -> HashMap<usize, u8> {
    let mut found = HashMap::new();
    for line in answers.lines() {
        let mut words = line.strip_prefix("@df ").into_iter().flat_map(|words| words.split(' '));
        if let (Some(number), Some(status), None) = (words.next(), words.next(), words.next())
            && let (Ok(number), Ok(status)) = (number.parse(), status.parse())
        {
            found.entry(number).or_insert(status);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const ANSWER: &str = "storage3:/wiki-images /srv/webplatform/wiki/images fuse.glusterfs
nas:/dead /mnt/dead nfs4
nas:/gone /mnt/gone nfs
@space
@pid 1 100
@pid 2 101
@df 3 1
df: /mnt/gone: Stale file handle
@pid 3 102
@df 1 0
Filesystem            1024-blocks   Used Available Capacity Mounted on
storage3:/wiki-images    52403200 851968  51551232       2% /srv/webplatform/wiki/images
";

    #[test]
    fn a_dead_mount_times_out_alone() {
        let found = parse(ANSWER).unwrap();
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|f| f.remote));
        assert_eq!(found[0].usage.as_ref().unwrap().use_percent, Some(2));
        assert_eq!(found[1].usage, Err(Gap::TimedOut));
        assert_eq!(found[2].usage, Err(Gap::Failed("df: /mnt/gone: Stale file handle".into())));
    }

    #[test]
    fn none_is_none_and_garbage_is_unreadable() {
        assert_eq!(parse(""), Ok(Vec::new()));
        assert!(matches!(parse("\x07\x1b[2J"), Err(Gap::Unreadable(_))));
        assert!(matches!(parse("nonsense\n@space\n"), Err(Gap::Unreadable(_))));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(a:/b /c nfs\n|@space\n|@df [0-9]{1,3} [0-9]{1,4}\n|[ -~]{0,30}\n|\\PC)*") {
            let _ = parse(&text);
        }
    }
}
