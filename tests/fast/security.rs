//! Attacks by other people's hands: other accounts on the jump box and the hosts, hosts that lie, files that others can
//! write. Each fails without the code that stops it. A room is one surface; real sshd, a second account by `setpriv`.

#![allow(unreachable_pub)]

mod files;
mod lease;
mod ssh;

mod hosts;

mod evidence;
