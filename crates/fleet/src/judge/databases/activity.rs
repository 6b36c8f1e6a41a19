//! A server that has few connections left, refuses some, or holds a transaction open for long.

use super::{AskedServer, Situation};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::OpenTransaction;

/// Connections in use, percent of the most.
const MANY: u64 = 80;
const NEARLY_ALL: u64 = 95;

/// Minutes after which a transaction is long.
const LONG_MIN: u64 = 10;

pub(super) fn judge(s: &Situation<'_>, one: &AskedServer<'_>, out: &mut Vec<Problem>) {
    let engine = one.database.engine.word();
    let activity = &one.server.activity;
    let mut add = |severity, what: String| {
        let message = format!("{engine}: {what}");
        out.push(s.problem(severity, Some(one.host), ProblemKind::Database, message));
    };
    if let (Some(used), Some(most)) = (activity.connections, activity.max_connections)
        && let Some(severity) = of_connections(used, most)
    {
        let percent = used.saturating_mul(100) / most;
        add(severity, format!("{used} of {most} connections in use ({percent}%): {WHO}"));
    }
    if let Some(refused) = activity.refused_lately {
        let connections = if refused.count == 1 { "connection" } else { "connections" };
        let all = activity.max_connections.map_or_else(String::new, |most| format!(" {most}"));
        let what = format!(
            "refused {} {connections} in the last minutes, as all{all} were in use: {WHO}",
            refused.count
        );
        add(Severity::Warning, what);
    }
    if let Some(open) = activity.longest.filter(|open| open.age_s > LONG_MIN * 60) {
        add(Severity::Warning, long(open));
    }
}

/// What to do next.
pub(super) const WHO: &str =
    "see who holds them: SHOW PROCESSLIST. End idle ones (KILL and their Id) or raise max_connections";

fn of_connections(used: u64, most: u64) -> Option<Severity> {
    let beyond = |percent: u64| most > 0 && used.saturating_mul(100) > most.saturating_mul(percent);
    if beyond(NEARLY_ALL) {
        Some(Severity::Critical)
    } else if beyond(MANY) {
        Some(Severity::Warning)
    } else {
        None
    }
}

fn long(open: OpenTransaction) -> String {
    let OpenTransaction { connection, age_s } = open;
    let minutes = age_s / 60;
    if connection == 0 {
        return format!(
            "a transaction that no connection holds is open for {minutes} min. See if it is a prepared one: XA RECOVER"
        );
    }
    format!(
        "the transaction of connection {connection} is open for {minutes} min. See whose it is: SHOW FULL PROCESSLIST. A dump and a \
         replication thread may need that long: ending them costs the backup or the replica"
    )
}
