//! The head of a run: its newest signed entry, the same line as in the journal, in a file of its own. A journal that
//! ends before its head was cut.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where the head of a journal is: `RUN.head` beside `RUN.jsonl`.
#[must_use]
pub fn head_path(journal: &Path) -> PathBuf {
    journal.with_extension("head")
}

/// What is known of a run's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// There is no such file.
    Missing,
    /// The file's text.
    Text(Vec<u8>),
}

impl Head {
    /// Reads the head of a journal; a link is none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn of(journal: &Path) -> io::Result<Self> {
        let path = head_path(journal);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Missing),
            Err(error) => Err(error),
            Ok(meta) if meta.is_file() => fs::read(&path).map(Self::Text),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "this is a link, and a head must be a plain file",
            )),
        }
    }

    /// Whether a journal of these lines may go on. The head is written after its entry is on the disk, so it may be older
    /// than the journal's end and never newer.
    pub fn is_among<'l>(&self, mut lines: impl Iterator<Item = &'l str>) -> bool {
        match self {
            Self::Missing => true,
            Self::Text(text) => lines.any(|line| text.strip_suffix(b"\n") == Some(line.as_bytes())),
        }
    }
}

/// Puts a signed entry's line in the head's place: whole or not at all. The folder is the account's own (the journal saw
/// to that), so nobody else can have put anything there.
///
/// # Errors
/// When the system refuses.
pub fn write_head(journal: &Path, line: &str) -> io::Result<()> {
    let new = journal.with_extension("head.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_data()?;
    fs::rename(&new, head_path(journal))
}
