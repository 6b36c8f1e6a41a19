//! The thread that writes timelines and reads what other consoles wrote: a disk that hangs holds up no screen.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{FileStamp, RecordingLock, TimelineFile, TimelineFileError};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{TimelineKeeping, TimelineNews, TimelineRecord};

/// Time between two looks at what others wrote.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// Records that wait for room on the disk; older ones are lost, and that is said.
const WAITING: usize = 10_000;
/// How long the end of the program waits for a disk.
const PATIENCE: Duration = Duration::from_secs(2);

enum RecorderOrder {
    Open(EnvName),
    Append(EnvName, Vec<TimelineRecord>),
    End(Sender<()>),
}

/// The way to the thread.
#[derive(Debug)]
pub struct TimelineRecorder {
    orders: Option<Sender<RecorderOrder>>,
    /// What is on disk, and what is wrong there.
    pub news: UnboundedReceiver<TimelineNews>,
}

impl TimelineRecorder {
    /// Keeps nothing: the fleet is a simulated one.
    #[must_use]
    pub fn none() -> Self {
        Self { orders: None, news: unbounded_channel().1 }
    }

    /// Keeps timelines in that folder. Those of these environments are read at once: their news comes first.
    #[must_use]
    pub fn start(folder: PathBuf, environments: Vec<EnvName>) -> Self {
        let (orders, taken) = channel();
        let (sender, news) = unbounded_channel();
        for env in environments {
            // The other end is there until the thread begins.
            let _ = orders.send(RecorderOrder::Open(env));
        }
        std::thread::spawn(move || {
            RecorderThread { folder, files: HashMap::new(), news: sender }.run(&taken)
        });
        Self { orders: Some(orders), news }
    }

    /// Whether timelines are kept.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.orders.is_some()
    }

    /// Reads the timeline of another environment.
    pub fn open(&self, env: &EnvName) {
        self.order(RecorderOrder::Open(env.clone()));
    }

    /// Writes records.
    pub fn append(&self, env: &EnvName, records: Vec<TimelineRecord>) {
        self.order(RecorderOrder::Append(env.clone(), records));
    }

    /// Waits until everything is written, but not for long.
    pub fn end(&self) {
        let (done, ended) = channel();
        self.order(RecorderOrder::End(done));
        if self.keeps() {
            // What is not written by then is lost with the program.
            let _ = ended.recv_timeout(PATIENCE);
        }
    }

    fn order(&self, order: RecorderOrder) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

struct RecorderThread {
    folder: PathBuf,
    files: HashMap<EnvName, OpenFile>,
    news: UnboundedSender<TimelineNews>,
}

struct OpenFile {
    file: TimelineFile,
    lock: Option<RecordingLock>,
    /// The content that was read, or written, last.
    stamp: Option<FileStamp>,
    /// Records that could not be written yet.
    waiting: Vec<TimelineRecord>,
    lost: usize,
    /// Why nothing is known of what was before.
    unread: Option<String>,
    /// Why nothing is written.
    unwritten: Option<String>,
}

impl RecorderThread {
    fn run(mut self, orders: &Receiver<RecorderOrder>) {
        let mut looked = Instant::now();
        loop {
            match orders.recv_timeout(LOOKS_EVERY.saturating_sub(looked.elapsed())) {
                Ok(RecorderOrder::Open(env)) => self.open(env),
                Ok(RecorderOrder::Append(env, records)) => self.append(&env, records),
                Ok(RecorderOrder::End(done)) => {
                    self.files.clear();
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if looked.elapsed() >= LOOKS_EVERY {
                looked = Instant::now();
                self.look();
            }
        }
    }

    fn open(&mut self, env: EnvName) {
        if self.files.contains_key(&env) {
            return;
        }
        let file = TimelineFile::new(&self.folder, &env);
        let mut open = OpenFile {
            file,
            lock: None,
            stamp: None,
            waiting: Vec::new(),
            lost: 0,
            unread: None,
            unwritten: None,
        };
        open.lock();
        let records = open.read();
        self.tell(&env, &open, Some(records));
        self.files.insert(env, open);
    }

    fn append(&mut self, env: &EnvName, records: Vec<TimelineRecord>) {
        let Some(mut open) = self.files.remove(env) else { return };
        let before = open.unwritten.clone();
        open.waiting.extend(records);
        open.write();
        if open.unwritten != before {
            self.tell(env, &open, None);
        }
        self.files.insert(env.clone(), open);
    }

    /// What others wrote; and whether this console records from now on.
    fn look(&mut self) {
        for (env, mut open) in std::mem::take(&mut self.files) {
            let before = (open.lock.is_some(), open.wrong());
            if open.lock.is_none() {
                open.lock();
            }
            if !open.waiting.is_empty() {
                open.write();
            }
            let begins = open.lock.is_some() && !before.0;
            let records = (begins || open.file.stamp() != open.stamp).then(|| open.read());
            if records.is_some() || open.wrong() != before.1 {
                self.tell(&env, &open, records);
            }
            self.files.insert(env, open);
        }
    }

    fn tell(&self, env: &EnvName, open: &OpenFile, records: Option<Vec<TimelineRecord>>) {
        let keeping =
            if open.lock.is_some() { TimelineKeeping::Recording } else { TimelineKeeping::Following };
        let wrong = open.wrong().as_deref().map(Clean::new);
        // A console that has ended reads no news.
        let _ = self.news.send(TimelineNews { env: env.clone(), records, keeping, wrong });
    }
}

impl OpenFile {
    fn wrong(&self) -> Option<String> {
        let all: Vec<&str> =
            [&self.unread, &self.unwritten].into_iter().flatten().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn lock(&mut self) {
        match self.file.record() {
            Ok(lock) => self.lock = lock,
            Err(error) => self.unwritten = Some(format!("events are not kept: {error}")),
        }
    }

    /// A file that holds something else is moved aside by the console that records.
    fn read(&mut self) -> Vec<TimelineRecord> {
        let stamp = self.file.stamp();
        match self.file.read() {
            Ok(records) => {
                self.stamp = stamp;
                records
            }
            Err(error) => {
                self.stamp = stamp;
                let aside = matches!(error, TimelineFileError::Unreadable { .. }) && self.lock.is_some();
                self.unread = Some(match aside.then(|| self.file.move_aside()) {
                    None => format!("earlier events are unknown: {error}"),
                    Some(Ok(to)) => {
                        self.stamp = None;
                        format!("earlier events are unknown: {error}; the file is now {}", to.display())
                    }
                    Some(Err(second)) => format!("earlier events are unknown: {error}; {second}"),
                });
                Vec::new()
            }
        }
    }

    fn write(&mut self) {
        let over = self.waiting.len().saturating_sub(WAITING);
        self.waiting.drain(..over);
        self.lost += over;
        let as_known = self.file.stamp() == self.stamp;
        match self.file.append(&self.waiting) {
            Ok(()) => {
                self.waiting.clear();
                self.unwritten = (self.lost > 0).then(|| format!("{} events were not kept", self.lost));
                // What another console wrote meanwhile is still to be read.
                if as_known {
                    self.stamp = self.file.stamp();
                }
            }
            Err(error) => {
                let lost = if self.lost > 0 { format!(", {} are lost", self.lost) } else { String::new() };
                self.unwritten =
                    Some(format!("{} events are not on disk yet{lost}: {error}", self.waiting.len()));
            }
        }
    }
}
