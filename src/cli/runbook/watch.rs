//! `jumpdeck runbook watch RUN`: a run that somebody else has under way, told like one's own; nothing can be answered.

use std::process::ExitCode;

use clap::Args;

use super::site::RunSite;
use super::story::Story;
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::cli::terminal::interrupts::interrupts;
use crate::cli::terminal::paper::Paper;
use crate::operator::following::Following;

/// Which run, and where.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct WatchArgs {
    /// The run
    pub(super) run: String,
    /// The run's environment [default: the one config.toml names, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    pub(super) env: Option<String>,
}

impl WatchArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &WatchArgs) -> Result<ExitCode, CliError> {
    let site = RunSite::open(common, args.env.as_deref())?;
    let mut interrupts = interrupts()?;
    let mut watched = Following::open(&*site.access.reach, &site.access.env, &args.run).await?;
    let mut story = Story::new(Paper::of_stdout());
    loop {
        let next = tokio::select! {
            next = watched.next(site.access.clock) => next?,
            _ = interrupts.recv() => break,
        };
        let Some((view, now)) = next else { break };
        print::answer(&story.tell(&view, now))?;
        if !view.state.is_under_way() {
            print::answer(&story.ending(&view, now))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
