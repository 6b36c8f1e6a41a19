//! SSH: known_hosts, authentication, hops, sessions. May import `domain`.

pub mod dial;
