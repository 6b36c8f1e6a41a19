//! SSH: known_hosts, authentication, hops, sessions. May import `domain`.

pub mod ask;
pub mod dial;
pub mod error;
pub mod link;
pub mod ring;
pub mod script;
