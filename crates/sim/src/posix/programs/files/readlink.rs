//! `readlink`: the world has no symbolic links, so that `-f` tells the absolute path.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program: `readlink`, `realpath`.
#[derive(Debug)]
pub struct Readlink(pub &'static str);

static OPTIONS: Options = Options::new(
    "femnqsz",
    &[("canonicalize", 'f'), ("canonicalize-existing", 'e'), ("canonicalize-missing", 'm')],
);

impl Program for Readlink {
    fn name(&self) -> &'static str {
        self.0
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let always = self.0 == "realpath";
        run(call, &OPTIONS, move |work, parsed| {
            for name in &parsed.operands {
                let path = work.path(name);
                let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
                let there = work.exists(&path)
                    || parsed.has('m')
                    || (!parsed.has('e') && (parent.is_empty() || work.is_directory(parent)));
                if (always || ['f', 'e', 'm'].into_iter().any(|letter| parsed.has(letter))) && there {
                    let end = if parsed.has('n') { "" } else { "\n" };
                    work.say(&format!("{path}{end}"));
                } else {
                    work.reply.status = 1;
                    if always {
                        work.complain(&format!("{name}: No such file or directory"));
                    }
                }
            }
        })
    }
}
