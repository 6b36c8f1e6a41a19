//! `uniq`: equal neighbours once.

use super::{Arguments, Named, answer, arguments, chomp, concatenated, filter, lines, output};
use crate::program::{BoxFuture, Call, Program, Reply};

/// The program.
#[derive(Debug)]
pub struct Uniq;

impl Program for Uniq {
    fn name(&self) -> &'static str {
        "uniq"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match arguments(&call.args, "cdui", "", &[("count", 'c')]) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        filter(call, parsed.operands.clone(), move |inputs| work(inputs, &parsed))
    }
}

fn work(inputs: &[Named], parsed: &Arguments) -> Reply {
    let bytes = concatenated(inputs);
    let mut groups: Vec<(usize, &[u8])> = Vec::new();
    for line in lines(&bytes).map(chomp) {
        match groups.last_mut() {
            Some((count, last)) if *last == line || parsed.has('i') && last.eq_ignore_ascii_case(line) => {
                *count += 1;
            }
            _ => groups.push((1, line)),
        }
    }
    let mut out = Vec::new();
    for (count, line) in groups {
        if parsed.has('d') && count < 2 || parsed.has('u') && count > 1 {
            continue;
        }
        if parsed.has('c') {
            out.extend(format!("{count:7} ").bytes());
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    output(out)
}
