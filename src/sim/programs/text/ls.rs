//! `ls`: names; `-l` with sizes. The world knows no owners and times, so `-l` shows root and no date.

use std::sync::PoisonError;

use super::{Arguments, answer, arguments};
use crate::sim::program::{Call, Program, Reply};
use crate::sim::shell::path;
use crate::ssh::dial::BoxFuture;

/// The program.
#[derive(Debug)]
pub struct Ls;

impl Program for Ls {
    fn name(&self) -> &'static str {
        "ls"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match arguments(&call.args, "1aAldhrtFp", "", &[("all", 'a')]) {
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
        let row = |name: &str, path: &str| {
            if !parsed.has('l') {
                return format!("{name}\n");
            }
            match world.read_file(&call.host, path) {
                Some(bytes) => format!("-rw-r--r-- 1 root root {:>8} {name}\n", bytes.len()),
                None => format!("drwxr-xr-x 2 root root {:>8} {name}\n", 4096),
            }
        };
        let directory = world.list_dir(&call.host, &path).filter(|_| !parsed.has('d'));
        match directory {
            Some(mut names) => {
                if several {
                    let gap = if at > 0 { "\n" } else { "" };
                    reply.stdout.extend(format!("{gap}{operand}:\n").bytes());
                }
                names.retain(|name| parsed.has('a') || parsed.has('A') || !name.starts_with('.'));
                names.sort();
                if parsed.has('r') {
                    names.reverse();
                }
                for name in names {
                    let full = path::absolute(&path, &name);
                    reply.stdout.extend(row(&name, &full).bytes());
                }
            }
            None if world.read_file(&call.host, &path).is_some()
                || world.list_dir(&call.host, &path).is_some() =>
            {
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
