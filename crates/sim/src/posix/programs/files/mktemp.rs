//! `mktemp`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Mktemp;

static OPTIONS: Options = Options::new("duqtp:", &[("directory", 'd'), ("tmpdir", 'p'), ("dry-run", 'u')]);

impl Program for Mktemp {
    fn name(&self) -> &'static str {
        "mktemp"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let directory = call.env.get("TMPDIR").cloned().unwrap_or_else(|| "/tmp".to_owned());
        run(call, &OPTIONS, |work, parsed| {
            let template = parsed.operands.first().map_or("tmp.XXXXXXXXXX", String::as_str);
            let marks = template.len() - template.trim_end_matches('X').len();
            if marks < 3 {
                return work.complain(&format!("too few X's in template '{template}'"));
            }
            let stem = template.trim_end_matches('X');
            let inside = parsed.operands.is_empty() || parsed.has('p') || parsed.has('t');
            let stem = match parsed.value('p').filter(|p| !p.is_empty()) {
                Some(base) => format!("{}/{stem}", base.trim_end_matches('/')),
                None if inside => format!("{directory}/{stem}"),
                None => stem.to_owned(),
            };
            let host = work.host.clone();
            let letters = work.world.unused_name(&host, &work.path(&stem), marks);
            let name = format!("{stem}{letters}");
            let path = work.path(&name);
            if let Err(why) = work.can_make(&path) {
                let kind = if parsed.has('d') { "directory" } else { "file" };
                return work.complain(&format!("failed to create {kind} via template '{template}': {why}"));
            }
            if !parsed.has('u') {
                if parsed.has('d') {
                    work.world.make_dir(&host, &path, 0o700);
                } else {
                    work.world.write_file(&host, &path, Vec::new());
                }
                let (user, mode) = (work.user.clone(), if parsed.has('d') { 0o700 } else { 0o600 });
                work.world.set_attributes(&host, &path, |attributes| {
                    attributes.mode = mode;
                    attributes.owner.clone_from(&user);
                    attributes.group = user;
                });
            }
            work.say(&format!("{name}\n"));
        })
    }
}
