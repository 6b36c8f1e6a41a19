//! `basename`: the last part of a path.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, answer, failure, output};

/// The program.
#[derive(Debug)]
pub struct Basename;

static OPTIONS: Options = Options::new("", &[]);

impl Program for Basename {
    fn name(&self) -> &'static str {
        "basename"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let given = match OPTIONS.read(&call.args) {
            Ok(given) => given,
            Err(refused) => return answer(call, refused),
        };
        let reply = match given.operands.as_slice() {
            [] => failure("basename", "missing operand", 1),
            [path] => output(format!("{}\n", last(path))),
            [path, suffix, ..] => {
                let last = last(path);
                let cut = last.strip_suffix(suffix.as_str()).filter(|cut| !cut.is_empty()).unwrap_or(last);
                output(format!("{cut}\n"))
            }
        };
        answer(call, reply)
    }
}

fn last(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() && !path.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
}
