//! What the console keeps in files of the operator: saved views, and what was taken from the command palette. Files are
//! touched beside the loop, one after another.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::app::chosen::{ChosenEntry, LONGEST_HISTORY, history_text, read_history, remember};
use crate::app::message::{ViewChange, ViewsNews};
use crate::config::diagnostic::Diagnostic;
use crate::config::views::SavedView;
use crate::operator::kept_text;
use crate::operator::views::{ViewSaved, ViewsFile};
use jumpdeck_fleet::text::Clean;

/// How long a file may take before it is said that it failed.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long the end of the console waits for files.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// A job for the files.
#[derive(Debug)]
pub(super) enum KeeperJob {
    /// Remember what was taken from the palette.
    KeepChosen(ChosenEntry),
    /// Something with the views.
    Views(ViewsJob),
}

/// A job for the file of views.
#[derive(Debug)]
pub(super) enum ViewsJob {
    /// Read it.
    Read,
    /// Save a view; whether one of its name is replaced.
    Save(SavedView, bool),
    /// Delete a view.
    Delete(String),
}

/// The files.
#[derive(Debug, Clone)]
pub struct KeptFiles {
    /// The saved views.
    pub views: ViewsFile,
    /// What was taken from the command palette.
    pub palette: PathBuf,
}

/// Keeps things in files.
#[derive(Debug)]
pub struct FileKeeper {
    jobs: mpsc::UnboundedSender<KeeperJob>,
    worker: JoinHandle<()>,
    /// What became of changes of views.
    pub(super) news: mpsc::UnboundedReceiver<ViewsNews>,
}

impl FileKeeper {
    /// Keeps things in those files. Needs a runtime.
    #[must_use]
    pub fn new(files: KeptFiles) -> Self {
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        let (done, news) = mpsc::unbounded_channel();
        let worker = tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                if let Some(news) = do_job(files.clone(), job).await {
                    // A console that has ended reads no news.
                    let _ = done.send(news);
                }
            }
        });
        Self { jobs, worker, news }
    }

    /// Waits a moment for what is still to be written.
    pub(super) async fn finish(self) {
        drop(self.jobs);
        // A disk that hangs does not keep the console from ending.
        let _ = tokio::time::timeout(LAST_MOMENT, self.worker).await;
    }

    /// One whose files cannot be.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        let rules = crate::app::opening::view_rules(&[]);
        let views = ViewsFile { path: "/dev/null/views.toml".into(), rules };
        Self::new(KeptFiles { views, palette: "/dev/null/palette".into() })
    }

    /// Does a job; the news of it comes later.
    pub(super) fn ask(&self, job: KeeperJob) {
        // Its task ends with the console.
        let _ = self.jobs.send(job);
    }
}

async fn do_job(files: KeptFiles, job: KeeperJob) -> Option<ViewsNews> {
    let change = match job {
        KeeperJob::KeepChosen(entry) => {
            let keep = move || {
                // Whoever cannot keep a history goes without one.
                let _ = kept_text::change(&files.palette, LONGEST_HISTORY, |before| {
                    let mut history = before.map(read_history).unwrap_or_default();
                    remember(&mut history, entry);
                    Ok(history_text(&history))
                });
            };
            let _ = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(keep)).await;
            return None;
        }
        KeeperJob::Views(job) => job,
    };
    let views = files.views;
    let done = tokio::task::spawn_blocking(move || {
        let change = match change {
            ViewsJob::Read => None,
            ViewsJob::Save(view, replace) => Some(match views.save(&view, replace) {
                Ok(ViewSaved::Saved) => ViewChange::Saved(view.name),
                Ok(ViewSaved::Exists) => ViewChange::Exists(view),
                Err(why) => ViewChange::Failed(Clean::new(&format!("view {} not saved: {why}", view.name))),
            }),
            ViewsJob::Delete(name) => Some(match views.delete(&name) {
                Ok(()) => ViewChange::Deleted(name),
                Err(why) => ViewChange::Failed(Clean::new(&format!("view {name} not deleted: {why}"))),
            }),
        };
        ViewsNews { views: views.read().map_err(|mistakes| Diagnostic::in_one_line(&mistakes)), change }
    });
    let failed = |why: String| ViewsNews { views: Err(Clean::new(&why)), change: None };
    Some(match tokio::time::timeout(PATIENCE, done).await {
        Ok(Ok(news)) => news,
        Ok(Err(panicked)) => failed(panicked.to_string()),
        Err(_) => failed(format!("the file of saved views took more than {} s", PATIENCE.as_secs())),
    })
}
