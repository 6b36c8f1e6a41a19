//! `jumpdeck runbook plan NAME`: the frozen plan, whole, before anything runs. Only reads.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::site::RunSite;
use super::{Chosen, inputs};
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::cli::terminal::paper::Paper;
use crate::operator::inputs::AskInputs;

mod json;
pub(super) mod text;

/// What keeps a plan from running is no usage error.
const CANNOT_RUN: u8 = 1;

/// Which plan, and how to print it.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// How to print it; JSON is one document (docs/runbooks.md)
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    Text,
    Json,
}

impl PlanArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.chosen = self.chosen.or_env(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &PlanArgs) -> Result<ExitCode, CliError> {
    let site = RunSite::open(common, args.chosen.env.as_deref())?;
    let planned = inputs::plan(&site, &args.chosen, AskInputs::Unanswered).await?;
    let view = planned.view();
    let text = match args.format {
        PlanFormat::Text => {
            let mut paper = Paper::of_stdout();
            text::write(&mut paper, view);
            text::write_lease(&mut paper, &site.access.env, view);
            paper.take()
        }
        PlanFormat::Json => {
            let json = serde_json::to_string_pretty(&json::PlanJson::new(view));
            format!("{}\n", json.map_err(std::io::Error::from)?)
        }
    };
    print::answer(&text)?;
    Ok(ExitCode::from(if view.problems.is_empty() { 0 } else { CANNOT_RUN }))
}
