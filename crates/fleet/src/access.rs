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
    /// Files.
    Files(HostKeyFiles),
    /// The text of such a file: the simulated fleet's.
    Text(String),
}

/// The files host keys are looked up in, all of them for every host: a key that one of them revokes is refused whatever the
/// others say. One that cannot be read is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostKeyFiles {
    /// The user's own, in OpenSSH's known_hosts format; an accepted key is appended to the first. A missing one is empty.
    pub own: Vec<PathBuf>,
    /// The system's, in the same format (`GlobalKnownHostsFile`). A missing one is empty.
    pub global: Vec<PathBuf>,
    /// The files that `ssh` reads by default and the inventory replaces by others: only their `@revoked` lines count.
    /// A missing one is empty.
    pub revocations_only: Vec<PathBuf>,
    /// Public keys that no host may have, one a line (`RevokedHostKeys`). A missing one is an error.
    pub revoked: Vec<PathBuf>,
    /// The name that host keys are looked up and written by, instead of address and port (`HostKeyAlias`).
    pub alias: Option<String>,
}

impl HostKeyFiles {
    /// Every known_hosts file.
    pub fn known_hosts(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.global)
    }
}

impl KnownHosts {
    /// The name that host keys are looked up by instead of the address, when there is one.
    #[must_use]
    pub fn alias(&self) -> Option<&str> {
        match self {
            Self::Files(files) => files.alias.as_deref(),
            Self::Text(_) => None,
        }
    }

    /// These files of one's own and no others.
    #[must_use]
    pub fn own(own: Vec<PathBuf>) -> Self {
        Self::Files(HostKeyFiles { own, ..HostKeyFiles::default() })
    }
}
