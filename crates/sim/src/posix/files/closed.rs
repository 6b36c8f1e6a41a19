//! Paths that nobody but root may read, enter or run, whatever their mode says: a fault.

use std::collections::BTreeSet;

use jumpdeck_fleet::names::HostName;

use super::World;

/// The closed paths of all machines.
pub(crate) type ClosedPaths = BTreeSet<(HostName, String)>;

impl World {
    /// Fault: nobody but root may read this file, enter this folder, or run this program (`/usr/bin/NAME`).
    pub fn close(&mut self, host: &HostName, path: &str) {
        self.closed.insert((host.clone(), path.to_owned()));
    }

    /// Ends that. False when it was not closed.
    pub fn open(&mut self, host: &HostName, path: &str) -> bool {
        self.closed.remove(&(host.clone(), path.to_owned()))
    }

    /// Whether a path is closed to an account: itself, or a folder that it is in.
    #[must_use]
    pub fn is_closed(&self, host: &HostName, path: &str, user: &str) -> bool {
        self.closes(host, path, user) || self.is_out_of_reach(host, path, user)
    }

    /// Whether a folder that a path is in is closed: then nobody sees that the path is there.
    #[must_use]
    pub fn is_out_of_reach(&self, host: &HostName, path: &str, user: &str) -> bool {
        let mut parents = std::iter::successors(path.rsplit_once('/'), |(parent, _)| parent.rsplit_once('/'));
        !self.closed.is_empty() && parents.any(|(parent, _)| self.closes(host, parent, user))
    }

    fn closes(&self, host: &HostName, path: &str, user: &str) -> bool {
        user != "root" && !self.closed.is_empty() && self.closed.contains(&(host.clone(), path.to_owned()))
    }
}
