//! The tables that a query reads: simulated ones, the applications' journal, and what the server tells of itself.

use crate::mariadb::accounts::{Account, global_privileges};
use crate::mariadb::data::Table;
use crate::mariadb::{Server, Span};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::SqlError;
use super::execute::Session;
use super::functions::date_time;
use super::processes;
use super::value::Value;

/// Names of columns, and rows.
pub(super) type Source = (Vec<String>, Vec<Vec<Value>>);

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// The rows of a table, by the database it is in (else the chosen one).
pub(super) fn rows(
    session: &Session,
    world: &mut World,
    database: Option<&str>,
    table: &str,
) -> Result<Source, SqlError> {
    let Some(database) = database.map(str::to_owned).or_else(|| session.database.clone()) else {
        return Err(SqlError::new(1046, "3D000", "No database selected"));
    };
    let lower = (database.to_ascii_lowercase(), table.to_ascii_lowercase());
    let epoch_now = world.epoch(&session.host) - world.now().as_secs_f64();
    let server = session.server(world)?;
    Ok(match (lower.0.as_str(), lower.1.as_str()) {
        ("information_schema", "processlist") => return processes::table(session, world),
        ("information_schema", "user_privileges") => user_privileges(server),
        ("information_schema", "schema_privileges") => schema_privileges(server),
        // Nobody makes triggers here.
        ("information_schema", "triggers") => (names(&["TRIGGER_SCHEMA", "TRIGGER_NAME"]), Vec::new()),
        ("information_schema", "events") => events(server),
        ("information_schema", "innodb_trx") => {
            session.need(&["PROCESS"])?;
            transactions(session.server(world)?, epoch_now)
        }
        ("information_schema", "tables") => return tables(session, world),
        ("information_schema", "schemata") => {
            let list = server.data.databases.keys();
            (names(&["SCHEMA_NAME"]), list.map(|n| vec![Value::text(n.clone())]).collect())
        }
        ("information_schema", "global_variables" | "system_variables") => {
            let all = super::variables::all(session, world)?;
            let row = |(name, value): (&'static str, String)| {
                vec![Value::text(name.to_ascii_uppercase()), Value::text(value)]
            };
            (names(&["VARIABLE_NAME", "VARIABLE_VALUE"]), all.into_iter().map(row).collect())
        }
        ("information_schema", "global_status") => {
            let all = super::variables::status(session, world)?;
            let row = |(name, value): (&'static str, String)| {
                vec![Value::text(name.to_ascii_uppercase()), Value::text(value)]
            };
            (names(&["VARIABLE_NAME", "VARIABLE_VALUE"]), all.into_iter().map(row).collect())
        }
        ("mysql", "user") => users(server),
        ("mysql", "global_priv") if server.version.mariadb_from(10, 4) => global_priv(server),
        ("mysql", "gtid_slave_pos") if server.version.mariadb => slave_positions(server),
        _ => {
            if let Some(seen) = &session.snapshot {
                return seen.rows(&database, table);
            }
            let name = (database.as_str(), table);
            if !server.data.databases.contains_key(name.0) {
                return Err(SqlError::new(1049, "42000", format!("Unknown database '{}'", name.0)));
            }
            let missing =
                || SqlError::new(1146, "42S02", format!("Table '{}.{}' doesn't exist", name.0, name.1));
            let rows = held(server.data.table(name.0, name.1).ok_or_else(missing)?);
            return Ok(with_journal(session, world, name, rows));
        }
    })
}

/// A small table's rows: what its type calls a number is one.
pub(super) fn held(table: &Table) -> Source {
    let heads = table.columns.iter().map(|c| c.name.clone()).collect();
    let rows = table.rows.iter().map(|row| row.iter().map(|cell| typed(cell.as_deref())).collect());
    (heads, rows.collect())
}

fn typed(cell: Option<&str>) -> Value {
    match cell {
        None => Value::Null,
        Some(text) => text.parse().map_or_else(|_| Value::text(text), Value::Int),
    }
}

/// A table's rows, after those of an application's journal that this server's data hold in it.
fn with_journal(session: &Session, world: &mut World, (database, name): (&str, &str), own: Source) -> Source {
    let started = world.epoch(&session.host) - world.now().as_secs_f64();
    let server = world.databases().server(&session.host);
    let spans = server.map(|server| server.spans_of(database, name).to_vec()).unwrap_or_default();
    let mut rows = parts(&session.host, world, &spans, started);
    rows.extend(own.1);
    (own.0, rows)
}

/// The rows of parts of journals.
pub(super) fn parts(host: &HostName, world: &World, spans: &[Span], started: f64) -> Vec<Vec<Value>> {
    let row = |r: crate::world::score::JournalRow| {
        vec![
            Value::count(r.id),
            Value::text(r.app),
            Value::count(r.seq),
            r.at.map_or(Value::Null, |at| Value::text(date_time(started + at, 3))),
        ]
    };
    spans.iter().flat_map(|span| world.journal_part(host, span)).map(row).collect()
}

fn grantee(account: &Account) -> Value {
    Value::text(format!("'{}'@'{}'", account.user, account.host))
}

fn yes_no(yes: bool) -> Value {
    Value::text(if yes { "YES" } else { "NO" })
}

fn user_privileges(server: &Server) -> Source {
    let mut rows = Vec::new();
    for account in server.data.accounts.iter() {
        let mut row = |privilege: &str| {
            let place = Value::text("def");
            rows.push(vec![grantee(account), place, Value::text(privilege), yes_no(account.option)]);
        };
        if account.global.is_empty() {
            row("USAGE");
        }
        let known = global_privileges(&server.version).into_iter().filter(|p| account.has(p));
        known.for_each(|privilege| row(&spelled(privilege)));
    }
    (names(&["GRANTEE", "TABLE_CATALOG", "PRIVILEGE_TYPE", "IS_GRANTABLE"]), rows)
}

/// How `information_schema` spells a privilege: with a space where SHOW GRANTS has an underscore.
fn spelled(privilege: &str) -> String {
    privilege.replace('_', " ")
}

fn schema_privileges(server: &Server) -> Source {
    let mut rows = Vec::new();
    for account in server.data.accounts.iter() {
        for (database, held) in &account.databases {
            for privilege in held {
                let place = Value::text("def");
                let privilege = Value::text(privilege.clone());
                rows.push(vec![
                    grantee(account),
                    place,
                    Value::text(database.clone()),
                    privilege,
                    yes_no(false),
                ]);
            }
        }
    }
    (names(&["GRANTEE", "TABLE_CATALOG", "TABLE_SCHEMA", "PRIVILEGE_TYPE", "IS_GRANTABLE"]), rows)
}

/// Columns of `mysql.user`, and the privilege each shows.
static USER_COLUMNS: &[(&str, &str)] = &[
    ("Select_priv", "SELECT"),
    ("Insert_priv", "INSERT"),
    ("Update_priv", "UPDATE"),
    ("Delete_priv", "DELETE"),
    ("Create_priv", "CREATE"),
    ("Drop_priv", "DROP"),
    ("Reload_priv", "RELOAD"),
    ("Shutdown_priv", "SHUTDOWN"),
    ("Process_priv", "PROCESS"),
    ("File_priv", "FILE"),
    ("Super_priv", "SUPER"),
    ("Lock_tables_priv", "LOCK TABLES"),
    ("Repl_slave_priv", "REPLICATION SLAVE"),
    ("Repl_client_priv", "REPLICATION CLIENT"),
    ("Create_user_priv", "CREATE USER"),
    ("Event_priv", "EVENT"),
];

fn users(server: &Server) -> Source {
    let letter = |yes: bool| Value::text(if yes { "Y" } else { "N" });
    let mut heads = names(&["Host", "User", "Password", "ssl_type", "Grant_priv"]);
    heads.extend(USER_COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    let row = |a: &Account| {
        let tls = if a.tls { "ANY" } else { "" };
        let mut row = vec![
            Value::text(a.host.clone()),
            Value::text(a.user.clone()),
            Value::text(a.password.as_deref().map(super::accounts::hash).unwrap_or_default()),
            Value::text(tls),
            letter(a.option),
        ];
        row.extend(
            USER_COLUMNS
                .iter()
                .map(|(_, p)| letter(a.has(p) || *p == "REPLICATION CLIENT" && a.has("BINLOG MONITOR"))),
        );
        row
    };
    (heads, server.data.accounts.iter().map(row).collect())
}

/// What `mysql.global_priv` holds: only names, as its numbers are the server's own affair.
fn global_priv(server: &Server) -> Source {
    let row = |a: &Account| {
        let held: Vec<String> = a.global.iter().map(|p| format!("\"{p}\"")).collect();
        let text = format!("{{\"plugin\":\"mysql_native_password\",\"privileges\":[{}]}}", held.join(","));
        vec![Value::text(a.host.clone()), Value::text(a.user.clone()), Value::text(text)]
    };
    (names(&["Host", "User", "Priv"]), server.data.accounts.iter().map(row).collect())
}

fn events(server: &Server) -> Source {
    let heads =
        ["EVENT_SCHEMA", "EVENT_NAME", "DEFINER", "EVENT_TYPE", "INTERVAL_VALUE", "INTERVAL_FIELD", "STATUS"];
    let row = |e: &crate::mariadb::data::Event| {
        let (number, unit) = &e.every;
        let texts =
            [&e.database, &e.name, "root@localhost", "RECURRING", &number.to_string(), unit, e.status];
        texts.iter().map(|t| Value::text(*t)).collect()
    };
    (names(&heads), server.data.events.iter().map(row).collect())
}

fn transactions(server: &Server, started: f64) -> Source {
    let heads = [
        "trx_id",
        "trx_state",
        "trx_started",
        "trx_mysql_thread_id",
        "trx_query",
        "trx_rows_modified",
        "trx_isolation_level",
    ];
    let open = server.sessions.iter().filter_map(|s| Some((s, s.transaction?)));
    let row = |(s, since): (&crate::mariadb::session::Session, f64)| {
        vec![
            Value::count(421_000 + s.id),
            Value::text("RUNNING"),
            Value::text(date_time(started + since, 0)),
            Value::count(s.id),
            Value::from_cell(s.info.as_deref()),
            Value::count(1),
            Value::text("REPEATABLE READ"),
        ]
    };
    (names(&heads), open.map(row).collect())
}

fn tables(session: &Session, world: &mut World) -> Result<Source, SqlError> {
    let heads = [
        "TABLE_CATALOG",
        "TABLE_SCHEMA",
        "TABLE_NAME",
        "TABLE_TYPE",
        "ENGINE",
        "TABLE_ROWS",
        "DATA_LENGTH",
        "INDEX_LENGTH",
    ];
    let kb = world.data_kb(&session.host);
    let server = session.server(world)?;
    // What is on the disk is the tables': a fourth of it indexes.
    let count = server.data.databases.values().map(|tables| tables.len() as u64).sum::<u64>().max(1);
    let each = kb * 1024 / count;
    let mut rows = Vec::new();
    for (database, tables) in &server.data.databases {
        for (name, table) in tables {
            let texts = ["def", database, name, "BASE TABLE", "InnoDB"];
            let mut row: Vec<Value> = texts.iter().map(|t| Value::text(*t)).collect();
            row.extend([table.rows.len() as u64, each - each / 4, each / 4].map(Value::count));
            rows.push(row);
        }
    }
    Ok((names(&heads), rows))
}

fn slave_positions(server: &Server) -> Source {
    let row = |(number, g): (u64, crate::mariadb::gtid::Gtid)| {
        [u64::from(g.domain), number, g.server, g.seq].map(Value::count).to_vec()
    };
    let rows = (1..).zip(server.slave_pos().iter()).map(row).collect();
    (names(&["domain_id", "sub_id", "server_id", "seq_no"]), rows)
}
