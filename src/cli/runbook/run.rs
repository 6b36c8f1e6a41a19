//! `jumpdeck runbook run NAME` and `resume RUN`: a run, line by line on the terminal. Answers come from a person: no
//! flag gives one.

use std::process::ExitCode;

use clap::Args;

use super::attend::stay;
use super::plan::text as plan_text;
use super::site::{self, RunSite};
use super::{Chosen, inputs};
use crate::cli::common::{CliError, Common};
use crate::cli::terminal::interrupts::{interrupts, unless_interrupted};
use crate::cli::terminal::keys::{AnswerKeys, Typed};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::cli::{print, setup};
use crate::operator::commands;
use crate::operator::inputs::AskInputs;
use crate::operator::resume::{Begun, FleetAtHand, OtherFleet};
use jumpdeck_fleet::maintenance::RunEntry;
use jumpdeck_fleet::run::{Mode, PlanView};

/// Which run, and why.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Why you run it: for the journal, the report and other operators
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Dry run: changes are printed, not made
    #[arg(long)]
    dry_run: bool,
}

/// Which run goes on.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ResumeArgs {
    /// The run; `jumpdeck runbook runs` names them
    run: String,
}

impl RunArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.chosen = self.chosen.or_env(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &RunArgs) -> Result<ExitCode, CliError> {
    let why = args.why.trim();
    if why.is_empty() {
        return Err(CliError::Usage("--why: give a reason, as in --why \"db1 is out of memory\"".to_owned()));
    }
    let site = RunSite::attended(common, args.chosen.env.as_deref())?;
    let mut interrupts = interrupts()?;
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Live };
    let begin = async {
        let planned = inputs::plan(&site, &args.chosen, AskInputs::Each).await?;
        let view = planned.view().clone();
        let mut paper = Paper::of_stdout();
        plan_text::write(&mut paper, &view);
        plan_text::write_lease(&mut paper, &site.access.env, &view);
        print::answer(&paper.take())?;
        let startable = planned.startable()?;
        if mode == Mode::Live && !agreed(&site, &view).await? {
            return Ok(None);
        }
        let started = startable.start(&site.access, site::at_terminal(), why.to_owned(), mode).await;
        Ok(Some(started?))
    };
    match unless_interrupted(begin, &mut interrupts).await? {
        Some(handle) => stay(&site, handle, interrupts, common.tail(), RunEntry::Started).await,
        None => {
            print::answer("nothing was started\n")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Where a run goes on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// Its next step.
    Next,
    /// Back, to be undone.
    Back,
}

pub(super) async fn resume(common: &Common, args: &ResumeArgs, onward: Onward) -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let begun = Begun::read(&paths.runs(), &args.run)?;
    let run = begun.of_this_fleet(at_hand(common)).map_err(elsewhere)?;
    let site = RunSite::attended(common, Some(run.environment()))?;
    let mut interrupts = interrupts()?;
    let begin = async {
        let (access, armed) = (&site.access, site::at_terminal());
        let run = run.ask(&access.env, async |input| inputs::typed(&site, input).await).await?;
        let handle = match onward {
            Onward::Next => run.resume(access, armed).await,
            Onward::Back => run.roll_back(access, armed).await,
        };
        Ok(handle?)
    };
    let handle = unless_interrupted(begin, &mut interrupts).await?;
    stay(&site, handle, interrupts, common.tail(), RunEntry::Resumed).await
}

/// The simulated fleet of this command is a new one: no run began in it.
fn at_hand(common: &Common) -> FleetAtHand {
    match common.demo {
        Some(_) => FleetAtHand::Simulated { began_in_it: false },
        None => FleetAtHand::Real,
    }
}

fn elsewhere(fleet: OtherFleet) -> CliError {
    match fleet {
        OtherFleet::Simulated | OtherFleet::Gone => {
            CliError::Refused(format!("this run is SIMULATED: {}", commands::WORLD_GONE))
        }
        OtherFleet::Real => {
            CliError::Usage("this run is of a real fleet: run this without --demo".to_owned())
        }
    }
}

/// The last question before the first step.
async fn agreed(site: &RunSite, plan: &PlanView) -> Result<bool, CliError> {
    let mut keys = site.terminal()?;
    let mut paper = Paper::of_stdout();
    paper.gap();
    paper.words(0, Ink::Bold, &format!("Begin this run in {}?", plan.env));
    print::answer(&paper.take())?;
    loop {
        // Only yes begins, and only no or the end of the terminal throws the plan away.
        match keys.line("type yes to begin> ", true).await {
            Typed::Line(line) if line.trim() == "yes" => return Ok(true),
            Typed::Line(line) if matches!(line.trim(), "no" | "n") => return Ok(false),
            Typed::Line(_) => print::answer("  type yes to begin, or no to leave\n")?,
            Typed::Pasted(_) => print::answer("  pasted text is not accepted here: type yes, or no\n")?,
            Typed::Several => {
                print::answer("  several lines came at once; none was used, so type one answer\n")?
            }
            Typed::End => return Ok(false),
        }
    }
}
