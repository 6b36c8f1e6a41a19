//! Which database server a host's applications use, as their files name it.

use std::net::IpAddr;

use crate::fact::Gap;
use crate::text::Clean;

/// A file that names the database server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamingFile {
    /// Its path.
    pub file: Clean,
    /// The servers that it names, in its order, each once: at least one.
    pub servers: Result<Vec<NamedServer>, Gap>,
}

/// A server as a file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedServer {
    /// The name or address.
    pub word: Clean,
    /// Of a name: its address in the host's `/etc/hosts`, where that has one.
    pub resolved: Option<IpAddr>,
}

impl NamedServer {
    /// Its address, where that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.word.as_str().parse().ok().or(self.resolved)
    }

    /// For people: the word, and the address that `/etc/hosts` has for it.
    #[must_use]
    pub fn words(&self) -> String {
        match self.resolved {
            Some(address) => format!("{} ({address} by /etc/hosts)", self.word),
            None => self.word.to_string(),
        }
    }
}
