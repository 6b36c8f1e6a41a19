//! `cp`.

use crate::posix::files::{FULL, Wish};
use crate::program::{BoxFuture, Call, Program};

use super::{Options, Work, run};

/// The program.
#[derive(Debug)]
pub struct Cp;

static OPTIONS: Options = Options::new(
    "aprRfvnT",
    &[("archive", 'a'), ("recursive", 'r'), ("force", 'f'), ("preserve", 'p'), ("no-clobber", 'n')],
);

impl Program for Cp {
    fn name(&self) -> &'static str {
        "cp"
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
            let recursive = ['a', 'r', 'R'].into_iter().any(|letter| parsed.has(letter));
            for from in sources {
                let (source, target) = (work.path(from), work.target(from, to, !parsed.has('T')));
                if !work.exists(&source) {
                    work.complain(&format!("cannot stat '{from}': No such file or directory"));
                } else if work.is_directory(&source) && !recursive {
                    work.complain(&format!("-r not specified; omitting directory '{from}'"));
                } else if !(parsed.has('n') && work.exists(&target)) {
                    copy(work, from, &source, &target, parsed.has('a') || parsed.has('p'));
                }
            }
        })
    }
}

fn copy(work: &mut Work<'_>, name: &str, from: &str, to: &str, preserve: bool) {
    let host = work.host.clone();
    if !work.world.may(&host, from, &work.user, Wish::Read) {
        return work.complain(&format!("cannot open '{name}' for reading: Permission denied"));
    }
    if let Err(why) = work.can_make(to) {
        return work.complain(&format!("cannot create regular file '{to}': {why}"));
    }
    let Some(found) = work.world.metadata(&host, from) else { return };
    let user = work.user.clone();
    if found.directory {
        if !work.exists(to) {
            work.world.make_dir(&host, to, found.attributes.mode);
        }
        for inner in work.world.list_dir(&host, from).unwrap_or_default() {
            copy(work, name, &format!("{from}/{inner}"), &format!("{to}/{inner}"), preserve);
        }
    } else {
        let content = work.world.read_file(&host, from).unwrap_or_default();
        let made = !work.exists(to);
        if !work.world.has_room(&host, to, content.len()) {
            return work.complain(&format!("error writing '{to}': {FULL}"));
        }
        work.world.write_file(&host, to, content.clone());
        if found.size != u64::try_from(content.len()).unwrap_or(u64::MAX)
            && let Some(new) = work.world.metadata(&host, to)
        {
            work.world.store_file(&host, to, content, found.size, new.attributes);
        }
        if made {
            work.world.set_attributes(&host, to, |attributes| {
                attributes.mode = found.attributes.mode;
                attributes.owner.clone_from(&user);
                attributes.group = user;
            });
        }
    }
    if preserve {
        work.world.set_attributes(&host, to, |attributes| *attributes = found.attributes);
    }
}
