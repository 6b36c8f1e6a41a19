//! The one figure that stands for many: the fullest disk, the worst replication. Every output uses these, so that the
//! table, the screen and the handoff never tell three stories.

use super::fact::Gap;
use super::replication::{Cluster, Connection, Database, NodeHealth, ReplicationRole, Thread};
use super::snapshot::HostFacts;
use super::storage::Filesystem;

mod hosts;
mod short;

pub use hosts::HostsUp;
pub use short::{REPLICATION_WORDS_LEAST, replication_words_within};

/// The filesystem somebody should look at first: one that does not answer, else the fullest.
#[must_use]
pub fn worst_filesystem(facts: &HostFacts) -> Option<&Filesystem> {
    facts.all_filesystems().max_by_key(|f| match &f.usage {
        Err(_) => (2, 0, 0),
        Ok(usage) => (1, usage.use_percent.unwrap_or(0), usage.size_kb),
    })
}

/// Replication of a host in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicationBrief<'a> {
    /// No database server.
    None,
    /// Not known, and why.
    Unknown(Option<&'a Gap>),
    /// Neither master nor replica.
    Standalone {
        /// Whether it is writable; `None` when that is not known.
        writable: Option<bool>,
    },
    /// Others follow it, or could.
    Master {
        /// Whether it is writable; `None` when that is not known.
        writable: Option<bool>,
        /// How many replicas it knows of; `None` when that could not be asked.
        replicas: Option<usize>,
    },
    /// A node of a cluster that follows nobody outside it.
    Member {
        /// Its cluster.
        cluster: &'a Cluster,
        /// Whether it is writable; `None` when that is not known.
        writable: Option<bool>,
    },
    /// It follows, both threads running.
    Following {
        /// The longest lag of its connections, seconds; `None` when one of them is unknown.
        lag_s: Option<u64>,
        /// The longest lag beyond the delay that is wanted: what is judged.
        beyond_s: Option<u64>,
        /// The longest delay that is wanted.
        delay_s: Option<u64>,
        /// Whether it is writable all the same: dangerous.
        writable: Option<bool>,
    },
    /// It should follow, and a thread does not run.
    Broken {
        /// `IO` or `SQL`.
        thread: &'static str,
        /// How that thread is.
        state: Thread,
    },
}

/// The worst of a host's databases, in one line.
#[must_use]
pub fn replication_brief(databases: &[Database]) -> ReplicationBrief<'_> {
    databases.iter().map(brief).max_by_key(rank).unwrap_or(ReplicationBrief::None)
}

/// What is wrong ranks above what is unknown, that above what only lags.
fn rank(brief: &ReplicationBrief<'_>) -> (u8, u64) {
    match brief {
        ReplicationBrief::None => (0, 0),
        ReplicationBrief::Following { writable: Some(true), .. } => (5, 2),
        ReplicationBrief::Master { writable: Some(false), .. } => (5, 1),
        ReplicationBrief::Following { writable: None, .. }
        | ReplicationBrief::Master { writable: None, .. } => (4, 0),
        ReplicationBrief::Standalone { .. } => (1, 0),
        ReplicationBrief::Master { writable: Some(true), .. } => (2, 0),
        ReplicationBrief::Following { writable: Some(false), beyond_s, .. } => {
            (3, beyond_s.unwrap_or(u64::MAX))
        }
        ReplicationBrief::Unknown(_) => (4, 0),
        ReplicationBrief::Broken { state, .. } => (if *state == Thread::Unknown { 4 } else { 6 }, 0),
        ReplicationBrief::Member { cluster, .. } => match cluster.health {
            NodeHealth::InSync => (2, 1),
            NodeHealth::Behind => (3, 0),
            NodeHealth::Unknown => (4, 1),
            NodeHealth::Out => (5, 1),
        },
    }
}

fn brief(database: &Database) -> ReplicationBrief<'_> {
    let server = match &database.server {
        Ok(server) => server,
        Err(gap) => return ReplicationBrief::Unknown(Some(gap)),
    };
    let writable = server.writable();
    match (database.role(), &server.cluster) {
        (ReplicationRole::Unknown, _) => ReplicationBrief::Unknown(server.connections.as_ref().err()),
        (ReplicationRole::Member, Some(cluster)) => ReplicationBrief::Member { cluster, writable },
        (ReplicationRole::Standalone | ReplicationRole::Member, _) => {
            ReplicationBrief::Standalone { writable }
        }
        (ReplicationRole::Master, _) => {
            ReplicationBrief::Master { writable, replicas: server.replicas.as_ref().ok().map(Vec::len) }
        }
        (ReplicationRole::Replica, _) => {
            let connections = server.connections.as_deref().unwrap_or_default();
            following(connections, writable)
        }
    }
}

fn following(connections: &[Connection], writable: Option<bool>) -> ReplicationBrief<'_> {
    let threads = || connections.iter().flat_map(|c| [("SQL", c.sql), ("IO", c.io)]);
    let known = threads().find(|(_, state)| !matches!(state, Thread::Running | Thread::Unknown));
    let unknown = || threads().find(|(_, state)| *state == Thread::Unknown);
    if let Some((thread, state)) = known.or_else(unknown) {
        return ReplicationBrief::Broken { thread, state };
    }
    let longest = |of: fn(&Connection) -> Option<u64>| {
        let all: Option<Vec<u64>> = connections.iter().map(of).collect();
        all.and_then(|all| all.into_iter().max())
    };
    ReplicationBrief::Following {
        lag_s: longest(Connection::lag_s),
        beyond_s: longest(Connection::lag_beyond_delay),
        delay_s: connections.iter().filter_map(Connection::delay).max(),
        writable,
    }
}

/// A replication brief in a few words, what is wrong first: `master, 2 replicas`, `lag 3 s`, `WRITABLE, lag 0 s`,
/// `SQL stopped`, `lag ?`, `Galera Synced, 3 nodes`.
#[must_use]
pub fn replication_words(brief: ReplicationBrief<'_>) -> String {
    let expect = |writable: Option<bool>, expected: bool, words: String| match writable {
        Some(w) if w == expected => words,
        Some(true) => format!("WRITABLE, {words}"),
        Some(false) => format!("READ-ONLY, {words}"),
        None => format!("RW?, {words}"),
    };
    match brief {
        ReplicationBrief::None => String::new(),
        ReplicationBrief::Unknown(gap) => gap.map_or("unknown", Gap::access_word).to_owned(),
        ReplicationBrief::Standalone { writable } => expect(writable, true, "standalone".to_owned()),
        ReplicationBrief::Master { writable, replicas } => {
            let count = match replicas {
                None => "? replicas".to_owned(),
                Some(1) => "1 replica".to_owned(),
                Some(n) => format!("{n} replicas"),
            };
            expect(writable, true, format!("master, {count}"))
        }
        ReplicationBrief::Member { cluster, writable } => member(cluster, writable),
        ReplicationBrief::Following { lag_s, delay_s, writable, .. } => {
            let lag = lag_s.map_or_else(|| "lag ?".to_owned(), |s| format!("lag {s} s"));
            let delay = delay_s.map_or_else(String::new, |s| format!(", delay {s} s"));
            expect(writable, false, format!("{lag}{delay}"))
        }
        ReplicationBrief::Broken { thread, state } => format!("{thread} {}", state.word()),
    }
}

fn member(cluster: &Cluster, writable: Option<bool>) -> String {
    let kind = cluster.kind.name();
    let state = if cluster.state.is_empty() { "?" } else { cluster.state.as_str() };
    let nodes = match cluster.size {
        None => ", ? nodes".to_owned(),
        Some(1) => ", 1 node".to_owned(),
        Some(n) => format!(", {n} nodes"),
    };
    match cluster.health {
        NodeHealth::Out if cluster.primary_component == Some(false) => format!("NON-PRIMARY, {kind} {state}"),
        NodeHealth::Out => format!("OUT, {kind} {state}"),
        NodeHealth::InSync | NodeHealth::Behind | NodeHealth::Unknown => {
            // A secondary of a group is read-only, and rightly so.
            let writes = if writable == Some(false) { " RO" } else { "" };
            let unknown = if writable.is_none() { "RW?, " } else { "" };
            format!("{unknown}{kind} {state}{writes}{nodes}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief_of(connections: &[Connection], writable: Option<bool>) -> ReplicationBrief<'_> {
        following(connections, writable)
    }

    fn running(lag: u64) -> Connection {
        let (io, sql) = (Thread::Running, Thread::Running);
        Connection { io, sql, seconds_behind: Some(lag), ..Connection::default() }
    }

    fn worst<'a>(briefs: impl IntoIterator<Item = ReplicationBrief<'a>>) -> String {
        briefs.into_iter().max_by_key(rank).map(replication_words).unwrap_or_default()
    }

    /// Of several servers on a host the cell shows the one that is wrong, not the one that lags most.
    #[test]
    fn what_is_wrong_comes_before_what_lags() {
        let (late, wrong) = ([running(20)], [running(0)]);
        let late = brief_of(&late, Some(false));
        assert_eq!(worst([late, brief_of(&wrong, Some(true))]), "WRITABLE, lag 0 s");
        assert_eq!(worst([brief_of(&wrong, None), late]), "RW?, lag 0 s");
        let refuses = ReplicationBrief::Master { writable: Some(false), replicas: Some(1) };
        assert_eq!(worst([refuses, late]), "READ-ONLY, master, 1 replica");
        assert_eq!(
            worst([ReplicationBrief::Master { writable: Some(true), replicas: None }, late]),
            "lag 20 s"
        );
    }

    /// Of several connections a thread that is stopped comes before one that said nothing readable.
    #[test]
    fn a_stopped_thread_comes_before_one_that_is_unknown() {
        let unclear = Connection { io: Thread::Unknown, ..running(0) };
        let stopped = Connection { io: Thread::Stopped, ..running(0) };
        let connecting = Connection { sql: Thread::Connecting, ..running(0) };
        for connections in [[unclear.clone(), stopped.clone()], [stopped, unclear.clone()]] {
            assert_eq!(replication_words(brief_of(&connections, Some(false))), "IO stopped");
        }
        let words = replication_words(brief_of(&[unclear, connecting], Some(false)));
        assert!(words.starts_with("SQL connecting"), "{words}");
    }
}
