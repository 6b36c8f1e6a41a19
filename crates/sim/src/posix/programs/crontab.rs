//! `crontab`: `-l`, `-r`, `-` or a file, `-u USER`. The tables are files of the world.

use std::sync::PoisonError;

use tokio::io::AsyncReadExt as _;

use crate::program::{BoxFuture, Call, Program, Reply};

use super::text::{Options, failure, output, read_file, write};

/// The program.
#[derive(Debug)]
pub(crate) struct Crontab;

static OPTIONS: Options = Options::new("lriu:", &[]);

impl Program for Crontab {
    fn name(&self) -> &'static str {
        "crontab"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let reply = evaluate(&mut call).await;
            write(&mut call, reply).await
        })
    }
}

async fn evaluate(call: &mut Call) -> Reply {
    let parsed = match OPTIONS.read(&call.args) {
        Ok(parsed) => parsed,
        Err(reply) => return reply,
    };
    let user = parsed.value('u').unwrap_or(&call.user).to_owned();
    if user != call.user && call.user != "root" {
        return failure("crontab", "must be privileged to use -u", 1);
    }
    let path = format!("/var/spool/cron/crontabs/{user}");
    if parsed.has('l') || parsed.has('r') {
        let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(table) = world.read_file(&call.host, &path) else {
            return Reply {
                stderr: format!("no crontab for {user}\n").into_bytes(),
                status: 1,
                ..Reply::default()
            };
        };
        if parsed.has('r') {
            world.remove_file(&call.host, &path);
            return output("");
        }
        return output(table);
    }
    let table = match parsed.operands.first().map(String::as_str) {
        None | Some("-") => {
            let mut text = Vec::new();
            let _ended = call.stdin.read_to_end(&mut text).await;
            text
        }
        Some(file) => match read_file(call, file) {
            Ok(bytes) => bytes,
            Err(why) => return failure("crontab", &format!("{file}: {why}"), 1),
        },
    };
    let text = String::from_utf8_lossy(&table);
    let wrong = text.lines().enumerate().find(|(_, line)| !is_row(line));
    if let Some((at, _)) = wrong {
        let said = format!("\"-\":{}: bad minute\nerrors in crontab file, can't install.\n", at + 1);
        return Reply { stderr: said.into_bytes(), status: 1, ..Reply::default() };
    }
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    world.write_file(&call.host, &path, table);
    world.set_attributes(&call.host, &path, |attributes| {
        attributes.mode = 0o600;
        attributes.owner = user;
    });
    output("")
}

/// Whether a line may stand in a table: a comment, a setting, five fields and a command, or `@daily` and one.
fn is_row(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace().count();
    let setting = line.split_once('=').is_some_and(|(name, _)| !name.trim().contains(' '));
    let times = line.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    line.is_empty()
        || line.starts_with('#')
        || setting
        || (times && words >= 6)
        || (line.starts_with('@') && words >= 2)
}
