//! What writes the files of an environment's hosts: Salt, or nobody but people and runbooks over SSH.

use std::sync::Arc;

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
    /// It comes with the program, and nobody wrote it: a host that does not have it misses nothing.
    pub built_in: bool,
}

/// The file that Salt writes on hosts of role `app`, and that promote-masterdb moves there.
#[must_use]
pub fn database_files_of_salt() -> Vec<DatabaseFile> {
    let file = |role| DatabaseFile {
        role,
        file: "/etc/webplatform/db.ini".to_owned(),
        line: format!("host = {ADDRESS}"),
        reload: None,
        check: None,
        built_in: true,
    };
    RoleName::new("app").map(file).into_iter().collect()
}

/// Tells the hosts of an environment which files name its database server.
#[must_use]
pub fn with_database_files(mut hosts: Vec<Arc<Host>>, files: Vec<DatabaseFile>) -> Vec<Arc<Host>> {
    let files: Arc<[DatabaseFile]> = files.into();
    for host in hosts.iter_mut().filter(|_| !files.is_empty()) {
        Arc::make_mut(host).database_files = Arc::clone(&files);
    }
    hosts
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
