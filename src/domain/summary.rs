//! The one figure that stands for many: the fullest disk, the worst replication. Every output uses these, so that the
//! table, the screen and the handoff never tell three stories.

use super::fact::Gap;
use super::replication::{Connection, Database, ReplicationRole, Thread};
use super::snapshot::HostFacts;
use super::storage::Filesystem;

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
        /// It takes writes; `None` when that is not known.
        writable: Option<bool>,
    },
    /// Others follow it, or could.
    Master {
        /// It takes writes; `None` when that is not known.
        writable: Option<bool>,
        /// How many replicas it knows of; `None` when that could not be asked.
        replicas: Option<usize>,
    },
    /// It follows, both threads running.
    Following {
        /// The longest lag of its connections, seconds; `None` when one of them is unknown.
        lag_s: Option<u64>,
        /// It takes writes all the same: dangerous.
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

fn rank(brief: &ReplicationBrief<'_>) -> (u8, u64) {
    match brief {
        ReplicationBrief::None => (0, 0),
        ReplicationBrief::Standalone { .. } => (1, 0),
        ReplicationBrief::Master { .. } => (2, 0),
        ReplicationBrief::Following { lag_s, .. } => (3, lag_s.unwrap_or(u64::MAX)),
        ReplicationBrief::Unknown(_) => (4, 0),
        ReplicationBrief::Broken { .. } => (5, 0),
    }
}

fn brief(database: &Database) -> ReplicationBrief<'_> {
    let server = match &database.server {
        Ok(server) => server,
        Err(gap) => return ReplicationBrief::Unknown(Some(gap)),
    };
    let writable = server.read_only.map(|read_only| !read_only);
    match database.role() {
        ReplicationRole::Unknown => ReplicationBrief::Unknown(server.connections.as_ref().err()),
        ReplicationRole::Standalone => ReplicationBrief::Standalone { writable },
        ReplicationRole::Master => {
            ReplicationBrief::Master { writable, replicas: server.replicas.as_ref().ok().map(Vec::len) }
        }
        ReplicationRole::Replica => {
            let connections = server.connections.as_deref().unwrap_or_default();
            following(connections, writable)
        }
    }
}

fn following(connections: &[Connection], writable: Option<bool>) -> ReplicationBrief<'_> {
    for c in connections {
        for (thread, state) in [("SQL", c.sql), ("IO", c.io)] {
            if state != Thread::Running {
                return ReplicationBrief::Broken { thread, state };
            }
        }
    }
    let lags: Option<Vec<u64>> = connections.iter().map(Connection::lag_s).collect();
    ReplicationBrief::Following { lag_s: lags.and_then(|l| l.into_iter().max()), writable }
}

/// A replication brief in a few words: `master ×2`, `lag 3s`, `SQL stopped`, `lag ?`.
#[must_use]
pub fn replication_words(brief: ReplicationBrief<'_>) -> String {
    let but = |writable: Option<bool>, expected: bool| match writable {
        Some(w) if w == expected => "",
        Some(true) => " WRITABLE",
        Some(false) => " read-only",
        None => " rw?",
    };
    match brief {
        ReplicationBrief::None => String::new(),
        ReplicationBrief::Unknown(gap) => gap.map_or_else(|| "unknown".to_owned(), |g| g.word().to_owned()),
        ReplicationBrief::Standalone { writable } => format!("standalone{}", but(writable, true)),
        ReplicationBrief::Master { writable, replicas } => {
            let count = replicas.map_or_else(|| " ×?".to_owned(), |n| format!(" ×{n}"));
            format!("master{count}{}", but(writable, true))
        }
        ReplicationBrief::Following { lag_s, writable } => {
            let lag = lag_s.map_or_else(|| "lag ?".to_owned(), |s| format!("lag {s}s"));
            format!("{lag}{}", but(writable, false))
        }
        ReplicationBrief::Broken { thread, state } => format!("{thread} {}", state.word()),
    }
}
