//! `ls`: names; `-l` and `-n` with what the world knows of them.

use std::sync::PoisonError;

use crate::posix::files::Metadata;
use crate::posix::programs::files::moment;
use crate::posix::programs::files::stat::letters;
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path;
use jumpdeck_fleet::storage::human_kb;

use super::id::number;
use super::{Arguments, Options, answer};

/// The program.
#[derive(Debug)]
pub struct Ls;

static OPTIONS: Options = Options::new("1aAldnhrtFpL", &[("all", 'a')]);

impl Program for Ls {
    fn name(&self) -> &'static str {
        "ls"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let reply = list(&call, &parsed);
        answer(call, reply)
    }
}

fn list(call: &Call, parsed: &Arguments) -> Reply {
    let mut reply = Reply::default();
    let operands = if parsed.operands.is_empty() { vec![".".to_owned()] } else { parsed.operands.clone() };
    let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let several = operands.len() > 1;
    for (at, operand) in operands.iter().enumerate() {
        let path = path::absolute(&call.cwd, operand);
        let row = |name: &str, path: &str| match world.metadata(&call.host, path) {
            Some(found) if parsed.has('l') || parsed.has('n') => long(&found, name, parsed),
            _ => format!("{name}\n"),
        };
        let directory = world.list_dir(&call.host, &path).filter(|_| !parsed.has('d'));
        let is_out_of_reach = world.is_out_of_reach(&call.host, &path, &call.user);
        let is_closed = directory.is_some() && world.is_closed(&call.host, &path, &call.user);
        if is_out_of_reach || is_closed {
            let what = if is_out_of_reach { "cannot access" } else { "cannot open directory" };
            reply.stderr.extend(format!("ls: {what} '{operand}': Permission denied\n").bytes());
            reply.status = 2;
            continue;
        }
        match directory {
            Some(mut names) => {
                if several {
                    let gap = if at > 0 { "\n" } else { "" };
                    reply.stdout.extend(format!("{gap}{operand}:\n").bytes());
                }
                names.retain(|name| parsed.has('a') || parsed.has('A') || !name.starts_with('.'));
                names.sort();
                if parsed.has('t') {
                    let time = |name: &String| {
                        let found = world.metadata(&call.host, &path::absolute(&path, name));
                        found.map_or(0.0, |found| found.attributes.modified)
                    };
                    names.sort_by(|a, b| time(b).total_cmp(&time(a)));
                }
                if parsed.has('r') {
                    names.reverse();
                }
                for name in names {
                    let full = path::absolute(&path, &name);
                    reply.stdout.extend(row(&name, &full).bytes());
                }
            }
            None if world.metadata(&call.host, &path).is_some() => {
                reply.stdout.extend(row(operand, &path).bytes());
            }
            None => {
                let text = format!("ls: cannot access '{operand}': No such file or directory\n");
                reply.stderr.extend(text.bytes());
                reply.status = 2;
            }
        }
    }
    reply
}

fn long(found: &Metadata, name: &str, parsed: &Arguments) -> String {
    let attributes = &found.attributes;
    let size = if parsed.has('h') { human_kb(found.size.div_ceil(1024)) } else { found.size.to_string() };
    let links = if found.directory { 2 } else { 1 };
    let time = moment(attributes.modified, "%b %e %H:%M");
    let shown = |name: &String| if parsed.has('n') { number(name).to_string() } else { name.clone() };
    let (owner, group) = (shown(&attributes.owner), shown(&attributes.group));
    format!("{} {links} {owner} {group} {size:>8} {time} {name}\n", letters(found))
}
