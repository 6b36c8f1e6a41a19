//! `tail`: the end of a text. `-f` prints what there is and then waits: simulated files grow by being rewritten.

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{Arguments, Named, Options, answer, filter, lines, output};

/// The program.
#[derive(Debug)]
pub struct Tail;

// The old form: -5.
static OPTIONS: Options =
    Options::new("qvfFn:c:", &[("lines", 'n'), ("bytes", 'c'), ("follow", 'f')]).with_number('n');

impl Program for Tail {
    fn name(&self) -> &'static str {
        "tail"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let follow = parsed.has('f') || parsed.has('F');
        let files = parsed.operands.clone();
        let shown = filter(call, files, move |inputs| ends(inputs, &parsed));
        Box::pin(async move {
            let status = shown.await;
            if follow && status == 0 {
                std::future::pending::<()>().await;
            }
            status
        })
    }
}

fn ends(inputs: &[Named], parsed: &Arguments) -> Reply {
    let mut out = Vec::new();
    for (at, (name, content)) in inputs.iter().enumerate() {
        if inputs.len() > 1 {
            let gap = if at > 0 { "\n" } else { "" };
            out.extend(format!("{gap}==> {} <==\n", name.as_deref().unwrap_or("standard input")).bytes());
        }
        let wanted = parsed.value('n').unwrap_or("10");
        let from_start = wanted.strip_prefix('+').and_then(|text| text.parse::<usize>().ok());
        let count = wanted.trim_start_matches('-').parse::<usize>().unwrap_or(10);
        if let Some(first) = parsed.value('c').and_then(|text| text.strip_prefix('+')?.parse::<usize>().ok())
        {
            out.extend_from_slice(content.get(first.saturating_sub(1)..).unwrap_or_default());
        } else if let Some(bytes) = parsed.number('c') {
            out.extend_from_slice(content.get(content.len().saturating_sub(bytes)..).unwrap_or_default());
        } else if let Some(first) = from_start {
            out.extend(lines(content).skip(first.saturating_sub(1)).flatten());
        } else {
            let total = lines(content).count();
            out.extend(lines(content).skip(total.saturating_sub(count)).flatten());
        }
    }
    output(out)
}
