//! Commands the program tells people to type: with all that they need to work as typed.

use std::path::absolute;

use crate::cli::common::Common;
use crate::runbook::scope::quoted;

/// Said of a run of a simulated fleet that began in another process.
pub(in crate::cli) const WORLD_GONE: &str =
    "it cannot go on: its simulated fleet ended with the program that made it; begin another run";

/// What a command needs so that it reaches the same inventory; ends up behind it.
pub(in crate::cli) fn tail(common: &Common) -> String {
    let Some(path) = &common.inventory else { return String::new() };
    // It may be typed in another folder.
    let path = absolute(path).unwrap_or_else(|_| path.clone());
    match shlex::try_quote(&path.to_string_lossy()) {
        Ok(quoted) => format!(" --inventory {quoted}"),
        Err(_) => String::new(),
    }
}

/// How a run goes on. Its environment stands in its journal.
pub(in crate::cli) fn resume(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook resume {run}{tail}")
}

/// How a run is rolled back, and nothing else of it done.
pub(in crate::cli) fn rollback(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook rollback {run}{tail}")
}

/// How a run whose console is gone goes on. Its journal is on the jump box of that environment.
pub(in crate::cli) fn takeover(run: &str, env: &str, tail: &str) -> String {
    format!("jumpdeck runbook takeover {run} --env {}{tail}", quoted(env))
}

/// A run's report.
pub(in crate::cli) fn report(run: &str) -> String {
    format!("jumpdeck runbook report {run}")
}
