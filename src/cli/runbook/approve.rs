//! `jumpdeck runbook approve RUN STEP`: the yes of a second person, who sees what it is said to, and types it.

use std::process::ExitCode;

use clap::Args;

use super::keys::{Keys, Typed};
use super::site::Site;
use super::text::{Ink, Paper};
use super::who;
use crate::cli::runs::Watched;
use crate::cli::{CliError, Common, print};
use crate::domain::run::{Asks, Effect, RunView, StepState};
use crate::runbook::lease;
use crate::runbook::reach::Reach;

/// To what.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The run
    run: String,
    /// The step that asks for it
    step: String,
    /// The environment it is in [default: the one in use]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl ApproveArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &ApproveArgs) -> Result<ExitCode, CliError> {
    let site = Site::attended(common, args.env.as_deref())?;
    let mut watched = Watched::open(&*site.reach, &args.run).await.map_err(CliError::Refused)?;
    let seen = watched.look(site.clock.now()).await.map_err(CliError::Refused)?;
    let view =
        seen.flatten().ok_or_else(|| CliError::Refused("nothing of that run can be seen".to_owned()))?;
    let mut paper = Paper::of_stdout();
    write(&mut paper, &view, &args.step)?;
    print::answer(&paper.take())?;
    let who = who::who();
    let mut keys = site.terminal.clone().ok_or_else(|| CliError::Usage("there is no terminal".to_owned()))?;
    let said = keys.line(&format!("type yes to approve it as {who}> "), true).await;
    if !matches!(said, Typed::Line(line) if line.trim() == "yes") {
        print::answer("not approved\n")?;
        return Ok(ExitCode::from(1));
    }
    let jump = site.reach.host(site.reach.jump()).await;
    let jump = jump.map_err(|e| CliError::Refused(format!("{}: {}", e.hop, e.describe())))?;
    let done = lease::approve(&*jump, &args.run, &args.step, &who).await;
    done.map_err(|error| CliError::Refused(error.to_string()))?;
    print::answer("approved\n")?;
    Ok(ExitCode::SUCCESS)
}

/// What is approved: the run, the step, and what changes after it until the next yes.
fn write(paper: &mut Paper, view: &RunView, id: &str) -> Result<(), CliError> {
    let Some(at) = view.steps.iter().position(|step| step.id == id) else {
        return Err(CliError::Usage(format!("this run has no step {id:?}")));
    };
    let simulated = if view.simulated { "  SIMULATED" } else { "" };
    paper.words(0, Ink::Bold, &format!("{}: {}{simulated}", view.env, view.title));
    paper.field(2, "run", Ink::Plain, &view.id);
    paper.field(2, "who", Ink::Plain, view.who.as_str());
    paper.field(2, "why", Ink::Plain, view.why.as_str());
    if let Some(step) = view.steps.get(at) {
        paper.field(2, "step", Ink::Bold, step.title.as_str());
    }
    if let Some(trouble) = &view.trouble {
        paper.words(2, Ink::Bad, &format!("! {trouble}"));
    }
    let after = view.steps.get(at + 1..).unwrap_or_default();
    for step in after.iter().take_while(|step| step.asks != Asks::Yes) {
        if step.effect != Effect::Read && !matches!(step.state, StepState::Skipped(_)) {
            let on = super::story::names(&step.on);
            paper.field(2, "then", Ink::Warn, &format!("{} ({on})", step.title));
        }
    }
    Ok(())
}
