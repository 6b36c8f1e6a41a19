//! A replication brief where there is little room: what is wrong is said first and whole, and what is only good to know
//! goes before it would be cut.

use std::time::Duration;

use super::{ReplicationBrief, replication_words};
use crate::fact::Gap;
use crate::replication::{NodeHealth, Thread};
use crate::time::short_age;

/// Columns in which every brief can be said.
pub const REPLICATION_WORDS_LEAST: u16 = 11;

/// The fullest words for a brief that fit into `width` columns; from [`REPLICATION_WORDS_LEAST`] on there always are some.
#[must_use]
pub fn replication_words_within(brief: ReplicationBrief<'_>, width: usize) -> String {
    let mut words = replication_words(brief);
    let mut shorter = shorter(brief).into_iter();
    while words.chars().count() > width {
        match shorter.next() {
            Some(next) => words = next,
            None => break,
        }
    }
    words
}

/// Ever shorter words for it.
fn shorter(brief: ReplicationBrief<'_>) -> Vec<String> {
    match brief {
        ReplicationBrief::None => vec![],
        ReplicationBrief::Unknown(gap) => vec![gap.map_or("unknown", word).to_owned()],
        ReplicationBrief::Standalone { writable } => {
            writes(writable, true).map(str::to_owned).into_iter().collect()
        }
        ReplicationBrief::Master { writable, replicas } => {
            let count = replicas.map_or_else(|| "?".to_owned(), |n| n.to_string());
            let noun = if replicas == Some(1) { "replica" } else { "replicas" };
            match writes(writable, true) {
                Some(writes) => vec![format!("{writes}, {count} {noun}"), writes.to_owned()],
                None => vec![format!("{count} {noun}"), "master".to_owned()],
            }
        }
        ReplicationBrief::Following { lag_s, beyond_s, delay_s, writable } => {
            let age = |s| short_age(Duration::from_secs(s));
            let lag = format!("lag {}", lag_s.map_or_else(|| "?".to_owned(), age));
            let seconds = format!("lag {}", lag_s.map_or_else(|| "?".to_owned(), |s| format!("{s} s")));
            // Behind because it is wanted so, or further behind than that.
            let (both, one) = match delay_s {
                Some(delay) if beyond_s.is_some_and(|beyond| beyond <= delay) => {
                    (format!("{lag}, delay {}", age(delay)), format!("delayed {}", age(delay)))
                }
                Some(delay) => (format!("{lag}, delay {}", age(delay)), lag.clone()),
                None => (seconds, lag.clone()),
            };
            match writes(writable, false) {
                Some(writes) => vec![
                    format!("{writes}, {both}"),
                    format!("{writes}, {lag}"),
                    format!("{writes} {lag}"),
                    writes.to_owned(),
                ],
                None => vec![both, one, lag],
            }
        }
        ReplicationBrief::Broken { thread, state } => {
            let state = match state {
                Thread::Running | Thread::Stopped | Thread::Unknown => state.word(),
                Thread::Connecting => "not up",
            };
            vec![format!("{thread} {state}")]
        }
        ReplicationBrief::Member { cluster, writable } => {
            let health = match cluster.health {
                NodeHealth::Out if cluster.primary_component == Some(false) => "NON-PRIMARY",
                NodeHealth::Out => "OUT",
                NodeHealth::Behind => "behind",
                NodeHealth::Unknown => "state ?",
                NodeHealth::InSync => match writable {
                    Some(true) => "in sync",
                    Some(false) => "in sync, RO",
                    None => "RW?",
                },
            };
            vec![health.to_owned()]
        }
    }
}

/// What is to be said of a server that is writable or not, where that is not as it should be.
fn writes(writable: Option<bool>, expected: bool) -> Option<&'static str> {
    match writable {
        Some(writable) if writable == expected => None,
        Some(true) => Some("WRITABLE"),
        Some(false) => Some("READ-ONLY"),
        None => Some("RW?"),
    }
}

/// A gap's shortest word.
fn word(gap: &Gap) -> &'static str {
    match gap {
        Gap::NotPermitted(_) => "denied",
        Gap::NotInstalled => "no database",
        Gap::NoTool(_) => "no tool",
        Gap::Cut(_) => "cut",
        Gap::NotAsked | Gap::TimedOut | Gap::Stuck | Gap::Unreadable(_) | Gap::Failed(_) => gap.word(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::replication::{Cluster, ClusterKind};

    fn within(brief: ReplicationBrief<'_>, width: usize) -> String {
        replication_words_within(brief, width)
    }

    fn cluster(health: NodeHealth, primary: Option<bool>) -> Cluster {
        Cluster {
            kind: ClusterKind::Galera,
            id: "7b2".into(),
            name: "wiki".into(),
            size: Some(3),
            reason: "".into(),
            health,
            state: "Joining: receiving State Transfer".into(),
            primary_component: primary,
        }
    }

    fn gaps() -> Vec<Gap> {
        vec![
            Gap::NotAsked,
            Gap::TimedOut,
            Gap::Stuck,
            Gap::NotPermitted("no".into()),
            Gap::NotInstalled,
            Gap::NoTool("mysql".into()),
            Gap::Cut("at 120 KiB".into()),
            Gap::Unreadable("x".into()),
            Gap::Failed("x".into()),
        ]
    }

    #[test]
    fn whatever_it_is_fits_into_the_narrowest_column_and_the_worst_is_said() {
        for writable in [Some(true), Some(false), None] {
            let word = |expected| writes(writable, expected).unwrap_or_default();
            let is = |brief, expected: bool| {
                for width in usize::from(REPLICATION_WORDS_LEAST)..40 {
                    let words = within(brief, width);
                    assert!(words.chars().count() <= width, "{words:?} in {width} of {brief:?}");
                    assert!(words.starts_with(word(expected)), "{words:?} in {width} of {brief:?}");
                    assert!(!words.is_empty());
                }
            };
            is(ReplicationBrief::Standalone { writable }, true);
            for replicas in [None, Some(0), Some(1), Some(12), Some(123), Some(12_345)] {
                is(ReplicationBrief::Master { writable, replicas }, true);
            }
            for (lag_s, beyond_s) in [
                (None, None),
                (Some(0), Some(0)),
                (Some(4_000), Some(400)),
                (Some(9_999_999), Some(9_999_999)),
            ] {
                for delay_s in [None, Some(60), Some(3_600), Some(999_999)] {
                    is(ReplicationBrief::Following { lag_s, beyond_s, delay_s, writable }, false);
                }
            }
        }
        for width in usize::from(REPLICATION_WORDS_LEAST)..40 {
            for gap in gaps() {
                assert!(
                    within(ReplicationBrief::Unknown(Some(&gap)), width).chars().count() <= width,
                    "{gap:?}"
                );
            }
            for thread in ["IO", "SQL"] {
                for state in [Thread::Connecting, Thread::Stopped, Thread::Unknown] {
                    let words = within(ReplicationBrief::Broken { thread, state }, width);
                    assert!(words.starts_with(thread) && words.chars().count() <= width, "{words:?}");
                }
            }
            for health in [NodeHealth::InSync, NodeHealth::Behind, NodeHealth::Unknown, NodeHealth::Out] {
                for (primary, writable) in
                    [(None, None), (Some(true), Some(true)), (Some(false), Some(false))]
                {
                    let cluster = cluster(health, primary);
                    let words = within(ReplicationBrief::Member { cluster: &cluster, writable }, width);
                    assert!(words.chars().count() <= width, "{words:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_only_good_to_know_goes_first() {
        let delayed = |beyond| ReplicationBrief::Following {
            lag_s: Some(3_600 + beyond),
            beyond_s: Some(beyond),
            delay_s: Some(3_600),
            writable: Some(false),
        };
        assert_eq!(within(delayed(0), 24), "lag 3600 s, delay 3600 s");
        assert_eq!(within(delayed(0), 16), "lag 1h, delay 1h");
        assert_eq!(within(delayed(0), 11), "delayed 1h");
        assert_eq!(within(delayed(90_000), 11), "lag 1d", "further behind than it is meant to be");
        let master = ReplicationBrief::Master { writable: Some(false), replicas: Some(2) };
        assert_eq!(within(master, 21), "READ-ONLY, 2 replicas");
        assert_eq!(within(master, 11), "READ-ONLY");
        let out = cluster(NodeHealth::Out, Some(false));
        let brief = ReplicationBrief::Member { cluster: &out, writable: None };
        assert!(within(brief, 60).starts_with("NON-PRIMARY, "), "{}", within(brief, 60));
        assert_eq!(within(brief, 11), "NON-PRIMARY");
    }
}
