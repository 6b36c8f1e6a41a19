//! `id`, `id -u`, `id -un`: root is 0, everybody else 1000.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, answer, output};

/// The program.
#[derive(Debug)]
pub struct Id;

/// An account's number.
pub(super) fn number(user: &str) -> u32 {
    if user == "root" { 0 } else { 1000 }
}

static OPTIONS: Options = Options::new("ugnG", &[("user", 'u'), ("group", 'g'), ("name", 'n')]);

impl Program for Id {
    fn name(&self) -> &'static str {
        "id"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let user = parsed.operands.first().unwrap_or(&call.user).clone();
        if parsed.has('G') && parsed.has('n') {
            let mut groups = vec![user.clone()];
            let world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            groups.extend(world.groups_of(&call.host, &user));
            drop(world);
            return answer(call, output(groups.join(" ") + "\n"));
        }
        let number = number(&user);
        let short = parsed.has('u') || parsed.has('g') || parsed.has('G');
        let text = match (short, parsed.has('n')) {
            (true, true) => format!("{user}\n"),
            (true, false) => format!("{number}\n"),
            _ => format!("uid={number}({user}) gid={number}({user}) groups={number}({user})\n"),
        };
        answer(call, output(text))
    }
}
