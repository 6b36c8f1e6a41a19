//! One file a screen. A screen draws its body and returns what the footer says of the selected row.

pub(crate) mod fleet;
pub(crate) mod host;
pub(crate) mod problems;
pub(crate) mod replication;
pub(crate) mod roles;

mod cells;
mod connection;
