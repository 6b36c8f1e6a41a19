//! What a server holds: databases with small tables, accounts, events; and the changes that travel through
//! the binary log.

use std::collections::BTreeMap;

use super::accounts::{Account, Accounts, Grant};

/// A database and a table in it.
type TablePath = (String, String);

/// A cell; `None` is NULL.
pub type Cell = Option<String>;
/// A row, in the order of its table's columns.
pub type Row = Vec<Cell>;

/// An error of the server: code, SQLSTATE, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// Its number.
    pub code: u32,
    /// SQLSTATE.
    pub state: &'static str,
    /// What it says.
    pub message: String,
}

impl ServerError {
    pub(crate) fn new(code: u32, state: &'static str, message: impl Into<String>) -> Self {
        Self { code, state, message: message.into() }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as written, in lower case: `datetime(3)`.
    pub kind: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Its default, as text.
    pub default: Cell,
    /// Whether it counts up by itself.
    pub auto: bool,
}

/// A small table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Columns.
    pub columns: Vec<Column>,
    /// Places of the columns of the primary key.
    pub primary: Vec<usize>,
    /// Places of the columns of each unique key, with its name.
    pub unique: Vec<(String, Vec<usize>)>,
    /// Rows.
    pub rows: Vec<Row>,
    /// The next number of its counting column.
    pub next: u64,
}

impl Table {
    /// The place of a column.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// The key by which a row collides with one that is there: the row's place, the key's name and its text.
    #[must_use]
    pub fn collision(&self, row: &Row) -> Option<(usize, String, String)> {
        let primary = std::iter::once(("PRIMARY", &self.primary)).filter(|(_, key)| !key.is_empty());
        let keys = primary.chain(self.unique.iter().map(|(name, key)| (name.as_str(), key)));
        for (name, key) in keys {
            let cells = |row: &Row| -> Option<Vec<String>> {
                key.iter().map(|place| row.get(*place).cloned().flatten()).collect()
            };
            let Some(wanted) = cells(row) else { continue };
            let found = self.rows.iter().position(|other| cells(other).as_ref() == Some(&wanted));
            if let Some(place) = found {
                return Some((place, name.to_owned(), wanted.join("-")));
            }
        }
        None
    }

    /// Adds a row.
    ///
    /// # Errors
    /// 1062 when a key is there already.
    pub fn insert(&mut self, row: Row) -> Result<(), ServerError> {
        if let Some((_, key, text)) = self.collision(&row) {
            let message = format!("Duplicate entry '{text}' for key '{key}'");
            return Err(ServerError::new(1062, "23000", message));
        }
        let counting = self.columns.iter().position(|c| c.auto);
        let number = counting.and_then(|place| row.get(place)?.as_ref()?.parse::<u64>().ok());
        self.next = self.next.max(number.map_or(0, |n| n + 1));
        self.rows.push(row);
        Ok(())
    }
}

/// A scheduled event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// `ENABLED`, `DISABLED` or `SLAVESIDE_DISABLED`.
    pub status: &'static str,
    /// `every 1 hour`: number and unit.
    pub every: (u64, String),
}

/// What one transaction does to the tables, accounts and events.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The statement, as the log has it.
    pub sql: String,
    /// The chosen database.
    pub database: String,
    /// What it does.
    pub effect: Effect,
}

/// The effect of a statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the fields are the statements' own words
pub enum Effect {
    CreateDatabase(String),
    DropDatabase(String),
    CreateTable {
        database: String,
        name: String,
        table: Table,
    },
    DropTable {
        database: String,
        name: String,
    },
    /// All of these or none: database and table, each before and after.
    RenameTables(Vec<((String, String), (String, String))>),
    Truncate {
        database: String,
        name: String,
    },
    /// Rows that went and rows that came.
    Rows {
        database: String,
        name: String,
        gone: Vec<Row>,
        come: Vec<Row>,
    },
    CreateUser(Account),
    DropUser {
        user: String,
        host: String,
    },
    /// An account as it is from now on.
    AlterUser(Account),
    Grant {
        user: String,
        host: String,
        grant: Grant,
    },
    Revoke {
        user: String,
        host: String,
        grant: Grant,
    },
    Event(Event),
    DropEvent {
        database: String,
        name: String,
    },
    /// Nothing that is simulated.
    Nothing,
}

/// What a server holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Data {
    /// Databases and their tables.
    pub databases: BTreeMap<String, BTreeMap<String, Table>>,
    /// Accounts.
    pub accounts: Accounts,
    /// Events.
    pub events: Vec<Event>,
}

impl Data {
    /// A table.
    #[must_use]
    pub fn table(&self, database: &str, name: &str) -> Option<&Table> {
        self.databases.get(database)?.get(name)
    }

    fn table_mut(&mut self, database: &str, name: &str) -> Result<&mut Table, ServerError> {
        let missing = || ServerError::new(1146, "42S02", format!("Table '{database}.{name}' doesn't exist"));
        self.databases.get_mut(database).and_then(|tables| tables.get_mut(name)).ok_or_else(missing)
    }

    /// Does what a statement does. Nothing is changed when it fails.
    ///
    /// # Errors
    /// The server's own.
    pub fn apply(&mut self, effect: &Effect) -> Result<(), ServerError> {
        match effect {
            Effect::CreateDatabase(name) if self.databases.contains_key(name) => {
                let message = format!("Can't create database '{name}'; database exists");
                Err(ServerError::new(1007, "HY000", message))
            }
            Effect::CreateDatabase(name) => {
                self.databases.insert(name.clone(), BTreeMap::new());
                Ok(())
            }
            Effect::DropDatabase(name) => match self.databases.remove(name) {
                Some(_) => Ok(()),
                None => {
                    let message = format!("Can't drop database '{name}'; database doesn't exist");
                    Err(ServerError::new(1008, "HY000", message))
                }
            },
            Effect::CreateTable { database, name, table } => self.create_table(database, name, table),
            Effect::DropTable { database, name } => {
                self.table_mut(database, name).map_err(|_| {
                    ServerError::new(1051, "42S02", format!("Unknown table '{database}.{name}'"))
                })?;
                if let Some(tables) = self.databases.get_mut(database) {
                    tables.remove(name);
                }
                Ok(())
            }
            Effect::RenameTables(pairs) => self.rename(pairs),
            Effect::Truncate { database, name } => {
                let table = self.table_mut(database, name)?;
                table.rows.clear();
                table.next = 1;
                Ok(())
            }
            Effect::Rows { database, name, gone, come } => self.rows(database, name, gone, come),
            Effect::Event(event) => {
                self.events.retain(|e| (&e.database, &e.name) != (&event.database, &event.name));
                self.events.push(event.clone());
                Ok(())
            }
            Effect::DropEvent { database, name } => {
                self.events.retain(|e| (&e.database, &e.name) != (database, name));
                Ok(())
            }
            Effect::Nothing => Ok(()),
            accounts => self.accounts.apply(accounts),
        }
    }

    fn create_table(&mut self, database: &str, name: &str, table: &Table) -> Result<(), ServerError> {
        let Some(tables) = self.databases.get_mut(database) else {
            return Err(ServerError::new(1049, "42000", format!("Unknown database '{database}'")));
        };
        if tables.contains_key(name) {
            return Err(ServerError::new(1050, "42S01", format!("Table '{name}' already exists")));
        }
        tables.insert(name.to_owned(), table.clone());
        Ok(())
    }

    fn rename(&mut self, pairs: &[(TablePath, TablePath)]) -> Result<(), ServerError> {
        let mut after = self.databases.clone();
        for ((database, name), (to, new)) in pairs {
            let missing =
                || ServerError::new(1146, "42S02", format!("Table '{database}.{name}' doesn't exist"));
            let table = after.get_mut(database).and_then(|tables| tables.remove(name)).ok_or_else(missing)?;
            let Some(tables) = after.get_mut(to) else {
                let message = format!("Unknown database '{to}'");
                return Err(ServerError::new(1049, "42000", message));
            };
            if tables.insert(new.clone(), table).is_some() {
                return Err(ServerError::new(1050, "42S01", format!("Table '{new}' already exists")));
            }
        }
        self.databases = after;
        Ok(())
    }

    fn rows(&mut self, database: &str, name: &str, gone: &[Row], come: &[Row]) -> Result<(), ServerError> {
        let table = self.table_mut(database, name)?;
        let before = table.clone();
        for row in gone {
            let Some(place) = table.rows.iter().position(|other| other == row) else {
                *table = before;
                return Err(ServerError::new(1032, "HY000", format!("Can't find record in '{name}'")));
            };
            table.rows.remove(place);
        }
        for row in come {
            if let Err(error) = table.insert(row.clone()) {
                *table = before;
                return Err(error);
            }
        }
        Ok(())
    }
}
