//! What a server says of replication, column for column as the versions print it. The columns of MariaDB 10.11 were
//! captured from a server (`tests/fixtures/sim`); those of 10.0 and MySQL 5.1 follow their manuals.

use crate::mariadb::replica::{Connection, Using};
use crate::mariadb::{Following, Place, Server, Version};
use crate::world::World;

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
                ("Executed_log_entries", some((f.connection.applied() * 5).to_string())),
                ("Slave_received_heartbeats", some("0")),
                (
                    "Slave_heartbeat_period",
                    some(if server.version.mariadb_from(10, 2) { "30.000" } else { "1800.000" }),
                ),
                ("Gtid_Slave_Pos", some(server.slave_pos().to_string())),
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
    fields.extend(filters_and_errors(f.connection, f));
    fields.extend(tls(f));
    let c = f.connection;
    fields.extend([
        ("Last_IO_Errno", some(c.io_error.code.to_string())),
        ("Last_IO_Error", some(&*c.io_error.message)),
        ("Last_SQL_Errno", some(c.sql_error.code.to_string())),
        ("Last_SQL_Error", some(&*c.sql_error.message)),
    ]);
    if v.mariadb {
        fields.extend(mariadb_fields(v, server, f));
    }
    fields
}

fn positions(server: &Server, f: &Following<'_>) -> Fields {
    let c = f.connection;
    let io = match (c.io_started, f.connected) {
        (false, _) => "No",
        (true, true) => "Yes",
        (true, false) => "Connecting",
    };
    let relay_base = if server.version.mariadb { "mysqld-relay-bin" } else { "relay-bin" };
    vec![
        ("Slave_IO_State", some(io_state(f))),
        ("Master_Host", some(&*c.host)),
        ("Master_User", some(&*c.user)),
        ("Master_Port", some(c.port.to_string())),
        ("Connect_Retry", some("60")),
        ("Master_Log_File", some(file_name(f.read, server))),
        ("Read_Master_Log_Pos", some(f.read.position.max(4).to_string())),
        ("Relay_Log_File", some(format!("{relay_base}.{:06}", f.executed.file + 1))),
        ("Relay_Log_Pos", some((f.executed.position + 235).to_string())),
        ("Relay_Master_Log_File", some(file_name(f.executed, server))),
        ("Slave_IO_Running", some(io)),
        ("Slave_SQL_Running", some(if c.sql_started { "Yes" } else { "No" })),
    ]
}

fn filters_and_errors(c: &Connection, f: &Following<'_>) -> Fields {
    vec![
        ("Replicate_Do_DB", some(&*c.filters.do_db)),
        ("Replicate_Ignore_DB", some(&*c.filters.ignore_db)),
        ("Replicate_Do_Table", some("")),
        ("Replicate_Ignore_Table", some("")),
        ("Replicate_Wild_Do_Table", some("")),
        ("Replicate_Wild_Ignore_Table", some("")),
        ("Last_Errno", some(c.sql_error.code.to_string())),
        ("Last_Error", some(&*c.sql_error.message)),
        ("Skip_Counter", some("0")),
        ("Exec_Master_Log_Pos", some(f.executed.position.to_string())),
        ("Relay_Log_Space", some((f.read.position + 1178).to_string())),
        ("Until_Condition", some("None")),
        ("Until_Log_File", some("")),
        ("Until_Log_Pos", some("0")),
    ]
}

fn tls(f: &Following<'_>) -> Fields {
    let [ca, cert, key] = &f.connection.tls_files;
    vec![
        ("Master_SSL_Allowed", some(if f.connection.tls { "Yes" } else { "No" })),
        ("Master_SSL_CA_File", some(&**ca)),
        ("Master_SSL_CA_Path", some("")),
        ("Master_SSL_Cert", some(&**cert)),
        ("Master_SSL_Cipher", some("")),
        ("Master_SSL_Key", some(&**key)),
        ("Seconds_Behind_Master", f.seconds_behind.map(|seconds| seconds.to_string())),
        ("Master_SSL_Verify_Server_Cert", some(if f.connection.verify { "Yes" } else { "No" })),
    ]
}

fn mariadb_fields(v: &Version, server: &Server, f: &Following<'_>) -> Fields {
    let using = match f.connection.using {
        Using::No => "No",
        Using::SlavePos => "Slave_Pos",
        Using::CurrentPos => "Current_Pos",
    };
    let mut fields = vec![
        ("Replicate_Ignore_Server_Ids", some("")),
        ("Master_Server_Id", some(f.connection.master_id.to_string())),
        ("Master_SSL_Crl", some("")),
        ("Master_SSL_Crlpath", some("")),
        ("Using_Gtid", some(using)),
        (
            "Gtid_IO_Pos",
            some(if using == "No" { String::new() } else { f.connection.received().to_string() }),
        ),
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
            ("SQL_Delay", some(f.connection.delay.to_string())),
            ("SQL_Remaining_Delay", None),
            ("Slave_SQL_Running_State", some(sql_state(server, f))),
        ]);
    }
    if v.mariadb_from(10, 3) {
        fields.extend([
            ("Slave_DDL_Groups", some("0")),
            ("Slave_Non_Transactional_Groups", some("0")),
            ("Slave_Transactional_Groups", some(f.connection.applied().to_string())),
        ]);
    }
    if v.mariadb_from(10, 11) {
        fields.push(("Replicate_Rewrite_DB", some("")));
    }
    fields
}

pub(super) fn io_state(f: &Following<'_>) -> &'static str {
    match (f.connection.io_started, f.connected) {
        (false, _) => "",
        (true, true) => "Waiting for master to send event",
        (true, false) if f.connection.was_connected => "Reconnecting after a failed master event read",
        (true, false) => "Connecting to master",
    }
}

pub(super) fn sql_state(server: &Server, f: &Following<'_>) -> &'static str {
    match (f.connection.sql_started, f.behind) {
        (false, _) => "",
        (true, true) => "Reading event from the relay log",
        (true, false) if server.version.mariadb_from(10, 5) => {
            "Slave has read all relay log; waiting for more updates"
        }
        (true, false) => "Slave has read all relay log; waiting for the slave I/O thread to update it",
    }
}

/// The name of the file that a place is in; nothing before the first contact.
fn file_name(place: Place, server: &Server) -> String {
    if place.file == 0 { String::new() } else { place.file_name(&server.version) }
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

/// `SHOW BINARY LOGS`.
pub(super) fn logs(session: &Session, world: &mut World) -> Result<Rows, SqlError> {
    let server = session.server(world)?;
    let mut rows = Rows::new(&["Log_name", "File_size"]);
    for place in server.log_files() {
        rows.rows.push(vec![some(place.file_name(&server.version)), some(place.position.to_string())]);
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
