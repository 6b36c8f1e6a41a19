//! SSH: authentication, hops, sessions.

pub mod dial;
pub mod link;
pub mod ring;
pub mod script;
pub mod signing;

mod algorithms;
mod asker;
mod auth;
mod client;
mod connection;
mod guarded;
mod inbox;
mod patience;
mod port;
mod reach;
mod resolvers;
mod sessions;
mod spare;
mod tunnel;

pub use sessions::{SshConnector, SshConnectors};
