//! What writes the files of an environment's hosts: Salt, or nobody but people and runbooks over SSH.

use super::Host;
use crate::names::RoleName;

/// What writes the files of an environment's hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Management {
    /// Salt: the jump box is its master, every host a minion.
    #[default]
    Salt,
    /// There is no Salt. Runbooks move the files that are named here, over SSH.
    Ssh {
        /// The files that name the database server.
        database_files: Vec<DatabaseFile>,
    },
}

/// A file that names the database server, on every host of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFile {
    /// The role whose hosts have it.
    pub role: RoleName,
    /// Its absolute path.
    pub file: String,
    /// The part of a line that names the server, with [`ADDRESS`] in the place of its address.
    pub line: String,
    /// The command that lets its service read the file again.
    pub reload: Option<String>,
    /// The command that says whether its service accepts the file at [`FILE`].
    pub check: Option<String>,
}

/// What stands for a file's path in [`DatabaseFile::check`].
pub const FILE: &str = "{file}";

/// What stands for the database server's address in [`DatabaseFile::line`].
pub const ADDRESS: &str = "{address}";

impl Management {
    /// Whether there is Salt.
    #[must_use]
    pub fn is_salt(&self) -> bool {
        matches!(self, Self::Salt)
    }

    /// The files of a host that name the database server.
    pub fn database_files(&self, host: &Host) -> impl Iterator<Item = &DatabaseFile> {
        let all = match self {
            Self::Salt => &[],
            Self::Ssh { database_files } => database_files.as_slice(),
        };
        all.iter().filter(|file| host.has_role(file.role.as_str()))
    }
}
