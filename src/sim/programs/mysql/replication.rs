//! What a server says of replication, column for column as the versions print it. The columns of MariaDB 10.11 were
//! captured from a server (`tests/fixtures/sim`); those of 10.0 and MySQL 5.1 follow their manuals.

use crate::sim::world::World;
use crate::sim::world::database::{Following, Server, Version};

use super::SqlError;
use super::execute::Session;
use super::format::Rows;

/// Column and value, in order.
type Fields = Vec<(&'static str, Option<String>)>;

fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

/// `SHOW ALL SLAVES STATUS`.
pub(super) fn all_connections(session: &Session, world: &mut World) -> Result<Rows, SqlError> {
    collect(
        session,
        world,
        |_| true,
        |server, f| {
            let mut fields = vec![
                ("Connection_name", some(&*f.connection.name)),
                ("Slave_SQL_State", some(sql_state(server, f))),
            ];
            fields.extend(status(server, f));
            fields.extend([
                ("Retried_transactions", some("0")),
                ("Max_relay_log_size", some("104857600")),
                ("Executed_log_entries", some((f.executed.position / 97).to_string())),
                ("Slave_received_heartbeats", some("0")),
                (
                    "Slave_heartbeat_period",
                    some(if server.version.mariadb_from(10, 2) { "30.000" } else { "1800.000" }),
                ),
                ("Gtid_Slave_Pos", some(&*f.gtid_executed)),
            ]);
            fields
        },
    )
}

/// `SHOW SLAVE STATUS`: of one connection.
pub(super) fn one_connection(session: &Session, world: &mut World, name: &str) -> Result<Rows, SqlError> {
    collect(session, world, |f| f.connection.name == name, status)
}

fn collect(
    session: &Session,
    world: &mut World,
    wanted: impl Fn(&Following<'_>) -> bool,
    fields: impl Fn(&Server, &Following<'_>) -> Fields,
) -> Result<Rows, SqlError> {
    session.server(world)?;
    let databases = world.databases();
    let mut rows = Rows::default();
    if let Some(server) = databases.server(&session.host) {
        for following in databases.following(server).iter().filter(|f| wanted(f)) {
            let fields = fields(server, following);
            rows.columns = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
            rows.rows.push(fields.into_iter().map(|(_, value)| value).collect());
        }
    }
    Ok(rows)
}

fn status(server: &Server, f: &Following<'_>) -> Fields {
    let v = &server.version;
    let mut fields = positions(server, f);
    fields.extend(filters_and_errors(f));
    fields.extend(tls(server, f));
    let (number, error) = io_error(server, f);
    fields.extend([
        ("Last_IO_Errno", some(number)),
        ("Last_IO_Error", some(error)),
        ("Last_SQL_Errno", some("0")),
        ("Last_SQL_Error", some("")),
    ]);
    if v.mariadb {
        fields.extend(mariadb_fields(v, server, f));
    }
    fields
}

fn positions(server: &Server, f: &Following<'_>) -> Fields {
    let c = f.connection;
    let master = &f.master.version;
    let io = match (c.io_started, f.connected) {
        (false, _) => "No",
        (true, true) => "Yes",
        (true, false) => "Connecting",
    };
    let relay_base = if server.version.mariadb { "mysqld-relay-bin" } else { "relay-bin" };
    vec![
        ("Slave_IO_State", some(io_state(f))),
        ("Master_Host", some(&*f.master.address)),
        ("Master_User", some("repl")),
        ("Master_Port", some("3306")),
        ("Connect_Retry", some("60")),
        ("Master_Log_File", some(f.read.file_name(master))),
        ("Read_Master_Log_Pos", some(f.read.position.to_string())),
        ("Relay_Log_File", some(format!("{relay_base}.{:06}", f.executed.file + 1))),
        ("Relay_Log_Pos", some((f.executed.position + 235).to_string())),
        ("Relay_Master_Log_File", some(f.executed.file_name(master))),
        ("Slave_IO_Running", some(io)),
        ("Slave_SQL_Running", some(if c.sql_started { "Yes" } else { "No" })),
    ]
}

fn filters_and_errors(f: &Following<'_>) -> Fields {
    vec![
        ("Replicate_Do_DB", some("")),
        ("Replicate_Ignore_DB", some("")),
        ("Replicate_Do_Table", some("")),
        ("Replicate_Ignore_Table", some("")),
        ("Replicate_Wild_Do_Table", some("")),
        ("Replicate_Wild_Ignore_Table", some("")),
        ("Last_Errno", some("0")),
        ("Last_Error", some("")),
        ("Skip_Counter", some("0")),
        ("Exec_Master_Log_Pos", some(f.executed.position.to_string())),
        ("Relay_Log_Space", some((f.read.position + 1178).to_string())),
        ("Until_Condition", some("None")),
        ("Until_Log_File", some("")),
        ("Until_Log_Pos", some("0")),
    ]
}

fn tls(server: &Server, f: &Following<'_>) -> Fields {
    let used = f.connection.tls && server.version.mariadb;
    let path = |file: &str| some(if used { format!("/etc/mysql/ssl/{file}") } else { String::new() });
    vec![
        ("Master_SSL_Allowed", some(if f.connection.tls { "Yes" } else { "No" })),
        ("Master_SSL_CA_File", path("ca-cert.pem")),
        ("Master_SSL_CA_Path", some("")),
        ("Master_SSL_Cert", path("client-cert.pem")),
        ("Master_SSL_Cipher", some("")),
        ("Master_SSL_Key", path("client-key.pem")),
        ("Seconds_Behind_Master", f.seconds_behind.map(|seconds| seconds.to_string())),
        ("Master_SSL_Verify_Server_Cert", some("No")),
    ]
}

fn mariadb_fields(v: &Version, server: &Server, f: &Following<'_>) -> Fields {
    let mut fields = vec![
        ("Replicate_Ignore_Server_Ids", some("")),
        ("Master_Server_Id", some(f.master.server_id.to_string())),
        ("Master_SSL_Crl", some("")),
        ("Master_SSL_Crlpath", some("")),
        ("Using_Gtid", some(if f.connection.gtid { "Slave_Pos" } else { "No" })),
        ("Gtid_IO_Pos", some(if f.connection.gtid { &*f.gtid_received } else { "" })),
    ];
    if v.mariadb_from(10, 1) {
        fields.extend([
            ("Replicate_Do_Domain_Ids", some("")),
            ("Replicate_Ignore_Domain_Ids", some("")),
            ("Parallel_Mode", some(if v.mariadb_from(10, 5) { "optimistic" } else { "conservative" })),
        ]);
    }
    if v.mariadb_from(10, 2) {
        fields.extend([
            ("SQL_Delay", some("0")),
            ("SQL_Remaining_Delay", None),
            ("Slave_SQL_Running_State", some(sql_state(server, f))),
        ]);
    }
    if v.mariadb_from(10, 3) {
        fields.extend([
            ("Slave_DDL_Groups", some("0")),
            ("Slave_Non_Transactional_Groups", some("0")),
            ("Slave_Transactional_Groups", some((f.executed.position / 611).to_string())),
        ]);
    }
    if v.mariadb_from(10, 11) {
        fields.push(("Replicate_Rewrite_DB", some("")));
    }
    fields
}

fn io_state(f: &Following<'_>) -> &'static str {
    match (f.connection.io_started, f.connected) {
        (false, _) => "",
        (true, true) => "Waiting for master to send event",
        (true, false) => "Reconnecting after a failed master event read",
    }
}

fn sql_state(server: &Server, f: &Following<'_>) -> &'static str {
    match (f.connection.sql_started, f.behind) {
        (false, _) => "",
        (true, true) => "Reading event from the relay log",
        (true, false) if server.version.mariadb_from(10, 5) => {
            "Slave has read all relay log; waiting for more updates"
        }
        (true, false) => "Slave has read all relay log; waiting for the slave I/O thread to update it",
    }
}

fn io_error(server: &Server, f: &Following<'_>) -> (&'static str, String) {
    if !f.connection.io_started || f.connected {
        return ("0", String::new());
    }
    let word = if server.version.mariadb_from(10, 5) { "server" } else { "MySQL server" };
    let address = &f.master.address;
    let error = format!(
        "error reconnecting to master 'repl@{address}:3306' - retry-time: 60  maximum-retries: 86400  message: \
         Can't connect to {word} on '{address}' (111 \"Connection refused\")"
    );
    ("2003", error)
}

/// `SHOW MASTER STATUS`.
pub(super) fn master_status(session: &Session, world: &mut World) -> Result<Rows, SqlError> {
    let server = session.server(world)?;
    let mut rows = Rows::new(&["File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"]);
    let end = server.log_end();
    let file = end.file_name(&server.version);
    rows.rows.push(vec![some(file), some(end.position.to_string()), some(""), some("")]);
    Ok(rows)
}

/// `SHOW BINARY LOGS`: ten days of them are kept; here the last five files.
pub(super) fn logs(session: &Session, world: &mut World) -> Result<Rows, SqlError> {
    let server = session.server(world)?;
    let mut rows = Rows::new(&["Log_name", "File_size"]);
    let end = server.log_end();
    for file in end.file.saturating_sub(4).max(1)..=end.file {
        let size = if file == end.file { end.position } else { 104_857_600 + file % 500 };
        let place = crate::sim::world::database::Place { file, position: size };
        rows.rows.push(vec![some(place.file_name(&server.version)), some(size.to_string())]);
    }
    Ok(rows)
}

/// `SHOW SLAVE HOSTS`.
pub(super) fn hosts(session: &Session, world: &mut World) -> Result<Rows, SqlError> {
    session.server(world)?;
    let old = !session.version.mariadb;
    let columns: &[&str] = if old {
        &["Server_id", "Host", "Port", "Rpl_recovery_rank", "Master_id"]
    } else {
        &["Server_id", "Host", "Port", "Master_id"]
    };
    let mut rows = Rows::new(columns);
    let databases = world.databases();
    if let Some(server) = databases.server(&session.host) {
        for (id, host) in databases.replicas_of(server) {
            let mut row = vec![some(id.to_string()), some(host), some("3306")];
            if old {
                row.push(some("0"));
            }
            row.push(some(server.server_id.to_string()));
            rows.rows.push(row);
        }
    }
    Ok(rows)
}

/// `SHOW PROCESSLIST`: replication's threads and this session.
pub(super) fn processes(session: &Session, world: &mut World, sql: &str) -> Result<Rows, SqlError> {
    session.server(world)?;
    let mut columns = vec!["Id", "User", "Host", "db", "Command", "Time", "State", "Info"];
    if session.version.mariadb {
        columns.push("Progress");
    }
    let mut rows = Rows::new(&columns);
    let databases = world.databases();
    let Some(server) = databases.server(&session.host) else { return Ok(rows) };
    let mut found: Vec<[Option<String>; 4]> = Vec::new();
    for following in databases.following(server) {
        let command =
            if server.version.mariadb_from(10, 2) { ["Slave_IO", "Slave_SQL"] } else { ["Connect"; 2] };
        let [io, sql] = command;
        if following.connection.io_started {
            found.push([some("system user"), some(""), some(io), some(io_state(&following))]);
        }
        if following.connection.sql_started {
            found.push([some("system user"), some(""), some(sql), some(sql_state(server, &following))]);
        }
    }
    for (_, host) in databases.replicas_of(server) {
        let state = "Master has sent all binlog to slave; waiting for binlog to be updated";
        found.push([some("repl"), some(format!("{host}:41230")), some("Binlog Dump"), some(state)]);
    }
    let numbered = found.into_iter().zip(2_u32..);
    let mut push = |id: u32, [user, host, command, state]: [Option<String>; 4], info: Option<String>| {
        let mut row = vec![some(id.to_string()), user, host, None, command, some("0"), state, info];
        if session.version.mariadb {
            row.push(some("0.000"));
        }
        rows.rows.push(row);
    };
    for (process, id) in numbered {
        push(id, process, None);
    }
    let (user, from) = session.account.split_once('@').unwrap_or((&session.account, "localhost"));
    push(4711, [some(user), some(from), some("Query"), some("init")], some(sql));
    Ok(rows)
}
