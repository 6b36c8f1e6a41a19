//! Postfix's programs: `postfix`, `postqueue`, `mailq`, `postsuper`, `postcat`, `postconf`. Words and forms are those of Postfix 3
//! (2 has no `postqueue -j`).

mod config;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::PoisonError;

use tokio::io::AsyncReadExt;

use crate::domain::names::HostName;
use crate::sim::program::{Call, Program, Reply};
use crate::sim::world::World;
use crate::ssh::dial::BoxFuture;

use super::quick::{failure, write};

/// A program of Postfix.
pub(super) struct Postfix {
    name: &'static str,
    run: fn(&mut Ask<'_>) -> Reply,
}

pub(super) static MAILQ: Postfix = Postfix { name: "mailq", run: |ask| queue::list(ask.world, ask.host) };
pub(super) static POSTCAT: Postfix = Postfix { name: "postcat", run: queue::show };
pub(super) static POSTCONF: Postfix = Postfix { name: "postconf", run: config::run };
pub(super) static POSTFIX: Postfix = Postfix { name: "postfix", run: config::control };
pub(super) static POSTQUEUE: Postfix = Postfix { name: "postqueue", run: queue::run };
pub(super) static POSTSUPER: Postfix = Postfix { name: "postsuper", run: queue::change };

/// What such a program is asked.
struct Ask<'a> {
    world: &'a mut World,
    host: &'a HostName,
    user: &'a str,
    args: &'a [String],
    /// Standard input, when `-` asks for it.
    input: String,
}

/// Bytes of standard input that are read.
const LARGEST: u64 = 1024 * 1024;

impl Program for Postfix {
    fn name(&self) -> &'static str {
        self.name
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.machine(host).is_some_and(|m| m.roles().iter().any(|role| role.as_str() == "mail"))
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let run = self.run;
        Box::pin(async move {
            let mut input = String::new();
            if call.args.iter().any(|arg| arg == "-") {
                let mut bytes = Vec::new();
                let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
                input = String::from_utf8_lossy(&bytes).into_owned();
            }
            let reply = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                let args = call.args.get(1..).unwrap_or_default();
                run(&mut Ask { world: &mut world, host: &call.host, user: &call.user, args, input })
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

fn fatal(program: &str, what: &str) -> Reply {
    failure(1, &format!("{program}: fatal: {what}"))
}
