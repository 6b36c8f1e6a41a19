//! The simulated world: hosts, roles, figures, databases, files. It lives in time from a seed.

use std::collections::BTreeMap;

use crate::domain::names::HostName;

/// A world.
#[derive(Debug, Default)]
pub struct World {
    files: BTreeMap<(HostName, String), Vec<u8>>,
}

impl World {
    /// What a file holds, by its absolute path; `None` when there is no such file.
    #[must_use]
    pub fn read_file(&self, host: &HostName, path: &str) -> Option<Vec<u8>> {
        self.files.get(&(host.clone(), path.to_owned())).cloned()
    }

    /// Writes a whole file, by its absolute path.
    pub fn write_file(&mut self, host: &HostName, path: &str, content: Vec<u8>) {
        self.files.insert((host.clone(), path.to_owned()), content);
    }

    /// The names in a directory, sorted; `None` when there is no such directory.
    #[must_use]
    pub fn list_dir(&self, host: &HostName, path: &str) -> Option<Vec<String>> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter(|(owner, _)| owner == host)
            .filter_map(|(_, file)| file.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        (!names.is_empty() || path == "/").then_some(names)
    }
}
