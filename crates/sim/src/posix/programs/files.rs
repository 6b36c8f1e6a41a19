//! Programs that look at the world's files, make, move and remove them.

pub mod chmod;
pub mod chown;
pub mod cmp;
pub mod cp;
pub mod diff;
pub mod du;
pub mod find;
pub mod mkdir;
pub mod mktemp;
pub mod mv;
pub mod readlink;
pub mod rm;
pub mod rmdir;
pub mod sha256sum;
pub mod stat;
pub mod touch;

use std::sync::PoisonError;

use super::text::answer;
pub(crate) use super::text::{Arguments, Options};
pub(crate) use crate::posix::calendar::moment;
use crate::posix::files::{FULL, Wish};
use crate::program::{BoxFuture, Call, Reply};
use crate::shell::path;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// What such a program works on.
pub(crate) struct Work<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) host: HostName,
    pub(crate) user: String,
    pub(crate) program: String,
    cwd: String,
    pub(crate) reply: Reply,
}

impl Work<'_> {
    pub(crate) fn path(&self, name: &str) -> String {
        path::absolute(&self.cwd, name)
    }

    /// Writes `PROGRAM: WHAT` and fails.
    pub(crate) fn complain(&mut self, what: &str) {
        self.reply.stderr.extend(format!("{}: {what}\n", self.program).bytes());
        self.reply.status = 1;
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.reply.stdout.extend(text.bytes());
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        self.world.metadata(&self.host, path).is_some_and(|found| found.directory)
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.world.metadata(&self.host, path).is_some()
    }

    pub(crate) fn may_write(&self, path: &str) -> bool {
        self.world.may(&self.host, path, &self.user, Wish::Write)
    }

    /// Whether a file can be made at that path: why not, in the words of errno.
    pub(crate) fn can_make(&self, path: &str) -> Result<(), &'static str> {
        let parent =
            path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        match self.world.metadata(&self.host, parent) {
            None => Err("No such file or directory"),
            Some(found) if !found.directory => Err("Not a directory"),
            Some(_) if !self.may_write(path) => Err("Permission denied"),
            Some(_) if !self.world.has_room(&self.host, path, 0) => Err(FULL),
            Some(_) => Ok(()),
        }
    }

    /// The operands' target: `DIR/name` when the last operand is a directory.
    pub(crate) fn target(&self, from: &str, to: &str, into: bool) -> String {
        let to = self.path(to);
        if into && self.is_directory(&to) {
            let name = from.trim_end_matches('/').rsplit('/').next().unwrap_or(from);
            format!("{}/{name}", to.trim_end_matches('/'))
        } else {
            to
        }
    }

    /// Everything below a directory, itself first.
    pub(crate) fn below(&self, path: &str) -> Vec<String> {
        let mut found = vec![path.to_owned()];
        if self.is_directory(path) {
            for name in self.world.list_dir(&self.host, path).unwrap_or_default() {
                found.extend(self.below(&format!("{}/{name}", path.trim_end_matches('/'))));
            }
        }
        found
    }
}

/// Runs a program that answers at once.
pub(crate) fn run(
    call: Call,
    options: &Options,
    work: impl FnOnce(&mut Work<'_>, &Arguments),
) -> BoxFuture<'static, u8> {
    let parsed = match options.read(&call.args) {
        Ok(parsed) => parsed,
        Err(mut reply) => {
            reply.status = 1;
            return answer(call, reply);
        }
    };
    let reply = with_world(&call, |doing| work(doing, &parsed));
    answer(call, reply)
}

/// What is answered by looking at the world, options not read yet.
pub(crate) fn with_world(call: &Call, work: impl FnOnce(&mut Work<'_>)) -> Reply {
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let mut doing = Work {
        world: &mut world,
        host: call.host.clone(),
        user: call.user.clone(),
        program: call.args.first().cloned().unwrap_or_default(),
        cwd: call.cwd.clone(),
        reply: Reply::default(),
    };
    work(&mut doing);
    doing.reply
}

#[cfg(test)]
mod tests;
