//! A connection of a replica to its master: its threads, its lag, its encryption.

use super::{AskedServer, Situation};
use crate::problem::{Problem, ProblemKind, Severity};
use crate::replication::{Connection, Encryption, ReplicationError, Thread, encryption};
use crate::topology::status_of_master;

pub(super) fn judge(s: &Situation<'_>, one: &AskedServer<'_>, c: &Connection, out: &mut Vec<Problem>) {
    let which = if c.name.is_empty() { String::new() } else { format!(" of connection {}", c.name) };
    let mut add = |severity: Severity, kind: ProblemKind, message: String| {
        out.push(s.problem(severity, Some(one.host), kind, message));
    };
    let threads = [("IO", c.io, &c.io_error), ("SQL", c.sql, &c.sql_error)];
    for (what, state, error) in threads {
        if let Some((severity, word)) = thread(state) {
            let message = format!("replication {what} thread{which} {word}{}", reason(error.as_ref()));
            add(severity, ProblemKind::Replication, message);
        }
    }
    if let Some((severity, message)) = lag(s, c, &which) {
        add(severity, ProblemKind::ReplicationLag, message);
    }
    if let Some(message) = tls(s, one, c, &which) {
        add(Severity::Warning, ProblemKind::ReplicationTls, message);
    }
}

fn thread(state: Thread) -> Option<(Severity, &'static str)> {
    match state {
        Thread::Running => None,
        Thread::Stopped => Some((Severity::Critical, "is stopped")),
        Thread::Connecting => Some((Severity::Critical, "is not connected to its master")),
        Thread::Unknown => Some((Severity::Unknown, "has a state that cannot be read")),
    }
}

fn reason(error: Option<&ReplicationError>) -> String {
    error.map(|e| format!(": error {} {}", e.number, e.message)).unwrap_or_default()
}

/// A delay that is wanted is not lag: what is beyond it is.
fn lag(s: &Situation<'_>, c: &Connection, which: &str) -> Option<(Severity, String)> {
    if c.io != Thread::Running || c.sql != Thread::Running {
        return None;
    }
    let Some(beyond) = c.lag_beyond_delay() else {
        return Some((
            Severity::Unknown,
            format!("replication lag{which} is unknown (the server says NULL)"),
        ));
    };
    #[allow(clippy::cast_precision_loss)]
    let seconds = beyond as f64;
    let limit = s.env.thresholds.lag;
    let severity = if seconds > limit.critical {
        Severity::Critical
    } else if seconds > limit.warning {
        Severity::Warning
    } else {
        return None;
    };
    let delay = c.delay().map(|d| format!(", beyond its delay of {d} s")).unwrap_or_default();
    Some((severity, format!("replication{which} is {beyond} s behind {}{delay}", c.master_host)))
}

/// In clear text, or not known: a warning both. The worst that the unknown can be is in clear text.
fn tls(s: &Situation<'_>, one: &AskedServer<'_>, c: &Connection, which: &str) -> Option<String> {
    let master = status_of_master(s.env, s.hosts, c);
    match encryption(one.database, c, master) {
        Encryption::NoConnection | Encryption::Encrypted(_) => None,
        Encryption::Clear(how) => {
            Some(format!("replication{which} from {} is not encrypted: {how}", c.master_host))
        }
        Encryption::Unknown(why) => Some(format!(
            "whether replication{which} from {} is encrypted is unknown: {why}{}",
            c.master_host,
            if c.tls_requested == Some(true) { ". MASTER_SSL_VERIFY_SERVER_CERT=1 enforces it" } else { "" }
        )),
    }
}
