//! The cloud's command-line programs, on the jump box: `nova` and `neutron` as of 2015, `openstack` as it is now. What
//! they share: reading arguments, tables, waiting.

pub(crate) mod neutron;
pub(crate) mod nova;
pub(crate) mod openstack;

mod console;
mod options;
mod table;
#[cfg(test)]
mod tests;

use std::sync::PoisonError;

use crate::program::quick::write;
use crate::program::wait;
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Seconds that `--wait` and `--poll` wait at most.
const PATIENCE: u64 = 600;

/// A cloud program.
pub(crate) struct Tool {
    name: &'static str,
    run: fn(&mut World, &HostName, &[String]) -> Answer,
}

/// What such a program answers.
struct Answer {
    reply: Reply,
    /// The server that is waited for: to be built, or to be gone.
    wait: Option<Wait>,
}

/// What is waited for before the answer is given.
enum Wait {
    Built(String),
    Gone(String),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { reply, wait: None }
    }
}

impl Program for Tool {
    fn name(&self) -> &'static str {
        self.name
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.cloud().has_clients() && world.jump() == Some(host)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let run = self.run;
        Box::pin(async move {
            let mut answer = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                run(&mut world, &call.host, call.args.get(1..).unwrap_or_default())
            };
            if let Some(wanted) = answer.wait {
                let done =
                    wait::until(&call.world, PATIENCE, |world| wanted.holds(world).then_some(())).await;
                if done.is_none() {
                    answer.reply = crate::program::quick::failure(1, "Error waiting for the server");
                }
            }
            write(answer.reply, call.stdout, call.stderr).await
        })
    }
}

impl Wait {
    fn holds(&self, world: &World) -> bool {
        let now = world.now().as_secs_f64();
        match self {
            Self::Built(id) => world.cloud().find(id, now).is_ok_and(|server| now >= server.active_at),
            Self::Gone(id) => world.cloud().find(id, now).is_err(),
        }
    }
}

/// The moment, in seconds since the world's start.
fn now(world: &World) -> f64 {
    world.now().as_secs_f64()
}

/// A moment as the cloud's interfaces write it: the same whenever it is asked for, also in a world whose time is made to pass faster.
fn stamp(world: &World, seconds: f64) -> String {
    let at = world.started_at() + seconds;
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let at = jiff::Timestamp::from_second(at as i64).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A file that an option names, as text: from the machine the program runs on.
fn file(world: &World, host: &HostName, path: &str) -> Result<String, String> {
    let path = crate::shell::path::absolute("/root", path);
    let bytes = world.read_file(host, &path);
    let bytes = bytes.ok_or_else(|| format!("Can't open '{path}': No such file or directory: '{path}'"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
