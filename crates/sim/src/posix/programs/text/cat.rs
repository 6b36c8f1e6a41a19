//! `cat`: as it comes, not at the end.

use tokio::io::AsyncWriteExt;

use crate::program::{BoxFuture, Call, Program, Reply};

use super::{
    Arguments, BROKEN_PIPE, Named, Options, answer, chomp, concatenated, filter, lines, output, read_file,
};

/// The program.
#[derive(Debug)]
pub struct Cat;

static OPTIONS: Options = Options::new("nuAE", &[("number", 'n')]);

impl Program for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        if parsed.has('n') || parsed.has('A') || parsed.has('E') {
            return filter(call, parsed.operands.clone(), move |inputs| marked(inputs, &parsed));
        }
        Box::pin(async move {
            let files = if parsed.operands.is_empty() { vec!["-".to_owned()] } else { parsed.operands };
            let mut status = 0;
            for file in files {
                let written = if file == "-" {
                    tokio::io::copy(&mut call.stdin, &mut call.stdout).await.map(|_| ())
                } else {
                    match read_file(&call, &file) {
                        Ok(bytes) => call.stdout.write_all(&bytes).await,
                        Err(why) => {
                            status = 1;
                            call.stderr.write_all(format!("cat: {file}: {why}\n").as_bytes()).await
                        }
                    }
                };
                if written.is_err() {
                    return BROKEN_PIPE;
                }
            }
            status
        })
    }
}

/// `-n`, `-E`, `-A`: numbers and line ends.
fn marked(inputs: &[Named], parsed: &Arguments) -> Reply {
    let mut out = Vec::new();
    for (at, line) in lines(&concatenated(inputs)).enumerate() {
        if parsed.has('n') {
            out.extend(format!("{:6}\t", at + 1).bytes());
        }
        out.extend_from_slice(chomp(line));
        if line.ends_with(b"\n") {
            out.extend_from_slice(if parsed.has('E') || parsed.has('A') { b"$\n" } else { b"\n" });
        }
    }
    output(out)
}
