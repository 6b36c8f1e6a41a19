//! Where on the way to a host something failed.

use std::fmt;

use super::names::HostName;

/// A place on the way: this machine → jump box → host → service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// The machine the console runs on (keys, files, agent, no network).
    Here,
    /// The jump box.
    Jump(HostName),
    /// The host itself.
    Host(HostName),
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hop::Here => f.write_str("this machine"),
            Hop::Jump(name) => write!(f, "jump box {name}"),
            Hop::Host(name) => write!(f, "host {name}"),
        }
    }
}
