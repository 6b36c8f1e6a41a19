//! Salt's programs: `salt`, `salt-key`, `salt-run` on the master, `salt-call` on every machine.

pub(crate) mod call;
pub(crate) mod functions;
pub(crate) mod key;
pub(crate) mod master;
pub(crate) mod output;
pub(crate) mod runner;

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use crate::program::{Call, Reply, SharedWorld};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// How often a program that waits looks at the world.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

pub(crate) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a machine is the Salt master: the jump box, where there is Salt.
pub(crate) fn is_master(world: &World, host: &HostName) -> bool {
    world.has_salt() && world.jump() == Some(host)
}

/// What everybody but root is told.
pub(crate) fn refused(call: &Call) -> Option<Reply> {
    let text = "Failed to authenticate! This is most likely because this user is not permitted to execute commands, \
                but there is a small possibility that a disk error occurred (check disk/inode usage).\n";
    (call.user != "root").then(|| Reply { stderr: text.into(), status: 1, ..Reply::default() })
}

/// What is said when no master runs.
pub(crate) fn silent(call: &Call) -> Option<Reply> {
    let text = "Salt request timed out. The master is not responding. You may need to run your command with `--async` in \
                order to bypass the congested event bus.\n";
    let runs = lock(&call.world).master_runs();
    (!runs).then(|| Reply { stderr: text.into(), status: 1, ..Reply::default() })
}

/// An argument as Salt reads it: as YAML. Of that only the single quotes of a text are known here.
pub(crate) fn yaml_text(word: &str) -> String {
    match word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) => text.replace("''", "'"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
