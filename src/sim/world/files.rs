//! Files of the simulated machines: some are written from the world's figures, the rest is what was written to them.

use std::collections::BTreeSet;

use crate::domain::names::HostName;

use super::machine::Machine;
use super::noise::{draw, key};
use super::{World, proc};

mod etc;

use etc::ETC;

/// Directories that are there even when nothing is in them.
static DIRECTORIES: &[&str] = &[
    "/",
    "/bin",
    "/dev",
    "/dev/pts",
    "/etc",
    "/etc/cron.d",
    "/home",
    "/mnt",
    "/opt",
    "/root",
    "/run",
    "/run/lock",
    LEASES,
    "/srv",
    "/tmp",
    "/usr/bin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/var",
    "/var/backups",
    "/var/lib",
    "/var/lock",
    "/var/log",
    "/var/run",
    "/var/spool/cron/crontabs",
    "/var/tmp",
];

/// The folder of leases, as root makes it for the group of operators.
const LEASES: &str = "/run/lock/jumpdeck";
/// The group of operators: every account of a simulated machine is in it.
const OPERATORS: &str = "jumpdeck";

/// The largest file that programs can write, bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// What somebody wants to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Read it.
    Read,
    /// Change or make it.
    Write,
}

/// What was done to a path.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A file was written there.
    File(Stored),
    /// A directory was made there.
    Directory(Attributes),
    /// What the world would say there was removed.
    Removed,
}

/// A written file.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    content: Vec<u8>,
    /// Its size when that is not what `content` holds: a large file whose bytes nobody reads.
    size: Option<u64>,
    attributes: Attributes,
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
    /// What a file holds, by its absolute path; `None` when there is no such file.
    #[must_use]
    pub fn read_file(&self, host: &HostName, path: &str) -> Option<Vec<u8>> {
        match self.files.get(&(host.clone(), path.to_owned())) {
            Some(Entry::File(stored)) => Some(stored.content.clone()),
            Some(Entry::Directory(_) | Entry::Removed) => None,
            None => self.generated(host, path).map(String::into_bytes),
        }
    }

    fn generated(&self, host: &HostName, path: &str) -> Option<String> {
        let machine = self.machine(host)?;
        proc::read(self, machine, path).or_else(|| self.etc(machine, path))
    }

    /// Writes a whole file, by its absolute path. What the world would have said there is hidden by it. Mode and owner
    /// stay as they were; a new file is root's, 0644.
    pub fn write_file(&mut self, host: &HostName, path: &str, content: Vec<u8>) {
        // What was there holds until now: applications read their files.
        self.live();
        let mut attributes = self.attributes(host, path).unwrap_or_else(|| self.fresh(host, 0o644));
        attributes.modified = self.epoch(host);
        self.files
            .insert((host.clone(), path.to_owned()), Entry::File(Stored { content, size: None, attributes }));
    }

    /// Adds to the end of a file; makes it when it is not there.
    pub fn append_file(&mut self, host: &HostName, path: &str, bytes: &[u8]) {
        self.live();
        let now = self.epoch(host);
        if let Some(Entry::File(stored)) = self.files.get_mut(&(host.clone(), path.to_owned())) {
            stored.content.extend_from_slice(bytes);
            stored.size = stored.size.map(|size| size + u64::try_from(bytes.len()).unwrap_or(0));
            stored.attributes.modified = now;
            return;
        }
        let mut content = self.read_file(host, path).unwrap_or_default();
        content.extend_from_slice(bytes);
        self.write_file(host, path, content);
    }

    /// Writes into a file that is there: at a place, or at its end. Nothing happens when it was removed meanwhile.
    pub(crate) fn write_at(
        &mut self,
        host: &HostName,
        path: &str,
        position: Option<usize>,
        bytes: &[u8],
    ) -> bool {
        self.live();
        let now = self.epoch(host);
        let Some(Entry::File(stored)) = self.files.get_mut(&(host.clone(), path.to_owned())) else {
            return true;
        };
        let start = position.unwrap_or(stored.content.len());
        let end = start.saturating_add(bytes.len());
        if end > LARGEST {
            return false;
        }
        if stored.content.len() < end {
            stored.content.resize(end, 0);
        }
        if let Some(place) = stored.content.get_mut(start..end) {
            place.copy_from_slice(bytes);
        }
        stored.size = None;
        stored.attributes.modified = now;
        true
    }

    /// Whether an account may read a file, or write it. root may everything.
    #[must_use]
    pub fn may(&self, host: &HostName, path: &str, user: &str, wish: Wish) -> bool {
        if user == "root" {
            return true;
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

    /// Puts a file of that many bytes there, with a few of them at most to be read: a dump, an archive.
    pub fn store_file(
        &mut self,
        host: &HostName,
        path: &str,
        content: Vec<u8>,
        size: u64,
        attributes: Attributes,
    ) {
        let stored = Stored { content, size: Some(size), attributes };
        self.files.insert((host.clone(), path.to_owned()), Entry::File(stored));
    }

    /// Removes a file; false when there is none.
    pub fn remove_file(&mut self, host: &HostName, path: &str) -> bool {
        self.live();
        if self.metadata(host, path).is_none_or(|found| found.directory) {
            return false;
        }
        // Its directory stays when it was the last in it.
        if let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty())
            && !DIRECTORIES.contains(&parent)
        {
            let made = Entry::Directory(self.fresh(host, 0o755));
            self.files.entry((host.clone(), parent.to_owned())).or_insert(made);
        }
        self.forget(host, path);
        true
    }

    /// Takes a path away: an entry of its own goes, what the world says is hidden.
    fn forget(&mut self, host: &HostName, path: &str) {
        let key = (host.clone(), path.to_owned());
        self.files.remove(&key);
        if self.generated(host, path).is_some() {
            self.files.insert(key, Entry::Removed);
        }
    }

    /// Makes a directory.
    pub fn make_dir(&mut self, host: &HostName, path: &str, mode: u32) {
        let entry = Entry::Directory(self.fresh(host, mode));
        self.files.insert((host.clone(), path.to_owned()), entry);
    }

    /// Removes an empty directory; false when it is not there, not empty, or part of the system.
    pub fn remove_dir(&mut self, host: &HostName, path: &str) -> bool {
        let removable = !DIRECTORIES.contains(&path)
            && self.list_dir(host, path).is_some_and(|names| names.is_empty())
            && self.machine(host).is_none_or(|m| m.mounts.iter().all(|mount| mount.path != path));
        if removable {
            self.files.remove(&(host.clone(), path.to_owned()));
        }
        removable
    }

    /// Moves a file or a directory with all that is in it; false when it is not there.
    pub fn rename(&mut self, host: &HostName, from: &str, to: &str) -> bool {
        self.live();
        let Some(found) = self.metadata(host, from) else { return false };
        if !found.directory {
            let key = (host.clone(), from.to_owned());
            let entry = match self.files.get(&key) {
                Some(entry) => entry.clone(),
                None => Entry::File(Stored {
                    content: self.read_file(host, from).unwrap_or_default(),
                    size: None,
                    attributes: found.attributes,
                }),
            };
            self.remove_file(host, from);
            self.files.insert((host.clone(), to.to_owned()), entry);
            return true;
        }
        for name in self.list_dir(host, from).unwrap_or_default() {
            self.rename(host, &format!("{from}/{name}"), &format!("{to}/{name}"));
        }
        self.files.remove(&(host.clone(), from.to_owned()));
        self.files.insert((host.clone(), to.to_owned()), Entry::Directory(found.attributes));
        true
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
        let installed = |mode| Attributes { modified: self.installed_at(host), ..self.fresh(host, mode) };
        if let Some(text) = self.generated(host, path) {
            let mode = if path == "/etc/webplatform/db.password" { 0o600 } else { 0o644 };
            return Some(file(text.len(), installed(mode)));
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
        match self.files.get_mut(&key) {
            Some(Entry::File(stored)) => stored.attributes = found.attributes,
            Some(Entry::Directory(attributes)) => *attributes = found.attributes,
            _ if found.directory => {
                self.files.insert(key, Entry::Directory(found.attributes));
            }
            _ => {
                let content = self.read_file(host, path).unwrap_or_default();
                let stored = Stored { content, size: None, attributes: found.attributes };
                self.files.insert(key, Entry::File(stored));
            }
        }
        true
    }

    /// The sizes of the files that were put below a directory, bytes: what `rm` would give back.
    #[must_use]
    pub fn written_below(&self, host: &HostName, directory: &str) -> u64 {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let below = self.files.range((host.clone(), prefix.clone())..);
        below
            .take_while(|((owner, path), _)| owner == host && path.starts_with(&prefix))
            .filter_map(|(_, entry)| match entry {
                Entry::File(stored) => {
                    Some(stored.size.unwrap_or_else(|| u64::try_from(stored.content.len()).unwrap_or(0)))
                }
                Entry::Directory(_) | Entry::Removed => None,
            })
            .sum()
    }

    /// Letters that make a name no file begins with yet after that prefix.
    pub(crate) fn unused_name(&self, host: &HostName, prefix: &str, letters: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let base = key(self.seed(), &format!("{host}{prefix}"));
        let letter = |number: u64| {
            let at = usize::try_from(draw(base, number)).unwrap_or(0) % LETTERS.len();
            LETTERS.get(at).map_or('x', |&byte| char::from(byte))
        };
        let length = u64::try_from(letters).unwrap_or(10);
        (0..)
            .map(|attempt: u64| (0..length).map(|at| letter(attempt * length + at)).collect::<String>())
            .find(|name| self.metadata(host, &format!("{prefix}{name}")).is_none())
            .unwrap_or_default()
    }

    fn attributes(&self, host: &HostName, path: &str) -> Option<Attributes> {
        self.metadata(host, path).filter(|found| !found.directory).map(|found| found.attributes)
    }

    fn fresh(&self, host: &HostName, mode: u32) -> Attributes {
        let root = || "root".to_owned();
        Attributes { mode, owner: root(), group: root(), modified: self.epoch(host) }
    }

    /// When the files that came with the system were written: some time before it was booted.
    fn installed_at(&self, host: &HostName) -> f64 {
        self.epoch(host) - self.uptime(host).unwrap_or(0.0) - 3600.0
    }

    /// The names in a directory, sorted; `None` when there is no such directory.
    #[must_use]
    pub fn list_dir(&self, host: &HostName, path: &str) -> Option<Vec<String>> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let mut names = BTreeSet::new();
        let mut add = |file: &str| {
            if let Some(name) = file.strip_prefix(&prefix).and_then(|rest| rest.split('/').next())
                && !name.is_empty()
            {
                names.insert(name.to_owned());
            }
        };
        let below = self.files.range((host.clone(), prefix.clone())..);
        below
            .take_while(|((owner, file), _)| owner == host && file.starts_with(&prefix))
            .filter(|(_, entry)| !matches!(entry, Entry::Removed))
            .for_each(|((_, file), _)| add(file));
        let made = self.files.get(&(host.clone(), path.trim_end_matches('/').to_owned()));
        let mut there = path == "/" || !prefix.starts_with('/') || matches!(made, Some(Entry::Directory(_)));
        if let Some(machine) = self.machine(host) {
            for file in ETC.iter().filter(|file| self.read_file(host, file).is_some()) {
                add(file);
            }
            proc::PATHS.iter().for_each(|file| add(file));
            machine.mounts.iter().for_each(|mount| add(&mount.path));
            DIRECTORIES.iter().for_each(|directory| add(directory));
            let homes: Vec<String> = self.people().iter().map(|person| format!("/home/{person}")).collect();
            homes.iter().for_each(|home| add(home));
            let same = |known: &str| format!("{}/", known.trim_end_matches('/')) == prefix;
            there |= DIRECTORIES.iter().any(|directory| same(directory))
                || machine.mounts.iter().any(|mount| same(&mount.path))
                || homes.iter().any(|home| same(home));
        }
        (there || !names.is_empty()).then(|| names.into_iter().collect())
    }

    /// The machine's own words about itself, for files under `/etc`.
    fn etc(&self, m: &Machine, path: &str) -> Option<String> {
        etc::read(self, m, path)
    }
}
