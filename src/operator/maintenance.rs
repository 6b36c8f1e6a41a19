//! Maintenance sessions: what people do together in an environment for some hours, as one record.
//!
//! Each machine that takes part has a record of its own in the state folder (`sessions/ENV/ID/own.jsonl`), to which it only appends, and
//! copies of the records of others. The jump box has every record as a byte-for-byte prefix of the one that its writer has (`mirror`), so
//! what it does not have yet is what lies behind its size: nothing else needs to be remembered, and no line is sent twice.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::record::{RecordError, RecordFile};
use jumpdeck_fleet::maintenance::{MaintenanceSession, SessionEntry, SessionHead, SessionRecord};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::WallTime;

pub mod jot;
pub mod mirror;
pub mod record;
pub mod report;
pub mod service;
#[cfg(test)]
mod tests;
mod wire;

/// A copy of another's record that is longer is cut there.
pub(crate) const LONGEST_COPY: u64 = 1 << 20;
/// Sessions of an environment that are listed: the newest.
const LISTED: usize = 200;

/// The sessions of this machine.
#[derive(Debug, Clone)]
pub struct SessionStore {
    folder: PathBuf,
}

/// A session that this machine has.
#[derive(Debug, Clone)]
pub struct KeptSession {
    folder: PathBuf,
    env: EnvName,
    id: String,
}

impl SessionStore {
    /// Those in a folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The session of that name in an environment, whether it is there or not.
    #[must_use]
    pub fn session(&self, env: &EnvName, id: &str) -> KeptSession {
        KeptSession { folder: self.folder.join(env.as_str()).join(id), env: env.clone(), id: id.to_owned() }
    }

    /// The sessions of an environment, the newest first.
    #[must_use]
    pub fn of(&self, env: &EnvName) -> Vec<KeptSession> {
        let names = names_in(&self.folder.join(env.as_str()));
        names.into_iter().filter(|id| is_id(id)).take(LISTED).map(|id| self.session(env, &id)).collect()
    }

    /// The session of an environment that is under way and in which this machine takes part, with its story. Several can be when the
    /// jump box was out of reach: the newest.
    #[must_use]
    pub fn open(&self, env: &EnvName) -> Option<(KeptSession, MaintenanceSession)> {
        let taking_part = self.of(env).into_iter().filter(|kept| kept.own().exists());
        taking_part
            .filter_map(|kept| kept.story().map(|story| (kept, story)))
            .find(|(_, story)| story.is_open())
    }
}

/// The names in a folder, the last in order first; none where it is not there.
fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_by(|a, b| b.cmp(a));
    names
}

/// Whether it can be the name of a session.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.chars().all(fits)
}

/// A name for a session that begins: `20261130T2130-a3f9`.
#[must_use]
pub fn new_id(at: WallTime) -> String {
    format!("{}-{:04x}", at.written("%Y%m%dT%H%M"), rand::random::<u16>())
}

/// A name for a record.
fn new_record() -> String {
    format!("{:016x}", rand::random::<u64>())
}

impl KeptSession {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its environment.
    #[must_use]
    pub fn env(&self) -> &EnvName {
        &self.env
    }

    /// This machine's record.
    #[must_use]
    pub fn own(&self) -> RecordFile {
        RecordFile::of(&self.folder, &self.id)
    }

    /// Begins this machine's record, with the beginning of the session.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn start(&self, who: &str, head: &SessionHead) -> Result<(), RecordError> {
        self.own().create(&new_record(), who, wire::stamp(head.began), &SessionEntry::Started(head.clone()))
    }

    /// Joins: begins this machine's record, or adds to it that somebody joined. Confirms a handover to them.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn join(&self, who: &str, at: Timestamp, story: &MaintenanceSession) -> Result<(), RecordError> {
        let confirms = story.handed_to.as_ref().filter(|pending| pending.is_for(who));
        let confirms = confirms.map(|pending| pending.key.clone());
        let entry = SessionEntry::Joined { head: story.head.clone(), confirms };
        if !self.own().exists() {
            return self.own().create(&new_record(), who, at, &entry);
        }
        self.own().append(who, at, &[entry]).map(drop)
    }

    /// How many lines of this machine's record come after its first bytes; the argument says how many bytes.
    #[must_use]
    pub fn lines_after(&self, bytes: u64) -> usize {
        let Ok(all) = self.own().bytes() else { return 0 };
        let after = usize::try_from(bytes).ok().and_then(|at| all.get(at..)).unwrap_or_default();
        after.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Forgets a session that could not begin: nothing else is in it.
    pub(crate) fn forget(&self) {
        // What stays is a session that did not begin, and is listed as one.
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// The records that this machine has: its own, and copies of others'.
    #[must_use]
    pub fn records(&self) -> Vec<SessionRecord> {
        let mut all = Vec::new();
        if self.own().exists() {
            all.push(self.own().read().unwrap_or_else(|error| unread("own", &error)));
        }
        for copy in self.copies() {
            let mut record = match copy.bytes() {
                Ok(bytes) => wire::record(&self.id, &copy.record, &bytes),
                Err(error) => unread(&copy.record, &error),
            };
            record.account = Some(copy.account);
            all.push(record);
        }
        all
    }

    /// What happened, as far as this machine has it; `None` when nothing says what the session is.
    #[must_use]
    pub fn story(&self) -> Option<MaintenanceSession> {
        MaintenanceSession::of(&self.records())
    }

    /// Copies of others' records.
    fn copies(&self) -> Vec<RecordCopy> {
        let copy = |name: String| {
            let (whose, record) = name.strip_suffix(".jsonl")?.split_once('.')?;
            let (_, account) = whose.split_once('-')?;
            let (account, record) = (Clean::new(account), record.to_owned());
            Some(RecordCopy { path: self.folder.join(&name), account, record })
        };
        names_in(&self.folder).into_iter().filter_map(copy).collect()
    }

    /// Where the copy of a record is.
    fn copy_of(&self, uid: u32, account: &Clean, record: &str) -> RecordCopy {
        let plain = |c: &char| c.is_ascii_alphanumeric() || "_-".contains(*c);
        let name: String = account.as_str().chars().filter(plain).take(32).collect();
        let path = self.folder.join(format!("{uid}-{name}.{record}.jsonl"));
        RecordCopy { path, account: account.clone(), record: record.to_owned() }
    }
}

/// A copy of another's record.
struct RecordCopy {
    path: PathBuf,
    account: Clean,
    record: String,
}

impl RecordCopy {
    fn bytes(&self) -> Result<Vec<u8>, RecordError> {
        record::bytes_of(&self.path, LONGEST_COPY)
    }
}

fn unread(name: &str, error: &RecordError) -> SessionRecord {
    let trouble = Some(Clean::new(&error.to_string()));
    SessionRecord { name: name.to_owned(), trouble, ..SessionRecord::default() }
}
