//! Logins: prompts and phones, keys of agents, and servers that are old. Against `sshd`, `ssh-agent`, and a server of the
//! test's own where those cannot do it.

mod agents;
mod old_servers;
mod prompts;
mod routes;
mod sessions;
mod words;

use crate::support::{agent, door, fleet, sshd};
