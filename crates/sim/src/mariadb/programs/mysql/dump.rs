//! What `mysqldump` asks of a server: a connection of its own, and the text of what that server holds at one moment.

use std::sync::PoisonError;

use crate::mariadb::data::{Cell, Column, Table};
use crate::program::SharedWorld;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::execute::Session;
use super::options::Options;
use super::snapshot::Snapshot;
use super::value::Value;
use super::{Open, SqlError, login};

/// Databases that a dump of everything leaves out.
static OWN: &[&str] = &["information_schema", "performance_schema", "sys", "mysql"];
/// What carries, in a dump of everything, that which its text does not say row by row: accounts, and which rows of the journals it
/// has. No real server has it.
pub(super) const KEPT: &str = "simulated_dump";
/// Rows of one INSERT.
const ROWS: usize = 200;

/// What is dumped, and what is said of the place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) databases: Vec<String>,
    /// `--all-databases`.
    pub(crate) everything: bool,
    /// `--databases`: with CREATE DATABASE and USE.
    pub(crate) named: bool,
    /// `--master-data`: 1 as statements, 2 as comments.
    pub(crate) place: u8,
    /// `--gtid`.
    pub(crate) gtid: bool,
}

/// A connection of `mysqldump`.
pub(crate) struct Source {
    session: Open,
}

/// An error as `mysqldump` shows it: number and message.
pub(crate) type Error = (u32, String);

fn shown(error: SqlError) -> Error {
    (error.code, error.message)
}

impl Source {
    /// Connects as the options say, those of an option file among them.
    pub(crate) fn connect(
        world: &SharedWorld,
        (host, user): (&HostName, &str),
        args: &[String],
        defaults: &str,
    ) -> Result<Self, Error> {
        let version = world.lock().unwrap_or_else(PoisonError::into_inner).database_version(host);
        let mut options = Options::parse("mysqldump", args, version.as_ref())
            .map_err(|end| (0, end.stderr.trim_end().to_owned()))?;
        options.read_defaults(defaults);
        options.database = None;
        let session = login::connect(world, host, user, &options).map_err(shown)?;
        Ok(Self { session: Open { world: world.clone(), session } })
    }

    /// The host whose server it is.
    pub(crate) fn host(&self) -> HostName {
        self.session.session.host.clone()
    }

    /// Whether the server is there, and hears it.
    pub(crate) fn is_heard(&self, world: &mut World) -> bool {
        let session = &self.session.session;
        session.server(world).is_ok_and(|server| server.sessions.get(session.id).is_some())
            && !session.is_cut(world)
    }

    /// Everything that is wanted, as one text.
    pub(crate) fn text(&mut self, world: &mut World, wanted: &Wanted) -> Result<String, Error> {
        let session = &mut self.session.session;
        if wanted.place > 0 {
            session.need(&["RELOAD"]).map_err(shown)?;
            session.need(&["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"]).map_err(shown)?;
        }
        let snapshot = Snapshot::of(session, world).map_err(shown)?;
        let server = session.server(world).map_err(shown)?;
        let position = server.position_at(snapshot.log_end).map(|p| p.to_string()).unwrap_or_default();
        let mut text = place(session, &snapshot, &position, wanted);
        let all: Vec<&String> =
            snapshot.data.databases.keys().filter(|name| !OWN.contains(&name.as_str())).collect();
        let chosen: Vec<&String> = if wanted.everything { all } else { wanted.databases.iter().collect() };
        let kept = if wanted.everything { world.databases().keep(&session.host) } else { None };
        for name in chosen {
            let Some(tables) = snapshot.data.databases.get(name) else {
                return Err((1049, format!("Unknown database '{name}'")));
            };
            if !session.account.has_on(name, "SELECT") {
                let who = (&session.account.user, &session.account.host);
                return Err((
                    1044,
                    format!("Access denied for user '{}'@'{}' to database '{name}'", who.0, who.1),
                ));
            }
            if wanted.everything || wanted.named {
                text.push_str(&format!(
                    "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `{name}`;\nUSE `{name}`;\n"
                ));
            }
            for (table, held) in tables {
                // What is kept has the journals' rows.
                let own = kept
                    .and_then(|_| world.databases().server(&session.host)?.data.table(name, table).cloned());
                text.push_str(&table_text(table, own.as_ref().unwrap_or(held)));
            }
        }
        if let Some(number) = kept {
            text.push_str(&format!("USE `mysql`;\nSET GLOBAL {KEPT} = {number};\n"));
        }
        Ok(text)
    }
}

fn place(session: &Session, snapshot: &Snapshot, position: &str, wanted: &Wanted) -> String {
    if wanted.place == 0 {
        return String::new();
    }
    let comment = if wanted.place == 2 { "-- " } else { "" };
    let (file, at) = (snapshot.log_end.file_name(&session.version), snapshot.log_end.position);
    let gtid = match wanted.gtid {
        true => format!("{comment}SET GLOBAL gtid_slave_pos='{position}';\n"),
        false => String::new(),
    };
    format!("{comment}CHANGE MASTER TO MASTER_LOG_FILE='{file}', MASTER_LOG_POS={at};\n{gtid}")
}

fn table_text(name: &str, table: &Table) -> String {
    let columns = |places: &[usize]| {
        let names = places.iter().filter_map(|place| table.columns.get(*place));
        names.map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(",")
    };
    let mut lines: Vec<String> = table.columns.iter().map(column_text).collect();
    if !table.primary.is_empty() {
        lines.push(format!("  PRIMARY KEY ({})", columns(&table.primary)));
    }
    lines.extend(
        table.unique.iter().map(|(key, places)| format!("  UNIQUE KEY `{key}` ({})", columns(places))),
    );
    let mut text = format!(
        "DROP TABLE IF EXISTS `{name}`;\nCREATE TABLE `{name}` (\n{}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8;\n",
        lines.join(",\n")
    );
    for rows in table.rows.chunks(ROWS) {
        let row = |row: &Vec<Cell>| format!("({})", row.iter().map(literal).collect::<Vec<_>>().join(","));
        let rows: Vec<String> = rows.iter().map(row).collect();
        text.push_str(&format!("INSERT INTO `{name}` VALUES {};\n", rows.join(",")));
    }
    text
}

fn column_text(column: &Column) -> String {
    let null = if column.nullable { "" } else { " NOT NULL" };
    let auto = if column.auto { " AUTO_INCREMENT" } else { "" };
    let default = column.default.as_ref().map(|text| format!(" DEFAULT {}", literal(&Some(text.clone()))));
    format!("  `{}` {}{null}{auto}{}", column.name, column.kind, default.unwrap_or_default())
}

fn literal(cell: &Cell) -> String {
    match cell {
        None => "NULL".to_owned(),
        Some(text) if text.parse::<i64>().is_ok_and(|number| number.to_string() == *text) => text.clone(),
        Some(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            format!("'{}'", escaped.replace('\0', "\\0"))
        }
    }
}

/// `SET GLOBAL simulated_dump = 3`: loads what dump 3 carries.
pub(super) fn load(session: &Session, world: &mut World, value: &Value) -> Result<(), SqlError> {
    session.may_write(world)?;
    let number = value.cell().and_then(|text| text.parse().ok());
    match number.is_some_and(|number| world.databases().load_kept(&session.host, number)) {
        true => Ok(()),
        false => Err(SqlError::new(1193, "HY000", format!("Unknown system variable '{KEPT}'"))),
    }
}
