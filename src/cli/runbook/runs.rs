//! `jumpdeck runbook runs`: the runs there were, from their journals.

use std::process::ExitCode;

use super::hint;
use super::text::{Ink, Paper};
use crate::cli::{CliError, Common, print, setup};
use crate::runbook::journal::{self, RunSummary};

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let folder = paths.runs();
    let runs = journal::runs(&folder);
    let mut paper = Paper::of_stdout();
    if runs.is_empty() {
        paper.words(0, Ink::Plain, &format!("there are no runs in {}", folder.display()));
    }
    for run in &runs {
        let ink = if run.began.is_none() { Ink::Bad } else { Ink::Plain };
        paper.exact(0, Ink::Bold, &run.id);
        paper.words(2, ink, &brief(run));
        if !run.over {
            match run.simulated {
                true => paper.words(2, Ink::Dim, hint::WORLD_GONE),
                false => paper.command(2, Ink::Plain, "go on: ", &hint::resume(&run.id, &hint::tail(common))),
            }
        }
    }
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

/// How a run stands, who began it, where and when.
pub(in crate::cli) fn brief(run: &RunSummary) -> String {
    let Some(began) = run.began else { return run.state.to_string() };
    let began = began.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M");
    let dry = if run.dry_run { ", dry run" } else { "" };
    let simulated = if run.simulated { ", SIMULATED" } else { "" };
    format!("{} by {} in {}{simulated}{dry}, begun {began}", run.state, run.who, run.env)
}
