//! Folders: some are always there, the rest was made, or has something in it.

use std::collections::BTreeSet;

use crate::posix::people;
use crate::salt::keys::MASTER_KEYS;
use crate::world::noise::{draw, key};
use jumpdeck_fleet::names::HostName;

use super::etc::{ETC, kernel_file};
use super::{Entry, LEASES, Stored, World, proc};
use crate::posix::processes;

/// Directories that are there even when nothing is in them.
/// A machine that runs systemd is known by it.
const SYSTEMD: &str = "/run/systemd/system";

pub(super) static DIRECTORIES: &[&str] = &[
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
    "/var/lib/dpkg",
    "/var/lock",
    "/var/log",
    "/var/run",
    "/var/spool/cron/crontabs",
    "/var/tmp",
];

impl World {
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
        // What is in a repository's own folder, nobody reads.
        let repository = |top: &str| self.repositories.contains_key(&(host.clone(), top.to_owned()));
        there |= prefix.strip_suffix("/.git/").is_some_and(repository);
        if let Some(machine) = self.machine(host) {
            for file in ETC.iter().filter(|file| self.read_file(host, file).is_some()) {
                add(file);
            }
            let kernel = kernel_file(machine);
            if self.read_file(host, &kernel).is_some() {
                add(&kernel);
            }
            proc::PATHS.iter().for_each(|file| add(file));
            if "/var/log/".starts_with(&prefix) || prefix.starts_with("/var/log/") {
                self.log_files(machine).for_each(&mut add);
            }
            self.services(host).iter().for_each(|service| add(&format!("/etc/init.d/{service}")));
            if machine.os.has_systemd() {
                add(SYSTEMD);
                there |= prefix.trim_end_matches('/') == SYSTEMD;
            }
            if "/proc/".starts_with(&prefix) || prefix.starts_with("/proc/") {
                for process in self.processes(host) {
                    processes::FILES.iter().for_each(|file| add(&format!("/proc/{}/{file}", process.pid)));
                }
                self.descriptors(host).iter().for_each(|file| add(file));
            }
            let listed = |folder: &str| folder.starts_with(&prefix) || prefix.starts_with(folder);
            if listed(MASTER_KEYS) && self.keeps_keys(host) {
                for (folder, names) in self.master_keys() {
                    add(&folder);
                    names.iter().for_each(|name| add(&format!("{folder}/{name}")));
                    there |= format!("{folder}/") == prefix;
                }
            }
            machine.mounts.iter().for_each(|mount| add(&mount.path));
            DIRECTORIES.iter().for_each(|directory| add(directory));
            let homes: Vec<String> = self.people().iter().map(|person| format!("/home/{person}")).collect();
            homes.iter().for_each(|home| add(home));
            let keys = self.people().iter().map(|person| people::key_file(person));
            keys.filter(|file| self.read_file(host, file).is_some()).for_each(|file| add(&file));
            let same = |known: &str| format!("{}/", known.trim_end_matches('/')) == prefix;
            there |= DIRECTORIES.iter().any(|directory| same(directory))
                || machine.mounts.iter().any(|mount| same(&mount.path))
                || homes.iter().any(|home| same(home));
        }
        (there || !names.is_empty()).then(|| names.into_iter().collect())
    }
}

/// What stood below a directory, by its path from there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Below(Vec<(String, Entry)>);

impl Below {
    /// The size of its files, kB.
    pub(crate) fn kilobytes(&self) -> u64 {
        let size = |entry: &Entry| match entry {
            Entry::File(Stored { content, size, .. }) => {
                size.unwrap_or_else(|| u64::try_from(content.len()).unwrap_or(0))
            }
            Entry::Directory(_) | Entry::Removed => 0,
        };
        self.0.iter().map(|(_, entry)| size(entry)).sum::<u64>() / 1024
    }
}

impl World {
    /// Takes what was written below a directory away.
    pub(crate) fn take_below(&mut self, host: &HostName, directory: &str) -> Below {
        let prefix = format!("{}/", directory.trim_end_matches('/'));
        let below = self.files.range((host.clone(), prefix.clone())..);
        let found: Vec<(String, Entry)> = below
            .take_while(|((owner, file), _)| owner == host && file.starts_with(&prefix))
            .filter_map(|((_, file), entry)| Some((file.strip_prefix(&prefix)?.to_owned(), entry.clone())))
            .collect();
        for (file, _) in &found {
            self.files.remove(&(host.clone(), format!("{prefix}{file}")));
        }
        Below(found)
    }

    /// Puts it below a directory again, on whatever host.
    pub(crate) fn put_below(&mut self, host: &HostName, directory: &str, below: Below) {
        self.live();
        for (file, entry) in below.0 {
            let path = format!("{}/{file}", directory.trim_end_matches('/'));
            self.files.insert((host.clone(), path), entry);
        }
    }
}
