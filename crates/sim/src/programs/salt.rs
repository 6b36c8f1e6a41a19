//! Salt's programs: `salt`, `salt-key`, `salt-run` on the master, `salt-call` on every machine.

pub(super) mod call;
pub(super) mod functions;
pub(super) mod key;
pub(super) mod master;
pub(super) mod output;
pub(super) mod runner;

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use crate::program::{Call, Reply, SharedWorld};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// How often a program that waits looks at the world.
pub(super) const LOOK: Duration = Duration::from_millis(20);

pub(super) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a machine is the Salt master: the jump box, where there is Salt.
pub(super) fn is_master(world: &World, host: &HostName) -> bool {
    world.has_salt() && world.jump() == Some(host)
}

/// What everybody but root is told.
pub(super) fn refused(call: &Call) -> Option<Reply> {
    let text = "Failed to authenticate! This is most likely because this user is not permitted to execute commands, \
                but there is a small possibility that a disk error occurred (check disk/inode usage).\n";
    (call.user != "root").then(|| Reply { stderr: text.into(), status: 1, ..Reply::default() })
}

/// What is said when no master runs.
pub(super) fn silent(call: &Call) -> Option<Reply> {
    let text = "Salt request timed out. The master is not responding. You may need to run your command with `--async` in \
                order to bypass the congested event bus.\n";
    let runs = lock(&call.world).master_runs();
    (!runs).then(|| Reply { stderr: text.into(), status: 1, ..Reply::default() })
}

/// An argument as Salt reads it: as YAML. Of that only the single quotes of a text are known here.
pub(super) fn yaml_text(word: &str) -> String {
    match word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) => text.replace("''", "'"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
