//! The applications: each host of role `app` writes rows to the database that its `db.ini` names, over one connection,
//! one row a transaction, and counts what was acknowledged and what was refused. May import `domain` names.

use crate::domain::names::HostName;

use super::World;
use super::database::gtid::Gtid;
use super::database::options::{OPTION_FILE, option_group};
use super::database::session::Session;
use super::database::{APP_DATABASE, APP_USER, Databases, Server, TICKS, due, quarter};
use super::noise::key;
use super::score::Told;
use super::spec::EnvironmentSpec;

/// Where an application reads which database to write to.
pub const DB_INI: &str = "/etc/webplatform/db.ini";
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
}

/// The file of an application, as it reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    address: String,
    user: String,
    password: String,
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
    pub(super) fn new(world: &World, env: &EnvironmentSpec, seed: u64) -> Self {
        let apps = env.hosts.iter().filter(|spec| spec.writes_per_second > 0.0).filter_map(|spec| {
            let machine = world.machines().find(|m| m.name.as_str() == spec.name)?;
            Some(App {
                host: machine.name.clone(),
                rate: spec.writes_per_second,
                next: 1,
                acknowledged: 0,
                refused: 0,
                runs: Vec::new(),
                last_error: None,
                address: machine.address.clone(),
                key: key(seed, &format!("{}/{}", env.name, spec.name)),
                connection: None,
                unanswered: None,
                due: 0,
            })
        });
        Self(apps.collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter()
    }

    /// What each is told to write to, now.
    pub(super) fn targets(&self, world: &World) -> Vec<Option<Target>> {
        self.0.iter().map(|app| world.target(&app.host)).collect()
    }

    /// A server ends at once: each application that was connected to it had one row under way, committed and not
    /// answered.
    pub(super) fn cut(&mut self, server: usize, databases: &mut Databases) -> Vec<(usize, u64, usize, Gtid)> {
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
    pub(super) fn step(
        &mut self,
        targets: &[Option<Target>],
        databases: &mut Databases,
        told: &mut Vec<Told>,
    ) {
        let tick = databases.tick();
        for (index, (app, target)) in self.0.iter_mut().zip(targets).enumerate() {
            app.due += quarter(due(app.key, app.rate, tick / TICKS), tick);
            // People give up: what waits is never more than some seconds of work.
            app.due = app.due.min(64);
            app.step(index, target.as_ref(), databases, told);
        }
    }
}

impl App {
    fn step(
        &mut self,
        index: usize,
        target: Option<&Target>,
        databases: &mut Databases,
        told: &mut Vec<Told>,
    ) {
        let attempt = match target {
            None => Attempt::Refused(format!("{DB_INI} names no database")),
            Some(target) => self.write(target, databases),
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
                told.push(Told::Acknowledged { app: index, first: self.next, count: 1, writer, gtid });
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

    fn write(&mut self, target: &Target, databases: &mut Databases) -> Attempt {
        let (server, session) = match self.connect(target, databases) {
            Ok(connected) => connected,
            Err(error) => return Attempt::Refused(error),
        };
        let Some(there) = databases.at_mut(server) else { return Attempt::Waits };
        let version = there.version.clone();
        let locked = there.sessions.writes_locked(session) || there.faults.semi_sync_stuck;
        let read_only = there.read_only;
        let Some(open) = there.sessions.get_mut(session) else { return Attempt::Waits };
        let through = open.account.writes_through_read_only(&version);
        let may = open.account.has_on(APP_DATABASE, "INSERT");
        if !may {
            return Attempt::Refused(format!("INSERT command denied to user '{}'", open.user));
        }
        if read_only && !through {
            return Attempt::Refused("The server is running with the --read-only option".to_owned());
        }
        if locked {
            open.command = "Query";
            open.state = if there.faults.semi_sync_stuck {
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
    fn connect(&mut self, target: &Target, databases: &mut Databases) -> Result<(usize, u64), String> {
        let wanted = databases.listening(&target.address);
        if let Some((server, session)) = self.connection {
            let open = databases.at(server).filter(|s| s.running).and_then(|s| s.sessions.get(session));
            let alive = open.is_some_and(|s| s.killed.is_none() && s.user == target.user);
            if Some(server) == wanted && alive {
                return Ok((server, session));
            }
            self.connection = None;
            if let Some(server) = databases.at_mut(server) {
                server.sessions.close(session);
            }
        }
        let now = databases.seconds();
        let found = wanted.and_then(|index| Some((index, databases.at_mut(index)?)));
        let Some((index, server)) = found.filter(|(_, s)| s.running) else {
            return Err(format!("Can't connect to server on '{}'", target.address));
        };
        let account = server.data.accounts.matching(&target.user, &self.address).cloned();
        let account = account.filter(|a| a.password.as_ref().is_none_or(|p| *p == target.password));
        let Some(account) = account.filter(|a| !a.tls || server.tls) else {
            return Err(format!("Access denied for user '{}'@'{}'", target.user, self.address));
        };
        let port = 32_768 + (self.key ^ server.sessions.last()) % 28_000;
        let mut session = Session::new(&target.user, &format!("{}:{port}", self.address), account, now);
        session.database = Some(APP_DATABASE.to_owned());
        let id = server.sessions.open(session);
        self.connection = Some((index, id));
        Ok((index, id))
    }
}

impl World {
    /// Writes the option files of the database servers, as Salt's states did before the world began.
    pub(super) fn furnish(&mut self) {
        let hosts: Vec<HostName> = self.machines().map(|m| m.name.clone()).collect();
        for host in hosts {
            let Some(text) = self.databases.server(&host).map(Server::option_file) else { continue };
            self.write_file(&host, OPTION_FILE, text.into_bytes());
        }
    }

    /// What a host's application is told to write to.
    fn target(&self, host: &HostName) -> Option<Target> {
        let text = self.read_file(host, DB_INI)?;
        let options = option_group(&String::from_utf8_lossy(&text), &["database"]);
        let value = |name: &str| options.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone());
        let password = self.read_file(host, value("password_file").as_deref().unwrap_or(DB_PASSWORD));
        let password = String::from_utf8_lossy(&password.unwrap_or_default()).trim_end().to_owned();
        let name = value("host")?;
        Some(Target {
            address: self.address_of(host, &name).unwrap_or(name),
            user: value("user").unwrap_or_else(|| APP_USER.to_owned()),
            password,
        })
    }

    /// The address that a name means on a host: its hosts file is asked first.
    pub(crate) fn address_of(&self, host: &HostName, name: &str) -> Option<String> {
        let file = self.read_file(host, "/etc/hosts").unwrap_or_default();
        let text = String::from_utf8_lossy(&file).into_owned();
        let listed = text.lines().find_map(|line| {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let address = words.next()?;
            words.any(|word| word == name).then(|| address.to_owned())
        });
        let own = || self.machine(&self.resolve(name)?).map(|m| m.address.clone());
        listed.or_else(own)
    }
}
