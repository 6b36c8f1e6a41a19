//! `jumpdeck runbook runs`: the runs there were, from their journals.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::site::RunSite;
use super::still::{self, Run};
use crate::cli::common::{CliError, Common};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::cli::{print, setup};
use crate::operator::left::{self, GoesOn};
use crate::operator::{commands, past};
use crate::runbook::journal::{self, RunSummary};
use crate::runbook::wall;
use jumpdeck_fleet::run::InEffect;

/// Which runs.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct RunsArgs {
    /// Also list the runs on the jump box that may have left changes in effect, of every operator
    #[arg(long)]
    pub(super) jump: bool,
    /// The environment whose jump box is asked [default: the one config.toml names, else the inventory's first]
    #[arg(long, short, value_name = "NAME", requires = "jump")]
    env: Option<String>,
}

impl RunsArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

/// The runs here, and then those on the jump box that are not over.
pub(super) async fn on_the_jump_box(common: &Common, args: RunsArgs) -> Result<ExitCode, CliError> {
    let site = RunSite::open(common, args.env.as_deref())?;
    run(common)?;
    let left = left::of(&site.access).await?;
    let here = journal::runs(&site.access.journals);
    let mut paper = Paper::of_stdout();
    paper.gap();
    paper.words(0, Ink::Bold, &format!("Unfinished on the jump box of {}:", site.access.env.name));
    if left.is_empty() {
        paper.words(2, Ink::Plain, "none");
    }
    let tail = common.tail();
    for run in &left {
        paper.exact(0, Ink::Bold, &run.id);
        paper.words(2, Ink::Plain, run.says.as_str());
        let how = match run.goes_on(&here) {
            GoesOn::UnderWay => None,
            GoesOn::Here => Some(commands::resume(&run.id, &tail)),
            GoesOn::ByTakeover => Some(commands::takeover(&run.id, site.access.env.name.as_str(), &tail)),
        };
        match &run.in_effect {
            Ok(in_effect) => in_effect
                .iter()
                .for_each(|one| paper.words(2, Ink::Bad, &format!("STILL IN EFFECT: {}", one.line()))),
            Err(why) => paper.words(2, Ink::Bad, &format!("what it left in effect is unknown: {why}")),
        }
        if let Some(command) = how {
            paper.command(2, Ink::Plain, "go on     ", &command);
        }
    }
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let folder = paths.runs();
    let runs = journal::runs(&folder);
    let tail = common.tail();
    let mut paper = Paper::of_stdout();
    if runs.is_empty() {
        paper.words(0, Ink::Plain, &format!("there are no runs in {}", folder.display()));
    }
    for run in &runs {
        let ink = if run.began.is_none() { Ink::Bad } else { Ink::Plain };
        paper.exact(0, Ink::Bold, &run.id);
        paper.words(2, ink, &brief(run));
        let in_effect = match run.may_leave.then(|| in_effect(&folder, &run.id)) {
            None => Vec::new(),
            Some(Ok(in_effect)) => in_effect,
            Some(Err(why)) => {
                paper.words(2, Ink::Bad, &format!("what it left in effect is unknown: {why}"));
                Vec::new()
            }
        };
        let stands = match (run.over, run.under_way, run.simulated) {
            (true, _, _) => Run::Over,
            (false, true, _) => Run::UnderWay,
            (false, false, true) => Run::Simulated,
            (false, false, false) => Run::Stands,
        };
        still::tell(&mut paper, 2, &in_effect, &run.id, stands, &tail);
    }
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

/// What a run began and has not ended, from its journal.
fn in_effect(folder: &Path, run: &str) -> Result<Vec<InEffect>, String> {
    let (_, entries) = past::entries(folder, run).map_err(|error| error.to_string())?;
    past::in_effect(&entries).map_err(|error| error.to_string())
}

/// How a run stands, who began it, where and when.
fn brief(run: &RunSummary) -> String {
    let Some(began) = run.began else { return run.state.to_string() };
    let began = wall::minute(began, &jiff::tz::TimeZone::system());
    let dry = if run.dry_run { ", dry run" } else { "" };
    let simulated = if run.simulated { ", SIMULATED" } else { "" };
    format!("{} by {} in {}{simulated}{dry}, begun {began}", run.state, run.who, run.env)
}
