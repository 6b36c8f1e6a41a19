//! `head`: stops reading once it has enough.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{BROKEN_PIPE, Named, Options, answer, filter, lines, output};

/// The program.
#[derive(Debug)]
pub struct Head;

// The old form: -5.
static OPTIONS: Options = Options::new("qvn:c:", &[("lines", 'n'), ("bytes", 'c')]).with_number('n');

impl Program for Head {
    fn name(&self) -> &'static str {
        "head"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let count = parsed.number('n').unwrap_or(10);
        let bytes = parsed.number('c');
        let all_but = parsed.value('n').is_some_and(|text| text.starts_with('-'));
        if !parsed.operands.is_empty() || all_but {
            let drop_last =
                all_but.then(|| parsed.value('n').and_then(|t| t.get(1..)?.parse().ok()).unwrap_or(0));
            return filter(call, parsed.operands, move |inputs| files(inputs, count, bytes, drop_last));
        }
        Box::pin(async move {
            let (mut lines_left, mut bytes_left) = (count, bytes.unwrap_or(usize::MAX));
            let mut byte = [0_u8; 1];
            let mut line = Vec::new();
            // A byte at a time from memory: nothing after the last line is taken from whoever reads next.
            while (bytes.is_some() || lines_left > 0) && bytes_left > 0 {
                if !matches!(call.stdin.read(&mut byte).await, Ok(1)) {
                    break;
                }
                line.extend_from_slice(&byte);
                bytes_left -= 1;
                if byte == *b"\n" {
                    lines_left = lines_left.saturating_sub(1);
                    if call.stdout.write_all(&std::mem::take(&mut line)).await.is_err() {
                        return BROKEN_PIPE;
                    }
                }
            }
            if call.stdout.write_all(&line).await.is_err() { BROKEN_PIPE } else { 0 }
        })
    }
}

fn files(inputs: &[Named], count: usize, bytes: Option<usize>, drop_last: Option<usize>) -> Reply {
    let mut out = Vec::new();
    for (at, (name, content)) in inputs.iter().enumerate() {
        if inputs.len() > 1 {
            let gap = if at > 0 { "\n" } else { "" };
            out.extend(format!("{gap}==> {} <==\n", name.as_deref().unwrap_or("standard input")).bytes());
        }
        let count = drop_last.map_or(count, |drop| lines(content).count().saturating_sub(drop));
        match bytes {
            Some(bytes) => out.extend(content.iter().take(bytes)),
            None => out.extend(lines(content).take(count).flatten()),
        }
    }
    output(out)
}
