//! `mv`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Mv;

static OPTIONS: Options =
    Options::new("fvTn", &[("force", 'f'), ("no-target-directory", 'T'), ("no-clobber", 'n')]);

impl Program for Mv {
    fn name(&self) -> &'static str {
        "mv"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let Some((to, sources)) = parsed.operands.split_last().filter(|(_, sources)| !sources.is_empty())
            else {
                return work.complain("missing file operand");
            };
            if sources.len() > 1 && !work.is_directory(&work.path(to)) {
                return work.complain(&format!("target '{to}' is not a directory"));
            }
            for from in sources {
                let (source, target) = (work.path(from), work.target(from, to, !parsed.has('T')));
                if !work.exists(&source) {
                    work.complain(&format!("cannot stat '{from}': No such file or directory"));
                    continue;
                }
                if let Err(why) = work.can_make(&target) {
                    work.complain(&format!("cannot move '{from}' to '{to}': {why}"));
                    continue;
                }
                if parsed.has('n') && work.exists(&target) {
                    continue;
                }
                let host = work.host.clone();
                if source != target {
                    work.world.rename(&host, &source, &target);
                }
                if parsed.has('v') {
                    work.say(&format!("renamed '{from}' -> '{to}'\n"));
                }
            }
        })
    }
}
