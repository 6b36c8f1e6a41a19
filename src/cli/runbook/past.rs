//! Runs that were, from their journals: `jumpdeck runbook log RUN` and `report RUN`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hint;
use super::still::{self, Run};
use super::text::{Ink, Paper};
use crate::cli::common::{CliError, Common};
use crate::cli::{print, setup};
use crate::runbook::event::Event;
use crate::runbook::in_effect::{self, Marks};
use crate::runbook::journal::{self, Entry};
use crate::runbook::plan::Frozen;
use crate::runbook::replay;
use crate::runbook::report::{self, Report};
use jumpdeck_fleet::run::InEffect;
use jumpdeck_fleet::time::Moment;

/// Which run, and how to print its report.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The run; `jumpdeck runbook runs` names them
    run: String,
    /// How to print it; JSON is one document (docs/runbooks.md) [default: text on a terminal, else md]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Md,
    Json,
}

/// How a run began.
pub(in crate::cli) struct Began {
    /// Its plan.
    pub(in crate::cli) plan: Frozen,
    /// Whether the fleet was simulated.
    pub(in crate::cli) simulated: bool,
}

/// Prints what happened, an entry a line.
pub(super) fn log(common: &Common, run: &str) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let (_, entries) = entries(&paths.runs(), run)?;
    let zone = TimeZone::system();
    let mut day = None;
    let mut text = String::new();
    for entry in &entries {
        // The date stands where it changes.
        let on = entry.at.to_zoned(zone.clone()).date();
        text.push_str(&report::line(entry, &zone, day.replace(on) != Some(on)));
        text.push('\n');
    }
    text.push_str(&still_in_effect(&entries, run, common));
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What is in effect after the last entry, and the commands that end it; nothing when nothing is.
fn still_in_effect(entries: &[Entry], run: &str, common: &Common) -> String {
    let in_effect = match of_entries(entries) {
        Ok(in_effect) => in_effect,
        Err(why) => return format!("\nwhat it left in effect is unknown: {why}\n"),
    };
    let simulated = matches!(entries.first().map(|e| &e.event), Some(Event::Started { simulated: true, .. }));
    let over = entries.iter().any(|entry| matches!(entry.event, Event::Ended { .. }));
    if in_effect.is_empty() {
        return String::new();
    }
    let stands = match (simulated, over) {
        (true, _) => Run::Simulated,
        (false, true) => Run::Over,
        (false, false) => Run::Stands,
    };
    let mut paper = Paper::of_stdout();
    paper.gap();
    still::tell(&mut paper, 0, &in_effect, run, stands, &hint::tail(common));
    paper.take()
}

/// What a run began and has not ended, from its journal.
///
/// # Errors
/// Why that cannot be told, in words.
pub(in crate::cli) fn in_effect(folder: &Path, run: &str) -> Result<Vec<InEffect>, String> {
    let (_, entries) = entries(folder, run).map_err(|error| error.to_string())?;
    of_entries(&entries)
}

fn of_entries(entries: &[Entry]) -> Result<Vec<InEffect>, String> {
    let machine = replay::machine(entries).map_err(|error| error.to_string())?;
    // The screen's clock plays no part here.
    Ok(in_effect::in_effect(&machine, &Marks::of(entries), (Moment::default(), Timestamp::now())))
}

/// Prints the report.
pub(super) fn report(args: &ReportArgs) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let report = told(&paths.runs(), &args.run)?;
    let usual = if std::io::stdout().is_terminal() { Format::Text } else { Format::Md };
    let text = match args.format.unwrap_or(usual) {
        Format::Text => sections(&report),
        Format::Md => report.to_markdown(&TimeZone::system()),
        Format::Json => format!("{}\n", report.to_json().map_err(std::io::Error::from)?),
    };
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A report for a terminal: what one wants to know first, then the timeline, a line a step.
fn sections(report: &Report) -> String {
    let mut paper = Paper::of_stdout();
    for (at, section) in report.sections(&TimeZone::system()).iter().enumerate() {
        if at > 0 {
            paper.gap();
        }
        let ink = if section.title == report::STILL_IN_EFFECT { Ink::Bad } else { Ink::Bold };
        paper.words(0, ink, section.title);
        for (label, text) in &section.rows {
            paper.field(2, label.as_str(), Ink::Plain, text.as_str());
        }
    }
    paper.take()
}

/// The report of a run, from that folder of journals.
pub(in crate::cli) fn told(folder: &Path, run: &str) -> Result<Report, CliError> {
    let (path, entries) = entries(folder, run)?;
    Report::of(&entries).ok_or_else(|| headless(&path))
}

fn headless(path: &Path) -> CliError {
    CliError::Refused(format!("{}: it does not say how the run began", path.display()))
}

/// How that run began, from its journal.
pub(in crate::cli) fn began(run: &str) -> Result<Began, CliError> {
    let (paths, _) = setup::places()?;
    began_in(&paths.runs(), run)
}

/// The same, from that folder of journals.
pub(in crate::cli) fn began_in(folder: &Path, run: &str) -> Result<Began, CliError> {
    let (path, entries) = entries(folder, run)?;
    match entries.first().map(|entry| &entry.event) {
        Some(Event::Started { simulated, plan, .. }) => {
            Ok(Began { plan: Frozen::clone(plan), simulated: *simulated })
        }
        _ => Err(headless(&path)),
    }
}

/// A run goes on in the fleet that it began in. A simulated one is gone with its program.
pub(super) fn still_there(began: &Began, common: &Common) -> Result<(), CliError> {
    match (began.simulated, common.demo.is_some()) {
        (true, _) => Err(CliError::Refused(format!("this run is SIMULATED: {}", hint::WORLD_GONE))),
        (false, true) => Err(CliError::Usage("this run is of a real fleet: leave --demo out".to_owned())),
        _ => Ok(()),
    }
}

fn entries(folder: &Path, run: &str) -> Result<(PathBuf, Vec<Entry>), CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if run.is_empty() || !run.chars().all(fits) {
        return Err(CliError::Usage(format!("{run:?} is no name of a run")));
    }
    let path = folder.join(format!("{run}.jsonl"));
    let entries = journal::read(&path).map_err(|error| CliError::Refused(error.to_string()))?;
    Ok((path, entries))
}
