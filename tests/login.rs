//! Logins: prompts and phones, keys of agents, and servers that are old. Against `sshd`, `ssh-agent`, and a server of the
//! test's own where those cannot do it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/agent.rs"]
mod agent;
#[path = "login/agents.rs"]
mod agents;
#[path = "support/door.rs"]
mod door;
#[path = "support/fleet.rs"]
#[allow(dead_code)]
mod fleet;
#[path = "login/old_servers.rs"]
mod old_servers;
#[path = "login/prompts.rs"]
mod prompts;
#[path = "login/routes.rs"]
mod routes;
#[path = "login/sessions.rs"]
mod sessions;
#[path = "support/sshd.rs"]
#[allow(dead_code)]
mod sshd;
#[path = "login/words.rs"]
mod words;
