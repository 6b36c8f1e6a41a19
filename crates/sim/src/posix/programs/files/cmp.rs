//! `cmp`.

use crate::posix::programs::text::{Options, answer, failure, filter, output};
use crate::program::{BoxFuture, Call, Program};

/// The program.
#[derive(Debug)]
pub struct Cmp;

static OPTIONS: Options = Options::new("s", &[("silent", 's'), ("quiet", 's')]);

impl Program for Cmp {
    fn name(&self) -> &'static str {
        "cmp"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let [one, other] = parsed.operands.as_slice() else {
            return answer(call, failure("cmp", "two files are compared", 2));
        };
        let (names, quiet) = ((one.clone(), other.clone()), parsed.has('s'));
        filter(call, parsed.operands, move |inputs| {
            let [(_, left), (_, right)] = inputs else { return failure("cmp", "", 2) };
            let differs = left.iter().zip(right).position(|(a, b)| a != b);
            let mut reply = match differs {
                None if left.len() == right.len() => return output(""),
                Some(at) => {
                    let line = 1 + left.iter().take(at).filter(|&&byte| byte == b'\n').count();
                    output(format!("{} {} differ: byte {}, line {line}\n", names.0, names.1, at + 1))
                }
                None => {
                    let (short, length) = if left.len() < right.len() {
                        (&names.0, left.len())
                    } else {
                        (&names.1, right.len())
                    };
                    failure("cmp", &format!("EOF on {short} after byte {length}"), 1)
                }
            };
            reply.status = 1;
            if quiet {
                reply.stdout.clear();
                reply.stderr.clear();
            }
            reply
        })
    }
}
