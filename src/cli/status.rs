//! `jumpdeck status`: ask once, print, exit 0 ok, 1 warning, 2 critical, 3 unknown.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;

use super::common::{CliError, Common};
use super::{print, setup};
use crate::config::columns::columns_of;
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::judge::worst;
use jumpdeck_fleet::problem::Severity;

mod export;
#[cfg(test)]
mod formats_tests;
pub mod gather;
pub mod json;
#[cfg(test)]
mod left_tests;
mod nagios;
mod openmetrics;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod roles_tests;
pub mod table;
#[cfg(test)]
mod unknown_tests;

/// News on its way from the actors; a full queue makes them wait.
const QUEUE: usize = 1024;

/// What to ask, and how to print it.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// An environment; may be given several times [default: the first of the inventory]
    #[arg(long, short, value_name = "NAME")]
    env: Vec<String>,
    /// Every environment
    #[arg(long, conflicts_with = "env")]
    all: bool,
    /// How to print it: JSON is one document a line and environment (docs/status-json.md), `nagios` a plugin's answer,
    /// `openmetrics` figures for a collector (docs/status-metrics.md), `csv` and `markdown` the table for a spreadsheet or a ticket
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The columns of the table, from left to right after the state: host,roles,load,disk,worst-problem (table, csv, markdown)
    #[arg(long, value_name = "NAMES")]
    columns: Option<String>,
    /// Seconds until hosts that have not answered are reported as timed out
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = super::common::seconds)]
    timeout: f64,
}

impl StatusArgs {
    /// These, about the environment that was named before the command if none is named after it.
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        if self.env.is_empty() && !self.all {
            self.env.extend(before);
        }
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Nagios,
    Openmetrics,
    Csv,
    Markdown,
}

pub(super) fn run(common: &Common, args: &StatusArgs) -> Result<ExitCode, CliError> {
    let columns = columns(args)?;
    let chosen = columns.as_deref();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let pictures = runtime.block_on(ask(common, args));
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    let (pictures, notes) = match (pictures, args.format) {
        // Who runs plugins reads standard output, and an exit code of 2 as something that was looked at.
        (Err(error), Format::Nagios) => {
            print::complain(&error.to_string());
            print::answer(&nagios::could_not_look(&error.to_string()))?;
            return Ok(ExitCode::from(exit_code(Some(Severity::Unknown))));
        }
        (answered, _) => answered?,
    };
    let colour = super::common::colour_on(&std::io::stdout());
    let taken_at = jiff::Timestamp::now();
    let documents = || pictures.iter().map(|p| json::EnvironmentStatus::new(p, taken_at.to_string()));
    let text = match args.format {
        Format::Table => {
            pictures.iter().map(|p| table::render(p, colour, chosen)).collect::<Vec<_>>().join("\n")
        }
        Format::Json => {
            let lines: Result<Vec<_>, _> = documents().map(|status| serde_json::to_string(&status)).collect();
            lines.map_err(std::io::Error::from)?.iter().map(|line| format!("{line}\n")).collect()
        }
        Format::Nagios => nagios::render(&pictures),
        Format::Csv => export::csv(&pictures, &taken_at.to_string(), chosen)?,
        Format::Markdown => export::markdown(&pictures, &taken_at.to_string(), chosen),
        Format::Openmetrics => {
            openmetrics::render(&documents().collect::<Vec<_>>(), taken_at).map_err(std::io::Error::other)?
        }
    };
    print::answer(&text)?;
    for note in notes {
        // Cron sends what is on standard error, and some who run plugins read it: each run would say it again.
        if args.format == Format::Table { print::complain(&note) } else { tracing::warn!("{note}") }
    }
    Ok(ExitCode::from(exit_code(pictures.iter().filter_map(|p| worst(&p.problems)).max())))
}

/// The columns that are chosen.
fn columns(args: &StatusArgs) -> Result<Option<Vec<&'static str>>, CliError> {
    let Some(names) = &args.columns else { return Ok(None) };
    match args.format {
        Format::Table | Format::Csv | Format::Markdown => {
            columns_of(names, &table::COLUMNS).map(Some).map_err(CliError::Usage)
        }
        Format::Json | Format::Nagios | Format::Openmetrics => {
            Err(CliError::Usage("--columns is for the formats table, csv and markdown".to_owned()))
        }
    }
}

/// The exit code for the worst problem there is.
fn exit_code(worst: Option<Severity>) -> u8 {
    match worst {
        None => 0,
        Some(Severity::Warning) => 1,
        Some(Severity::Critical) => 2,
        Some(Severity::Unknown) => 3,
    }
}

/// What is known of each environment; and what is wrong with the files of what disks had in use.
async fn ask(common: &Common, args: &StatusArgs) -> Result<(Vec<gather::Picture>, Vec<String>), CliError> {
    let (sender, events) = mpsc::channel(QUEUE);
    let setup = setup::Setup::read(common)?;
    let target = setup::target(common, &setup)?;
    let wanted = wanted(&target.fleet, &setup, args)?;
    let fleet = target.fleet.clone();
    let clock = target.clock;
    let (disks, mut notes) = target.disks(&setup);
    let ask = Arc::new(crate::transport::ask::RefuseAll);
    let collector = target.collector(ask, sender, disks.clone());
    let limit = Duration::from_secs_f64(args.timeout);
    let pictures = gather::gather(&fleet, &wanted, &collector, events, clock, limit).await;
    notes.extend(setup::keep(disks).await);
    Ok((pictures, notes))
}

fn wanted(fleet: &Fleet, setup: &setup::Setup, args: &StatusArgs) -> Result<Vec<Arc<Environment>>, CliError> {
    if args.all {
        return Ok(fleet.environments.clone());
    }
    if args.env.is_empty() {
        return Ok(vec![setup::first_environment(setup, fleet)?]);
    }
    args.env.iter().map(|name| setup::environment(fleet, name)).collect()
}
