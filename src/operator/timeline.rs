//! The timeline of an environment on disk: a file of JSON lines for each (`ENV.jsonl`), appended to, and made shorter when it is full.
//!
//! Of several consoles of an account one records, the one that has the lock of `ENV.recording`; the others read what it writes, and one of
//! them goes on when it has ended. Acknowledgements may come from each: whoever writes has the lock of `ENV.lock` meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::ownership::{self, OpenError};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::timeline::{KnownTimeline, TimelineRecord};

pub mod recorder;
#[cfg(test)]
mod tests;
pub mod wire;

/// The first line.
const HEAD: &str = r#"{"jumpdeck_timeline":1}"#;
/// Records that are kept when a file is made shorter; besides them, what leads to the state before.
pub const KEPT: usize = 10_000;
/// A longer file is made shorter.
const FULL: u64 = 8 << 20;
/// A longer file is not read.
const LONGEST: u64 = 64 << 20;
/// How long another console may hold the lock of a write.
const PATIENCE: Duration = Duration::from_secs(2);
/// Files that are moved aside, of each environment.
const ASIDE: u32 = 9;

/// Why a file is not used, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum TimelineFileError {
    /// What it holds is not a timeline.
    #[error("{}: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// It could not be read or written.
    #[error("{}: {what}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
}

/// The file of an environment.
#[derive(Debug, Clone)]
pub struct TimelineFile {
    folder: PathBuf,
    name: String,
}

/// Which content a file had: another one shows in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    inode: u64,
    length: u64,
}

/// Held by the console that records.
#[derive(Debug)]
pub struct RecordingLock(#[allow(dead_code)] File);

impl TimelineFile {
    /// The file of an environment, in the folder of timelines.
    #[must_use]
    pub fn new(folder: &Path, env: &EnvName) -> Self {
        Self { folder: folder.to_owned(), name: env.to_string() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.beside("jsonl")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.name))
    }

    /// Which content it has; `None` while it is not there.
    #[must_use]
    pub fn stamp(&self) -> Option<FileStamp> {
        let meta = fs::symlink_metadata(self.path()).ok()?;
        Some(FileStamp { inode: meta.ino(), length: meta.len() })
    }

    /// Becomes the one that records; `None` while another console is.
    ///
    /// # Errors
    /// What the system says.
    pub fn record(&self) -> Result<Option<RecordingLock>, TimelineFileError> {
        self.make_folder()?;
        let path = self.beside("recording");
        let file = self.lock_file(&path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(RecordingLock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(TimelineFileError::io(&path, &errno.into())),
        }
    }

    /// Its records, oldest first. A last line that a killed console left half is not one. One that is not there has none.
    ///
    /// # Errors
    /// When it cannot be read, or holds something else.
    pub fn read(&self) -> Result<Vec<TimelineRecord>, TimelineFileError> {
        let path = self.path();
        match ownership::open_own(&path) {
            Ok(file) => parse(&path, &text_of(&path, file)?),
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(OpenError::Io(error)) => Err(TimelineFileError::io(&path, &error)),
            Err(OpenError::Exposed(exposed)) => {
                let what = format!("{} ({})", exposed.what, exposed.fix);
                Err(TimelineFileError::Unreadable { path, what })
            }
        }
    }

    /// Moves a file that cannot be used aside. Returns where it is now.
    ///
    /// # Errors
    /// What the system says.
    pub fn move_aside(&self) -> Result<PathBuf, TimelineFileError> {
        let path = self.path();
        let free = (1..=ASIDE).map(|number| self.beside(&format!("broken-{number}"))).find(|to| !to.exists());
        let to = free.unwrap_or_else(|| self.beside(&format!("broken-{ASIDE}")));
        fs::rename(&path, &to).map_err(|error| TimelineFileError::io(&path, &error))?;
        Ok(to)
    }

    /// Appends records, all or none; makes the file shorter when it is full.
    ///
    /// # Errors
    /// When nothing was written, or the file could not be made shorter.
    pub fn append(&self, records: &[TimelineRecord]) -> Result<(), TimelineFileError> {
        self.make_folder()?;
        let _lock = self.lock()?;
        let path = self.path();
        let wrong = |error: io::Error| TimelineFileError::io(&path, &error);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(wrong)?;
        ownership::judge_own(&path, &file).map_err(|error| wrong(io::Error::other(error.to_string())))?;
        let length = repaired(&mut file).map_err(wrong)?;
        let mut text = if length == 0 { format!("{HEAD}\n") } else { String::new() };
        text.extend(records.iter().map(|record| format!("{}\n", wire::line(record))));
        if let Err(error) = file.write_all(text.as_bytes()) {
            // Half of it would be in the way of what comes next.
            let _ = file.set_len(length);
            return Err(wrong(error));
        }
        if length + text.len() as u64 > FULL { self.shorten(&path) } else { Ok(()) }
    }

    /// Writes the newest records alone, and what leads to the state before them.
    fn shorten(&self, path: &Path) -> Result<(), TimelineFileError> {
        let records = shortened(self.read()?, KEPT);
        let part = self.beside("jsonl.part");
        let written = (|| {
            let _ = fs::remove_file(&part);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
            let mut text = format!("{HEAD}\n");
            text.extend(records.iter().map(|record| format!("{}\n", wire::line(record))));
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, path)
        })();
        written.map_err(|error| {
            let _ = fs::remove_file(&part);
            TimelineFileError::io(path, &error)
        })
    }

    fn make_folder(&self) -> Result<(), TimelineFileError> {
        let folder = &self.folder;
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| TimelineFileError::io(folder, &error))?;
        let own = ownership::open_own_folder(folder);
        own.map(drop).map_err(|error| TimelineFileError::Io { path: folder.clone(), what: error.to_string() })
    }

    fn lock_file(&self, path: &Path) -> Result<File, TimelineFileError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
        options.open(path).map_err(|error| TimelineFileError::io(path, &error))
    }

    /// Waits for the end of another console's write.
    fn lock(&self) -> Result<File, TimelineFileError> {
        let path = self.beside("lock");
        let file = self.lock_file(&path)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let what = "another console has it locked".to_owned();
                    return Err(TimelineFileError::Io { path, what });
                }
                Err(errno) => return Err(TimelineFileError::io(&path, &errno.into())),
            }
        }
    }
}

impl TimelineFileError {
    fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), what: error.to_string() }
    }
}

/// The newest records, after those that lead to the state before them.
#[must_use]
pub fn shortened(mut records: Vec<TimelineRecord>, kept: usize) -> Vec<TimelineRecord> {
    if records.len() <= kept {
        return records;
    }
    let newest = records.split_off(records.len() - kept);
    let at = newest.first().map_or_else(Default::default, |record| record.at);
    let mut all = KnownTimeline::replay(&records).baseline(at);
    all.extend(newest);
    all
}

/// Removes what a killed console left of a line. Returns the length.
fn repaired(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        return Ok(length);
    }
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LONGEST).read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
    file.set_len(whole)?;
    Ok(whole)
}

fn text_of(path: &Path, file: File) -> Result<String, TimelineFileError> {
    let mut bytes = Vec::new();
    let read = file.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| TimelineFileError::io(path, &error))?;
    let wrong = |what: String| TimelineFileError::Unreadable { path: path.to_owned(), what };
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(format!("longer than {} MiB", LONGEST >> 20)));
    }
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    String::from_utf8(bytes).map_err(|_| wrong("not UTF-8 text".to_owned()))
}

fn parse(path: &Path, text: &str) -> Result<Vec<TimelineRecord>, TimelineFileError> {
    let wrong = |what: String| TimelineFileError::Unreadable { path: path.to_owned(), what };
    let mut lines = text.lines();
    match lines.next() {
        None => return Ok(Vec::new()),
        Some(HEAD) => {}
        Some(_) => return Err(wrong("line 1 is not that of a timeline of this version".to_owned())),
    }
    let mut records = Vec::new();
    for (at, line) in lines.enumerate() {
        let record = wire::record(line).map_err(|why| wrong(format!("line {}: {why}", at + 2)))?;
        records.push(record);
    }
    Ok(records)
}
