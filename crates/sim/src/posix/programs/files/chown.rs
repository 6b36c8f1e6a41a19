//! `chown`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Chown;

static OPTIONS: Options = Options::new("Rh", &[("recursive", 'R')]);

impl Program for Chown {
    fn name(&self) -> &'static str {
        "chown"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let [owner, names @ ..] = parsed.operands.as_slice() else {
                return work.complain("missing operand");
            };
            let (user, group) = match owner.split_once([':', '.']) {
                None => (owner.as_str(), None),
                // `user:` is the user's own group.
                Some((user, "")) => (user, Some(user)),
                Some((user, group)) => (user, Some(group)),
            };
            for name in names {
                let path = work.path(name);
                if !work.exists(&path) {
                    work.complain(&format!("cannot access '{name}': No such file or directory"));
                } else if work.user != "root" {
                    work.complain(&format!("changing ownership of '{name}': Operation not permitted"));
                } else {
                    let paths = if parsed.has('R') { work.below(&path) } else { vec![path] };
                    let host = work.host.clone();
                    for path in paths {
                        work.world.set_attributes(&host, &path, |attributes| {
                            if !user.is_empty() {
                                user.clone_into(&mut attributes.owner);
                            }
                            if let Some(group) = group {
                                group.clone_into(&mut attributes.group);
                            }
                        });
                    }
                }
            }
        })
    }
}
