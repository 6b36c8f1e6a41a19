//! `jumpdeck events`: what changed in environments, from the files that consoles keep. Nothing is connected to.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::common::{CliError, Common};
use super::{print, setup};
use crate::config::files;
use crate::operator::export::no_formula;
use crate::operator::timeline::{TimelineFile, wire};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::timeline::{TimelineChange, TimelineRecord, WallTime, rows};

/// Of what, since when, and how it is printed.
#[derive(Debug, Clone, Args)]
pub(super) struct EventsArgs {
    /// The environments [default: the one of config.toml, else the inventory's first]
    #[arg(value_name = "ENV")]
    environments: Vec<String>,
    /// Every environment
    #[arg(long, conflicts_with = "environments")]
    all: bool,
    /// Only what was seen in this time: 30m, 8h, 1d, 2w [default: all there is]
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Duration>,
    /// How to print it: JSON is one record a line (docs/events-json.md), CSV a line for each event
    #[arg(long, value_enum, default_value_t = EventsFormat::Text)]
    format: EventsFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventsFormat {
    Text,
    Json,
    Csv,
}

impl EventsArgs {
    /// These, about the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        if self.environments.is_empty() && !self.all {
            self.environments.extend(before);
        }
        self
    }
}

/// A time such as `90m` on the command line.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time such as 30m, 8h, 1d or 2w".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    span.to_duration(days).ok().and_then(|time| time.try_into().ok()).ok_or_else(wrong)
}

pub(super) fn run(common: &Common, args: &EventsArgs) -> Result<ExitCode, CliError> {
    if common.demo.is_some() {
        let why = "a simulated fleet keeps no events: its console shows them while it runs (key 6)";
        return Err(CliError::Usage(why.to_owned()));
    }
    let setup = setup::Setup::read(common)?;
    let fleet = files::load_inventory(&setup.inventory(common), &setup.context).map_err(setup::rendered)?;
    let wanted: Vec<Arc<Environment>> = if args.all {
        fleet.environments.clone()
    } else if args.environments.is_empty() {
        vec![setup::first_environment(&setup, &fleet)?]
    } else {
        let all = args.environments.iter().map(|name| setup::environment(&fleet, name));
        all.collect::<Result<_, _>>()?
    };
    let now = WallTime(jiff::Timestamp::now().as_second());
    let oldest = args
        .since
        .map(|since| WallTime(now.0.saturating_sub(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))));
    let mut read = Vec::new();
    for env in wanted {
        let records = records_of(&setup.paths.timelines(), &env.name)?;
        read.push((env.name.clone(), records));
    }
    let text = match args.format {
        EventsFormat::Text => text(&read, oldest),
        EventsFormat::Json => json(&read, oldest),
        EventsFormat::Csv => csv(&read, oldest)?,
    };
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn records_of(folder: &Path, env: &EnvName) -> Result<Vec<TimelineRecord>, CliError> {
    let file = TimelineFile::new(folder, env);
    file.read().map_err(|error| CliError::Refused(format!("the events of {env} are unknown: {error}")))
}

/// A line for each event, the oldest first.
fn text(read: &[(EnvName, Vec<TimelineRecord>)], oldest: Option<WallTime>) -> String {
    let mut out = String::new();
    for (env, records) in read {
        if records.is_empty() {
            out.push_str(&format!("{env}: no event is on disk: a console writes them while it looks\n"));
            continue;
        }
        for row in rows(records).iter().rev().filter(|row| oldest.is_none_or(|oldest| row.at >= oldest)) {
            let host = row.host.as_ref().map_or("-", |host| host.as_str());
            let (at, state) = (row.at.written("%Y-%m-%d %H:%M:%SZ"), row.mark.word());
            let lasted = if row.lasted.is_empty() { "-" } else { &row.lasted };
            out.push_str(&format!("{at}  {env}  {state:<12}  {lasted:>7}  {host:<16}  {}\n", row.says));
        }
    }
    out
}

/// A line for each record, the oldest first: without what later records are only compared with.
fn json(read: &[(EnvName, Vec<TimelineRecord>)], oldest: Option<WallTime>) -> String {
    let is_event = |record: &TimelineRecord| match &record.change {
        TimelineChange::Hosts(_) | TimelineChange::Roles { before: None, .. } => false,
        TimelineChange::Looked { .. }
        | TimelineChange::Added(_)
        | TimelineChange::Removed(_)
        | TimelineChange::Roles { .. }
        | TimelineChange::Began { .. }
        | TimelineChange::Changed { .. }
        | TimelineChange::Ended { .. }
        | TimelineChange::Acknowledged { .. }
        | TimelineChange::Reopened { .. }
        | TimelineChange::Cut => true,
    };
    let mut out = String::new();
    for (env, records) in read {
        let wanted = records.iter().filter(|record| oldest.is_none_or(|oldest| record.at >= oldest));
        for record in wanted.filter(|record| is_event(record)) {
            let mut value = wire::value(record);
            if let Some(object) = value.as_object_mut() {
                object.insert("env".to_owned(), env.as_str().into());
            }
            out.push_str(&format!("{value}\n"));
        }
    }
    out
}

/// A line for each event, the oldest first.
fn csv(read: &[(EnvName, Vec<TimelineRecord>)], oldest: Option<WallTime>) -> std::io::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["AT", "ENVIRONMENT", "STATE", "KIND", "HOST", "LASTED", "CHANGES", "WHAT"])?;
    for (env, records) in read {
        for row in rows(records).iter().rev().filter(|row| oldest.is_none_or(|oldest| row.at >= oldest)) {
            let host = row.host.as_ref().map_or("", |host| host.as_str());
            let (at, changes) = (row.at.rfc3339(), row.changes.to_string());
            let cells =
                [&at, env.as_str(), row.mark.word(), row.kind, host, &row.lasted, &changes, &row.says];
            out.write_record(cells.map(no_formula))?;
        }
    }
    let bytes = out.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
