//! How to log in to a machine and how to know it is the right one. Plain data: `config` fills it, `ssh` acts on it.

use std::path::PathBuf;

/// Everything a login needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The account.
    pub user: String,
    /// Keys to offer, in this order, before the agent's.
    pub keys: Vec<KeySource>,
    /// Where the agent listens (`SSH_AUTH_SOCK`), when its keys may be used.
    pub agent: Option<PathBuf>,
    /// Whether password and keyboard-interactive may be asked for on screen (the jump box only).
    pub password: bool,
    /// What is known of host keys.
    pub known_hosts: KnownHosts,
}

/// A private key, and a certificate that goes with it if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A key file; `certificate` when the inventory names one (else `FILE-cert.pub` is used when it is there).
    File {
        /// The private key.
        path: PathBuf,
        /// The certificate.
        certificate: Option<PathBuf>,
    },
    /// A key in memory, OpenSSH format: the simulated fleet's.
    Memory(String),
}

/// Where host keys are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownHosts {
    /// Files in OpenSSH's format; an accepted key is appended to the first. A missing file is empty; one that cannot
    /// be read is an error.
    Files(Vec<PathBuf>),
    /// The text of such a file: the simulated fleet's.
    Text(String),
}
