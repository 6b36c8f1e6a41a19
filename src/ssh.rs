//! SSH: known_hosts, authentication, hops, sessions. May import `domain`.

pub mod ask;
pub mod dial;
pub mod error;
pub mod known_hosts;
pub mod link;
pub mod listening;
pub mod ring;
pub mod script;
pub mod sshsig;

mod algorithms;
mod auth;
mod connection;
mod guarded;
mod inbox;
mod key_file;
mod patience;
mod spare;
mod tunnel;
