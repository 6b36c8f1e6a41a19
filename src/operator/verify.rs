//! What a journal proves, and to whom: the file, who may sign, and what the jump box has of the run.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::access::{EnvAccess, NoJumpBox};
use crate::openssh::bounded;
use crate::openssh::sshsig::AllowedSigners;
use crate::runbook::evidence::{self, Head};
use crate::runbook::examine::{Examination, Examined, examine};
use crate::runbook::journal::{self, Entry, JournalError};
use crate::runbook::lease::{self, LeaseError, LeasePlaces};
use crate::runbook::runner;
use jumpdeck_fleet::text::Clean;

/// Why nothing can be said of a journal.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It is no journal.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The jump box cannot be reached.
    #[error("{0}")]
    NoJumpBox(#[from] NoJumpBox),
    /// It cannot be asked.
    #[error("{0}")]
    Lease(#[from] LeaseError),
}

fn cannot(path: &Path, why: &dyn fmt::Display) -> VerifyError {
    VerifyError::File { path: path.to_owned(), why: why.to_string() }
}

/// A journal as it is on disk, its head beside it.
pub struct JournalFile {
    path: PathBuf,
    run: String,
    bytes: Vec<u8>,
    head: Head,
}

/// Who may sign.
pub struct Signers {
    /// The list that it is read from.
    pub file: PathBuf,
    /// Whether there is such a list. Without one nobody may sign.
    pub known: bool,
    /// What it says.
    pub allowed: AllowedSigners,
}

/// Number and hash of each entry that the jump box has of a run; in words, when it has nothing (any more).
pub type OnJumpBox = Result<Vec<(u64, String)>, Clean>;

impl JournalFile {
    /// Reads a journal.
    ///
    /// # Errors
    /// When it, or its head, cannot be read.
    pub fn read(path: PathBuf) -> Result<Self, VerifyError> {
        let run = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path).map_err(|e| cannot(&path, &e))?;
        let head = Head::of(&path).map_err(|e| cannot(&evidence::head_path(&path), &e))?;
        Ok(Self { path, run, bytes, head })
    }

    /// The run, by the journal's name.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The environment that its first entry names, if it does.
    ///
    /// # Errors
    /// When its entries cannot be read.
    pub fn environment(&self) -> Result<Option<String>, VerifyError> {
        let entries = journal::read(&self.path)?;
        Ok(runner::frozen(&entries).map(|plan| plan.environment.clone()))
    }

    /// Reads what the jump box has of the run.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn on_jump_box(&self, access: &EnvAccess) -> Result<OnJumpBox, VerifyError> {
        let mut watching = lease::watch_in(&LeasePlaces::of(&access.env), access.jump().await?, &self.run)?;
        let mut found = Vec::new();
        loop {
            let seen = match watching.poll().await {
                Ok(Some(seen)) => seen,
                Ok(None) => break,
                Err(LeaseError::NoRun) => {
                    return Ok(Err(Clean::new("it has no entries of this run (any more)")));
                }
                Err(error) => return Err(error.into()),
            };
            let before = found.len();
            found.extend(seen.into_iter().filter_map(|seen| match seen {
                lease::WatcherSees::Entry(entry) => {
                    let Entry { seq, hash, .. } = *entry;
                    Some((seq, hash))
                }
                lease::WatcherSees::Holder(_) => None,
            }));
            if found.len() == before && !watching.is_behind() {
                break;
            }
        }
        Ok(Ok(found))
    }

    /// What it proves. `there` is what the jump box has, when it was asked.
    #[must_use]
    pub fn examine(&self, signers: &Signers, there: Option<&OnJumpBox>) -> Examination {
        let elsewhere = there.and_then(|there| there.as_deref().ok());
        let seen = Examined { run: &self.run, journal: &self.bytes, head: &self.head, elsewhere };
        examine(&seen, &signers.allowed)
    }
}

impl Signers {
    /// Reads the list that was named, else the usual one, which need not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(named: Option<&Path>, usual: PathBuf) -> Result<Self, VerifyError> {
        let file = named.map_or(usual, Path::to_owned);
        let (allowed, known) = match bounded::read(&file, bounded::LONGEST_LIST) {
            Ok(bytes) => (AllowedSigners::read(&String::from_utf8_lossy(&bytes)), true),
            Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => {
                (AllowedSigners::default(), false)
            }
            Err(error) => return Err(cannot(&file, &error)),
        };
        Ok(Self { file, known, allowed })
    }
}
