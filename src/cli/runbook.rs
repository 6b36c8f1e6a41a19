//! `jumpdeck runbook …`: guided changes on the command line. One file a subcommand.

mod answer;
mod keys;
mod operator;
mod story;
mod text;
pub(super) mod who;
