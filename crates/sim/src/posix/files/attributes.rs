//! Whose a file or folder is, and who may do what with it.

use crate::posix::upkeep;
use crate::salt::jobs::{APPLIED_BEFORE, STATES};
use crate::web::tls;
use jumpdeck_fleet::names::HostName;

use super::{Entry, Stored, World};

/// The folder of leases, as root makes it for the group of operators.
pub(super) const LEASES: &str = "/run/lock/jumpdeck";
/// The group of operators: every account of a simulated machine is in it.
const OPERATORS: &str = "jumpdeck";

/// What somebody wants to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Read it.
    Read,
    /// Change or make it.
    Write,
}

/// Mode, owner and time of a file or directory.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Last change, seconds since 1970 by the host's clock.
    pub modified: f64,
}

/// What `stat` tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// Whether it is a directory.
    pub directory: bool,
    /// Bytes.
    pub size: u64,
    /// The rest.
    pub attributes: Attributes,
}

impl World {
    /// Whether an account may read a file, or write it. root may everything.
    #[must_use]
    pub fn may(&self, host: &HostName, path: &str, user: &str, wish: Wish) -> bool {
        if user == "root" {
            return true;
        }
        if self.is_closed(host, path, user) {
            return false;
        }
        let bit = match wish {
            Wish::Read => 0o4,
            Wish::Write => 0o2,
        };
        let allowed = |found: Metadata| {
            let attributes = &found.attributes;
            let shift = match (attributes.owner == user, attributes.group == OPERATORS) {
                (true, _) => 6,
                (false, true) => 3,
                (false, false) => 0,
            };
            attributes.mode >> shift & bit != 0
        };
        match self.metadata(host, path) {
            Some(found) => allowed(found),
            None if wish == Wish::Read => true,
            None => {
                let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
                parent == format!("/home/{user}") || self.metadata(host, parent).is_some_and(allowed)
            }
        }
    }

    /// The group of what an account makes at a path: that of a folder with the set-group-id bit, else the account's own.
    #[must_use]
    pub fn group_of_new(&self, host: &HostName, path: &str, user: &str) -> String {
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let parent = self.metadata(host, parent).map(|found| found.attributes);
        match parent.filter(|attributes| attributes.mode & 0o2000 != 0) {
            Some(attributes) => attributes.group,
            None => user.to_owned(),
        }
    }

    /// Mode, owner and time of what is there.
    #[must_use]
    pub fn metadata(&self, host: &HostName, path: &str) -> Option<Metadata> {
        let file = |size: usize, attributes: Attributes| Metadata {
            directory: false,
            size: u64::try_from(size).unwrap_or(u64::MAX),
            attributes,
        };
        let directory = |attributes| Metadata { directory: true, size: 4096, attributes };
        match self.files.get(&(host.clone(), path.to_owned())) {
            Some(Entry::File(stored)) => {
                let mut found = file(stored.content.len(), stored.attributes.clone());
                found.size = stored.size.unwrap_or(found.size);
                return Some(found);
            }
            Some(Entry::Directory(attributes)) => return Some(directory(attributes.clone())),
            Some(Entry::Removed) => return None,
            None => {}
        }
        if path.starts_with("/proc/")
            && let Some(held) = self.held_file(host, path)
        {
            let mut found = file(0, self.fresh(host, 0o600));
            found.size = held.kb.saturating_mul(1024);
            return Some(found);
        }
        let installed = |mode| Attributes { modified: self.installed_at(host), ..self.fresh(host, mode) };
        if let Some(text) = self.generated(host, path) {
            let mode = match path {
                "/etc/webplatform/db.password" | tls::KEY => 0o600,
                STATES => 0o600,
                "/etc/shadow" => 0o640,
                _ => 0o644,
            };
            let mut attributes = installed(mode);
            if path.starts_with("/var/log/") {
                attributes.modified = self.epoch(host);
            }
            if path == upkeep::REFRESHED {
                attributes.modified = self.epoch(host) - upkeep::REFRESHED_BEFORE;
            }
            if path == STATES {
                attributes.modified = self.epoch(host) - self.seconds() - APPLIED_BEFORE;
            }
            return Some(file(text.len(), attributes));
        }
        let mode = match path {
            "/tmp" | "/var/tmp" | "/run/lock" | "/var/lock" => 0o1777,
            LEASES => 0o2770,
            _ => 0o755,
        };
        let mut attributes = installed(mode);
        if path == LEASES {
            attributes.group = OPERATORS.to_owned();
        }
        if self.list_dir(host, path).is_some() {
            return Some(directory(attributes));
        }
        // Every account has a home, whoever it is that logs in.
        let account = path.strip_prefix("/home/").filter(|name| !name.is_empty() && !name.contains('/'))?;
        (attributes.owner, attributes.group) = (account.to_owned(), account.to_owned());
        Some(directory(attributes))
    }

    /// Changes mode, owner or time; false when there is nothing there.
    pub fn set_attributes(
        &mut self,
        host: &HostName,
        path: &str,
        change: impl FnOnce(&mut Attributes),
    ) -> bool {
        let Some(mut found) = self.metadata(host, path) else { return false };
        change(&mut found.attributes);
        let key = (host.clone(), path.to_owned());
        let attributes = found.attributes;
        let entry = match self.files.get(&key) {
            Some(Entry::File(_) | Entry::Directory(_)) => {
                self.files.change(&key, |entry| match entry {
                    Entry::File(stored) => stored.attributes = attributes,
                    Entry::Directory(own) => *own = attributes,
                    Entry::Removed => {}
                });
                return true;
            }
            Some(Entry::Removed) | None if found.directory => Entry::Directory(attributes),
            Some(Entry::Removed) | None => {
                let content = self.read_file(host, path).unwrap_or_default();
                Entry::File(Stored { content, size: None, attributes })
            }
        };
        self.files.insert(key, entry);
        true
    }

    pub(super) fn attributes(&self, host: &HostName, path: &str) -> Option<Attributes> {
        self.metadata(host, path).filter(|found| !found.directory).map(|found| found.attributes)
    }

    pub(super) fn fresh(&self, host: &HostName, mode: u32) -> Attributes {
        let root = || "root".to_owned();
        Attributes { mode, owner: root(), group: root(), modified: self.epoch(host) }
    }

    /// When the files that came with the system were written: some time before it was booted.
    fn installed_at(&self, host: &HostName) -> f64 {
        self.epoch(host) - self.uptime(host).unwrap_or(0.0) - 3600.0
    }
}
