//! `mkdir`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Mkdir;

static OPTIONS: Options = Options::new("pvm:", &[("parents", 'p'), ("mode", 'm')]);

impl Program for Mkdir {
    fn name(&self) -> &'static str {
        "mkdir"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let mode = match parsed.value('m').map(|text| u32::from_str_radix(text, 8)) {
                None => 0o755,
                Some(Ok(mode)) => mode,
                Some(Err(_)) => return work.complain("invalid mode"),
            };
            if parsed.operands.is_empty() {
                work.complain("missing operand");
            }
            for name in &parsed.operands {
                let path = work.path(name);
                if work.exists(&path) {
                    if !(parsed.has('p') && work.is_directory(&path)) {
                        work.complain(&format!("cannot create directory '{name}': File exists"));
                    }
                    continue;
                }
                let mut wanted = vec![path.clone()];
                if parsed.has('p') {
                    let parents = path.match_indices('/').skip(1).filter_map(|(at, _)| path.get(..at));
                    wanted = parents.map(str::to_owned).filter(|parent| !work.exists(parent)).collect();
                    wanted.push(path);
                }
                for path in wanted {
                    if let Err(why) = work.can_make(&path) {
                        work.complain(&format!("cannot create directory '{name}': {why}"));
                        break;
                    }
                    let (host, user) = (work.host.clone(), work.user.clone());
                    let group = work.world.group_of_new(&host, &path, &user);
                    // A folder in a set-group-id folder is one, too.
                    let mode = if group == user { mode } else { mode | 0o2000 };
                    work.world.make_dir(&host, &path, mode);
                    work.world.set_attributes(&host, &path, |attributes| {
                        attributes.owner = user;
                        attributes.group = group;
                    });
                }
            }
        })
    }
}
