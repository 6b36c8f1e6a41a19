//! Rows to replication's vocabulary, for every version's column names.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::replication::{
    BinlogPosition, ConnectedReplica, Connection, GtidMode, ReplicationError, ServerStatus, Thread,
};
use jumpdeck_fleet::text::Clean;

use super::answer::{ClientAnswer, ResultRow};
use super::{activity, cluster};

/// A variable's value among the rows of `SHOW VARIABLES`.
pub(super) fn variable<'a>(rows: &'a [ResultRow], name: &str) -> Option<&'a str> {
    let row =
        rows.iter().find(|row| get(row, "variable_name").is_some_and(|n| n.eq_ignore_ascii_case(name)))?;
    get(row, "value")
}

/// What the server says of itself.
pub(super) fn server(variables: &[ResultRow], answer: &ClientAnswer) -> ServerStatus {
    let value = |name: &str| variable(variables, name);
    let mut gaps = Vec::new();
    let status = answer.part("status", &["variable_name", "value"]);
    let log_updates = value("log_slave_updates").or_else(|| value("log_replica_updates"));
    // MySQL 8.4 has no have_ssl any more: a certificate then stands for it.
    let have_ssl = value("have_ssl").map(|v| v.eq_ignore_ascii_case("yes"));
    let certificate = || value("ssl_cert").map(|file| !file.is_empty());
    let log_bin = value("log_bin").and_then(switch);
    let connections =
        answer.part("connections", &["source_host", "replica_io_running", "replica_sql_running"]);
    ServerStatus {
        server_id: value("server_id").and_then(|v| v.parse().ok()),
        port: value("port").and_then(|v| v.parse().ok()).filter(|port| *port != 0),
        read_only: value("read_only").and_then(read_only),
        log_bin,
        log_slave_updates: log_updates.and_then(switch),
        gtid: gtid(answer, &mut gaps),
        have_ssl: have_ssl.or_else(certificate),
        binlog: binlog(log_bin, &status, answer, &mut gaps),
        connections: connections
            .map(|rows| rows.iter().filter(|r| !is_of_group(r)).map(connection).collect()),
        replicas: answer.part("replicas", &["server_id"]).and_then(|rows| rows.iter().map(replica).collect()),
        cluster: cluster::cluster(variables, &status, answer, &mut gaps),
        activity: activity::activity(variables, &status, answer, &mut gaps),
        gaps,
    }
}

fn gtid(answer: &ClientAnswer, gaps: &mut Vec<(&'static str, Gap)>) -> Option<Clean> {
    if !answer.asked("gtid") {
        return None;
    }
    let row = answer.part("gtid", &["gtid"]).map(<[ResultRow]>::first);
    match row {
        Err(gap) => gaps.push(("GTID", gap)),
        Ok(None) => {}
        Ok(Some(row)) => match row.cut("gtid") {
            Some(gap) => gaps.push(("GTID", gap)),
            None => return row.get("gtid").map(one_line),
        },
    }
    None
}

/// Where its own log ends: MariaDB says so in a status variable, others in a statement that may hang.
fn binlog(
    log_bin: Option<bool>,
    status: &Result<&[ResultRow], Gap>,
    answer: &ClientAnswer,
    gaps: &mut Vec<(&'static str, Gap)>,
) -> Option<BinlogPosition> {
    if log_bin == Some(false) {
        return None;
    }
    let of_status = || {
        let rows = status.as_ref().ok()?;
        let file = variable(rows, "binlog_snapshot_file").filter(|f| !f.is_empty())?;
        let position = variable(rows, "binlog_snapshot_position")?.parse().ok()?;
        Some(BinlogPosition { file: Clean::new(file), position })
    };
    if let Some(found) = of_status() {
        return Some(found);
    }
    let found = match (answer.asked("binlog"), status) {
        (true, _) => answer
            .part("binlog", &["file", "position"])
            .map(|rows| rows.first().and_then(|r| position(r, "file", "position"))),
        (false, Err(gap)) => Err(gap.clone()),
        (false, Ok(_)) => Ok(None),
    };
    found.unwrap_or_else(|gap| {
        gaps.push(("binary log", gap));
        None
    })
}

/// A channel of Group Replication's own, which is no connection to a master.
fn is_of_group(row: &ResultRow) -> bool {
    get(row, "channel_name").is_some_and(|name| name.starts_with("group_replication_"))
}

fn connection(row: &ResultRow) -> Connection {
    let number = |column: &str| get(row, column).and_then(|v| v.parse::<u64>().ok());
    let filled = |column: &str| get(row, column).filter(|v| !v.is_empty()).map(one_line);
    Connection {
        name: text(row, "connection_name").or_else(|| text(row, "channel_name")).unwrap_or_default(),
        master_host: text(row, "source_host").unwrap_or_default(),
        master_port: get(row, "source_port").and_then(|v| v.parse().ok()),
        master_server_id: number("source_server_id"),
        io: thread(get(row, "replica_io_running")),
        sql: thread(get(row, "replica_sql_running")),
        seconds_behind: number("seconds_behind_source"),
        delay_s: number("sql_delay"),
        tls_requested: get(row, "source_ssl_allowed").and_then(tls),
        tls_verified: get(row, "source_ssl_verify_server_cert").and_then(switch),
        gtid_mode: gtid_mode(row),
        gtid_received: filled("gtid_io_pos").or_else(|| filled("retrieved_gtid_set")),
        read: position(row, "source_log_file", "read_source_log_pos"),
        executed: position(row, "relay_source_log_file", "exec_source_log_pos"),
        io_error: error(row, "last_io_errno", "last_io_error"),
        // Servers before 5.1.20 tell of one error only, the SQL thread's.
        sql_error: error(row, "last_sql_errno", "last_sql_error").or_else(|| {
            let only = get(row, "last_sql_errno").is_none();
            only.then(|| error(row, "last_errno", "last_error")).flatten()
        }),
    }
}

fn replica(row: &ResultRow) -> Result<ConnectedReplica, Gap> {
    let server_id = get(row, "server_id").and_then(|v| v.parse().ok());
    Ok(ConnectedReplica {
        server_id: server_id.ok_or_else(|| Gap::Unreadable("a replica without server id".into()))?,
        host: text(row, "host").unwrap_or_default(),
        port: get(row, "port").and_then(|v| v.parse().ok()).filter(|p| *p != 0),
    })
}

fn get<'a>(row: &'a ResultRow, column: &str) -> Option<&'a str> {
    row.get(column)
}

fn text(row: &ResultRow, column: &str) -> Option<Clean> {
    get(row, column).map(Clean::new)
}

/// MySQL breaks long GTID sets after each comma.
fn one_line(value: &str) -> Clean {
    Clean::new(&value.split('\n').collect::<String>())
}

fn thread(word: Option<&str>) -> Thread {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("yes") => Thread::Running,
        Some("no") => Thread::Stopped,
        Some("connecting" | "preparing") => Thread::Connecting,
        _ => Thread::Unknown,
    }
}

pub(super) fn switch(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" | "1" | "yes" => Some(true),
        "off" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// `OFF` alone is writable; MariaDB 12 knows several kinds of on (`NO_LOCK`, `NO_LOCK_NO_ADMIN`).
fn read_only(word: &str) -> Option<bool> {
    switch(word).or(word.to_ascii_lowercase().starts_with("no_lock").then_some(true))
}

/// `Ignored`: TLS is wanted, and the server was built without it.
fn tls(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "ignored" => Some(false),
        other => switch(other),
    }
}

fn gtid_mode(row: &ResultRow) -> GtidMode {
    match get(row, "using_gtid").map(str::to_ascii_lowercase).as_deref() {
        Some("slave_pos" | "replica_pos") => GtidMode::SlavePos,
        Some("current_pos") => GtidMode::CurrentPos,
        _ if get(row, "auto_position") == Some("1") => GtidMode::AutoPosition,
        _ => GtidMode::FilePosition,
    }
}

fn position(row: &ResultRow, file: &str, position: &str) -> Option<BinlogPosition> {
    let file = get(row, file).filter(|f| !f.is_empty())?;
    Some(BinlogPosition { file: Clean::new(file), position: get(row, position)?.parse().ok()? })
}

fn error(row: &ResultRow, number: &str, message: &str) -> Option<ReplicationError> {
    let number = get(row, number)?.parse().ok().filter(|n| *n != 0)?;
    Some(ReplicationError { number, message: text(row, message).unwrap_or_default() })
}
