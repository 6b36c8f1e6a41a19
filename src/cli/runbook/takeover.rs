//! `jumpdeck runbook takeover RUN`: goes on with a run whose console is gone, from its entries on the jump box.

use std::process::ExitCode;

use clap::Args;

use super::run::{launch, refused, stay, unless_interrupted};
use super::site::{self, Site};
use super::{hint, inputs};
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::runbook::definition::Runbook;
use crate::runbook::runner;

/// Which run, and where.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TakeoverArgs {
    /// The run; `jumpdeck runbook runs --jump` names them
    run: String,
    /// The environment it is in [default: the one config.toml names, else the inventory's first]
    #[arg(long, short, value_name = "NAME")]
    env: Option<String>,
}

impl TakeoverArgs {
    pub(super) fn or_env(mut self, before: Option<String>) -> Self {
        self.env = self.env.or(before);
        self
    }
}

pub(super) async fn run(common: &Common, args: &TakeoverArgs) -> Result<ExitCode, CliError> {
    if common.demo.is_some() {
        return Err(CliError::Usage("a simulated fleet ends with its program: leave --demo out".to_owned()));
    }
    let site = Site::attended(common, args.env.as_deref())?;
    let mut interrupts = site::interrupts()?;
    let begin = async {
        let with = launch(&site);
        let entries = runner::copied(&with, &args.run).await.map_err(refused)?;
        let plan = runner::frozen(&entries)
            .ok_or_else(|| CliError::Refused("its entries do not say how the run began".to_owned()))?;
        // The runbook is the one that the run began with, whatever became of the files since.
        let runbook = Runbook::from_sources(&plan.sources).map_err(CliError::Refused)?;
        let secrets = inputs::secrets(&site, &runbook).await?;
        let handle = runner::take_over(with, &args.run, secrets).await.map_err(refused)?;
        print::answer(&format!("You took over {}. Its journal is on this machine now.\n\n", args.run))?;
        Ok(handle)
    };
    let handle = unless_interrupted(begin, &mut interrupts).await?;
    stay(&site, handle, interrupts, hint::tail(common)).await
}
