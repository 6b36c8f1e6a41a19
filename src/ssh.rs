//! SSH: known_hosts, authentication, hops, sessions.

pub mod advice;
pub mod ask;
pub mod dial;
pub mod error;
pub mod known_hosts;
pub mod link;
pub mod listening;
pub mod ring;
pub mod script;
pub mod signing;
pub mod sshsig;

mod agent;
mod algorithms;
mod auth;
pub(crate) mod banner;
pub(crate) mod bounded;
mod client;
mod connection;
mod guarded;
mod inbox;
pub(crate) mod key_file;
mod patience;
mod spare;
mod tunnel;
