//! Commands the program tells people to type: with all that they need to work as typed.

use crate::runbook::scope::quoted;

/// Said of a run of a simulated fleet that began in another process.
pub const WORLD_GONE: &str =
    "it cannot be resumed: its simulated fleet ended with the program; start a new run";

/// How a run goes on. Its environment stands in its journal.
#[must_use]
pub fn resume(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook resume {run}{tail}")
}

/// How a run is rolled back, and nothing else of it done.
#[must_use]
pub fn rollback(run: &str, tail: &str) -> String {
    format!("jumpdeck runbook rollback {run}{tail}")
}

/// How a run whose console is gone goes on. Its journal is on the jump box of that environment.
#[must_use]
pub fn takeover(run: &str, env: &str, tail: &str) -> String {
    format!("jumpdeck runbook takeover {run} --env {}{tail}", quoted(env))
}

/// A run's report.
#[must_use]
pub fn report(run: &str) -> String {
    format!("jumpdeck runbook report {run}")
}
