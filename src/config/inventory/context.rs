//! What the reader of an inventory knows of the machine it runs on.

use std::path::{Path, PathBuf};

/// What the inventory's defaults are taken from; made at the edge (`files::context`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The home folder: `~` in paths.
    pub home: PathBuf,
    /// Where an SSH agent listens (`SSH_AUTH_SOCK`).
    pub ssh_auth_sock: Option<PathBuf>,
    /// The account of the person at the console: the default `user`. Empty when it is not known: it is never guessed.
    pub user: String,
    /// Key files offered where the inventory names none: those of OpenSSH's usual ones that are there.
    pub default_keys: Vec<PathBuf>,
}

impl Context {
    /// The path with a leading `~/` replaced by the home folder.
    #[must_use]
    pub fn expand(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None if path == "~" => self.home.clone(),
            None => Path::new(path).to_path_buf(),
        }
    }
}
