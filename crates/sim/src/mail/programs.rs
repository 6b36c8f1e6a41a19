//! What the programs of mail servers share, whichever server it is.

pub(crate) mod exim;
pub(crate) mod postfix;

use std::sync::PoisonError;

use tokio::io::AsyncReadExt;

use crate::program::quick::write;
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::{MailServer, Message};

/// A program of a mail server.
pub(crate) struct MailProgram {
    pub(crate) name: &'static str,
    /// Whose it is; `None` when each has one of that name.
    pub(crate) of: Option<MailServer>,
    pub(crate) run: fn(&mut Ask<'_>) -> Reply,
}

/// What such a program is asked.
pub(crate) struct Ask<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) host: &'a HostName,
    pub(crate) user: &'a str,
    pub(crate) args: &'a [String],
    /// Standard input, where the program reads it.
    pub(crate) input: String,
}

/// Bytes of standard input that are read.
const LARGEST: u64 = 1024 * 1024;

impl Program for MailProgram {
    fn name(&self) -> &'static str {
        self.name
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.mail_server(host).is_some_and(|server| self.of.is_none_or(|of| of == server))
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let run = self.run;
        Box::pin(async move {
            let mut input = String::new();
            if call.args.iter().any(|arg| arg == "-" || arg == "-bh") {
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

/// A moment, in seconds since 1970, in that form.
pub(crate) fn written(seconds: f64, form: &str) -> String {
    #[allow(clippy::cast_possible_truncation)]
    let at = jiff::Timestamp::from_second(seconds as i64).unwrap_or_default();
    at.strftime(form).to_string()
}

/// A second of the world as a host's clock writes it.
pub(crate) fn stamp(world: &World, host: &HostName, seconds: f64, form: &str) -> String {
    written(world.clock_at(host, seconds), form)
}

/// The messages in a host's queue, oldest first.
pub(crate) fn messages(world: &mut World, host: &HostName) -> Vec<Message> {
    world.mail(host).map(|queue| queue.messages().to_vec()).unwrap_or_default()
}
