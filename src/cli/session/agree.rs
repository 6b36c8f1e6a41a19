//! A yes to the end of a session: what the inventory's `guard` asks for.

use super::site::SessionSite;
use super::text;
use crate::cli::common::CliError;
use crate::cli::print;
use crate::cli::terminal::keys::{AnswerKeys as _, Typed};
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::maintenance::MaintenanceSession;

/// Asks, unless `--yes` suffices.
///
/// # Errors
/// When the answer is no, or nobody is there to be asked.
pub(super) async fn to_end(
    site: &SessionSite,
    session: &MaintenanceSession,
    yes: bool,
    is_named: bool,
) -> Result<(), CliError> {
    let env = site.env.name.as_str();
    let word = match (site.env.guard, yes) {
        (Guard::Confirm, true) => return Ok(()),
        (Guard::Challenge, true) if is_named => return Ok(()),
        (Guard::Challenge, true) => {
            return Err(CliError::Usage(format!(
                "{env} has guard = \"challenge\": with --yes, name the environment, too (--env {env})"
            )));
        }
        (Guard::Confirm, false) => "y",
        (Guard::Challenge, false) => env,
    };
    let Some(mut terminal) = site.terminal.clone() else {
        return Err(CliError::NoTerminal(
            "there is no terminal to confirm the end of the session at: run this in a terminal, or say --yes"
                .to_owned(),
        ));
    };
    print::answer(&format!("End {}?\n", text::brief(session)))?;
    loop {
        match terminal.line(&format!("type {word} to end it> "), true).await {
            Typed::Line(line) => match line.trim() {
                line if line == word => return Ok(()),
                "" | "n" | "no" => break,
                _ => print::answer(&format!("  type {word} to end it, or n to leave\n"))?,
            },
            Typed::Pasted(_) => print::answer("  pasted text is not accepted here: type it\n")?,
            Typed::Several => {
                print::answer("  several lines came at once; none was used, so type one answer\n")?
            }
            Typed::End => break,
        }
    }
    Err(CliError::Refused("the session goes on".to_owned()))
}
