//! `touch`: now, or `-d @SECONDS`, or the time of `-r FILE`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Touch;

static OPTIONS: Options = Options::new("camd:r:", &[("date", 'd'), ("no-create", 'c'), ("reference", 'r')]);

impl Program for Touch {
    fn name(&self) -> &'static str {
        "touch"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let host = work.host.clone();
            let mut time = work.world.epoch(&host);
            if let Some(date) = parsed.value('d') {
                match date.strip_prefix('@').and_then(|text| text.parse().ok()) {
                    Some(seconds) => time = seconds,
                    None => return work.complain(&format!("invalid date format '{date}'")),
                }
            }
            if let Some(file) = parsed.value('r') {
                match work.world.metadata(&host, &work.path(file)) {
                    Some(found) => time = found.attributes.modified,
                    None => {
                        return work.complain(&format!(
                            "failed to get attributes of '{file}': No such file or directory"
                        ));
                    }
                }
            }
            for name in &parsed.operands {
                let path = work.path(name);
                if !work.exists(&path) {
                    if parsed.has('c') {
                        continue;
                    }
                    if let Err(why) = work.can_make(&path) {
                        work.complain(&format!("cannot touch '{name}': {why}"));
                        continue;
                    }
                    let user = work.user.clone();
                    work.world.write_file(&host, &path, Vec::new());
                    work.world.set_attributes(&host, &path, |attributes| {
                        attributes.owner.clone_from(&user);
                        attributes.group = user;
                    });
                } else if !work.may_write(&path) {
                    work.complain(&format!("cannot touch '{name}': Permission denied"));
                    continue;
                }
                work.world.set_attributes(&host, &path, |attributes| attributes.modified = time);
            }
        })
    }
}
