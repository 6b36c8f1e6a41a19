//! `jumpdeck runbook takeover RUN`: goes on with a run whose console is gone, from its entries on the jump box.

use std::process::ExitCode;

use clap::Args;

use super::attend::stay;
use super::inputs;
use super::site::{self, RunSite};
use crate::cli::common::{CliError, Common};
use crate::cli::print;
use crate::cli::terminal::interrupts::{interrupts, unless_interrupted};
use crate::operator::takeover::CopiedRun;
use jumpdeck_fleet::maintenance::RunEntry;

/// Which run, and where.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TakeoverArgs {
    /// The run; `jumpdeck runbook runs --jump` names them
    run: String,
    /// The run's environment [default: the one config.toml names, else the inventory's first]
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
        return Err(CliError::Usage(
            "a simulated fleet ends with its program: run this without --demo".to_owned(),
        ));
    }
    let site = RunSite::attended(common, args.env.as_deref())?;
    let mut interrupts = interrupts()?;
    let begin = async {
        let copied = CopiedRun::read(&site.access, site::at_terminal(), &args.run).await?;
        let adoptable = copied.ask(async |input| inputs::typed(&site, input).await).await?;
        let handle = adoptable.take_over().await?;
        print::answer(&format!("You took over {}. Its journal is on this machine now.\n\n", args.run))?;
        Ok(handle)
    };
    let handle = unless_interrupted(begin, &mut interrupts).await?;
    stay(&site, handle, interrupts, common.tail(), RunEntry::TookOver).await
}
