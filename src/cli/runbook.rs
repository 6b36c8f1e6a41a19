//! `jumpdeck runbook …`: guided changes on the command line. One file a subcommand; what a person at a run sees and
//! says is in `attend`, `story`, `answer` and `keys`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::common::{CliError, Common};
use super::setup;
use crate::operator::shelf::{ExposedRunbooks, NoRunbook, Shelf};
use crate::runbook::definition::Runbook;

mod answer;
mod approve;
mod attend;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod fixture;
mod inputs;
mod list;
mod new;

mod past;
mod plan;
mod run;
mod runs;
mod show;
mod site;
mod still;
mod story;
mod takeover;
mod terms;
mod verify;
mod watch;

/// Guided changes: exit 0 done, 1 blocked or refused, 2 usage, 3 stopped, 4 rolled back, 5 outcome unknown, 6 aborted, 7 no terminal
#[derive(Debug, Subcommand)]
pub(super) enum RunbookCommand {
    /// List the runbooks and your last runs
    List,
    /// Show what a runbook is for, what it asks and what it does
    Show {
        /// The runbook's name
        name: String,
    },
    /// Write a runbook of your own to start from: it passes `check` and runs in the demo as it is
    New(new::NewArgs),
    /// Show the whole plan and change nothing: exit 0, or 1 when the plan is blocked
    Plan(plan::PlanArgs),
    /// Run a runbook in the terminal: you see each step and answer its questions
    Run(run::RunArgs),
    /// Resume a run that was stopped, cut off or killed
    Resume(run::ResumeArgs),
    /// Undo what a run that was stopped, cut off or killed has done, back to the last safe point
    Rollback(run::ResumeArgs),
    /// Take over a run whose console is gone, from its entries on the jump box: nothing is repeated
    Takeover(takeover::TakeoverArgs),
    /// List the runs of this machine, newest first; with --jump also the unfinished runs on the jump box
    Runs(runs::RunsArgs),
    /// Show a run's journal, one entry per line
    Log {
        /// The run; `jumpdeck runbook runs` names them
        run: String,
    },
    /// Show a run's report: timeline, durations, who, why, skips, outputs
    Report(past::ReportArgs),
    /// Watch another operator's run, from its beginning
    Watch(watch::WatchArgs),
    /// Approve a step of another operator's run, as the second person
    Approve(approve::ApproveArgs),
    /// Check what a run's journal proves: exit 0 complete and signed by known people, 1 something is not proved, 3 changed or forged
    Verify(verify::VerifyArgs),
}

/// A runbook with its inputs, in an environment.
#[derive(Debug, Clone, Args)]
struct Chosen {
    /// The runbook's name
    name: String,
    /// The value of an input; asked on the terminal when not given. Secrets are always asked
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The environment [default: the one config.toml names, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl Chosen {
    fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

/// Runs a subcommand to its end. `env` is what was named before the command.
pub(super) fn run(
    common: &Common,
    command: RunbookCommand,
    env: Option<String>,
) -> Result<ExitCode, CliError> {
    match command {
        RunbookCommand::List => list::run(),
        RunbookCommand::Show { name } => show::run(&name),
        RunbookCommand::New(args) => new::run(&args),
        RunbookCommand::Takeover(args) => within(takeover::run(common, &args.or_env(env))),
        RunbookCommand::Runs(args) if args.jump => within(runs::on_the_jump_box(common, args.or_env(env))),
        RunbookCommand::Runs(_) => runs::run(common),
        RunbookCommand::Log { run } => past::log(common, &run),
        RunbookCommand::Report(args) => past::report(&args),
        RunbookCommand::Plan(args) => within(plan::run(common, &args.or_env(env))),
        RunbookCommand::Run(args) => within(run::run(common, &args.or_env(env))),
        RunbookCommand::Watch(args) => within(watch::run(common, &args.or_env(env))),
        RunbookCommand::Approve(args) => within(approve::run(common, &args.or_env(env))),
        RunbookCommand::Resume(args) => within(run::resume(common, &args, run::Onward::Next)),
        RunbookCommand::Rollback(args) => within(run::resume(common, &args, run::Onward::Back)),
        RunbookCommand::Verify(args) => within(verify::run(common, &args.or_env(env))),
    }
}

/// Runs what needs the network or the terminal.
fn within(work: impl Future<Output = Result<ExitCode, CliError>>) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(work);
    // Connections that hang must not hold the answer back.
    runtime.shutdown_background();
    done
}

/// The runbooks there are.
fn shelf() -> Result<Shelf, CliError> {
    let (paths, _) = setup::places()?;
    Shelf::read(&paths.runbooks()).map_err(|ExposedRunbooks(files)| setup::rendered(files))
}

/// The runbook of that name, or what there is instead.
fn runbook(name: &str) -> Result<Arc<Runbook>, CliError> {
    shelf()?.find(name).map_err(|error| match error {
        NoRunbook::Broken(mistakes) => setup::rendered(mistakes),
        NoRunbook::Unknown { .. } => CliError::Usage(error.to_string()),
    })
}
