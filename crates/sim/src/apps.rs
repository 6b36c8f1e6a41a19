//! The applications: each writes rows to the database server that its configuration names, over one
//! connection, one row a transaction, and counts what was acknowledged and what was refused.

use crate::mariadb::gtid::Gtid;
use crate::mariadb::session::Session;
use crate::mariadb::{Databases, TICKS, due, quarter};
use crate::world::World;
use crate::world::noise::key;
use crate::world::score::Told;
use crate::world::spec::EnvironmentSpec;
use jumpdeck_fleet::names::HostName;

pub(crate) mod config;
pub mod jobs;
pub mod kinds;
pub mod programs;

mod hosts;
#[cfg(test)]
mod tests;

pub use hosts::{Application, Link};

use kinds::{Follows, Kind};

/// Where the wiki reads which database server to write to.
pub const DB_INI: &str = kinds::WIKI.file;
/// Where its password is.
pub const DB_PASSWORD: &str = "/etc/webplatform/db.password";

/// Rows that one server acknowledged, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The first row's number.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The server's name.
    pub server: String,
}

/// An application.
#[derive(Debug, Clone)]
pub struct App {
    /// Its host.
    pub host: HostName,
    /// What it is.
    pub kind: &'static Kind,
    /// Rows a second, about.
    pub rate: f64,
    /// The number of its next row.
    pub next: u64,
    /// Rows acknowledged.
    pub acknowledged: u64,
    /// Rows refused: each is tried again with the same number.
    pub refused: u64,
    /// Which server acknowledged which rows.
    pub runs: Vec<Acknowledged>,
    /// What the last refusal said.
    pub last_error: Option<String>,
    address: String,
    key: u64,
    connection: Option<(usize, u64)>,
    /// A row that was committed, and whose answer was lost with the server.
    unanswered: Option<(usize, Gtid)>,
    due: u64,
    /// The configuration it read when it was started or reloaded so many times.
    held: Option<(u64, Option<Configured>)>,
}

/// What an application's configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Configured {
    /// The database server: a name or an address.
    pub(crate) server: String,
    /// The account.
    pub(crate) user: String,
    password: String,
}

/// What an application logs in to the database with, as its configuration says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The server: a name or an address.
    pub server: String,
    /// The account.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The database.
    pub database: String,
    /// How often its service was told to look at its configuration again: until then it keeps what it has read.
    pub turn: u64,
}

/// What holds for an application at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    /// Whether its host and its service run.
    runs: bool,
    /// How often it was started or reloaded.
    turn: u64,
    configured: Option<Configured>,
    /// What its server's name means; `None` when nobody knows the name.
    address: Option<String>,
}

/// Every application.
#[derive(Debug, Clone, Default)]
pub struct Apps(Vec<App>);

/// How an attempt to write ended.
enum Attempt {
    /// On that server, from that GTID on.
    Done(usize, Gtid),
    /// The row that was not answered is there already.
    Found(usize, Gtid),
    /// It waits, and is not told yet.
    Waits,
    Refused(String),
}

impl Apps {
    pub(crate) fn new(world: &World, env: &EnvironmentSpec, seed: u64) -> Self {
        let writing = env.hosts.iter().filter(|spec| spec.writes_per_second > 0.0).filter_map(|spec| {
            Some((world.machines().find(|m| m.name.as_str() == spec.name)?, spec.writes_per_second))
        });
        let apps = writing.flat_map(|(machine, rate)| {
            World::kinds_on(machine).map(move |kind| App {
                host: machine.name.clone(),
                kind,
                rate,
                next: 1,
                acknowledged: 0,
                refused: 0,
                runs: Vec::new(),
                last_error: None,
                address: machine.address.clone(),
                key: key(seed, &kind.writer(&env.name, machine.name.as_str())),
                connection: None,
                unanswered: None,
                due: 0,
                held: None,
            })
        });
        Self(apps.collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter()
    }

    /// What holds for each, now.
    pub(crate) fn orders(&self, world: &World) -> Vec<Orders> {
        self.0.iter().map(|app| world.orders(app)).collect()
    }

    /// A server ends at once: each application that was connected to it had one row under way, committed and not
    /// answered.
    pub(crate) fn cut(&mut self, server: usize, databases: &mut Databases) -> Vec<(usize, u64, usize, Gtid)> {
        let mut rows = Vec::new();
        for (index, app) in self.0.iter_mut().enumerate() {
            if app.connection.is_none_or(|(connected, _)| connected != server) {
                continue;
            }
            if databases.at(server).is_some_and(|s| s.running && !s.read_only)
                && let Some(gtid) = databases.write(server, 1, true, None)
            {
                app.unanswered = Some((server, gtid));
                rows.push((index, app.next, server, gtid));
            }
        }
        rows
    }

    /// Lives through one tick.
    pub(crate) fn step(&mut self, orders: &[Orders], databases: &mut Databases, told: &mut Vec<Told>) {
        let tick = databases.tick();
        for (index, (app, orders)) in self.0.iter_mut().zip(orders).enumerate() {
            app.due += quarter(due(app.key, app.rate, tick / TICKS), tick);
            // People give up: what waits is never more than some seconds of work.
            app.due = app.due.min(64);
            app.step(index, orders, databases, told);
        }
    }
}

impl App {
    fn step(&mut self, index: usize, orders: &Orders, databases: &mut Databases, told: &mut Vec<Told>) {
        if !orders.runs {
            // Who asks it for something gets no answer, and writes nothing.
            self.disconnect(databases);
            (self.held, self.due) = (None, 0);
            return;
        }
        let turned = self.held.as_ref().is_some_and(|(turn, _)| *turn != orders.turn);
        if turned && self.kind.follows == Follows::Restarts {
            self.disconnect(databases);
        }
        self.held = Some((orders.turn, orders.configured.clone()));
        let attempt = match (&orders.configured, &orders.address) {
            (None, _) => Attempt::Refused(format!("{} names no database server", self.kind.file)),
            (Some(configured), None) => {
                Attempt::Refused(format!("Unknown MySQL server host '{}'", configured.server))
            }
            (Some(configured), Some(address)) => self.write(configured, address, databases),
        };
        let count = self.due;
        match attempt {
            Attempt::Done(server, gtid) if count > 0 => {
                let name = databases.at(server).map(|s| s.name.clone()).unwrap_or_default();
                told.push(Told::Acknowledged { app: index, first: self.next, count, writer: server, gtid });
                match self.runs.last_mut() {
                    Some(run) if run.server == name => run.count += count,
                    _ => self.runs.push(Acknowledged { first: self.next, count, server: name }),
                }
                self.next += count;
                self.acknowledged += count;
                self.due = 0;
            }
            Attempt::Found(writer, gtid) => {
                told.push(Told::Found { app: index, row: self.next, writer, gtid });
                self.next += 1;
                self.acknowledged += 1;
                self.due -= 1;
            }
            Attempt::Done(..) | Attempt::Waits => {}
            Attempt::Refused(error) => {
                if count > 0 {
                    told.push(Told::Refused { count });
                }
                self.refused += count;
                self.last_error = Some(error);
                self.due = 0;
            }
        }
    }

    fn write(&mut self, configured: &Configured, address: &str, databases: &mut Databases) -> Attempt {
        let (server, session) = match self.connect(configured, address, databases) {
            Ok(connected) => connected,
            Err(error) => return Attempt::Refused(error),
        };
        let Some(there) = databases.at_mut(server) else { return Attempt::Waits };
        let version = there.version.clone();
        let full = there.faults.disk_full;
        let locked = there.sessions.writes_locked(session) || there.faults.semi_sync_stuck || full;
        let read_only = there.read_only;
        let Some(open) = there.sessions.get_mut(session) else { return Attempt::Waits };
        let through = open.account.writes_through_read_only(&version);
        let may = open.account.has_on(self.kind.database, "INSERT");
        if !may {
            return Attempt::Refused(format!("INSERT command denied to user '{}'", open.user));
        }
        if read_only && !through {
            let text = "ERROR 1290 (HY000): The MariaDB server is running with the --read-only option so it cannot execute \
                        this statement";
            return Attempt::Refused(text.to_owned());
        }
        open.committing = full;
        if locked {
            open.command = "Query";
            open.state = if full {
                "Commit".to_owned()
            } else if there.faults.semi_sync_stuck {
                "Waiting for semi-sync ACK from slave".to_owned()
            } else {
                "Waiting for global read lock".to_owned()
            };
            open.info = Some("INSERT INTO journal (app, seq, at) VALUES (?, ?, NOW(3))".to_owned());
            return Attempt::Waits;
        }
        open.command = "Sleep";
        open.state.clear();
        open.info = None;
        // The row whose answer was lost is tried again: it may be there (its key says so), or it is written once more.
        if let Some((writer, gtid)) = self.unanswered.filter(|_| self.due > 0) {
            self.unanswered = None;
            if databases.at(server).is_some_and(|s| s.holds(writer, gtid, 1) == 1) {
                return Attempt::Found(writer, gtid);
            }
        }
        match databases.write(server, self.due, true, None) {
            Some(gtid) => Attempt::Done(server, gtid),
            None => Attempt::Waits,
        }
    }

    /// The connection it has, or a new one.
    fn connect(
        &mut self,
        configured: &Configured,
        address: &str,
        databases: &mut Databases,
    ) -> Result<(usize, u64), String> {
        if databases.is_cut(&self.address, address) {
            return Err(format!("Lost connection to server on '{address}'"));
        }
        let wanted = databases.listening(address);
        if let Some((server, session)) = self.connection {
            let open = databases.at(server).filter(|s| s.running).and_then(|s| s.sessions.get(session));
            let alive = open.is_some_and(|s| s.killed.is_none() && s.user == configured.user);
            if Some(server) == wanted && alive {
                return Ok((server, session));
            }
            self.disconnect(databases);
        }
        let now = databases.seconds();
        let found = wanted.and_then(|index| Some((index, databases.at_mut(index)?)));
        let Some((index, server)) = found.filter(|(_, s)| s.running) else {
            return Err(format!("Can't connect to server on '{address}'"));
        };
        let account = server.data.accounts.matching(&configured.user, &self.address).cloned();
        let account = account.filter(|a| a.password.as_ref().is_none_or(|p| *p == configured.password));
        let Some(account) = account.filter(|a| !a.tls || server.tls) else {
            return Err(format!("Access denied for user '{}'@'{}'", configured.user, self.address));
        };
        let port = 32_768 + (self.key ^ server.sessions.last()) % 28_000;
        let mut session = Session::new(&configured.user, &format!("{}:{port}", self.address), account, now);
        session.database = Some(self.kind.database.to_owned());
        let id = server.sessions.open(session);
        self.connection = Some((index, id));
        Ok((index, id))
    }

    fn disconnect(&mut self, databases: &mut Databases) {
        if let Some((server, session)) = self.connection.take()
            && let Some(server) = databases.at_mut(server)
        {
            server.sessions.close(session);
        }
    }

    /// The server it is connected to, if the connection lives: its place in the list.
    pub(crate) fn connected(&self, databases: &Databases) -> Option<usize> {
        let (server, session) = self.connection?;
        let there = databases.at(server).filter(|s| s.running)?;
        there.sessions.get(session).is_some_and(|s| s.killed.is_none()).then_some(server)
    }
}

impl Kind {
    /// The name from which an application's writes are drawn, on a host of an environment.
    fn writer(&self, env: &str, host: &str) -> String {
        if *self == kinds::WIKI { format!("{env}/{host}") } else { format!("{env}/{host}/{}", self.name) }
    }
}
