//! `jumpdeck runbook …`: guided changes on the command line. One file a subcommand.

mod answer;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod fixture;
mod keys;
mod operator;
mod story;
mod text;
pub(super) mod who;
