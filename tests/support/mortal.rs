//! Consoles that die at an entry of the journal: of what they write to the jump box, each line passes here, and what they send to hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::Entry;
use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::error::TransportError;
use jumpdeck::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::names::HostName;

use crate::support::rehearsal::Stage;

/// How far a console gets with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// The entry is on its own disk, and not on the jump box.
    OwnDisk,
    /// The entry is on the jump box, and nothing was sent since.
    JumpBox,
    /// One more command or statement was sent and done, and nobody heard of it.
    Sent,
}

/// Where everything hangs on what the next console knows.
pub(crate) const TURNS: [&str; 6] = [
    "started ",
    "intent Run hold-highstate",
    "intent Run pillar-edit",
    "intent Run freeze",
    "outcome Run freeze",
    "intent Run promote",
];

const WAYS: [Way; 3] = [Way::OwnDisk, Way::JumpBox, Way::Sent];

/// What all consoles of a switchover share: what they died at, and what they sent.
#[derive(Default)]
pub(crate) struct Fate {
    /// Nobody dies.
    pub(crate) spares: bool,
    /// The run, once it has begun.
    pub(crate) run: Mutex<Option<String>>,
    pub(crate) died: Mutex<BTreeSet<(String, Way)>>,
    /// Statements that change something, by host, as they were sent.
    pub(crate) sent: Mutex<BTreeMap<String, Vec<String>>>,
}

pub(crate) fn kills() -> String {
    std::env::var("JUMPDECK_KILLS").unwrap_or_default()
}

/// What an entry is called; nothing for those after which nobody goes on.
pub(crate) fn name(entry: &Entry) -> Option<String> {
    let (name, step) = match &entry.event {
        Event::Intent { step, phase, .. } => (format!("intent {phase:?}"), step.as_str()),
        Event::Outcome { step, phase, .. } => (format!("outcome {phase:?}"), step.as_str()),
        Event::Answered { step, .. } => ("answered".to_owned(), step.as_str()),
        Event::Skipped { step, .. } => ("skipped".to_owned(), step.as_str()),
        Event::HoldLost { step, .. } => ("hold lost".to_owned(), step.as_str()),
        Event::Started { .. } => ("started".to_owned(), ""),
        Event::Resumed { .. } => ("resumed".to_owned(), ""),
        Event::WindowFailed { .. } => ("window failed".to_owned(), ""),
        Event::RollingBack { .. } => ("rolling back".to_owned(), ""),
        Event::Excluded { .. } => ("excluded".to_owned(), ""),
        Event::Note { .. } => ("note".to_owned(), ""),
        Event::Ended { .. } => ("ended".to_owned(), ""),
        Event::Abandoning { .. } | Event::Trouble { .. } | Event::Stopped { .. } => return None,
    };
    Some(format!("{name} {step}"))
}

impl Fate {
    /// Whether a console dies at this entry, and how. Each only once.
    fn strikes(&self, entry: &Entry) -> Option<(String, Way)> {
        let name = name(entry).filter(|_| !self.spares)?;
        let died = self.died.lock().unwrap();
        let all = kills() == "all";
        if !matches!(kills().as_str(), "all" | "every") && !TURNS.contains(&name.as_str()) {
            return None;
        }
        let once = |way| (!died.iter().any(|(at, _)| *at == name)).then_some(way);
        let way = match entry.event {
            // A run whose first entry never came to the jump box did nothing, and nobody can take it over.
            Event::Started { .. } => once(Way::JumpBox)?,
            // One whose last entry is there is over.
            Event::Ended { .. } => once(Way::OwnDisk)?,
            _ if all => WAYS.into_iter().find(|way| !died.contains(&(name.clone(), *way)))?,
            _ => once(WAYS[died.len() % 3])?,
        };
        Some((name, way))
    }

    /// How often each statement that changes something was sent, by host.
    pub(crate) fn statements(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for (host, sent) in &*self.sent.lock().unwrap() {
            for statement in sent {
                *counts.entry((host.clone(), statement.clone())).or_insert(0) += 1;
            }
        }
        counts
    }

    /// Keeps what changes something on a database.
    fn note(&self, host: &HostName, text: &str) {
        const KINDS: [&str; 7] =
            ["SET GLOBAL", "SET STATEMENT", "STOP ", "START ", "RESET ", "CHANGE MASTER", "FLUSH "];
        let own = |line: &&str| KINDS.iter().any(|kind| line.starts_with(kind));
        let statements = text.lines().map(str::trim).filter(own);
        let statements = statements.map(|s| s.split(" MASTER_PASSWORD").next().unwrap().to_owned());
        self.sent.lock().unwrap().entry(host.to_string()).or_default().extend(statements);
    }
}

/// A console's way to the fleet, up to its death.
pub(crate) struct Mortal {
    pub(crate) inner: SessionPool,
    pub(crate) life: Arc<Life>,
}

/// The entry that a console dies at.
#[derive(Clone)]
struct Struck {
    name: String,
    way: Way,
    number: usize,
    /// One more command was sent since.
    sent: bool,
    /// The next entry is held back.
    last: bool,
}

pub(crate) struct Life {
    fate: Arc<Fate>,
    /// How many entries the jump box has of the run.
    copied: Box<dyn Fn() -> usize + Send + Sync>,
    /// How many it had when this console began.
    known: usize,
    struck: Mutex<Option<Struck>>,
    dead: AtomicBool,
}

impl Life {
    /// Of a console of that switchover.
    pub(crate) fn new(stage: &Arc<Stage>, fate: &Arc<Fate>) -> Arc<Self> {
        let at = stage.clone();
        let jump = stage.way().jump().clone();
        let of = fate.clone();
        let copied = move || {
            let Some(run) = of.run.lock().unwrap().clone() else { return 0 };
            let path = format!("/run/lock/jumpdeck/{run}/entries");
            let bytes = at.world(|world| world.read_file(&jump, &path)).unwrap_or_default();
            bytes.iter().filter(|byte| **byte == b'\n').count()
        };
        Arc::new(Self {
            fate: fate.clone(),
            known: copied(),
            copied: Box::new(copied),
            struck: Mutex::default(),
            dead: AtomicBool::new(false),
        })
    }

    /// Until it is dead: it dies as soon as the jump box has the entry, or has it and the next entry is to be sent.
    pub(crate) async fn ends(&self) {
        while !self.dead.load(Ordering::SeqCst) {
            let struck = self.struck.lock().unwrap().clone();
            if let Some(Struck { way, number, last, .. }) = struck
                && (way == Way::JumpBox || last)
                && (way == Way::OwnDisk || (self.copied)() >= number)
            {
                return self.die();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn die(&self) {
        if let Some(Struck { name, way, sent, .. }) = self.struck.lock().unwrap().clone()
            && !self.dead.swap(true, Ordering::SeqCst)
        {
            // Not every entry has a command after it.
            let way = if way == Way::Sent && !sent { Way::JumpBox } else { way };
            println!("dies at {name}: {way:?}");
            self.fate.died.lock().unwrap().insert((name, way));
        }
    }

    /// Whether a line to the holder of the lease is sent. `said`: how many entries there were since the first was said, and what came
    /// of the next one. Every entry passes here, in order, so none comes to the jump box that fate did not see.
    fn passes(&self, line: &str, (said, part): &mut (usize, String)) -> bool {
        let mut struck = self.struck.lock().unwrap();
        let (word, rest) = line.trim_end_matches('\n').split_once(' ').unwrap_or((line.trim_end(), ""));
        match word {
            "part" | "say" if struck.is_some() => {
                struck.as_mut().unwrap().last = true;
                return false;
            }
            "anew" => (*said, *part) = (0, String::new()),
            "part" => part.push_str(rest),
            "say" => {
                *said += 1;
                let whole = std::mem::take(part) + rest;
                if *said <= self.known {
                    return true;
                }
                let entry = Entry::from_line(&whole).unwrap();
                if let Event::Started { run, .. } = &entry.event {
                    *self.fate.run.lock().unwrap() = Some(run.to_string());
                }
                let Some((name, way)) = self.fate.strikes(&entry) else { return true };
                let last = way == Way::OwnDisk;
                *struck = Some(Struck { name, way, number: *said, sent: false, last });
                return !last;
            }
            _ => {}
        }
        true
    }

    /// Before something is sent to a host: it is, unless the console is dead by then.
    async fn send(&self) {
        loop {
            if self.dead.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            let now = self.struck.lock().unwrap().clone();
            match now {
                None => return,
                Some(Struck { way: Way::Sent, sent: true, .. }) => self.die(),
                Some(Struck { way: Way::Sent, number, .. }) if (self.copied)() >= number => {
                    self.struck.lock().unwrap().as_mut().unwrap().sent = true;
                    return;
                }
                // Until the entry is on the jump box.
                Some(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

impl HostSessions for Mortal {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let (session, life, host) = (self.inner.host(name).await?, self.life.clone(), name.clone());
            Ok(Arc::new(MortalSession { session, life, host }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct MortalSession {
    session: Arc<dyn Session>,
    life: Arc<Life>,
    host: HostName,
}

impl Session for MortalSession {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            self.life.send().await;
            self.life.fate.note(&self.host, &String::from_utf8_lossy(stdin));
            self.session.exec(command, stdin, limits, out).await
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            self.life.send().await;
            let held = self.session.start(command).await?;
            let (life, host) = (self.life.clone(), self.host.clone());
            Ok(Box::new(MortalHeld { held, life, host, lease: None }) as Box<dyn Held>)
        })
    }
}

struct MortalHeld {
    held: Box<dyn Held>,
    life: Arc<Life>,
    host: HostName,
    /// Of the holder of the lease: how many entries were said to it, and what came of the next one.
    lease: Option<(usize, String)>,
}

impl MortalHeld {
    /// Sends what passes. Behind a line that does not, nothing does.
    async fn tell_the_holder(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.life.dead.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let said = self.lease.as_mut().unwrap();
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        let passing = all.iter().take_while(|line| self.life.passes(line, said)).count();
        self.held.write(all[..passing].concat().as_bytes()).await?;
        match passing < all.len() {
            true => std::future::pending().await,
            false => Ok(()),
        }
    }
}

impl Held for MortalHeld {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            if self.lease.is_some() {
                return self.tell_the_holder(bytes).await;
            }
            self.life.send().await;
            let text = String::from_utf8_lossy(bytes);
            if text.starts_with("SHARED=") {
                self.lease = Some((0, String::new()));
            }
            self.life.fate.note(&self.host, &text);
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
