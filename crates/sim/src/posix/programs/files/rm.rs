//! `rm`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, Work, run};

/// The program.
#[derive(Debug)]
pub struct Rm;

static OPTIONS: Options =
    Options::new("rRfvi", &[("recursive", 'r'), ("force", 'f'), ("verbose", 'v'), ("one-file-system", 'v')]);

impl Program for Rm {
    fn name(&self) -> &'static str {
        "rm"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let (force, recursive) = (parsed.has('f'), parsed.has('r') || parsed.has('R'));
            if parsed.operands.is_empty() && !force {
                work.complain("missing operand");
            }
            for name in &parsed.operands {
                let path = work.path(name);
                if !work.exists(&path) {
                    if !force {
                        work.complain(&format!("cannot remove '{name}': No such file or directory"));
                    }
                } else if path == "/" {
                    work.complain("it is dangerous to operate recursively on '/'");
                } else if work.is_directory(&path) && !recursive {
                    work.complain(&format!("cannot remove '{name}': Is a directory"));
                } else {
                    remove(work, name, &path, parsed.has('v'));
                }
            }
        })
    }
}

fn remove(work: &mut Work<'_>, name: &str, path: &str, verbose: bool) {
    let host = work.host.clone();
    if !work.may_write(path) {
        return work.complain(&format!("cannot remove '{name}': Permission denied"));
    }
    if !work.is_directory(path) {
        work.world.remove_file(&host, path);
        if verbose {
            work.say(&format!("removed '{name}'\n"));
        }
        return;
    }
    for inner in work.world.list_dir(&host, path).unwrap_or_default() {
        let (name, path) = (format!("{}/{inner}", name.trim_end_matches('/')), format!("{path}/{inner}"));
        remove(work, &name, &path, verbose);
    }
    if !work.world.remove_dir(&host, path) {
        work.complain(&format!("cannot remove '{name}': Device or resource busy"));
    } else if verbose {
        work.say(&format!("removed directory '{name}'\n"));
    }
}
