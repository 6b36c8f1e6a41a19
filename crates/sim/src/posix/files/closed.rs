//! Paths that nobody but root may read, enter or run, whatever their mode says: a fault.

use std::collections::BTreeSet;

use jumpdeck_fleet::names::HostName;

use super::World;

/// The closed paths of all machines.
pub(crate) type ClosedPaths = BTreeSet<(HostName, String)>;

/// Stands for the folder of each process: what the option `hidepid=1` of `/proc` closes.
pub const PROCESSES: &str = "/proc/PID";

impl World {
    /// Fault: nobody but root may read this file, enter this folder, or run this program (`/usr/bin/NAME`), or, of
    /// [`PROCESSES`], see what a process is.
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
        if user == "root" || self.closed.is_empty() {
            return false;
        }
        let closed = |path: &str| self.closed.contains(&(host.clone(), path.to_owned()));
        let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        closed(path) || path.strip_prefix("/proc/").is_some_and(is_number) && closed(PROCESSES)
    }
}
