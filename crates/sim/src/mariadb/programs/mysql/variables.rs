//! System variables and status counters of a server.

use crate::world::World;

use super::SqlError;
use super::execute::Session;
use super::value::Value;

/// Variables that are switches: `ON` and `OFF` in `SHOW VARIABLES`, 1 and 0 in `SELECT @@…`.
static SWITCHES: &[&str] = &[
    "read_only",
    "log_bin",
    "log_slave_updates",
    "gtid_strict_mode",
    "skip_networking",
    "skip_slave_start",
    "slave_compressed_protocol",
    "sql_log_bin",
    "autocommit",
    "event_scheduler",
    "rpl_semi_sync_master_enabled",
    "rpl_semi_sync_slave_enabled",
];

fn is_switch(name: &str) -> bool {
    SWITCHES.contains(&name)
}

/// One variable's value in an expression: a switch reads as a number here, as a word in SHOW VARIABLES.
pub(super) fn value(session: &Session, world: &mut World, name: &str) -> Result<Value, SqlError> {
    match one(session, world, name)? {
        Some(switch) if is_switch(name) => Ok(Value::truth(switch == "ON")),
        Some(value) => Ok(value.parse().map_or(Value::Text(value), Value::Int)),
        None => Err(SqlError::new(1193, "HY000", format!("Unknown system variable '{name}'"))),
    }
}

/// One variable's value.
pub(super) fn one(session: &Session, world: &mut World, name: &str) -> Result<Option<String>, SqlError> {
    Ok(all(session, world)?.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value))
}

/// Every variable that is simulated, by name.
pub(super) fn all(session: &Session, world: &mut World) -> Result<Vec<(&'static str, String)>, SqlError> {
    session.server(world)?;
    let databases = world.databases();
    let gone = || SqlError::new(2013, "HY000", "Lost connection to server during query");
    let server = databases.server(&session.host).ok_or_else(gone)?;
    let on = |yes: bool| if yes { "ON" } else { "OFF" }.to_owned();
    let text = |value: &str| value.to_owned();
    let ssl = if server.tls { "YES" } else { "DISABLED" };
    let path = |file: &str| if server.tls { format!("/etc/mysql/ssl/{file}") } else { String::new() };
    let version = &server.version;
    let mut variables = vec![
        ("autocommit", on(true)),
        ("basedir", text("/usr/")),
        ("bind_address", text("0.0.0.0")),
        ("binlog_format", server.settings.binlog_format.clone()),
        ("character_set_server", text(if version.mariadb { "utf8" } else { "latin1" })),
        ("datadir", text("/var/lib/mysql/")),
        ("event_scheduler", on(server.settings.event_scheduler)),
        ("expire_logs_days", text("10")),
        ("have_openssl", text(ssl)),
        ("have_ssl", text(ssl)),
        ("hostname", server.name.clone()),
        ("lock_wait_timeout", text("31536000")),
        ("log_bin", on(true)),
        ("log_slave_updates", on(server.settings.log_slave_updates)),
        ("max_binlog_size", text("104857600")),
        ("max_connections", text("200")),
        ("net_write_timeout", text("60")),
        ("pid_file", text("/var/run/mysqld/mysqld.pid")),
        ("port", text("3306")),
        ("read_only", on(server.read_only)),
        ("server_id", server.server_id.to_string()),
        ("skip_networking", on(false)),
        ("slave_compressed_protocol", on(false)),
        ("socket", text("/var/run/mysqld/mysqld.sock")),
        ("sql_log_bin", on(session.binlog)),
        ("sql_mode", String::new()),
        ("ssl_ca", path("ca-cert.pem")),
        ("ssl_cert", path("server-cert.pem")),
        ("ssl_key", path("server-key.pem")),
        ("sync_binlog", text("0")),
        ("time_zone", text("SYSTEM")),
        ("version", version.text.clone()),
        (
            "version_comment",
            text(if version.mariadb { "mariadb.org binary distribution" } else { "(Ubuntu)" }),
        ),
        ("version_compile_machine", text("x86_64")),
        ("version_compile_os", text("debian-linux-gnu")),
    ];
    if version.mariadb {
        let stuck = server.faults.semi_sync_stuck;
        variables.extend([
            ("gtid_binlog_pos", server.binlog_state().position().to_string()),
            ("gtid_binlog_state", server.binlog_state().to_string()),
            ("gtid_current_pos", server.current_pos().to_string()),
            ("gtid_domain_id", server.settings.domain.to_string()),
            ("gtid_slave_pos", server.slave_pos().to_string()),
            ("gtid_strict_mode", on(server.settings.strict)),
            ("rpl_semi_sync_master_enabled", on(stuck)),
            ("rpl_semi_sync_master_timeout", text("10000")),
            ("rpl_semi_sync_slave_enabled", on(false)),
        ]);
    }
    variables.push(("wait_timeout", text("28800")));
    if version.mariadb_from(10, 1) {
        variables.push(("max_statement_time", format!("{:.6}", session.limit)));
    }
    for (name, value) in &mut variables {
        if let Some(set) = server.settings.others.get(*name) {
            value.clone_from(set);
        }
    }
    variables.sort_by_key(|(name, _)| *name);
    Ok(variables)
}

/// Status counters.
pub(super) fn status(session: &Session, world: &mut World) -> Result<Vec<(&'static str, String)>, SqlError> {
    session.server(world)?;
    let up = world.uptime(&session.host).unwrap_or(0.0);
    let databases = world.databases();
    let server = databases.server(&session.host);
    let place = server.map_or(0, |s| s.log_end().position);
    let running = server
        .is_some_and(|s| databases.following(s).iter().any(|f| f.connected && f.connection.sql_started));
    let stuck = server.is_some_and(|s| s.faults.semi_sync_stuck);
    let idle = server.map_or(0, |s| s.faults.idle_clients);
    let connected = server.map_or(0, |s| s.sessions.iter().count() as u64) + idle;
    let commits = server.map_or(0, |s| s.log.end());
    let uptime = format!("{:.0}", up.floor());
    let mut counters = vec![
        ("Aborted_connects", "12".to_owned()),
        ("Com_commit", (commits / 3).to_string()),
        ("Connection_errors_max_connections", server.map_or(0, |s| s.faults.refused).to_string()),
        ("Connections", (4711 + place % 1000).to_string()),
        ("Rpl_semi_sync_master_clients", "0".to_owned()),
        ("Rpl_semi_sync_master_status", if stuck { "ON" } else { "OFF" }.to_owned()),
        ("Rpl_semi_sync_master_wait_sessions", u64::from(stuck).to_string()),
        ("Max_used_connections", "83".to_owned()),
        ("Questions", (place * 7).to_string()),
        ("Slow_queries", "41".to_owned()),
        ("Slave_running", if running { "ON" } else { "OFF" }.to_owned()),
        ("Ssl_accepts", "3".to_owned()),
        ("Threads_connected", connected.to_string()),
        ("Threads_running", "1".to_owned()),
        ("Uptime", uptime.clone()),
        ("Uptime_since_flush_status", uptime),
    ];
    if session.version.mariadb {
        counters.insert(0, ("wsrep_ready", "OFF".to_owned()));
        let seen = session.snapshot.as_ref().map(|seen| seen.log_end);
        let end = seen.or_else(|| server.map(crate::mariadb::Server::log_end)).unwrap_or_default();
        counters.push(("Binlog_commits", commits.to_string()));
        counters.push(("Binlog_snapshot_file", end.file_name(&session.version)));
        counters.push(("Binlog_snapshot_position", end.position.to_string()));
    }
    counters.sort_by_key(|(name, _)| *name);
    Ok(counters)
}
