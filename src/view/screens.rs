//! One file a screen. A screen draws its body and returns what the footer says of the selected row.

pub(crate) mod fleet;
pub(crate) mod host;
pub(crate) mod past;
pub(crate) mod plan;
pub(crate) mod problems;
pub(crate) mod replication;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod runbooks;

mod cells;
mod connection;
