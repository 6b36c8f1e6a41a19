//! Runs that were, from their journals: `jumpdeck runbook log RUN` and `report RUN`.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::still::{self, Run};
use crate::cli::common::{CliError, Common};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::cli::{print, setup};
use crate::operator::past;
use crate::runbook::event::Event;
use crate::runbook::journal::Entry;
use crate::runbook::report::{self, RunReport};

/// Which run, and how to print its report.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ReportArgs {
    /// The run; `jumpdeck runbook runs` names them
    run: String,
    /// How to print it; JSON is one document (docs/runbooks.md) [default: text on a terminal, else md]
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Text,
    Md,
    Json,
}

/// Prints what happened, an entry a line.
pub(super) fn log(common: &Common, run: &str) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let (_, entries) = past::entries(&paths.runs(), run)?;
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
    let in_effect = match past::in_effect(entries) {
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
    still::tell(&mut paper, 0, &in_effect, run, stands, &common.tail());
    paper.take()
}

/// Prints the report.
pub(super) fn report(args: &ReportArgs) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let report = past::report(&paths.runs(), &args.run)?;
    let usual = if std::io::stdout().is_terminal() { ReportFormat::Text } else { ReportFormat::Md };
    let text = match args.format.unwrap_or(usual) {
        ReportFormat::Text => sections(&report),
        ReportFormat::Md => report.to_markdown(&TimeZone::system()),
        ReportFormat::Json => format!("{}\n", report.to_json().map_err(std::io::Error::from)?),
    };
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A report for a terminal: what one wants to know first, then the timeline, a line a step.
fn sections(report: &RunReport) -> String {
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
