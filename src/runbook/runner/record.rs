//! Where a run's entries go. A disk may take seconds: it is waited for on a thread of its own, so that the tasks beside
//! it, heartbeats above all, are not held up.

use std::sync::{Arc, Mutex};

use tokio::task::spawn_blocking;

use crate::runbook::event::Event;
use crate::runbook::evidence::{Signed, SignedApproval};
use crate::runbook::journal::{Draft, Entry};

/// The journal; in tests, wherever entries are looked at.
pub trait Record: Send + Sync + 'static {
    /// Writes an entry, so that it is there after a crash. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// Why it is not written; nothing more may be done then.
    fn append(&mut self, event: &Event) -> Result<Entry, String>;

    /// The next entry as it will stand, for somebody to sign; none where nothing is signed.
    ///
    /// # Errors
    /// When it cannot be told.
    fn draft(&self, _event: Event, _approved: Option<SignedApproval>) -> Result<Option<Draft>, String> {
        Ok(None)
    }

    /// Writes an entry that was drafted, as [`Record::append`] does.
    ///
    /// # Errors
    /// As [`Record::append`].
    fn append_draft(&mut self, _draft: Draft, _signed: Option<Signed>) -> Result<Entry, String> {
        Err("this record drafts no entries".to_owned())
    }
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
        self.with(move |record| record.append(&event)).await
    }

    /// The next entry, to be signed.
    pub(super) async fn draft(
        &self,
        event: Event,
        approved: Option<SignedApproval>,
    ) -> Result<Option<Draft>, String> {
        self.with(move |record| record.draft(event, approved)).await
    }

    /// Writes an entry that was drafted, as [`Recorder::append`] does.
    pub(super) async fn append_draft(&self, draft: Draft, signed: Option<Signed>) -> Result<Entry, String> {
        self.with(move |record| record.append_draft(draft, signed)).await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Record) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let record = self.0.clone();
        let done = spawn_blocking(move || {
            let mut record = record.lock().map_err(|_| "an earlier entry could not be written".to_owned())?;
            work(record.as_mut())
        });
        done.await.map_err(|error| error.to_string())?
    }
}
