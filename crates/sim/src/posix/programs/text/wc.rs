//! `wc`: lines, words, bytes.

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, filter, output};

/// The program.
#[derive(Debug)]
pub struct Wc;

static OPTIONS: Options = Options::new("lwcm", &[("lines", 'l'), ("words", 'w'), ("bytes", 'c')]);

impl Program for Wc {
    fn name(&self) -> &'static str {
        "wc"
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
    let everything = parsed.options.is_empty();
    let mut rows: Vec<(Vec<usize>, String)> = Vec::new();
    for (name, bytes) in inputs {
        // Only what is asked for is counted: a large file takes long.
        let count = |what: char| match what {
            'l' => bytes.iter().filter(|&&b| b == b'\n').count(),
            'w' => String::from_utf8_lossy(bytes).split_whitespace().count(),
            'm' => String::from_utf8_lossy(bytes).chars().count(),
            _ => bytes.len(),
        };
        let wanted = ['l', 'w', 'c', 'm'].into_iter().filter(|l| parsed.has(*l) || everything && *l != 'm');
        rows.push((wanted.map(count).collect(), name.clone().unwrap_or_default()));
    }
    if rows.len() > 1 {
        let columns = rows.first().map_or(0, |(counts, _)| counts.len());
        let total = |at: usize| rows.iter().filter_map(|(counts, _)| counts.get(at)).sum();
        rows.push(((0..columns).map(total).collect(), "total".to_owned()));
    }
    // GNU: as wide as the largest number; 7 when standard input is counted in several columns.
    let several = rows.iter().any(|(counts, name)| counts.len() > 1 && name.is_empty());
    let widest = rows.iter().flat_map(|(counts, _)| counts).map(|n| n.to_string().len()).max().unwrap_or(1);
    let single = rows.len() == 1 && rows.iter().all(|(counts, _)| counts.len() == 1);
    let width = if several {
        7
    } else if single {
        1
    } else {
        widest
    };
    let mut out = String::new();
    for (counts, name) in rows {
        let numbers: Vec<String> = counts.iter().map(|n| format!("{n:width$}")).collect();
        out.push_str(&numbers.join(" "));
        if !name.is_empty() {
            out.push(' ');
            out.push_str(&name);
        }
        out.push('\n');
    }
    output(out)
}
