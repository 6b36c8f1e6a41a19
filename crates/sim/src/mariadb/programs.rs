//! The programs of a database server.

pub(crate) mod dump;
pub mod mysql;
