//! The record of this machine in a session: a file that lines are only appended to, each on the disk before anything goes on.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};

use super::wire::{self, RecordHead, millis, wall};
use crate::ownership::{self, OpenError};
use jumpdeck_fleet::maintenance::{SessionEntry, SessionLine, SessionRecord};
use jumpdeck_fleet::text::Clean;

/// A record that is longer takes no more lines, except the last ones.
const FULL: u64 = 4 << 20;
/// Room for the end of the session, and for handing it over.
const LAST_LINES: u64 = 64 << 10;
/// A longer line is refused.
pub const LONGEST_LINE: usize = 32 << 10;
/// How long another process of this account may hold the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// The name of this machine's own record.
const OWN: &str = "own.jsonl";

/// Why a line was not written, or a record not read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// What the system says, or that others could have changed the file.
    #[error("{}: {what}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The line is too long.
    #[error("it has {0} bytes, and a line of a session has at most {LONGEST_LINE}: write it in parts")]
    TooLong(usize),
    /// The record is full.
    #[error("{}: the record is full ({} MiB); end the session and start another", .0.display(), FULL >> 20)]
    Full(PathBuf),
}

/// The record of this machine in a session.
#[derive(Debug, Clone)]
pub struct RecordFile {
    path: PathBuf,
    session: String,
}

impl RecordFile {
    /// The one in the folder of a session.
    #[must_use]
    pub(super) fn of(folder: &Path, session: &str) -> Self {
        Self { path: folder.join(OWN), session: session.to_owned() }
    }

    /// Whether there is one: whether this machine takes part.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Begins it with a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn create(
        &self,
        name: &str,
        who: &str,
        at: Timestamp,
        entry: &SessionEntry,
    ) -> Result<(), RecordError> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| io_error(folder, &error))?;
        let text = beginning(name, &self.session, who, at, entry)?;
        let wrong = |error: io::Error| io_error(&self.path, &error);
        let part = self.path.with_extension("part");
        let _ = fs::remove_file(&part);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(wrong)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
        // A record that is there is never replaced.
        let (cwd, flags) = (rustix::fs::CWD, rustix::fs::RenameFlags::NOREPLACE);
        rustix::fs::renameat_with(cwd, &part, cwd, &self.path, flags).map_err(|errno| wrong(errno.into()))?;
        sync_folder(folder).map_err(|error| io_error(folder, &error))
    }

    /// Appends lines, all or none; they are on the disk when this returns. Gives the number of the last one.
    ///
    /// # Errors
    /// When nothing was written.
    pub fn append(&self, who: &str, at: Timestamp, entries: &[SessionEntry]) -> Result<u64, RecordError> {
        let wrong = |error: io::Error| io_error(&self.path, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(&self.path).map_err(wrong)?;
        ownership::judge_own(&self.path, &file)
            .map_err(|error| wrong(io::Error::other(error.to_string())))?;
        self.lock(&file)?;
        let before = whole_lines(&mut file).map_err(wrong)?;
        let length = before.len() as u64;
        file.set_len(length).map_err(wrong)?;
        let mut number = self.read_from(&before).lines.last().map_or(0, |line| line.number);
        let mut text = String::new();
        for entry in entries {
            number += 1;
            let line = one(SessionLine {
                number,
                at: wall(at),
                ms: millis(at),
                who: Clean::new(who),
                entry: entry.clone(),
            })?;
            text.push_str(&line);
        }
        let ends = |entry: &SessionEntry| {
            matches!(entry, SessionEntry::Ended { .. } | SessionEntry::HandedOver { .. })
        };
        let room = if entries.iter().all(ends) { FULL + LAST_LINES } else { FULL };
        if length + text.len() as u64 > room {
            return Err(RecordError::Full(self.path.clone()));
        }
        if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_data()) {
            // Half of it would be in the way of what comes next.
            let _ = file.set_len(length);
            return Err(wrong(error));
        }
        Ok(number)
    }

    /// Its bytes up to the last line end; nothing when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, RecordError> {
        bytes_of(&self.path, FULL + LAST_LINES)
    }

    /// Its lines.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<SessionRecord, RecordError> {
        Ok(self.read_from(&self.bytes()?))
    }

    /// The name of the record, from its first line.
    pub(super) fn name(bytes: &[u8]) -> Option<String> {
        let first = bytes.split(|byte| *byte == b'\n').next()?;
        serde_json::from_slice::<RecordHead>(first).ok().map(|head| head.record)
    }

    fn read_from(&self, bytes: &[u8]) -> SessionRecord {
        wire::record(&self.session, &Self::name(bytes).unwrap_or_default(), bytes)
    }

    fn lock(&self, file: &File) -> Result<(), RecordError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let what = "another process of this account has it locked".to_owned();
                    return Err(RecordError::Io { path: self.path.clone(), what });
                }
                Err(errno) => return Err(io_error(&self.path, &errno.into())),
            }
        }
    }
}

/// The first lines of a record.
///
/// # Errors
/// When one of them is too long.
pub(super) fn beginning(
    name: &str,
    session: &str,
    who: &str,
    at: Timestamp,
    entry: &SessionEntry,
) -> Result<String, RecordError> {
    let first =
        SessionLine { number: 1, at: wall(at), ms: millis(at), who: Clean::new(who), entry: entry.clone() };
    Ok(format!("{}{}", RecordHead::new(name, session).line(), one(first)?))
}

fn one(line: SessionLine) -> Result<String, RecordError> {
    let text = wire::line(&line);
    if text.len() > LONGEST_LINE { Err(RecordError::TooLong(text.len())) } else { Ok(text) }
}

/// The whole lines of a file of this account, which nobody else can have written; nothing when there is none.
///
/// # Errors
/// When it cannot be read, or is longer.
pub(super) fn bytes_of(path: &Path, longest: u64) -> Result<Vec<u8>, RecordError> {
    let mut file = match ownership::open_own(path) {
        Ok(file) => file,
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RecordError::Io { path: path.to_owned(), what: error.to_string() }),
    };
    let bytes = whole_lines(&mut file).map_err(|error| io_error(path, &error))?;
    if bytes.len() as u64 > longest {
        let what = format!("longer than {} MiB", longest >> 20);
        return Err(RecordError::Io { path: path.to_owned(), what });
    }
    Ok(bytes)
}

/// Without what a killed process left of a line.
fn whole_lines(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(FULL + 2 * LAST_LINES).read_to_end(&mut bytes)?;
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    Ok(bytes)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn io_error(path: &Path, error: &io::Error) -> RecordError {
    RecordError::Io { path: path.to_owned(), what: error.to_string() }
}
