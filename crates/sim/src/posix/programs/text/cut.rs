//! `cut`: fields or characters.

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, concatenated, failure, filter, output};

/// The program.
#[derive(Debug)]
pub struct Cut;

static OPTIONS: Options =
    Options::new("sd:f:c:b:", &[("delimiter", 'd'), ("fields", 'f'), ("characters", 'c')]);

impl Program for Cut {
    fn name(&self) -> &'static str {
        "cut"
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
    let text = String::from_utf8_lossy(&concatenated(inputs)).into_owned();
    let delimiter = parsed.value('d').and_then(|d| d.chars().next()).unwrap_or('\t');
    let mut out = String::new();
    if let Some(ranges) = parsed.value('f').map(ranges) {
        let joint = delimiter.to_string();
        for line in text.lines() {
            if line.contains(delimiter) {
                let fields: Vec<&str> = pick(line.split(delimiter), &ranges).collect();
                out.push_str(&fields.join(&joint));
            } else if parsed.has('s') {
                continue;
            } else {
                out.push_str(line);
            }
            out.push('\n');
        }
    } else if let Some(ranges) = parsed.value('c').or(parsed.value('b')).map(ranges) {
        for line in text.lines() {
            out.extend(pick(line.chars(), &ranges));
            out.push('\n');
        }
    } else {
        return failure("cut", "you must specify a list of bytes, characters, or fields", 1);
    }
    output(out)
}

/// `1,3-5,7-`, counted from one.
fn ranges(text: &str) -> Vec<(usize, usize)> {
    text.split(',')
        .filter_map(|part| match part.split_once('-') {
            None => part.parse().ok().map(|n| (n, n)),
            Some((from, to)) => Some((
                if from.is_empty() { 1 } else { from.parse().ok()? },
                if to.is_empty() { usize::MAX } else { to.parse().ok()? },
            )),
        })
        .collect()
}

fn pick<T>(items: impl Iterator<Item = T>, ranges: &[(usize, usize)]) -> impl Iterator<Item = T> {
    let wanted = |at: usize| ranges.iter().any(|&(from, to)| (from..=to).contains(&at));
    items.enumerate().filter(move |(at, _)| wanted(at + 1)).map(|(_, item)| item)
}
