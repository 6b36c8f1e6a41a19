//! `usermod`, `gpasswd`, `chpasswd`, `pkill`: what changes accounts, and ends what they run. For root alone.

use tokio::io::AsyncReadExt as _;

use crate::program::{BoxFuture, Call, Program, Reply};

use super::files::with_world;
use super::text::{Options, failure, output, write};

/// One of these programs.
#[derive(Debug)]
pub(crate) struct Accounts(pub(crate) &'static str);

static USERMOD: Options =
    Options::new("LUe:s:", &[("lock", 'L'), ("unlock", 'U'), ("expiredate", 'e'), ("shell", 's')]);

impl Program for Accounts {
    fn name(&self) -> &'static str {
        self.0
    }

    fn options(&self) -> Option<&'static Options> {
        (self.0 == "usermod").then_some(&USERMOD)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let name = self.0;
        Box::pin(async move {
            let mut given = Vec::new();
            if name == "chpasswd" {
                let _ended = call.stdin.read_to_end(&mut given).await;
            }
            let reply = match (name, call.user == "root") {
                (_, false) => failure(name, "Permission denied.", 1),
                ("usermod", true) => usermod(&call),
                ("gpasswd", true) => gpasswd(&call),
                ("chpasswd", true) => chpasswd(&call, &String::from_utf8_lossy(&given)),
                (_, true) => pkill(&call),
            };
            write(&mut call, reply).await
        })
    }
}

/// What another program that changes accounts leads to.
fn locked(call: &Call) -> Option<Reply> {
    let world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let name = call.args.first().map(String::as_str).unwrap_or_default();
    world
        .accounts_are_locked(&call.host)
        .then(|| failure(name, "cannot lock /etc/passwd; try again later.", 1))
}

fn usermod(call: &Call) -> Reply {
    let parsed = match USERMOD.read(&call.args) {
        Ok(parsed) => parsed,
        Err(reply) => return reply,
    };
    if let Some(reply) = locked(call) {
        return reply;
    }
    let [person] = parsed.operands.as_slice() else { return failure("Usage", "usermod [options] LOGIN", 2) };
    with_world(call, |work| {
        let host = work.host.clone();
        let (Some(mut passwd), Some(mut shadow)) = (
            work.world.account(&host, "/etc/passwd", person),
            work.world.account(&host, "/etc/shadow", person),
        ) else {
            work.complain(&format!("user '{person}' does not exist"));
            work.reply.status = 6;
            return;
        };
        if let (Some(shell), Some(field)) = (parsed.value('s'), passwd.last_mut()) {
            shell.clone_into(field);
        }
        if let Some(password) = shadow.get_mut(1) {
            let plain = password.trim_start_matches('!').to_owned();
            if parsed.has('L') {
                *password = format!("!{plain}");
            } else if parsed.has('U') {
                *password = plain;
            }
        }
        if let (Some(day), Some(field)) = (parsed.value('e'), shadow.get_mut(7)) {
            day.clone_into(field);
        }
        work.world.set_account(&host, "/etc/passwd", person, Some(passwd));
        work.world.set_account(&host, "/etc/shadow", person, Some(shadow));
    })
}

fn gpasswd(call: &Call) -> Reply {
    if let Some(reply) = locked(call) {
        return reply;
    }
    let words: Vec<&str> = call.args.iter().skip(1).map(String::as_str).collect();
    with_world(call, |work| {
        let host = work.host.clone();
        let [how @ ("-d" | "-a"), person, group] = words.as_slice() else {
            return work.complain("only -a USER GROUP and -d USER GROUP are simulated");
        };
        let member = work.world.groups_of(&host, person).iter().any(|own| own == group);
        if *how == "-d" && !member {
            return work.complain(&format!("user '{person}' is not a member of '{group}'"));
        }
        if !work.world.set_member(&host, group, person, *how == "-a") {
            work.complain(&format!("group '{group}' does not exist in /etc/group"));
        }
    })
}

/// `chpasswd -e`: passwords as they stand in `/etc/shadow`, by standard input.
fn chpasswd(call: &Call, given: &str) -> Reply {
    if let Some(reply) = locked(call) {
        return reply;
    }
    if call.args.get(1).map(String::as_str) != Some("-e") {
        return failure("chpasswd", "only -e is simulated", 1);
    }
    with_world(call, |work| {
        let host = work.host.clone();
        for (person, password) in given.lines().filter_map(|line| line.split_once(':')) {
            let Some(mut shadow) = work.world.account(&host, "/etc/shadow", person) else {
                work.complain(&format!("line 1: user '{person}' does not exist"));
                continue;
            };
            if let Some(field) = shadow.get_mut(1) {
                password.clone_into(field);
            }
            work.world.set_account(&host, "/etc/shadow", person, Some(shadow));
        }
    })
}

/// `pkill [-SIGNAL] -u USER`: 1 when there is nothing to end.
fn pkill(call: &Call) -> Reply {
    let words: Vec<&str> = call.args.iter().skip(1).map(String::as_str).collect();
    let user = words.iter().position(|word| *word == "-u").and_then(|at| words.get(at + 1).copied());
    let Some(user) = user else { return failure("pkill", "only -u USER is simulated", 2) };
    let mut world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let found: Vec<u32> =
        world.tasks(&call.host).filter(|task| task.user == user).map(|task| task.pid).collect();
    for pid in &found {
        world.kill_task(&call.host, *pid);
    }
    Reply { status: u8::from(found.is_empty()), ..output("") }
}
