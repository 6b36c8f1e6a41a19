//! Attacks by other people's hands: other accounts on the jump box and the hosts, hosts that lie, files that others can
//! write. Each fails without the code that stops it. A room is one surface; real sshd, a second account by `setpriv`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, dead_code)]
#![allow(unreachable_pub)]

#[path = "support/agent.rs"]
mod agent;
#[path = "security/files.rs"]
mod files;
#[path = "support/fleet.rs"]
mod fleet;
#[path = "security/lease.rs"]
mod lease;
#[path = "support/operator.rs"]
mod operator;
#[path = "security/ssh.rs"]
mod ssh;
#[path = "support/sshd.rs"]
mod sshd;

#[path = "security/hosts.rs"]
mod hosts;

#[path = "security/evidence.rs"]
mod evidence;

#[path = "support/terminal.rs"]
mod terminal;
