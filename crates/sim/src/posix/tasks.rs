//! Processes that belong to no session: what cron started, what was left over.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// A process.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its machine.
    pub host: HostName,
    /// Its number.
    pub pid: u32,
    /// Its account.
    pub user: String,
    /// Its command line.
    pub command: String,
    /// When it was started, seconds since the world's start.
    pub started: f64,
    /// When it ends by itself; `None` when it never does.
    pub ends: Option<f64>,
}

/// Every such process.
#[derive(Debug, Default)]
pub struct Tasks {
    all: Vec<Task>,
    next: u32,
}

/// The first number; sessions count from 1000, services lie below.
const FIRST: u32 = 30_211;

impl World {
    /// Starts a process; it ends by itself after so many seconds, if ever. Returns its number.
    pub fn start_task(&mut self, host: &HostName, user: &str, command: &str, seconds: Option<f64>) -> u32 {
        let started = self.seconds();
        self.tasks.next += 1;
        let pid = FIRST + self.tasks.next * 7;
        self.tasks.all.push(Task {
            host: host.clone(),
            pid,
            user: user.to_owned(),
            command: command.to_owned(),
            started,
            ends: seconds.map(|seconds| started + seconds),
        });
        pid
    }

    /// The processes of a machine that run now.
    pub fn tasks(&self, host: &HostName) -> impl Iterator<Item = &Task> {
        let now = self.seconds();
        let up = self.is_up(host);
        self.tasks.all.iter().filter(move |t| up && t.host == *host && t.ends.is_none_or(|ends| ends > now))
    }

    /// Ends every process of a machine: it lost its power.
    pub(crate) fn end_tasks(&mut self, host: &HostName) {
        self.tasks.all.retain(|task| task.host != *host);
    }

    /// Ends a process; false when there is none of that number. What has ended is forgotten.
    pub fn kill_task(&mut self, host: &HostName, pid: u32) -> bool {
        let now = self.seconds();
        let found = self.tasks(host).any(|task| task.pid == pid);
        self.tasks.all.retain(|t| !(t.host == *host && t.pid == pid) && t.ends.is_none_or(|ends| ends > now));
        found
    }
}
