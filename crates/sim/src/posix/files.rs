//! Files of the simulated machines: some are written from the world's figures, the rest is what was written to them.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::machine::Machine;
use super::proc;

mod attributes;
mod closed;
mod entries;
mod etc;
mod folders;

use attributes::LEASES;
pub use attributes::{Attributes, Metadata, Wish};
pub(crate) use closed::ClosedPaths;
pub use closed::PROCESSES;
pub(crate) use entries::Entries;
pub(crate) use folders::Below;
use folders::DIRECTORIES;

/// The largest file that programs can write, bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// What a program says when there is no room for more paths or bytes.
pub(crate) const FULL: &str = "No space left on device";

/// What was done to a path.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A file was written there.
    File(Stored),
    /// A directory was made there.
    Directory(Attributes),
    /// What the world would say there was removed.
    Removed,
}

/// A written file.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    content: Vec<u8>,
    /// Its size when that is not what `content` holds: a large file whose bytes nobody reads.
    size: Option<u64>,
    attributes: Attributes,
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
        let script = || self.init_script(host, path);
        proc::read(self, machine, path)
            .or_else(|| self.etc(machine, path))
            .or_else(|| self.log_file(machine, path))
            .or_else(|| self.master_key_file(host, path))
            .or_else(script)
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
        let appended = self.files.change(&(host.clone(), path.to_owned()), |entry| {
            let Entry::File(stored) = entry else { return false };
            stored.content.extend_from_slice(bytes);
            stored.size = stored.size.map(|size| size + u64::try_from(bytes.len()).unwrap_or(0));
            stored.attributes.modified = now;
            true
        });
        if appended == Some(true) {
            return;
        }
        let mut content = self.read_file(host, path).unwrap_or_default();
        content.extend_from_slice(bytes);
        self.write_file(host, path, content);
    }

    /// Keeps what the world says is in a file, so that something can be added to it.
    pub(crate) fn keep_file(&mut self, host: &HostName, path: &str) {
        let key = (host.clone(), path.to_owned());
        if self.files.get(&key).is_none()
            && let Some(content) = self.read_file(host, path)
        {
            let attributes = self.attributes(host, path).unwrap_or_else(|| self.fresh(host, 0o644));
            self.files.insert(key, Entry::File(Stored { content, size: None, attributes }));
        }
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
        let key = (host.clone(), path.to_owned());
        let Some(Entry::File(stored)) = self.files.get(&key) else { return true };
        let length = stored.content.len();
        let start = position.unwrap_or(length);
        let end = start.saturating_add(bytes.len());
        if end > length && self.is_full(host, path, end - length) {
            return false;
        }
        if end > LARGEST || !self.files.has_bytes(end.saturating_sub(length)) {
            return false;
        }
        self.files.change(&key, |entry| {
            let Entry::File(stored) = entry else { return };
            if stored.content.len() < end {
                stored.content.resize(end, 0);
            }
            if let Some(place) = stored.content.get_mut(start..end) {
                place.copy_from_slice(bytes);
            }
            stored.size = None;
            stored.attributes.modified = now;
        });
        true
    }

    /// Whether a program may write so many bytes to a path: as a file of that size, and what is there already gone.
    #[must_use]
    pub fn has_room(&self, host: &HostName, path: &str, bytes: usize) -> bool {
        let there = self.files.get(&(host.clone(), path.to_owned()));
        let before = there.map_or(0, Entry::bytes);
        bytes <= LARGEST
            && !(bytes > before && self.is_full(host, path, bytes - before))
            && (there.is_some() || self.files.has_paths())
            && self.files.has_bytes(bytes.saturating_sub(before))
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
            let key = (host.clone(), parent.to_owned());
            if self.files.get(&key).is_none() {
                self.files.insert(key, Entry::Directory(self.fresh(host, 0o755)));
            }
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

    /// The machine's own words about itself, for files under `/etc`.
    fn etc(&self, m: &Machine, path: &str) -> Option<String> {
        etc::read(self, m, path)
    }
}
