//! `whoami`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, answer, output};

/// The program.
#[derive(Debug)]
pub struct Whoami;

static OPTIONS: Options = Options::new("", &[]);

impl Program for Whoami {
    fn name(&self) -> &'static str {
        "whoami"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let reply = match OPTIONS.read(&call.args) {
            Ok(_) => output(format!("{}\n", call.user)),
            Err(refused) => refused,
        };
        answer(call, reply)
    }
}
