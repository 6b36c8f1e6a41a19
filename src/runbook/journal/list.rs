//! The runs there are, from their journals.

use std::path::Path;

use jiff::Timestamp;

use super::{Entry, folder, read};
use crate::runbook::event::{Ending, Event, OperatorAnswer, Phase, Way};
use jumpdeck_fleet::run::PastEnd;
use jumpdeck_fleet::text::Clean;

/// A run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Which.
    pub id: String,
    /// The runbook; empty when the journal cannot be read.
    pub runbook: Clean,
    /// The environment.
    pub env: Clean,
    /// Who began it.
    pub who: Clean,
    /// When it began; `None` when the journal cannot be read.
    pub began: Option<Timestamp>,
    /// Its state, in words: `runs`, `finished`, `stopped at freeze: …`, `cannot be read: …`.
    pub state: Clean,
    /// The same as one of a few.
    pub end: PastEnd,
    /// Whether it is over, or can never go on.
    pub over: bool,
    /// Whether a process has it under way.
    pub under_way: bool,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// Whether changes are only printed.
    pub dry_run: bool,
    /// Whether it may have left something in effect: it is not over, was aborted, or the operator skipped a step.
    pub may_leave: bool,
}

impl RunSummary {
    /// Whether its journal cannot be read, or the folder of all of them: it may be the last run of any runbook.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.began.is_none() && !self.over
    }
}

/// The runs of a folder, the newest first; those that cannot be read are listed as such, last, and so is the folder itself. None
/// when there is no folder.
#[must_use]
pub fn runs(folder: &Path) -> Vec<RunSummary> {
    let names = match std::fs::read_dir(folder) {
        Ok(names) => names.flatten(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let name = folder.display().to_string();
            return vec![unreadable(&name, format!("cannot be read: {error}"), false, false)];
        }
    };
    let mut found: Vec<RunSummary> = names
        .filter_map(|e| e.file_name().to_str().and_then(|n| n.strip_suffix(".jsonl")).map(str::to_owned))
        .filter_map(|id| folder::file(folder, &id, "jsonl").ok().map(|path| summary(&id, &path)))
        .collect();
    found.sort_by(|a, b| b.began.cmp(&a.began).then_with(|| b.id.cmp(&a.id)));
    found
}

fn summary(id: &str, path: &Path) -> RunSummary {
    let runs = folder::read_only(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)));
    let entries = match read(path) {
        Ok(entries) => entries,
        Err(error) => return unreadable(id, format!("cannot be read: {error}"), false, runs),
    };
    let Some((first, Event::Started { who, simulated, dry_run, plan, .. })) =
        entries.first().map(|e| (e, &e.event))
    else {
        let why = if runs { "begins" } else { "cut off before it began; nothing was done" };
        return unreadable(id, why.to_owned(), !runs, runs);
    };
    let ended = entries.iter().any(|e| matches!(e.event, Event::Ended { .. }));
    RunSummary {
        runbook: Clean::new(&plan.runbook),
        env: Clean::new(&plan.environment),
        who: Clean::new(who),
        began: Some(first.at),
        state: if runs && !ended { Clean::new("runs") } else { Clean::new(&state(&entries)) },
        end: end(&entries, runs),
        over: ended,
        under_way: runs && !ended,
        simulated: *simulated,
        dry_run: *dry_run,
        may_leave: !simulated && !dry_run && may_leave(&entries),
        ..unreadable(id, String::new(), false, runs)
    }
}

/// A run, or a folder of runs, of which nothing can be told but why.
fn unreadable(id: &str, why: String, over: bool, under_way: bool) -> RunSummary {
    RunSummary {
        id: id.to_owned(),
        runbook: Clean::default(),
        env: Clean::default(),
        who: Clean::default(),
        began: None,
        state: Clean::new(&why),
        end: if under_way { PastEnd::UnderWay } else { PastEnd::Unknown },
        over,
        under_way,
        simulated: false,
        dry_run: false,
        may_leave: false,
    }
}

fn end(entries: &[Entry], runs: bool) -> PastEnd {
    let ended = entries.iter().find_map(|entry| match &entry.event {
        Event::Ended { how } => Some(how),
        Event::Started { .. }
        | Event::Resumed { .. }
        | Event::Intent { .. }
        | Event::Outcome { .. }
        | Event::Answered { .. }
        | Event::Skipped { .. }
        | Event::Excluded { .. }
        | Event::RollingBack { .. }
        | Event::Abandoning { .. }
        | Event::Note { .. }
        | Event::HoldLost { .. }
        | Event::Trouble { .. }
        | Event::WindowFailed { .. }
        | Event::Stopped { .. } => None,
    });
    match ended {
        Some(Ending::Finished) => PastEnd::Finished,
        Some(Ending::RolledBack) => PastEnd::RolledBack,
        Some(Ending::Abandoned(_)) => PastEnd::Aborted,
        None if runs => PastEnd::UnderWay,
        None => PastEnd::Stopped,
    }
}

/// Whether something it began may have no end: what is finished or rolled back without a skip has ended everything.
fn may_leave(entries: &[Entry]) -> bool {
    let over = entries.iter().any(|entry| matches!(entry.event, Event::Ended { .. }));
    let loose = |entry: &Entry| match &entry.event {
        Event::Abandoning { .. } | Event::Excluded { .. } => true,
        Event::Answered { answer, .. } => matches!(answer, OperatorAnswer::Chosen(Way::Skip | Way::WasDone)),
        Event::Started { .. }
        | Event::Resumed { .. }
        | Event::Intent { .. }
        | Event::Outcome { .. }
        | Event::Skipped { .. }
        | Event::RollingBack { .. }
        | Event::WindowFailed { .. }
        | Event::Note { .. }
        | Event::HoldLost { .. }
        | Event::Trouble { .. }
        | Event::Stopped { .. }
        | Event::Ended { .. } => false,
    };
    !over || entries.iter().any(loose)
}

/// The state of a run that no process runs.
fn state(entries: &[Entry]) -> String {
    let mut open: Option<(&str, Phase)> = None;
    let mut step: Option<&str> = None;
    let mut stopped: Option<&str> = None;
    for entry in entries {
        stopped = None;
        match &entry.event {
            Event::Intent { step: s, phase, .. } => {
                open = Some((s.as_str(), *phase));
                step = Some(s.as_str());
            }
            Event::Outcome { step: s, .. } => {
                open = None;
                step = Some(s.as_str());
            }
            Event::Answered { step: s, .. } => step = Some(s.as_str()),
            Event::Stopped { reason } => stopped = Some(reason),
            Event::Ended { how } => {
                return match how {
                    Ending::Finished => "finished".to_owned(),
                    Ending::RolledBack => "rolled back".to_owned(),
                    Ending::Abandoned(why) => format!("aborted: {why}"),
                };
            }
            Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. } => {}
        }
    }
    match (open, stopped, step) {
        (Some((step, Phase::Run | Phase::Undo)), _, _) => {
            format!("cut off during step {step}: outcome unknown")
        }
        // Where it was stopped at a question, the reason says so itself.
        (_, Some(why), Some(step)) if why.starts_with(&format!("stopped at {step}: ")) => why.to_owned(),
        (_, Some(why), Some(step)) => format!("stopped at {step}: {why}"),
        (_, Some(why), None) => format!("stopped: {why}"),
        (_, None, Some(step)) => format!("cut off after step {step}"),
        (_, None, None) => "cut off before its first step".to_owned(),
    }
}
