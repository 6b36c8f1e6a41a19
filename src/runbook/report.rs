//! A run told afterwards, from its journal alone: as a report (Markdown, JSON) and as a log, a line an entry.
//! Pure; all text that is told here is made printable here.

mod collect;
mod line;
mod markdown;
mod sections;
mod still;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::event::Event;
use super::journal::Entry;
use super::windows::WindowStory;
use jumpdeck_fleet::run::ReportSection;

pub use line::line;
pub use markdown::{fence, md};

/// The title of the section that tells what a run began and has not ended.
pub const STILL_IN_EFFECT: &str = "STILL IN EFFECT";

/// A run. Its JSON is `schema` 1: fields may be added, none is taken away. Times are UTC, durations milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// Which form this is.
    pub schema: u32,
    /// Which run.
    pub run: String,
    /// The runbook.
    pub runbook: String,
    /// SHA-256 of the runbook's text.
    pub hash: String,
    /// The environment.
    pub environment: String,
    /// Its level.
    pub level: String,
    /// Whether the fleet was simulated.
    pub simulated: bool,
    /// Whether changes were only printed.
    pub dry_run: bool,
    /// Who ran it: who began first, then who went on with it.
    pub who: Vec<String>,
    /// Why.
    pub why: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; `None` while it has not.
    pub ended: Option<Timestamp>,
    /// From its first entry to its last.
    pub took_ms: u64,
    /// How it ended, in words; or that it has not, and its state.
    pub outcome: String,
    /// What was asked before: name and value, secrets left out.
    pub inputs: Vec<(String, String)>,
    /// Targets and their hosts.
    pub targets: Vec<(String, Vec<String>)>,
    /// How long nothing could be written, each time, when asked for.
    pub without_writes: Vec<ReportWindow>,
    /// The windows that were opened: how each ended, and how long writes were refused.
    pub windows: Vec<WindowStory>,
    /// What it began and has not ended, as of its last entry.
    pub in_effect: Vec<StillInEffect>,
    /// Steps in the order they were reached.
    pub steps: Vec<StepReport>,
    /// Values kept, in the order they were.
    pub values: Vec<KeptValue>,
    /// Steps that were left out, and why.
    pub skipped: Vec<(String, String)>,
    /// Hosts that were left out of the rest.
    pub excluded: Vec<Excluded>,
    /// Notes.
    pub notes: Vec<ReportNote>,
    /// What went wrong on the way: links, leases, held sessions, stops.
    pub trouble: Vec<ReportNote>,
    /// Everything in order, a line an entry.
    pub timeline: Vec<TimelineEntry>,
    /// The titles of steps, by their ids, as far as the runbook can be read.
    #[serde(skip)]
    pub titles: BTreeMap<String, String>,
}

/// Something a run began and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StillInEffect {
    /// The step that began it.
    pub step: String,
    /// What is in effect: `Writes are refused`.
    pub says: String,
    /// On which hosts.
    pub hosts: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is known to be in effect; else the outcome of what began or undid it is unknown.
    pub certain: bool,
    /// Whether users cannot write because of it.
    pub stops_writes: bool,
    /// Whether the run found it so and did not cause it: it may have begun earlier.
    pub found: bool,
    /// The guards that undo it when the run is cut off, in words.
    pub guards: Vec<String>,
    /// Whether a rollback of the run ends it.
    pub ended_by_rollback: bool,
    /// The commands that end it by hand, when the run is over: host (empty for none) and lines.
    pub by_hand: Vec<(String, Vec<String>)>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its id.
    pub id: String,
    /// Its state: `done`, `failed`, `unknown`, `not done`, `printed`, `undone`, `skipped`, `asked`.
    pub state: &'static str,
    /// Why, when there is a reason to give.
    pub reason: Option<String>,
    /// When it was reached.
    pub began: Timestamp,
    /// From then to its newest entry, a person's thinking included.
    pub took_ms: u64,
    /// What the machines took of that.
    pub worked_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// What people answered.
    pub answers: Vec<ReportAnswer>,
    /// What was done, in order.
    pub actions: Vec<Action>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportAnswer {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What was asked.
    pub asked: String,
    /// The answer.
    pub answer: String,
    /// Why, when asked for.
    pub reason: Option<String>,
}

/// Something done for a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// When its intent was written.
    pub at: Timestamp,
    /// What for: `run`, `probe`, `undo`, `undo probe`.
    pub phase: &'static str,
    /// From 1.
    pub attempt: u32,
    /// What exactly: host (empty for none) and lines.
    pub commands: Vec<(String, Vec<String>)>,
    /// What was proved right before.
    pub before: Vec<Proved>,
    /// How it went; empty when nobody knows: it was cut off.
    pub hosts: Vec<OnHost>,
    /// How long it took; `None` when it was cut off.
    pub took_ms: Option<u64>,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proved {
    /// What it says.
    pub says: String,
    /// The host asked; empty for none.
    pub host: String,
    /// What was seen.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

/// How something went on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnHost {
    /// The host; empty for none.
    pub host: String,
    /// `done`, `not done`, `failed`, `unknown`, `printed`.
    pub verdict: &'static str,
    /// Why.
    pub why: Option<String>,
    /// The end of what it printed.
    pub output: Vec<String>,
    /// What was proved afterwards.
    pub after: Vec<Proved>,
}

/// A value kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptValue {
    /// The step it is from.
    pub step: String,
    /// Its name.
    pub name: String,
    /// The host it is of; empty for none.
    pub host: String,
    /// The value.
    pub value: String,
}

/// A host that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excluded {
    /// The host.
    pub host: String,
    /// The step that failed on it.
    pub step: String,
    /// Why.
    pub reason: String,
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportNote {
    /// When.
    pub at: Timestamp,
    /// Who; empty for the console itself.
    pub who: String,
    /// What.
    pub text: String,
}

/// An entry of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// Milliseconds since the run began.
    pub after_ms: u64,
    /// What.
    pub text: String,
    /// The step it is about.
    #[serde(skip)]
    pub step: Option<String>,
    /// Whether it only says what was about to be done, and a later entry says how that went.
    #[serde(skip)]
    pub is_intent: bool,
}

/// How long nothing could be written: from the moment the first step was done and read back, to the moment the last one
/// was, or the first was taken back. By the clock of the console, at its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportWindow {
    /// The step that opened it, or that found it open.
    pub from_step: String,
    /// Whether that step found it open: it began then or earlier, and lasted at least so long.
    pub at_least: bool,
    /// When.
    pub from: Timestamp,
    /// What closed it; `None` when nothing did.
    pub until_step: Option<String>,
    /// When; the run's last entry when nothing closed it: it goes on, longer than that.
    pub until: Timestamp,
    /// How long.
    pub took_ms: u64,
}

impl RunReport {
    /// A run's report. `writes`: the step that begins a time nothing could be written, and those that end it, the first
    /// that was done.
    ///
    /// `None` when there is no first entry that tells how the run began.
    #[must_use]
    pub fn new(entries: &[Entry], writes: Option<(&str, &[&str])>) -> Option<Self> {
        collect::report(entries, writes)
    }

    /// The same, with the time nothing could be written as the run's own runbook tells it.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let Event::Started { plan, .. } = &entries.first()?.event else { return None };
        let bounds = window::steps(plan);
        let until: Vec<&str> = bounds.iter().flat_map(|b| &b.until).map(String::as_str).collect();
        let mut report = Self::new(entries, bounds.as_ref().map(|b| (b.from.as_str(), until.as_slice())))?;
        let found = bounds.as_ref().is_some_and(|b| b.found);
        report.without_writes.iter_mut().for_each(|time| time.at_least = found);
        (report.in_effect, report.titles, report.windows) = still::of(entries);
        // One of the steps that resume writes may be done and the last of them not: nobody writes yet.
        if report.in_effect.iter().any(|one| one.stops_writes)
            && let (Some(time), Some(last)) = (report.without_writes.last_mut(), entries.last())
        {
            time.until_step = None;
            time.until = last.at;
            time.took_ms = collect::between(time.from, last.at);
        }
        Some(report)
    }

    /// The report of a run's entries for a screen, times of this machine's zone; nothing where they tell of no run.
    #[must_use]
    pub fn shown(entries: &[Entry]) -> Vec<ReportSection> {
        Self::of(entries).map(|report| report.sections(&TimeZone::system())).unwrap_or_default()
    }

    /// For a screen, times in `tz`.
    #[must_use]
    pub fn sections(&self, tz: &jiff::tz::TimeZone) -> Vec<ReportSection> {
        sections::of(self, tz)
    }

    /// As Markdown, times in `tz`.
    #[must_use]
    pub fn to_markdown(&self, tz: &jiff::tz::TimeZone) -> String {
        markdown::report(self, tz)
    }

    /// As JSON, indented.
    ///
    /// # Errors
    /// Never, for what a report is made of; serde's signature says it might.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
