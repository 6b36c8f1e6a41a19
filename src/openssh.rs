//! What OpenSSH keeps in files, and its agent: known_hosts, keys, signatures of texts.

pub(crate) mod agent;
pub(crate) mod bounded;
pub(crate) mod key_file;
pub mod known_hosts;
pub mod sshsig;
