//! Clients of the simulated databases: applications that write and read as their host's configuration tells them, and keep a
//! history of what they saw. Every value is written once: nobody tries again what had no answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jumpdeck_fleet::names::HostName;
use jumpdeck_sim::apps::Login;
use jumpdeck_sim::apps::kinds::{Follows, KINDS, Kind};
use jumpdeck_sim::mariadb::Server;
use jumpdeck_sim::mariadb::data::ServerError;
use jumpdeck_sim::mariadb::programs::mysql::client::{Client, LOST_DURING};
use jumpdeck_sim::world::World;

use crate::support::history::{Act, Held, Op, Outcome};
use crate::support::seed::Seed;

/// Sets and registers that an application's clients share.
const SETS: u64 = 3;
const REGISTERS: u64 = 2;
/// Who gets no answer for so long gives up.
const PATIENCE: Duration = Duration::from_secs(3);

/// The history that all clients write.
#[derive(Default)]
pub(crate) struct Recorder {
    now: AtomicU64,
    values: AtomicU64,
    ops: Mutex<Vec<Op>>,
}

impl Recorder {
    fn tick(&self) -> u64 {
        self.now.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The moment, as operations are numbered.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn fresh(&self) -> u64 {
        self.values.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn ops(&self) -> Vec<Op> {
        let mut ops = self.ops.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ops.sort_by_key(|op| op.begun);
        ops
    }
}

/// The clients of a fleet.
pub(crate) struct Clients {
    pub(crate) recorder: Arc<Recorder>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// An application on a host.
#[derive(Clone)]
struct Seat {
    host: HostName,
    kind: &'static Kind,
}

/// What lives in a world: each application on each host, by the roles of the hosts.
fn seats(world: &Arc<Mutex<World>>) -> Vec<Seat> {
    let world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let mut seats = Vec::new();
    for machine in world.machines() {
        let roles = machine.roles();
        for kind in KINDS.iter().filter(|kind| roles.iter().any(|role| role.as_str() == kind.role)) {
            seats.push(Seat { host: machine.name.clone(), kind });
        }
    }
    seats
}

fn keys(letter: char, count: u64) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{letter}{number}"))
}

/// A key with its database, as the history has it.
fn full(kind: &Kind, key: &str) -> String {
    format!("{}/{key}", kind.database)
}

impl Clients {
    /// Makes the tables, as the applications' own accounts, and lets every application of the fleet live.
    pub(crate) async fn begin(world: Arc<Mutex<World>>, seed: u64) -> Self {
        let seats = seats(&world);
        let mut made = BTreeMap::new();
        for seat in &seats {
            if made.insert(seat.kind.database, ()).is_some() {
                continue;
            }
            let login = login(&world, seat).expect("its application runs");
            let mut client = Client::connect(&world, &seat.host, &login).unwrap();
            for sql in [
                "CREATE TABLE jd_set (k VARCHAR(16) NOT NULL, v BIGINT NOT NULL)",
                "CREATE TABLE jd_register (k VARCHAR(16) NOT NULL, v BIGINT NOT NULL, PRIMARY KEY (k))",
            ] {
                client.execute(sql).await.unwrap();
            }
            for key in keys('s', SETS) {
                client.execute(&format!("INSERT INTO jd_set (k, v) VALUES ('{key}', 0)")).await.unwrap();
            }
            for key in keys('r', REGISTERS) {
                client.execute(&format!("INSERT INTO jd_register (k, v) VALUES ('{key}', 0)")).await.unwrap();
            }
        }
        let (recorder, stop) = (Arc::<Recorder>::default(), Arc::new(AtomicBool::new(false)));
        let lives = seats.into_iter().enumerate().map(|(number, seat)| {
            let life = Life {
                world: world.clone(),
                recorder: recorder.clone(),
                seat,
                dice: Seed::new(seed ^ (0xc11e + u64::try_from(number).unwrap_or(0))),
                held: None,
                open: None,
            };
            let stop = stop.clone();
            tokio::spawn(life.live(stop))
        });
        let tasks = lives.collect();
        Self { recorder, stop, tasks }
    }

    /// Waits until each has tried some writes that began after a moment.
    pub(crate) async fn after(&self, moment: u64) {
        for _ in 0..500 {
            let mut tried = BTreeMap::<String, u32>::new();
            for op in self.recorder.ops().iter().filter(|op| op.begun > moment && op.act.writes()) {
                *tried.entry(op.client.clone()).or_default() += 1;
            }
            if tried.len() >= self.tasks.len() && tried.values().all(|times| *times >= 3) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets them end what they are at.
    pub(crate) async fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }

    /// The server that acknowledged a write last.
    pub(crate) fn last_promise(&self) -> Option<String> {
        let ops = self.recorder.ops();
        let last = ops.iter().filter(|op| op.outcome == Outcome::Acknowledged).max_by_key(|op| op.ended)?;
        last.server.clone()
    }

    /// What a server holds of their keys.
    pub(crate) fn held(&self, server: &Server) -> Held {
        let mut held = Held { writable: server.running && !server.read_only, ..Held::default() };
        for kind in KINDS {
            for (name, all) in [("jd_set", &mut held.sets), ("jd_register", &mut held.registers)] {
                let Some(table) = server.data.table(kind.database, name) else { continue };
                for row in &table.rows {
                    let key = full(kind, row[0].as_deref().unwrap_or_default());
                    let value = row[1].as_deref().and_then(|text| text.parse().ok()).expect("a number");
                    all.entry(key).or_insert_with(Vec::new).push(value);
                }
            }
        }
        held
    }
}

fn login(world: &Arc<Mutex<World>>, seat: &Seat) -> Option<Login> {
    world.lock().unwrap_or_else(PoisonError::into_inner).login_of(&seat.host, seat.kind)
}

struct Life {
    world: Arc<Mutex<World>>,
    recorder: Arc<Recorder>,
    seat: Seat,
    dice: Seed,
    /// The configuration as it was read when it was told to.
    held: Option<Login>,
    open: Option<Client>,
}

impl Life {
    async fn live(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(15 + self.dice.below(20))).await;
            // Whose service does not run is asked for nothing.
            let Some(now) = login(&self.world, &self.seat) else {
                (self.held, self.open) = (None, None);
                continue;
            };
            let (act, key) = match self.dice.below(10) {
                0..=4 => (Act::Append(self.recorder.fresh()), format!("s{}", self.dice.below(SETS))),
                5 | 6 => (Act::Write(self.recorder.fresh()), format!("r{}", self.dice.below(REGISTERS))),
                7 | 8 => (Act::ReadSet, format!("s{}", self.dice.below(SETS))),
                _ => (Act::ReadRegister, format!("r{}", self.dice.below(REGISTERS))),
            };
            let begun = self.recorder.tick();
            let (server, outcome) = self.ask(now, act, &key).await;
            let op = Op {
                client: format!("{}@{}", self.seat.kind.user, self.seat.host),
                key: full(self.seat.kind, &key),
                act,
                begun,
                ended: self.recorder.tick(),
                server,
                outcome,
            };
            self.recorder.ops.lock().unwrap_or_else(PoisonError::into_inner).push(op);
        }
    }

    /// The connection that it has, or a new one, as its kind follows its configuration.
    fn connect(&mut self, now: Login) -> Result<Client, ServerError> {
        let follows = self.seat.kind.follows;
        let told = self.held.as_ref().is_none_or(|held| held.turn != now.turn);
        if told || follows == Follows::Requests {
            (self.held, self.open) = (Some(now), None);
        }
        let login = self.held.clone().expect("it was read");
        match self.open.take().filter(|open| follows == Follows::Restarts && open.is_heard()) {
            Some(open) => Ok(open),
            None => Client::connect(&self.world, &self.seat.host, &login),
        }
    }

    async fn ask(&mut self, now: Login, act: Act, key: &str) -> (Option<String>, Outcome) {
        let mut client = match self.connect(now) {
            Ok(client) => client,
            Err(error) => return (None, Outcome::Refused(format!("{} {}", error.code, error.message))),
        };
        let server = Some(client.server().to_string());
        let sql = match act {
            Act::Append(value) => format!("INSERT INTO jd_set (k, v) VALUES ('{key}', {value})"),
            Act::Write(value) => format!("REPLACE INTO jd_register (k, v) VALUES ('{key}', {value})"),
            Act::ReadSet => format!("SELECT v, @@global.read_only FROM jd_set WHERE k = '{key}'"),
            Act::ReadRegister => format!("SELECT v, @@global.read_only FROM jd_register WHERE k = '{key}'"),
        };
        let rows = match tokio::time::timeout(PATIENCE, client.execute(&sql)).await {
            Err(_) => return (server, Outcome::Unknown("no answer".to_owned())),
            Ok(Err(error)) if error.code == LOST_DURING => {
                return (server, Outcome::Unknown(format!("{} {}", error.code, error.message)));
            }
            Ok(Err(error)) => {
                self.open = Some(client);
                return (server, Outcome::Refused(format!("{} {}", error.code, error.message)));
            }
            Ok(Ok(rows)) => rows,
        };
        // The answer is on its way.
        tokio::time::sleep(Duration::from_millis(self.dice.below(4))).await;
        if !client.is_heard() {
            return (server, Outcome::Unknown("the connection was lost before the answer".to_owned()));
        }
        self.open = Some(client);
        let number = |cell: &Option<String>| -> u64 {
            cell.as_deref().and_then(|text| text.parse().ok()).expect("a number")
        };
        let outcome = match act {
            Act::Append(_) | Act::Write(_) => Outcome::Acknowledged,
            Act::ReadSet | Act::ReadRegister => {
                let writable = rows.iter().all(|row| number(&row[1]) == 0);
                Outcome::Saw(rows.iter().map(|row| number(&row[0])).collect(), writable)
            }
        };
        (server, outcome)
    }
}
