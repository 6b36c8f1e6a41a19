//! The paths that were written, and how many bytes they hold: together they are bounded, whatever is typed.

use std::collections::BTreeMap;
use std::ops::RangeFrom;

use jumpdeck_fleet::names::HostName;

use super::Entry;

/// Paths, those included that are there at the start.
const MOST: usize = 20_000;
/// Bytes that the files of a world may hold.
const LARGEST_SUM: usize = 256 * 1024 * 1024;

type Key = (HostName, String);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    map: BTreeMap<Key, Entry>,
    bytes: usize,
}

impl Entries {
    /// Whether there is room for one more path.
    pub(super) fn has_paths(&self) -> bool {
        self.map.len() < MOST
    }

    /// Whether there is room for so many bytes more.
    pub(super) fn has_bytes(&self, more: usize) -> bool {
        self.bytes.saturating_add(more) <= LARGEST_SUM
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.map.get(key)
    }

    /// From that path on, in order.
    pub(super) fn range(&self, from: RangeFrom<Key>) -> impl Iterator<Item = (&Key, &Entry)> {
        self.map.range(from)
    }

    pub(super) fn insert(&mut self, key: Key, entry: Entry) {
        self.remove(&key);
        self.bytes += entry.bytes();
        self.map.insert(key, entry);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.map.remove(key) {
            self.bytes -= entry.bytes();
        }
    }

    /// Changes what is at a path; `None` when nothing is.
    pub(super) fn change<T>(&mut self, key: &Key, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let entry = self.map.get_mut(key)?;
        self.bytes -= entry.bytes();
        let done = change(entry);
        self.bytes += entry.bytes();
        Some(done)
    }

    /// Lets all of a machine go.
    pub(crate) fn forget(&mut self, host: &HostName) {
        self.map.retain(|(owner, _), _| owner != host);
        self.bytes = self.map.values().map(Entry::bytes).sum();
    }
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::File(stored) => stored.content.len(),
            Self::Directory(_) | Self::Removed => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LARGEST_SUM, MOST};
    use crate::programs::tests::{shell, world};
    use crate::world::universe::Universe;

    #[test]
    fn paths_and_bytes_are_counted_and_end_somewhere() {
        let world = world("wpd-2015", 0);
        let entries = || {
            let world = world.lock().unwrap();
            (
                world.files.map.len(),
                world.files.bytes,
                world.files.map.values().map(super::Entry::bytes).sum(),
            )
        };
        let (paths, bytes, sum): (usize, usize, usize) = entries();
        assert_eq!(bytes, sum);
        let script = "cd /tmp; printf 12345 > a; printf 6789 >> a; cp a b; mv b c; mkdir d; tee d/e <c; rm a; \
                      sed -i s/5// c; gzip d/e; touch f; rm -r d";
        assert_eq!(shell(&world, "app1", script).2, 0);
        let (now, bytes_now, sum) = entries();
        assert_eq!(bytes_now, sum);
        assert_eq!((now - paths, bytes_now - bytes), (2, 8), "c and f are left");
    }

    const MAKERS: &[&str] = &[
        ": > x",
        "echo 1 >> x",
        "touch x",
        "mkdir x",
        "mktemp x.XXXX",
        "mktemp -d x.XXXX",
        "cp there x",
        "cp -r folder x",
        "echo 1 | tee x",
        "sed -i.bak s/1/2/ there",
        "gzip there",
        "tar -cf x there",
        "curl -s -o x file:///tmp/there || curl -s -o x http://elastic:9200/",
        "mv there x",
    ];

    #[test]
    fn a_world_that_is_full_takes_no_more_until_something_goes() {
        let world = world("wpd-2015", 0);
        assert_eq!(shell(&world, "app1", "cd /tmp; echo 1 > there; mkdir folder").2, 0);
        let host = jumpdeck_fleet::names::HostName::new("app1").unwrap();
        while world.lock().unwrap().files.has_paths() {
            let mut world = world.lock().unwrap();
            let path = format!("/srv/made/{}", world.files.map.len());
            world.make_dir(&host, &path, 0o755);
        }
        for maker in MAKERS {
            let (_, err, status) = shell(&world, "app1", &format!("cd /tmp; {maker}"));
            assert!(status != 0 && !err.contains("not found"), "{maker}: {status} {err}");
            assert!(err.is_empty() || err.contains("No space left on device"), "{maker}: {err}");
            assert_eq!(world.lock().unwrap().files.map.len(), MOST, "{maker}");
        }
        let path = "/srv/made/".to_owned() + &(MOST - 1).to_string();
        let said = shell(&world, "app1", &format!("rmdir {path} && echo 1 > /tmp/x && cat /tmp/x"));
        assert_eq!(said, ("1\n".to_owned(), String::new(), 0));
    }

    #[test]
    fn bytes_end_as_paths_do() {
        let world = world("wpd-2015", 0);
        assert_eq!(shell(&world, "app1", "cd /tmp; echo 123456 > there").2, 0);
        world.lock().unwrap().files.bytes = LARGEST_SUM - 5;
        for (maker, said) in [
            ("echo 123456 > x", ""),
            ("echo 123456 >> there", ""),
            ("cp there x", "cp: error writing '/tmp/x': No space left on device\n"),
            ("echo 123456 | tee x", "tee: /tmp/x: No space left on device\n"),
        ] {
            let (_, err, status) = shell(&world, "app1", &format!("cd /tmp; {maker}"));
            assert_eq!((err.as_str(), status), (said, 1), "{maker}");
        }
        // What goes and comes in its place is counted once.
        let said = shell(&world, "app1", "cd /tmp; sed -i s/1/0/ there; echo 1234 > x; cat there x");
        assert_eq!(said, ("023456\n1234\n".to_owned(), String::new(), 0));
    }

    #[test]
    fn the_largest_world_leaves_room() {
        let universe = Universe::load_still("big-5000", 1).unwrap();
        for (_, world) in &universe.environments {
            let paths = world.lock().unwrap().files.map.len();
            assert!(paths < MOST / 2, "{paths}");
        }
    }
}
