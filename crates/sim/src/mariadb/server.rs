//! One database server: what it is set to, what it holds.

use std::collections::BTreeMap;

use crate::apps::kinds::KINDS;
use crate::posix::machine::count;
use crate::world::noise::{key, unit};
use crate::world::spec::DatabaseSpec;

use super::accounts::{Account, database_privileges};
use super::data::{Column, Data, ServerError, Table};
use super::faults::Faults;
use super::gtid::{Applied, Gtid, Position, State};
use super::log::{Log, Run};
use super::replica::Connection;
use super::session::Sessions;
use super::spans::{self, Spans};
use super::version::{Place, Version};
use super::{DatabaseError, REPLICATION_PASSWORD, REPLICATION_USER};

/// Variables that `SET GLOBAL` and option files change, besides `read_only` and `server_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `log_slave_updates`: whether what it applies goes into its own log.
    pub log_slave_updates: bool,
    /// `gtid_strict_mode`.
    pub strict: bool,
    /// `gtid_domain_id`.
    pub domain: u32,
    /// `event_scheduler`.
    pub event_scheduler: bool,
    /// `binlog_format`.
    pub binlog_format: String,
    /// Variables whose values mean nothing here, by name.
    pub others: BTreeMap<String, String>,
}

/// A database server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its host, or the name of a server outside the environment.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its version.
    pub version: Version,
    /// `server_id`.
    pub server_id: u64,
    /// `read_only`: while it is on, applications write nothing.
    pub read_only: bool,
    /// Whether TLS is set up.
    pub tls: bool,
    /// Whether the process runs.
    pub running: bool,
    /// What else it is set to.
    pub settings: Settings,
    /// Its connections to masters.
    pub connections: Vec<Connection>,
    /// Replicas outside the environment that are connected to it: server id and host.
    pub outside_replicas: Vec<(u64, String)>,
    /// Databases, accounts, events.
    pub data: Data,
    /// Who is connected.
    pub sessions: Sessions,
    /// What goes wrong with it.
    pub faults: Faults,
    pub(super) lost_power: bool,
    pub(super) log: Log,
    pub(super) slave_pos: Position,
    pub(super) applied: Applied,
    pub(super) journal_next: u64,
    pub(super) spans: Spans,
    pub(super) outside: bool,
    pub(super) key: u64,
    /// Those who write without a connection of their own: key and transactions a second.
    writers: Vec<(u64, f64)>,
}

impl Server {
    pub(super) fn new(
        name: &str,
        address: &str,
        own_key: u64,
        seed: u64,
        spec: &DatabaseSpec,
    ) -> Result<Self, DatabaseError> {
        let version = Version::parse(&spec.version)
            .ok_or_else(|| DatabaseError::Version { host: name.to_owned(), version: spec.version.clone() })?;
        let writers = spec.writers.iter().map(|w| (key(seed, &w.name), w.writes_per_second));
        let settings = Settings {
            log_slave_updates: spec.log_slave_updates,
            strict: spec.gtid_strict_mode,
            domain: 0,
            event_scheduler: false,
            binlog_format: if version.mariadb { "MIXED" } else { "STATEMENT" }.to_owned(),
            others: BTreeMap::new(),
        };
        Ok(Self {
            name: name.to_owned(),
            address: address.to_owned(),
            data: first_data(&version, spec.tls),
            version,
            server_id: spec.server_id,
            read_only: false,
            tls: spec.tls,
            running: true,
            settings,
            connections: Vec::new(),
            outside_replicas: spec.outside_replicas.iter().map(|r| (r.server_id, r.host.clone())).collect(),
            sessions: Sessions::default(),
            faults: Faults::default(),
            lost_power: false,
            log: Log::new(own_key),
            slave_pos: Position::default(),
            applied: Applied::default(),
            journal_next: 1,
            spans: spans::at_first(),
            outside: false,
            key: own_key,
            writers: std::iter::once((own_key, spec.writes_per_second)).chain(writers).collect(),
        })
    }

    /// Whether it stands outside the environment.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.outside
    }

    /// The end of its binary log.
    #[must_use]
    pub fn log_end(&self) -> Place {
        self.log.place(self.log.end())
    }

    /// `BINLOG_GTID_POS`.
    #[must_use]
    pub fn position_at(&self, place: Place) -> Option<Position> {
        self.log.position_at(place)
    }

    /// Its binary log's files and their sizes.
    #[must_use]
    pub fn log_files(&self) -> Vec<Place> {
        self.log.files()
    }

    /// `FLUSH LOGS`, and what a restart does.
    pub fn rotate_log(&mut self) {
        self.log.rotate();
    }

    /// `RESET MASTER`: every follower is lost by it.
    pub fn reset_log(&mut self) {
        self.log.reset();
    }

    /// `gtid_binlog_state`.
    #[must_use]
    pub fn binlog_state(&self) -> &State {
        self.log.state()
    }

    /// `gtid_slave_pos`.
    #[must_use]
    pub fn slave_pos(&self) -> &Position {
        &self.slave_pos
    }

    /// `gtid_current_pos`: what it applied, or, where that is newer, what it wrote itself.
    #[must_use]
    pub fn current_pos(&self) -> Position {
        let mut position = self.slave_pos.clone();
        for last in self.log.state().position().iter().filter(|g| g.server == self.server_id) {
            if position.get(last.domain).is_none_or(|applied| applied.seq < last.seq) {
                position.set(last);
            }
        }
        position
    }

    /// `SET GLOBAL gtid_slave_pos`: gives the warnings.
    ///
    /// # Errors
    /// In strict mode the first of them is an error (1947, 1948), and nothing is changed.
    pub fn set_slave_pos(&mut self, wanted: Position) -> Result<Vec<ServerError>, ServerError> {
        let tail = "If MASTER_GTID_POS=CURRENT_POS is used, the binlog position will override the new value of \
                    @@gtid_slave_pos";
        let mut warnings = Vec::new();
        for last in self.log.state().position().iter().filter(|g| g.server == self.server_id) {
            match wanted.get(last.domain) {
                Some(new) if new.seq < last.seq => warnings.push(ServerError::new(
                    1947,
                    "HY000",
                    format!(
                        "Specified GTID {new} conflicts with the binary log which contains a more recent GTID {last}. \
                         {tail}"
                    ),
                )),
                Some(_) => {}
                None => warnings.push(ServerError::new(
                    1948,
                    "HY000",
                    format!(
                        "Specified value for @@gtid_slave_pos contains no value for replication domain {}. This \
                         conflicts with the binary log which contains GTID {last}. {tail}",
                        last.domain
                    ),
                )),
            }
        }
        if let Some(first) = warnings.first().filter(|_| self.settings.strict) {
            return Err(first.clone());
        }
        self.slave_pos = wanted;
        Ok(warnings)
    }

    /// Takes transactions of another server into its data, log and position, as a replica that finds nothing wrong.
    pub(super) fn take(&mut self, run: &Run) {
        self.applied.add(run.writer, run.first, run.count);
        self.slave_pos.set(run.last());
        if let Some(first) = run.journal {
            self.journal_next = self.journal_next.max(first + run.count);
        }
        if self.settings.log_slave_updates {
            self.log.append(run.clone());
        }
    }

    /// How many of these transactions its data hold.
    pub(crate) fn holds(&self, writer: usize, first: Gtid, count: u64) -> u64 {
        self.applied.held(writer, first, count)
    }

    /// The number that the next row of a journal gets.
    #[must_use]
    pub fn journal_next(&self) -> u64 {
        self.journal_next
    }

    /// Transactions that those without a connection write in a second.
    pub(super) fn due(&self, second: u64) -> u64 {
        self.writers.iter().map(|(key, rate)| due(*key, *rate, second)).sum()
    }

    /// How many a second, about.
    pub(super) fn rate(&self) -> f64 {
        self.writers.iter().map(|(_, rate)| rate).sum()
    }

    /// The TLS files of a side (`server`, `client`): authority, certificate, key.
    pub(crate) fn tls_files(&self, side: &str) -> [String; 3] {
        let file = |name: String| format!("/etc/mysql/ssl/{name}");
        [file("ca-cert.pem".to_owned()), file(format!("{side}-cert.pem")), file(format!("{side}-key.pem"))]
    }
}

/// Writes of a writer in a second: from its key, the same in every world.
pub(crate) fn due(key: u64, rate: f64, second: u64) -> u64 {
    if rate <= 0.0 {
        return 0;
    }
    let much = 0.4 + 1.2 * unit(key ^ 0x77, second);
    count(rate * much + unit(key ^ 0x78, second))
}

/// What every server of the fleet holds when the world begins.
fn first_data(version: &Version, tls: bool) -> Data {
    let mut data = Data::default();
    for name in ["information_schema", "mysql", "performance_schema"] {
        data.databases.insert(name.to_owned(), BTreeMap::new());
    }
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
    data.accounts.put(Account::all_powerful("root", "localhost", version));
    data.accounts.put(Account {
        user: REPLICATION_USER.to_owned(),
        host: "%".to_owned(),
        password: Some(REPLICATION_PASSWORD.to_owned()),
        tls,
        global: words(&["REPLICATION SLAVE"]),
        ..Account::default()
    });
    for kind in KINDS {
        let tables = BTreeMap::from([("journal".to_owned(), journal())]);
        data.databases.insert(kind.database.to_owned(), tables);
        data.accounts.put(Account {
            user: kind.user.to_owned(),
            host: "%".to_owned(),
            password: Some(kind.password.to_owned()),
            tls,
            databases: BTreeMap::from([(kind.database.to_owned(), words(database_privileges()))]),
            ..Account::default()
        });
    }
    data
}

/// An application's journal: its rows are counted, not held.
fn journal() -> Table {
    let column = |name: &str, kind: &str, nullable: bool, auto: bool| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        nullable,
        default: None,
        auto,
    };
    Table {
        columns: vec![
            column("id", "bigint(20)", false, true),
            column("app", "varchar(32)", false, false),
            column("seq", "bigint(20)", false, false),
            column("at", "datetime(3)", true, false),
        ],
        primary: vec![0],
        unique: vec![("app".to_owned(), vec![1, 2])],
        rows: Vec::new(),
        next: 1,
    }
}
