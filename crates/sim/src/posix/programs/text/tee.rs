//! `tee`: copies on, and into files.

use std::sync::PoisonError;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::posix::files::FULL;
use crate::program::{BoxFuture, Call, Program};
use crate::shell::path;

use super::{BROKEN_PIPE, Options, answer, read_file};

/// The program.
#[derive(Debug)]
pub struct Tee;

static OPTIONS: Options = Options::new("ai", &[("append", 'a')]);

impl Program for Tee {
    fn name(&self) -> &'static str {
        "tee"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        Box::pin(async move {
            let mut contents: Vec<(String, Vec<u8>)> = Vec::new();
            for file in &parsed.operands {
                let before =
                    if parsed.has('a') { read_file(&call, file).unwrap_or_default() } else { Vec::new() };
                contents.push((path::absolute(&call.cwd, file), before));
            }
            let mut buffer = [0_u8; 4096];
            let mut status = 0;
            loop {
                let count = call.stdin.read(&mut buffer).await.unwrap_or(0);
                let chunk = buffer.get(..count).unwrap_or_default();
                let mut full = Vec::new();
                for (file, content) in &mut contents {
                    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                    if !world.has_room(&call.host, file, content.len() + chunk.len()) {
                        full.push(file.clone());
                        continue;
                    }
                    content.extend_from_slice(chunk);
                    world.write_file(&call.host, file, content.clone());
                }
                contents.retain(|(file, _)| !full.contains(file));
                for file in full {
                    let said = format!("tee: {file}: {FULL}\n");
                    let _nobody_reads = call.stderr.write_all(said.as_bytes()).await;
                    status = 1;
                }
                if count == 0 {
                    return status;
                }
                if call.stdout.write_all(chunk).await.is_err() {
                    status = BROKEN_PIPE;
                }
            }
        })
    }
}
