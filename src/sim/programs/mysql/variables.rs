//! System variables and status counters of a server.

use crate::sim::world::World;

use super::SqlError;
use super::execute::Session;

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
];

pub(super) fn is_switch(name: &str) -> bool {
    SWITCHES.contains(&name)
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
        ("binlog_format", text(if version.mariadb { "MIXED" } else { "STATEMENT" })),
        ("character_set_server", text(if version.mariadb { "utf8" } else { "latin1" })),
        ("datadir", text("/var/lib/mysql/")),
        ("expire_logs_days", text("10")),
        ("have_openssl", text(ssl)),
        ("have_ssl", text(ssl)),
        ("hostname", server.name.clone()),
        ("log_bin", on(true)),
        ("log_slave_updates", on(true)),
        ("max_binlog_size", text("104857600")),
        ("max_connections", text("200")),
        ("pid_file", text("/var/run/mysqld/mysqld.pid")),
        ("port", text("3306")),
        ("read_only", on(server.read_only)),
        ("server_id", server.server_id.to_string()),
        ("skip_networking", on(false)),
        ("slave_compressed_protocol", on(false)),
        ("socket", text("/var/run/mysqld/mysqld.sock")),
        ("sql_log_bin", on(true)),
        ("ssl_ca", path("ca-cert.pem")),
        ("ssl_cert", path("server-cert.pem")),
        ("ssl_key", path("server-key.pem")),
        ("sync_binlog", text("0")),
        ("version", version.text.clone()),
        (
            "version_comment",
            text(if version.mariadb { "mariadb.org binary distribution" } else { "(Ubuntu)" }),
        ),
        ("version_compile_machine", text("x86_64")),
        ("version_compile_os", text("debian-linux-gnu")),
    ];
    if version.mariadb {
        let current = server.gtid_current(databases);
        let follows = !server.connections.is_empty();
        variables.extend([
            ("gtid_binlog_pos", current.clone()),
            ("gtid_binlog_state", current.clone()),
            ("gtid_current_pos", current.clone()),
            ("gtid_domain_id", text("0")),
            ("gtid_slave_pos", if follows { current } else { String::new() }),
            ("gtid_strict_mode", on(false)),
        ]);
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
    let uptime = format!("{:.0}", up.floor());
    let mut counters = vec![
        ("Aborted_connects", "12".to_owned()),
        ("Connections", (4711 + place % 1000).to_string()),
        ("Max_used_connections", "83".to_owned()),
        ("Questions", (place * 7).to_string()),
        ("Slave_running", if running { "ON" } else { "OFF" }.to_owned()),
        ("Ssl_accepts", "3".to_owned()),
        ("Threads_connected", "9".to_owned()),
        ("Threads_running", "1".to_owned()),
        ("Uptime", uptime.clone()),
        ("Uptime_since_flush_status", uptime),
    ];
    if session.version.mariadb {
        counters.insert(0, ("wsrep_ready", "OFF".to_owned()));
    }
    counters.sort_by_key(|(name, _)| *name);
    Ok(counters)
}
