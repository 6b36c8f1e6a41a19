//! `whoami`.

use crate::program::{BoxFuture, Call, Program};

use super::{answer, output};

/// The program.
#[derive(Debug)]
pub struct Whoami;

impl Program for Whoami {
    fn name(&self) -> &'static str {
        "whoami"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let reply = output(format!("{}\n", call.user));
        answer(call, reply)
    }
}
