//! How busy the server is, from its counters and its list of open transactions.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{OpenTransaction, ServerActivity};

use crate::collect::probe::unreadable;

use super::answer::{ClientAnswer, ResultRow};
use super::status::{switch, variable};

/// What every server counts; one that is not among its counters is a gap.
const CONNECTIONS: &str = "Threads_connected";

pub(super) fn activity(
    variables: &[ResultRow],
    status: &Result<&[ResultRow], Gap>,
    answer: &ClientAnswer,
    gaps: &mut Vec<(&'static str, Gap)>,
) -> ServerActivity {
    let counters = match status {
        Ok(rows) => *rows,
        Err(gap) => {
            gaps.push(("counters", gap.clone()));
            &[]
        }
    };
    let counter = |name: &str| variable(counters, name).and_then(|value| value.parse().ok());
    let connections = counter(CONNECTIONS);
    if connections.is_none() && status.is_ok() {
        gaps.push(("connections in use", unreadable(&format!("no {CONNECTIONS} among its counters"))));
    }
    // MySQL has no such counter, and without a binary log MariaDB's is always 0.
    let is_logged = variable(variables, "log_bin").and_then(switch) == Some(true);
    let logged = counter("Binlog_commits").filter(|_| is_logged);
    ServerActivity {
        connections,
        max_connections: variable(variables, "max_connections").and_then(|value| value.parse().ok()),
        refused: counter("Connection_errors_max_connections"),
        refused_lately: None,
        aborted: counter("Aborted_connects"),
        slow_queries: counter("Slow_queries"),
        commits: logged.or_else(|| counter("Com_commit")),
        commits_per_s: None,
        uptime_s: counter("Uptime"),
        longest: longest(answer).unwrap_or_else(|gap| {
            gaps.push(("longest transaction", gap));
            None
        }),
    }
}

/// The transaction that is open longest. A server without InnoDB has no such table, and none open.
fn longest(answer: &ClientAnswer) -> Result<Option<OpenTransaction>, Gap> {
    if !answer.asked("transactions") {
        return Ok(None);
    }
    let rows = match answer.part("transactions", &["connection", "age"]) {
        Ok(rows) => rows,
        Err(Gap::Failed(said)) if said.as_str().starts_with("ERROR 1109 ") => return Ok(None),
        Err(gap) => return Err(gap),
    };
    let Some(row) = rows.first() else { return Ok(None) };
    let number = |column: &str| {
        let value = row.get(column).unwrap_or("NULL");
        // An age that a clock which was set back makes negative.
        value.strip_prefix('-').map_or(value, |_| "0").parse().map_err(|_| unreadable(value))
    };
    Ok(Some(OpenTransaction { connection: number("connection")?, age_s: number("age")? }))
}
