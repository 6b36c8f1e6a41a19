//! A server's version, and its binary log's places. Imports nothing.

/// A server's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// As `VERSION()` prints it.
    pub text: String,
    /// Whether it is MariaDB (else MySQL).
    pub mariadb: bool,
    /// Major and minor.
    pub number: (u32, u32),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']).map(str::parse::<u32>);
        let number = (parts.next()?.ok()?, parts.next()?.ok()?);
        Some(Self { text: text.to_owned(), mariadb: text.contains("MariaDB"), number })
    }

    /// Whether it is MariaDB of at least this version.
    #[must_use]
    pub fn mariadb_from(&self, major: u32, minor: u32) -> bool {
        self.mariadb && self.number >= (major, minor)
    }
}

/// A place in a binary log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the file.
    pub file: u64,
    /// Position in it.
    pub position: u64,
}

impl Place {
    /// The file's name.
    #[must_use]
    pub fn file_name(self, version: &Version) -> String {
        let base = if version.mariadb { "mariadb-bin" } else { "mysql-bin" };
        format!("{base}.{:06}", self.file)
    }
}
