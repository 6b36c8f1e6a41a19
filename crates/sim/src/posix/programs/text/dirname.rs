//! `dirname`: a path without its last part.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, answer, failure, output};

/// The program.
#[derive(Debug)]
pub struct Dirname;

static OPTIONS: Options = Options::new("", &[]);

impl Program for Dirname {
    fn name(&self) -> &'static str {
        "dirname"
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
            [] => failure("dirname", "missing operand", 1),
            paths => output(paths.iter().map(|path| format!("{}\n", directory(path))).collect::<String>()),
        };
        answer(call, reply)
    }
}

fn directory(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        None if path.starts_with('/') => "/",
        None => ".",
        Some((directory, _)) if directory.trim_end_matches('/').is_empty() => "/",
        Some((directory, _)) => directory.trim_end_matches('/'),
    }
}
