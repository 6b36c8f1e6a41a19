//! A replica's connection to a master: what it was told, what its threads do, where it may attach.

use std::collections::VecDeque;

use super::gtid::{Gtid, Position};
use super::log::{Log, NoPlace, Run};
use super::version::Place;
use super::{Databases, Server};

/// How a connection follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Using {
    /// By file and position.
    #[default]
    No,
    /// From `gtid_slave_pos`.
    SlavePos,
    /// From `gtid_current_pos`.
    CurrentPos,
}

/// An error that a thread shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadError {
    /// Its number; 0 is none.
    pub code: u32,
    /// What it says.
    pub message: String,
}

impl ThreadError {
    fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Replication filters, as the status shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters {
    /// `Replicate_Do_DB`.
    pub do_db: String,
    /// `Replicate_Ignore_DB`.
    pub ignore_db: String,
}

/// A connection of a replica to its master.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// `Connection_name`.
    pub name: String,
    /// `Master_Host`.
    pub host: String,
    /// `Master_Port`.
    pub port: u32,
    /// `Master_User`.
    pub user: String,
    /// What it logs in with.
    pub password: String,
    /// `Master_SSL_Allowed`.
    pub tls: bool,
    /// `Master_SSL_CA_File`, `Master_SSL_Cert`, `Master_SSL_Key`.
    pub tls_files: [String; 3],
    /// `Master_SSL_Verify_Server_Cert`.
    pub verify: bool,
    /// `Using_Gtid`.
    pub using: Using,
    /// Whether the IO thread was started (it may still be trying).
    pub io_started: bool,
    /// Whether the SQL thread runs.
    pub sql_started: bool,
    /// `SQL_Delay`, seconds.
    pub delay: u64,
    /// Where `START SLAVE UNTIL` stops.
    pub until: Option<Position>,
    /// Filters.
    pub filters: Filters,
    /// `Last_IO_Errno`, `Last_IO_Error`.
    pub io_error: ThreadError,
    /// `Last_SQL_Errno`, `Last_SQL_Error`.
    pub sql_error: ThreadError,
    /// Whether it ever heard its master.
    pub was_connected: bool,
    /// `Master_Server_Id`.
    pub master_id: u64,
    /// Where to begin by file and position; told by `CHANGE MASTER`, moved by what was applied.
    pub(crate) wanted: Option<Place>,
    /// The dump it is served by: the master, and the next transaction to be sent.
    pub(crate) dump: Option<Dump>,
    /// The master it was served by last.
    pub(crate) source: Option<usize>,
    /// Received and not applied, each with its number in the master's log.
    pub(crate) relay: VecDeque<(u64, Run)>,
    /// `Gtid_IO_Pos`.
    pub(crate) received_gtid: Position,
    /// Places in the master's log: received, applied.
    pub(crate) read: Place,
    pub(crate) executed: Place,
    /// Transactions applied since it was started, for the counters.
    pub(crate) count: u64,
}

/// A dump under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dump {
    pub(crate) master: usize,
    pub(crate) next: u64,
    /// Transactions of a domain before these numbers are not sent.
    pub(crate) from: Vec<(u32, u64)>,
}

impl Connection {
    /// Whether the master hears it.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.dump.is_some()
    }

    /// Where in its master's log it has applied everything up to.
    #[must_use]
    pub fn executed_place(&self) -> Place {
        self.executed
    }

    /// After `CHANGE MASTER`: what was received is forgotten. Another master, without a place, is followed from the
    /// beginning of its log.
    pub fn start_over(&mut self, moved: bool, place: Option<Place>, position: Option<u64>) {
        if moved {
            self.executed = Place::default();
            self.master_id = 0;
        }
        self.forget_relay();
        self.io_error = ThreadError::default();
        self.sql_error = ThreadError::default();
        self.source = if moved { None } else { self.source };
        if let Some(place) = place {
            (self.read, self.executed) = (place, place);
        } else if let Some(position) = position.filter(|_| self.executed.file > 0) {
            self.executed.position = position;
            self.read = self.executed;
        }
        self.wanted = (self.executed.file > 0).then_some(self.executed);
    }

    /// `RESET SLAVE`: it forgets where it was. Newer servers follow by GTID from then on.
    pub fn reset(&mut self, newer: bool) {
        self.start_over(false, None, None);
        (self.read, self.executed, self.wanted) = (Place::default(), Place::default(), None);
        self.received_gtid = Position::default();
        if newer && self.using != Using::No {
            self.using = Using::SlavePos;
        }
    }

    /// `Gtid_IO_Pos`.
    #[must_use]
    pub fn received(&self) -> &Position {
        &self.received_gtid
    }

    /// Transactions applied since the world began.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.count
    }

    /// Forgets what was received: the next start begins where the applied transactions end.
    pub(crate) fn forget_relay(&mut self) {
        self.relay.clear();
        self.dump = None;
        self.read = self.executed;
        self.wanted = (self.executed.file > 0).then_some(self.executed);
    }

    /// Starts or stops threads; whether anything changed.
    pub(crate) fn switch(&mut self, io: bool, sql: bool, start: bool) -> bool {
        self.until = None;
        let changed = io && self.io_started != start || sql && self.sql_started != start;
        if io {
            if start && !self.io_started {
                self.io_error = ThreadError::default();
                self.was_connected = false;
                // By GTID, with both threads stopped, the relay log is thrown away and fetched again.
                if self.using != Using::No && !self.sql_started {
                    self.forget_relay();
                }
            }
            if !start {
                self.dump = None;
            }
            self.io_started = start;
        }
        if sql {
            if start && !self.sql_started {
                self.sql_error = ThreadError::default();
            }
            self.sql_started = start;
        }
        changed
    }
}

/// Why a start was refused for good.
pub(crate) enum Refused {
    /// It tries again.
    Later(ThreadError),
    /// The thread stops.
    Stop(ThreadError),
}

impl Databases {
    /// Tries to attach a connection of a server to its master.
    pub(crate) fn attach(&self, server: &Server, c: &Connection) -> Result<Dump, Refused> {
        if c.user.is_empty() {
            let message = "Fatal error: Invalid (empty) username when attempting to connect to the master server. \
                           Connection attempt terminated.";
            return Err(Refused::Stop(ThreadError::new(1593, message)));
        }
        let newer = server.version.mariadb_from(10, 5);
        let reachable = |s: &&(usize, &Server)| {
            s.1.address == c.host
                && c.port == 3306
                && s.1.running
                && !self.is_cut(&server.address, &s.1.address)
        };
        let Some((index, master)) = self.servers.iter().enumerate().find(|s| reachable(&s)) else {
            let word = if newer { "server" } else { "MySQL server" };
            let code = if newer { "111 \"Connection refused\"" } else { "111" };
            let message = format!("Can't connect to {word} on '{}' ({code})", c.host);
            return Err(Refused::Later(failed(c, 2003, &message)));
        };
        let account = master.data.accounts.matching(&c.user, &server.address);
        let denied = || {
            let with = if c.password.is_empty() { "NO" } else { "YES" };
            let message =
                format!("Access denied for user '{}'@'{}' (using password: {with})", c.user, server.address);
            Refused::Later(failed(c, 1045, &message))
        };
        if c.tls && !master.tls {
            let message = "SSL connection error: SSL is required, but the server does not support it";
            return Err(Refused::Later(failed(c, 2026, message)));
        }
        let account = account.filter(|a| a.password.as_ref().is_none_or(|p| *p == c.password));
        let account = account.filter(|a| !a.tls || c.tls).ok_or_else(denied)?;
        if master.server_id == server.server_id {
            let word = if newer { "MariaDB" } else { "MySQL" };
            let message = format!(
                "Fatal error: The slave I/O thread stops because master and slave have equal {word} server ids; \
                 these ids must be different for replication to work (or the --replicate-same-server-id option must \
                 be used on slave but this does not always make sense; please check the manual before using it)."
            );
            return Err(Refused::Stop(ThreadError::new(1593, message)));
        }
        if !account.has("REPLICATION SLAVE") {
            let message = "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this \
                           operation";
            return Err(Refused::Stop(dump_error(message)));
        }
        let (next, from) = match c.using {
            Using::No => (start_at_place(c, master, &master.log)?, Vec::new()),
            Using::SlavePos => start_at_gtids(master, &server.slave_pos)?,
            Using::CurrentPos => start_at_gtids(master, &server.current_pos())?,
        };
        Ok(Dump { master: index, next, from })
    }
}

fn failed(c: &Connection, code: u32, message: &str) -> ThreadError {
    let what = if c.was_connected { "error reconnecting to master" } else { "error connecting to master" };
    let text = format!(
        "{what} '{}@{}:{}' - retry-time: 60  maximum-retries: 86400  message: {message}",
        c.user, c.host, c.port
    );
    ThreadError::new(code, text)
}

fn dump_error(message: &str) -> ThreadError {
    let text = format!("Got fatal error 1236 from master when reading data from binary log: '{message}'");
    ThreadError::new(1236, text)
}

/// Where a dump by file and position begins.
fn start_at_place(c: &Connection, master: &Server, log: &Log) -> Result<u64, Refused> {
    let Some(wanted) = c.wanted else { return Ok(log.kept_from()) };
    log.number_at(wanted).map_err(|why| {
        let file = wanted.file_name(&master.version);
        let position = wanted.position;
        Refused::Stop(dump_error(&match why {
            NoPlace::File => "Could not find first log file name in binary log index file".to_owned(),
            NoPlace::Beyond => format!(
                "Client requested master to start replication from impossible position; the first event '{file}' at \
                 {position}, the last event read from '{file}' at 4, the last byte read from '{file}' at 4."
            ),
            NoPlace::Middle => format!(
                "bogus data in log event; the first event '{file}' at {position}, the last event read from '{file}' at \
                 {position}, the last byte read from '{file}' at {}.",
                position + 19
            ),
        }))
    })
}

/// Where a dump by GTID begins: MariaDB's `check_slave_start_position()`, as 10.11 was seen to answer.
fn start_at_gtids(master: &Server, wanted: &Position) -> Result<(u64, Vec<(u32, u64)>), Refused> {
    let log = &master.log;
    let mut from: Vec<(u32, u64)> = Vec::new();
    for gtid in wanted.iter() {
        from.push((gtid.domain, start_at_gtid(master, gtid)?));
    }
    // What it has nothing of, it is sent from the beginning.
    from.extend(log.state().domains().filter(|d| wanted.get(*d).is_none()).map(|domain| (domain, 0)));
    let next = from.iter().map(|(_, number)| *number).min().unwrap_or(0);
    if next < log.kept_from() {
        return Err(Refused::Stop(dump_error(
            "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and \
             required binlog files have been purged.",
        )));
    }
    Ok((next, from))
}

fn start_at_gtid(master: &Server, gtid: Gtid) -> Result<u64, Refused> {
    let log = &master.log;
    let state = log.state();
    if state.of(gtid.domain, gtid.server).is_some_and(|last| last.seq >= gtid.seq) {
        return Ok(log.after(gtid).unwrap_or(0));
    }
    // Not in its log, but exactly where it stands itself as a replica: go on with its own writes after that.
    if master.slave_pos.get(gtid.domain) == Some(gtid) {
        let own = Gtid { server: master.server_id, ..gtid };
        return Ok(match state.of(gtid.domain, master.server_id).filter(|last| last.seq > gtid.seq) {
            Some(_) => log.after(own).unwrap_or(log.first_of(own)),
            None => log.end(),
        });
    }
    let Some(last) = state.last(gtid.domain) else { return Ok(log.end()) };
    let mut message = format!(
        "Error: connecting slave requested to start from GTID {gtid}, which is not in the master's binlog"
    );
    if last.seq > gtid.seq {
        message.push_str(
            ". Since the master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave \
             has diverged due to executing extra erroneous transactions",
        );
    }
    Err(Refused::Stop(dump_error(&message)))
}
