//! `sha256sum`, `sha1sum`, with `-c`.

use sha2::Digest as _;

use crate::posix::programs::text::{Named, Options, answer, filter, read_file};
use crate::program::{BoxFuture, Call, Program, Reply};

/// The program.
#[derive(Debug)]
pub struct Sum(pub &'static str);

static OPTIONS: Options = Options::new("bcts", &[("check", 'c'), ("status", 's'), ("quiet", 's')]);

impl Program for Sum {
    fn name(&self) -> &'static str {
        self.0
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let name = self.0;
        if parsed.has('c') {
            let reply = check(&call, name, &parsed.operands, parsed.has('s'));
            return answer(call, reply);
        }
        filter(call, parsed.operands, move |inputs| {
            let row = |(file, bytes): &Named| {
                format!("{}  {}\n", digest(name, bytes), file.as_deref().unwrap_or("-"))
            };
            Reply { stdout: inputs.iter().map(row).collect::<String>().into_bytes(), ..Reply::default() }
        })
    }
}

fn digest(name: &str, bytes: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if name == "sha1sum" { hex(&sha1::Sha1::digest(bytes)) } else { hex(&sha2::Sha256::digest(bytes)) }
}

fn check(call: &Call, name: &str, lists: &[String], quiet: bool) -> Reply {
    let mut reply = Reply::default();
    for list in lists {
        let Ok(text) = read_file(call, list) else {
            reply.stderr.extend(format!("{name}: {list}: No such file or directory\n").bytes());
            reply.status = 1;
            continue;
        };
        for line in String::from_utf8_lossy(&text).lines() {
            let Some((wanted, file)) = line.split_once(' ') else { continue };
            let file = file.trim_start_matches([' ', '*']);
            let found = read_file(call, file).map(|bytes| digest(name, &bytes));
            let verdict = match found {
                Ok(found) if found == wanted => "OK",
                Ok(_) => "FAILED",
                Err(_) => "FAILED open or read",
            };
            if verdict != "OK" {
                reply.status = 1;
            }
            if !quiet {
                reply.stdout.extend(format!("{file}: {verdict}\n").bytes());
            }
        }
    }
    reply
}
