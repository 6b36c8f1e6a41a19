//! `uniq`: equal neighbours once.

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, chomp, concatenated, filter, lines, output};

/// The program.
#[derive(Debug)]
pub struct Uniq;

static OPTIONS: Options = Options::new("cdui", &[("count", 'c')]);

impl Program for Uniq {
    fn name(&self) -> &'static str {
        "uniq"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
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
