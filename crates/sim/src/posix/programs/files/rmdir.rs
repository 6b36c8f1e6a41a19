//! `rmdir`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Rmdir;

static OPTIONS: Options = Options::new("", &[]);

impl Program for Rmdir {
    fn name(&self) -> &'static str {
        "rmdir"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            for name in &parsed.operands {
                let (path, host) = (work.path(name), work.host.clone());
                let inside = work.world.list_dir(&host, &path);
                let why = match inside {
                    None if work.exists(&path) => "Not a directory",
                    None => "No such file or directory",
                    Some(names) if !names.is_empty() => "Directory not empty",
                    Some(_) if !work.may_write(&path) => "Permission denied",
                    Some(_) if work.world.remove_dir(&host, &path) => continue,
                    Some(_) => "Device or resource busy",
                };
                work.complain(&format!("failed to remove '{name}': {why}"));
            }
        })
    }
}
