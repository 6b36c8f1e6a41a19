//! What a transaction, or a dump, sees of a server from one moment on.

use crate::mariadb::Place;
use crate::mariadb::data::Data;
use crate::world::World;

use super::SqlError;
use super::execute::Session;
use super::sources;
use super::value::Value;

/// A server's data at a moment, and where its binary log ended then.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The journals' rows among them.
    pub(super) data: Data,
    pub(super) log_end: Place,
}

impl Snapshot {
    pub(super) fn of(session: &Session, world: &mut World) -> Result<Self, SqlError> {
        let started = world.epoch(&session.host) - world.now().as_secs_f64();
        let server = session.server(world)?;
        let (mut data, log_end) = (server.data.clone(), server.log_end());
        let spans = server.spans().clone();
        for ((database, name), spans) in &spans {
            let Some(table) = data.databases.get_mut(database).and_then(|tables| tables.get_mut(name)) else {
                continue;
            };
            let rows = sources::parts(&session.host, world, spans, started);
            let cells = rows.into_iter().map(|row| row.iter().map(Value::cell).collect());
            let own = std::mem::take(&mut table.rows);
            table.rows = cells.chain(own).collect();
        }
        Ok(Self { data, log_end })
    }

    /// The rows of a table then.
    pub(super) fn rows(&self, database: &str, name: &str) -> Result<sources::Source, SqlError> {
        let missing = || SqlError::new(1146, "42S02", format!("Table '{database}.{name}' doesn't exist"));
        self.data.table(database, name).map(sources::held).ok_or_else(missing)
    }
}
