//! The simulated fleet: a world that lives in time from a seed, SSH servers over in-memory pipes, a shell that
//! interprets what it is sent, and simulated programs. It opens no socket unless told to (`sim --listen`).
//! May import `domain` and `ssh::dial`; known to nobody but `cli` and tests.

pub mod dial;
pub mod program;
pub mod programs;
pub mod shell;
pub mod sshd;
pub mod world;
