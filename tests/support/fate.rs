//! Lets what a schedule plans go wrong: every message of a console to a host passes here.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::Entry;
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::error::TransportError;
use jumpdeck::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_sim::sshd::fault::Fault as Trouble;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::support::rehearsal::Stage;
use crate::support::schedule::{Fault, Next, Planned};

/// What is still to come, and what was struck.
pub(crate) struct Fate {
    stage: Arc<Stage>,
    /// Where healing lives: consoles' own runtimes end with them.
    home: Handle,
    waiting: Mutex<Vec<Waiting>>,
    struck: Mutex<Vec<String>>,
    /// Faults that last.
    lasting: Arc<AtomicUsize>,
}

struct Waiting {
    planned: Planned,
    /// Messages still to be let through, once the entry was seen.
    left: Option<u64>,
}

/// A console that can be killed.
pub(crate) struct Life {
    fate: Arc<Fate>,
    folder: PathBuf,
    /// Bytes of the journal that were looked at.
    read: Mutex<usize>,
    dead: AtomicBool,
    pub(crate) died: Notify,
    pub(crate) next: Mutex<Option<(Next, u64)>>,
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// The step that an entry is about.
fn step_of(event: &Event) -> Option<&str> {
    match event {
        Event::Intent { step, .. } | Event::Outcome { step, .. } | Event::Answered { step, .. } => {
            Some(step.last())
        }
        _ => None,
    }
}

impl Fate {
    pub(crate) fn new(stage: Arc<Stage>, planned: &[Planned]) -> Arc<Self> {
        let waiting = planned.iter().map(|planned| Waiting { planned: planned.clone(), left: None });
        Arc::new(Self {
            stage,
            home: Handle::current(),
            waiting: Mutex::new(waiting.collect()),
            struck: Mutex::default(),
            lasting: Arc::default(),
        })
    }

    /// What went wrong so far.
    pub(crate) fn struck(&self) -> Vec<String> {
        self.struck.lock().unwrap().clone()
    }

    /// Whether something is still wrong that ends by itself.
    pub(crate) fn lasts(&self) -> bool {
        self.lasting.load(Ordering::SeqCst) > 0
    }

    fn saw(&self, entry: &Entry) {
        let Some(step) = step_of(&entry.event) else { return };
        for waiting in self.waiting.lock().unwrap().iter_mut() {
            if waiting.left.is_none() && waiting.planned.step == step {
                waiting.left = Some(waiting.planned.sends);
            }
        }
    }

    /// Counts a message; what is due now.
    fn due(&self) -> Vec<Fault> {
        let mut due = Vec::new();
        self.waiting.lock().unwrap().retain_mut(|waiting| match waiting.left.as_mut() {
            Some(0) => {
                due.push(waiting.planned.fault.clone());
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        });
        due
    }

    /// Undoes it after so long.
    fn until(self: &Arc<Self>, long: u64, heal: impl FnOnce(&Stage) + Send + 'static) {
        let (stage, lasting) = (self.stage.clone(), self.lasting.clone());
        lasting.fetch_add(1, Ordering::SeqCst);
        self.home.spawn(async move {
            tokio::time::sleep(Duration::from_millis(long)).await;
            heal(&stage);
            lasting.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn trouble(self: &Arc<Self>, name: &'static str, trouble: Trouble, long: u64) {
        let id = HostId { env: self.stage.env.name.clone(), host: host(name) };
        assert!(self.stage.servers.set_fault(&id, Some(trouble)));
        self.until(long, move |stage| {
            stage.servers.set_fault(&id, None);
        });
    }

    /// Lets it go wrong. Kills of consoles are not for here.
    fn strike(self: &Arc<Self>, fault: &Fault) {
        let stage = self.stage.clone();
        match *fault {
            Fault::Console(..) => {}
            Fault::JumpDown(long) => {
                stage.servers.set_jump_down(&stage.env.name, true);
                self.until(long, |stage| stage.servers.set_jump_down(&stage.env.name, false));
            }
            Fault::JumpReboot => {
                assert!(stage.world(|w| w.power_off(&host("salt"))));
                self.until(200, |stage| assert!(stage.world(|w| w.power_on(&host("salt"), 4.0))));
            }
            Fault::Crash(name, long) => {
                stage.world(|w| w.crash_database(&host(name)));
                self.until(long, move |stage| {
                    stage.world(|w| w.start_database(&host(name)));
                });
            }
            Fault::Reboot(name) => {
                assert!(stage.world(|w| w.power_off(&host(name))));
                self.until(200, move |stage| assert!(stage.world(|w| w.power_on(&host(name), 4.0))));
            }
            Fault::Silent(name, long) => self.trouble(name, Trouble::Silent, long),
            Fault::Refuses(name, long) => self.trouble(name, Trouble::Refuse, long),
            Fault::Cut(one, other, long) => {
                assert!(stage.world(|w| w.cut_databases(&host(one), &host(other), true)));
                self.until(long, move |stage| {
                    assert!(stage.world(|w| w.cut_databases(&host(one), &host(other), false)));
                });
            }
            Fault::Lag(name, long) => {
                assert!(stage.world(|w| w.databases().limit_apply_rate(&host(name), Some(1))));
                self.until(long, move |stage| {
                    assert!(stage.world(|w| w.databases().limit_apply_rate(&host(name), None)));
                });
            }
            Fault::Clock(name, seconds) => {
                #[allow(clippy::cast_precision_loss)] // an hour
                let seconds = seconds as f64;
                assert!(stage.world(|w| w.set_clock_skew(&host(name), seconds)));
            }
            Fault::DiskFull(name, long) => {
                assert!(stage.world(|w| w.databases().fill_disk(&host(name), true)));
                self.until(long, move |stage| {
                    assert!(stage.world(|w| w.databases().fill_disk(&host(name), false)));
                });
            }
            Fault::WaitsLie(name, long) => {
                let lie = move |stage: &Stage, lies: bool| {
                    stage.world(|w| {
                        w.databases().lie_in_waits(&host(name), lies);
                        w.databases().limit_apply_rate(&host(name), lies.then_some(0));
                    });
                };
                lie(&stage, true);
                self.until(long, move |stage| lie(stage, false));
            }
            Fault::Ignores(name, beginning, long) => {
                assert!(stage.world(|w| w.databases().ignore_statements(&host(name), beginning)));
                self.until(long, move |stage| {
                    stage.world(|w| w.databases().server_mut(&host(name)).unwrap().faults.ignored.clear());
                });
            }
            Fault::LosesRows(name, count) => {
                assert!(stage.world(|w| w.databases().lose_rows(&host(name), count)));
            }
            Fault::Highstate(name) => {
                self.lasting.fetch_add(1, Ordering::SeqCst);
                let lasting = self.lasting.clone();
                self.home.spawn(async move {
                    // Where highstate is disabled this says so; both are as in life.
                    stage.try_shell(name, "salt-call --out=txt state.highstate || true").await;
                    lasting.fetch_sub(1, Ordering::SeqCst);
                });
            }
            Fault::ByHand(name) => {
                self.lasting.fetch_add(1, Ordering::SeqCst);
                let lasting = self.lasting.clone();
                self.home.spawn(async move {
                    let sql = "INSERT INTO webplatform.jd_set (k, v) VALUES ('s0', 999999999)";
                    stage.try_shell(name, &format!("mysql -e \"{sql}\"")).await;
                    lasting.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }
}

impl Life {
    pub(crate) fn new(fate: &Arc<Fate>, folder: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            fate: fate.clone(),
            folder,
            read: Mutex::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
            next: Mutex::default(),
        })
    }

    /// Shows fate the new entries of the journal.
    fn look(&self) {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        let files = files.flatten().map(|file| file.path());
        let Some(path) = files.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).max() else {
            return;
        };
        let mut read = self.read.lock().unwrap();
        if std::fs::metadata(&path).is_ok_and(|m| usize::try_from(m.len()).unwrap() <= *read) {
            return;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let fresh = bytes.get(*read..).unwrap_or_default();
        let whole = fresh.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in String::from_utf8_lossy(&fresh[..whole]).lines() {
            if let Some(entry) = Entry::from_line(line) {
                self.fate.saw(&entry);
            }
        }
        *read += whole;
    }

    /// Before something is sent: it is, unless the console is dead by then.
    async fn send(&self) {
        if self.dead.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        self.look();
        for fault in self.fate.due() {
            println!("strikes: {fault:?}");
            self.fate.struck.lock().unwrap().push(format!("{fault:?}"));
            if let Fault::Console(next, long) = fault {
                self.dead.store(true, Ordering::SeqCst);
                *self.next.lock().unwrap() = Some((next, long));
                self.died.notify_one();
            } else {
                self.fate.strike(&fault);
            }
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending().await
        }
    }
}

/// A console's way to the fleet.
pub(crate) struct Way {
    pub(crate) inner: SessionPool,
    pub(crate) life: Arc<Life>,
}

impl HostSessions for Way {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let session = self.inner.host(name).await?;
            Ok(Arc::new(WaySession { session, life: self.life.clone() }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct WaySession {
    session: Arc<dyn Session>,
    life: Arc<Life>,
}

impl Session for WaySession {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            self.life.send().await;
            self.session.exec(command, stdin, limits, out).await
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            self.life.send().await;
            let held = self.session.start(command).await?;
            Ok(Box::new(WayHeld { held, life: self.life.clone() }) as Box<dyn Held>)
        })
    }
}

struct WayHeld {
    held: Box<dyn Held>,
    life: Arc<Life>,
}

impl Held for WayHeld {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            self.life.send().await;
            self.held.write(bytes).await
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        self.held.read()
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        self.held.ended()
    }
}
