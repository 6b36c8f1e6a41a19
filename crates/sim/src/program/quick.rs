//! Programs that read no input and answer at once.

use std::sync::PoisonError;

use tokio::io::AsyncWriteExt;

use crate::options::{Arguments, Options};
use crate::program::{BoxFuture, Call, Output, Program, Reply};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// What such a program is asked.
pub(crate) struct Ask<'a> {
    /// The world, held for as long as it answers.
    pub(crate) world: &'a World,
    /// The host it runs on.
    pub(crate) host: &'a HostName,
    /// Arguments after the program's name.
    pub(crate) args: &'a [String],
    /// The same, read by the options that the program declares; empty when it declares none.
    pub(crate) given: &'a Arguments,
    /// The working directory.
    pub(crate) cwd: &'a str,
    /// The account.
    pub(crate) user: &'a str,
}

/// Such a program.
pub(crate) struct Quick {
    /// Its name.
    pub(crate) name: &'static str,
    /// The options it knows; `None` when it reads its words in its own way.
    pub(crate) options: Option<&'static Options>,
    /// What it answers.
    pub(crate) answer: fn(&Ask<'_>) -> Reply,
}

impl Program for Quick {
    fn name(&self) -> &'static str {
        self.name
    }

    fn options(&self) -> Option<&'static Options> {
        self.options
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let (answer, options) = (self.answer, self.options);
        Box::pin(async move {
            let given = options.map_or_else(|| Ok(Arguments::default()), |options| options.read(&call.args));
            let reply = given.map_or_else(|refused| refused, |given| ask_with(&call, &given, answer));
            write(reply, call.stdout, call.stderr).await
        })
    }
}

/// Asks with the world held.
pub(crate) fn ask<T>(call: &Call, answer: impl FnOnce(&Ask<'_>) -> T) -> T {
    ask_with(call, &Arguments::default(), answer)
}

fn ask_with<T>(call: &Call, given: &Arguments, answer: impl FnOnce(&Ask<'_>) -> T) -> T {
    let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let args = call.args.get(1..).unwrap_or_default();
    answer(&Ask { world: &world, host: &call.host, args, given, cwd: &call.cwd, user: &call.user })
}

/// Writes an answer out. A reader that went away is what a broken pipe is: the status says so.
pub(crate) async fn write(reply: Reply, mut stdout: Output, mut stderr: Output) -> u8 {
    let out = async {
        stdout.write_all(&reply.stdout).await?;
        stdout.flush().await
    };
    if out.await.is_err() {
        return 141;
    }
    let err = async {
        stderr.write_all(&reply.stderr).await?;
        stderr.flush().await
    };
    match err.await {
        Ok(()) => reply.status,
        Err(_) => 141,
    }
}

/// Output and success.
pub(crate) fn output(text: impl Into<Vec<u8>>) -> Reply {
    Reply { stdout: text.into(), ..Reply::default() }
}

/// A complaint and a status.
pub(crate) fn failure(status: u8, text: &str) -> Reply {
    Reply { stderr: format!("{text}\n").into_bytes(), status, ..Reply::default() }
}

/// What GNU programs say of an option they do not know.
pub(crate) fn bad_option(program: &str, option: &str) -> Reply {
    let what = match option.strip_prefix("--") {
        Some(_) => format!("unrecognized option '{option}'"),
        None => format!("invalid option -- '{}'", option.chars().nth(1).unwrap_or('-')),
    };
    failure(1, &format!("{program}: {what}\nTry '{program} --help' for more information."))
}
