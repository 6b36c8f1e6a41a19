//! The runbooks there are, and what is wrong with those of the operator's own that are not among them.

use std::path::Path;
use std::sync::Arc;

use crate::config::diagnostic::Diagnostic;
use crate::runbook::definition::Runbook;
use crate::runbook::library::Library;
use jumpdeck_fleet::run::RunbookEntry;

/// The runbooks there are.
pub struct Shelf {
    library: Library,
    broken: Vec<Diagnostic>,
}

/// Files that others could have written.
#[derive(Debug)]
pub struct ExposedRunbooks(pub Vec<Diagnostic>);

/// Why a runbook cannot be found by its name.
#[derive(Debug, thiserror::Error)]
pub enum NoRunbook {
    /// Its file has mistakes.
    #[error("its file has mistakes")]
    Broken(Vec<Diagnostic>),
    /// Nothing has that name.
    #[error("there is no runbook {name:?}; there are: {}{}", known.join(", "), listed(unusable))]
    Unknown {
        /// What was named.
        name: String,
        /// The runbooks there are.
        known: Vec<String>,
        /// The files with mistakes.
        unusable: Vec<String>,
    },
}

fn listed(unusable: &[String]) -> String {
    unusable.iter().map(|file| format!("\n  not usable: {file}")).collect()
}

impl Shelf {
    /// Reads what comes with the program, and that folder. A file with mistakes takes no other runbook away. One that others could
    /// have written refuses them all: whoever wrote there may have removed what was to be run.
    ///
    /// # Errors
    /// When others could have written a file.
    pub fn read(folder: &Path) -> Result<Self, ExposedRunbooks> {
        let (library, broken) = Library::load(folder);
        let (exposed, broken): (Vec<Diagnostic>, Vec<Diagnostic>) =
            broken.into_iter().partition(Diagnostic::is_exposed);
        if exposed.is_empty() { Ok(Self { library, broken }) } else { Err(ExposedRunbooks(exposed)) }
    }

    /// Every runbook, by name.
    #[must_use]
    pub fn entries(&self) -> Vec<RunbookEntry> {
        self.library.entries()
    }

    /// The runbook of that name.
    ///
    /// # Errors
    /// What is wrong with its file, or what there is instead.
    pub fn find(&self, name: &str) -> Result<Arc<Runbook>, NoRunbook> {
        if let Some(runbook) = self.library.get(name) {
            return Ok(runbook);
        }
        let of_it = |error: &&Diagnostic| {
            Path::new(error.file()).file_stem().and_then(|stem| stem.to_str()) == Some(name)
        };
        let errors: Vec<Diagnostic> = self.broken.iter().filter(of_it).cloned().collect();
        if !errors.is_empty() {
            return Err(NoRunbook::Broken(errors));
        }
        let known = self.entries().into_iter().map(|entry| entry.name).collect();
        Err(NoRunbook::Unknown { name: name.to_owned(), known, unusable: self.unusable() })
    }

    /// The files with mistakes, each with its first one: `FILE:LINE:COLUMN: what is wrong`.
    #[must_use]
    pub fn unusable(&self) -> Vec<String> {
        let mut files: Vec<&str> = Vec::new();
        let mut named = Vec::new();
        for error in &self.broken {
            if !files.contains(&error.file()) {
                files.push(error.file());
                named.push(error.to_string());
            }
        }
        named
    }
}
