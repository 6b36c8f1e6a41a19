//! Where a run's entries go. A disk may take seconds: it is waited for on a thread of its own, so that the tasks beside
//! it, heartbeats above all, are not held up.

use std::sync::{Arc, Mutex};

use tokio::task::spawn_blocking;

use crate::runbook::event::Event;
use crate::runbook::journal::Entry;

/// The journal; in tests, wherever entries are looked at.
pub trait Record: Send + Sync + 'static {
    /// Writes an entry, so that it is there after a crash. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// Why it is not written; nothing more may be done then.
    fn append(&mut self, event: &Event) -> Result<Entry, String>;
}

/// Writes entries one after the other on a thread where blocking holds nobody up.
pub struct Recorder(Arc<Mutex<Box<dyn Record>>>);

impl Recorder {
    /// Writes to a record.
    #[must_use]
    pub fn new(record: impl Record) -> Self {
        Self(Arc::new(Mutex::new(Box::new(record))))
    }

    /// Writes an entry, and returns when it is on the disk. An entry whose caller is gone meanwhile is written all the
    /// same, before any later one.
    pub(super) async fn append(&self, event: Event) -> Result<Entry, String> {
        let record = self.0.clone();
        let written = spawn_blocking(move || {
            let mut record = record.lock().map_err(|_| "an entry before could not be written".to_owned())?;
            record.append(&event)
        });
        written.await.map_err(|error| error.to_string())?
    }
}
