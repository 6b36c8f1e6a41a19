//! Keys that several kinds have in common.

/// Every step.
pub(in crate::runbook) const ALL: &[&str] = &["id", "kind", "title", "why", "when"];
/// Every step that is done, by machines or by people.
pub(in crate::runbook) const DONE: &[&str] =
    &["on", "pre", "impact", "writes", "lasts", "safe_point", "max_dwell", "on_fail", "always"];
/// What gets an answer from machines.
pub(in crate::runbook) const ANSWERED: &[&str] =
    &["expect", "capture", "effect", "timeout", "retries", "sensitive"];
/// What changes machines, but gives no answer to judge.
pub(in crate::runbook) const TIMED: &[&str] = &["effect", "timeout"];
/// What changes something.
pub(in crate::runbook) const CHANGES: &[&str] = &["read_back", "done_if", "undo", "point_of_no_return"];
/// A shell script.
pub(in crate::runbook) const SCRIPT: &[&str] = &["run", "with", "secrets", "sudo"];
/// A call of Salt.
pub(in crate::runbook) const SALT: &[&str] = &["salt", "arguments", "states", "job"];
/// A call of Salt that only asks.
pub(in crate::runbook) const SALT_ASKS: &[&str] = &["salt", "arguments", "states"];
