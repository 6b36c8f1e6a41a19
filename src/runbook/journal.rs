//! The journal of a run: one JSON line an entry, each flushed to the disk before what it tells of happens, each chained
//! to the one before by SHA-256. Append-only; a file of its own a run, 0600 in a folder 0700.
//!
//! The chain shows damage: a changed, lost or moved line in the middle. Whole entries missing at the end it cannot show,
//! nor one who writes the whole file anew; signed entries, and the head beside the file, do ([`super::evidence`]).
//!
//! Calls block for as long as the disk takes.

pub(in crate::runbook) mod chain;
mod folder;
mod list;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::event::{Event, SCHEMA};
use super::evidence::{self, Head, Seal, Signed, SignedApproval};
use chain::Tail;

pub use list::{RunSummary, runs};

/// What an entry's `prev` says when there is none before it.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Room that is made sure of before something is begun: more than the outcome of a step on several hosts takes.
const ROOM: u64 = 128 * 1024;

/// An entry of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// From 1, without a gap.
    pub seq: u64,
    /// When it was written, by this machine's clock, to the millisecond.
    pub at: Timestamp,
    /// The hash of the entry before, 64 lower-case hexadecimal digits; zeros for the first.
    pub prev: String,
    /// What happened.
    pub event: Event,
    /// What vouches for it.
    pub seal: Seal,
    /// SHA-256 of the entry before's hash and this line up to its own hash.
    pub hash: String,
    /// The entry as it stands in the file, without its line end. It is handed on like this: an entry of an older form
    /// would be other bytes, of another hash, if it were written anew.
    pub line: String,
}

impl Entry {
    /// Reads one line, and checks its own hash; `None` when it is damaged. Whether it follows the entry before is for
    /// the caller to see (`prev`, `seq`).
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        chain::parse(line.as_bytes()).ok()
    }
}

/// The next entry, not written yet.
#[derive(Debug, Clone)]
pub struct Draft {
    seq: u64,
    at: Timestamp,
    event: Event,
    approved: Option<SignedApproval>,
    text: String,
}

impl Draft {
    /// The entry's bytes up to its signature: what is signed, by [`evidence::statement`].
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Not a name that a run may have.
    #[error("{0:?} is not a run's name")]
    Name(String),
    /// The folder is not safe to keep a journal in.
    #[error("{}: {what}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// There is one of that name already.
    #[error("{}: a journal of that name exists already", .0.display())]
    Exists(PathBuf),
    /// There is none.
    #[error("{}: there is no such run", .0.display())]
    Missing(PathBuf),
    /// Another process writes to it.
    #[error("{}: the run is being run by another process on this machine", .0.display())]
    Busy(PathBuf),
    /// Its first entry never came onto the disk: the run did nothing.
    #[error("{}: the run was cut off before it began; nothing was done", .0.display())]
    Empty(PathBuf),
    /// A newer version of this program wrote it.
    #[error(
        "{}: the journal has schema {schema}; this version reads schema 1 to {SCHEMA}. Use the version of jumpdeck that \
         wrote it, or a newer one", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema it says it has.
        schema: u64,
    },
    /// It says something else than was written.
    #[error("{0}: line {line}: {what}; the run cannot go on; check it with: jumpdeck runbook verify {0}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// What is here of a run is more than what the jump box has of it.
    #[error(
        "{}: this machine has more entries of the run than the jump box; resume it from here: jumpdeck runbook resume {run}",
        path.display()
    )]
    Ahead {
        /// The file.
        path: PathBuf,
        /// The run.
        run: String,
    },
    /// What is here of a run is not what the jump box has of it.
    #[error(
        "{}: from line {line} on it differs from the entries on the jump box: the run went on elsewhere. To take it over \
         here, move this file and {} away first", path.display(), evidence::head_path(path).display()
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// The first line that differs.
        line: usize,
    },
    /// The system refused.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// An earlier entry could not be written: nothing more may be done in this run.
    #[error("an earlier entry could not be written to the journal ({0}); the run must stop")]
    Poisoned(String),
    /// An event that JSON cannot tell.
    #[error("an entry cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Said of a journal without the entry that its head is.
const CUT: &str = "the journal ends here, and RUN.head beside it is another signed entry: entries are missing or were changed. \
                   Compare it with a copy (jumpdeck runbook verify, with --jump or -c)";

/// Where bytes go, and stay.
trait Disk: Send + Sync {
    /// Writes once; how much of it was taken.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Waits until what was written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes sure of room for so many bytes more, where the file system can.
    fn reserve(&mut self, bytes: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let end = self.metadata()?.len();
        match rustix::fs::fallocate(&*self, FallocateFlags::KEEP_SIZE, end, bytes) {
            Err(error @ (Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
            // Not every file system can.
            _ => Ok(()),
        }
    }
}

/// An open journal: this process, and no other, may append to it. Dropping it lets go.
pub struct Journal {
    path: PathBuf,
    disk: Box<dyn Disk>,
    seq: u64,
    last: String,
    broken: Option<String>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Journal {
    /// A new journal, `RUN.jsonl`. The folder is made (0700) when there is none; the file's name is on the disk when
    /// this returns.
    ///
    /// # Errors
    /// When the folder is a symbolic link, not this account's, or others may write to it; when there is a journal of
    /// that name; when the system refuses.
    pub fn create(folder: &Path, run: &str) -> Result<Self, JournalError> {
        let path = folder::file(folder, run, "jsonl")?;
        let opened = folder::open(folder, true)?;
        let file = folder::create(&opened, &path)?;
        folder::lock(&file, &path)?;
        folder::sync(&opened, folder)?;
        Ok(Self { path, disk: Box::new(file), seq: 0, last: FIRST.to_owned(), broken: None })
    }

    /// The journal of a run that goes on here, and what it holds. What a crash left of an unfinished last line is cut
    /// off after it was added to `RUN.torn`; it tells of nothing that was done. A last line of which only the line end is
    /// missing is kept.
    ///
    /// # Errors
    /// [`JournalError::Busy`] while another process has it open, [`JournalError::Damaged`] when it is not what was
    /// written or entries are missing at its end, [`JournalError::Empty`] when not even its first entry is whole, and as [`Journal::create`].
    pub fn reopen(folder: &Path, run: &str) -> Result<(Self, Vec<Entry>), JournalError> {
        let path = folder::file(folder, run, "jsonl")?;
        let opened = folder::open(folder, false)?;
        let mut file = folder::append_to(&opened, &path)?;
        folder::lock(&file, &path)?;
        let bytes = folder::bytes(&mut file, &path)?;
        let (entries, tail) = chain::scan(&bytes).map_err(|d| d.at(&path))?;
        let Some(last) = entries.last() else { return Err(JournalError::Empty(path)) };
        let (seq, last) = (last.seq, last.hash.clone());
        let head = Head::of(&path).map_err(|source| JournalError::Io {
            path: evidence::head_path(&path),
            doing: "cannot read",
            source,
        })?;
        if !head.is_among(entries.iter().map(|entry| entry.line.as_str())) {
            return Err(JournalError::Damaged { path, line: entries.len(), what: CUT.to_owned() });
        }
        // A crash between an entry and its head leaves the older head.
        if let Some(signed) = entries.iter().rev().find(|entry| entry.seal.signed.is_some()) {
            keep_head(&path, &signed.line)?;
        }
        match tail {
            Tail::Whole => folder::sync(&file, &path)?,
            Tail::Unended => folder::end_line(&mut file, &path)?,
            Tail::Torn(at) => {
                let torn = bytes.get(at..).unwrap_or_default();
                folder::cut(&opened, &mut file, &path, &folder::file(folder, run, "torn")?, torn, at)?;
            }
        }
        Ok((Self { path, disk: Box::new(file), seq, last, broken: None }, entries))
    }

    /// The journal of a run that began elsewhere, from a copy of its entries, as they stand there. An older part of it
    /// that is here already is completed.
    ///
    /// # Errors
    /// [`JournalError::Differs`] when the journal here is not a prefix of it; otherwise as [`Journal::create`] and [`Journal::reopen`].
    pub fn adopt(folder: &Path, run: &str, entries: &[Entry]) -> Result<Self, JournalError> {
        let (mut journal, own) = match Self::reopen(folder, run) {
            Err(JournalError::Missing(_)) => (Self::create(folder, run)?, Vec::new()),
            opened => opened?,
        };
        let same = own.iter().zip(entries).take_while(|(own, copied)| own.line == copied.line).count();
        if same < own.len() && same == entries.len() {
            return Err(JournalError::Ahead { path: journal.path, run: run.to_owned() });
        }
        if same < own.len() {
            return Err(JournalError::Differs { path: journal.path, line: same + 1 });
        }
        for entry in entries.get(same..).unwrap_or_default() {
            let ended = format!("{}\n", entry.line);
            journal.put(&ended)?;
            (journal.seq, journal.last) = (entry.seq, entry.hash.clone());
        }
        journal.flush()?;
        if let Some(signed) = entries.iter().rev().find(|entry| entry.seal.signed.is_some()) {
            keep_head(&journal.path, &signed.line)?;
        }
        Ok(journal)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry and waits until it is on the disk. One call of the system writes it.
    ///
    /// # Errors
    /// When anything of that fails. Nobody knows then what is on the disk: every later call fails as well, and the run
    /// must stop.
    pub fn append(&mut self, event: &Event) -> Result<Entry, JournalError> {
        let draft = self.draft(event.clone(), None)?;
        self.append_draft(draft, None)
    }

    /// The next entry as it will stand, for somebody to sign. Nothing is written.
    ///
    /// # Errors
    /// When JSON cannot tell the event.
    pub fn draft(&self, event: Event, approved: Option<SignedApproval>) -> Result<Draft, JournalError> {
        let (seq, at) = (self.seq + 1, chain::rounded(Timestamp::now()));
        let text = chain::unsigned(seq, at, &self.last, &event, approved.as_ref())?;
        Ok(Draft { seq, at, event, approved, text })
    }

    /// Writes an entry that was drafted, with its signature, and waits until it is on the disk, with the head.
    ///
    /// # Errors
    /// As [`Journal::append`]; when another entry was written after this one was drafted.
    pub fn append_draft(&mut self, draft: Draft, signed: Option<Signed>) -> Result<Entry, JournalError> {
        if let Some(why) = &self.broken {
            return Err(JournalError::Poisoned(why.clone()));
        }
        let appended = self.try_append(draft, signed);
        if let Err(error) = &appended {
            self.broken = Some(error.to_string());
        }
        appended
    }

    fn try_append(&mut self, draft: Draft, signed: Option<Signed>) -> Result<Entry, JournalError> {
        let Draft { seq, at, event, approved, text } = draft;
        let path = self.path.clone();
        let io = |doing, source| JournalError::Io { path: path.clone(), doing, source };
        if seq != self.seq + 1 {
            let late = io::Error::other("another entry was written after this one was drafted");
            return Err(io("cannot write", late));
        }
        // Nothing is begun whose outcome there might be no room for.
        if matches!(event, Event::Intent { .. })
            && let Err(error) = self.disk.reserve(ROOM)
        {
            return Err(io("there is no room for the next entries", error));
        }
        let body = chain::body(&text, signed.as_ref())?;
        let hash = chain::hash(&self.last, body.as_bytes());
        let line = chain::closed(&body, &hash);
        self.put(&format!("{line}\n"))?;
        self.flush()?;
        if signed.is_some() {
            keep_head(&path, &line)?;
        }
        let prev = std::mem::replace(&mut self.last, hash.clone());
        self.seq = seq;
        Ok(Entry { seq, at, prev, event, seal: Seal { approved, signed }, hash, line })
    }

    /// One call of the system writes a line.
    fn put(&mut self, ended: &str) -> Result<(), JournalError> {
        let written = loop {
            match self.disk.write(ended.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let why = match written {
            Ok(n) if n == ended.len() => return Ok(()),
            Ok(n) => {
                let said = format!("only {n} of {} bytes were written", ended.len());
                io::Error::new(io::ErrorKind::WriteZero, said)
            }
            Err(error) => error,
        };
        Err(JournalError::Io { path: self.path.clone(), doing: "cannot write", source: why })
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        let path = &self.path;
        let doing = "cannot flush to the disk";
        self.disk.sync().map_err(|source| JournalError::Io { path: path.clone(), doing, source })
    }
}

fn keep_head(path: &Path, line: &str) -> Result<(), JournalError> {
    evidence::write_head(path, line).map_err(|source| JournalError::Io {
        path: evidence::head_path(path),
        doing: "the newest signed entry cannot be copied to RUN.head",
        source,
    })
}

/// What a journal holds now, without a lock: for reading while it is written. What stands after the last whole entry is
/// left out.
///
/// # Errors
/// [`JournalError::Missing`], [`JournalError::Damaged`], or when it cannot be read.
pub fn read(path: &Path) -> Result<Vec<Entry>, JournalError> {
    let mut file = folder::read_only(path)?;
    let bytes = folder::bytes(&mut file, path)?;
    chain::scan(&bytes).map(|(entries, _)| entries).map_err(|d| d.at(path))
}
