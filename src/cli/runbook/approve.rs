//! `jumpdeck runbook approve RUN STEP`: the yes of a second person, who sees what it is said to, and types it.

use std::process::ExitCode;

use clap::Args;

use super::site::RunSite;
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::cli::terminal::keys::{AnswerKeys, Typed};
use crate::cli::terminal::paper::{Ink, Paper};
use crate::operator::approve::{ApprovalAsked, ApproveError, RunbookOrigin};
use jumpdeck_fleet::text::Clean;

/// To what.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ApproveArgs {
    /// The run
    run: String,
    /// The step that asks for the approval
    step: String,
    /// The run's environment [default: the one config.toml names, else the inventory's first]
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
    let site = RunSite::attended(common, args.env.as_deref())?;
    let asked = ApprovalAsked::read(&site.access, &args.run, &args.step).await?;
    let mut paper = Paper::of_stdout();
    write(&mut paper, &asked);
    print::answer(&paper.take())?;
    let who = &site.access.who;
    let said = site.terminal()?.line(&format!("type yes to approve it as {who}> "), true).await;
    if !matches!(said, Typed::Line(line) if line.trim() == "yes") {
        print::answer("not approved\n")?;
        return Ok(ExitCode::from(1));
    }
    let agreed = asked.agree(&site.access).await?;
    let (signed, unsigned) = agreed.sign(&site.access, waits_for_the_key).await?;
    if let Some(why) = unsigned {
        print::answer(&format!("unsigned: no signing key ({})\n", Clean::new(&why.to_string())))?;
    }
    signed.send(&site.access).await?;
    print::answer("approved\n")?;
    Ok(ExitCode::SUCCESS)
}

fn waits_for_the_key() {
    drop(print::answer("touch your security key, or say yes to your SSH agent: it signs your approval\n"));
}

impl From<ApproveError> for CliError {
    fn from(error: ApproveError) -> Self {
        match error {
            ApproveError::NoStep(_) => Self::Usage(error.to_string()),
            ApproveError::Follow(_)
            | ApproveError::NoEntry
            | ApproveError::Replay(_)
            | ApproveError::NotAsked
            | ApproveError::OtherStep { .. }
            | ApproveError::OtherCommands
            | ApproveError::NoJumpBox(_)
            | ApproveError::Unsigned { .. }
            | ApproveError::Lease(_) => Self::Refused(error.to_string()),
        }
    }
}

/// What is approved: the run, what could not be proved, and every command until the next question.
fn write(paper: &mut Paper, asked: &ApprovalAsked) {
    let view = asked.view();
    let simulated = if view.simulated { "  SIMULATED" } else { "" };
    paper.words(0, Ink::Bold, &format!("{}: {}{simulated}", view.env, view.title));
    paper.field(2, "run", Ink::Plain, &view.id);
    paper.field(2, "who", Ink::Plain, view.who.as_str());
    paper.field(2, "why", Ink::Plain, view.why.as_str());
    let (name, hash, origin) = asked.runbook();
    let (ink, whose) = whose(origin);
    let short: String = hash.chars().take(12).collect();
    paper.field(2, "runbook", ink, &format!("{name} {short} ({whose})"));
    if let Some(trouble) = asked.trouble() {
        paper.words(2, Ink::Bad, &format!("! {trouble}"));
    }
    for line in asked.lines() {
        let ink = match line.trim_start() {
            doubt if doubt.starts_with("not proved: ") => Ink::Bad,
            title if title.starts_with("step ") || title.starts_with("then ") => Ink::Warn,
            _ => Ink::Plain,
        };
        paper.exact(2, ink, &line);
    }
}

fn whose(origin: RunbookOrigin) -> (Ink, &'static str) {
    match origin {
        RunbookOrigin::BuiltIn => (Ink::Plain, "built in"),
        RunbookOrigin::OtherThanBuiltIn => (
            Ink::Bad,
            "NOT the built-in runbook of that name: the operator's own file, or one of another version of jumpdeck",
        ),
        RunbookOrigin::Own => (Ink::Warn, "the operator's own"),
    }
}
