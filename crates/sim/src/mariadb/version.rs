//! A server's version, and its binary log's places.

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

    /// As versioned comments have it: 10.0.17 is 100017.
    #[must_use]
    pub fn id(&self) -> u32 {
        let (major, minor) = self.number;
        let patch = self.text.split(['.', '-']).nth(2).and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
        major * 10_000 + minor * 100 + patch
    }

    /// Whether it is MariaDB of at least this version.
    #[must_use]
    pub fn mariadb_from(&self, major: u32, minor: u32) -> bool {
        self.mariadb && self.number >= (major, minor)
    }
}

/// A place in a binary log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Reads a file's name (`mariadb-bin.000012`) and a position in it.
    #[must_use]
    pub fn parse(file: &str, position: u64) -> Option<Self> {
        let (_, number) = file.rsplit_once('.')?;
        Some(Self { file: number.parse().ok().filter(|n| *n > 0)?, position })
    }
}
