//! `diff`: unified, or only whether.

use similar::TextDiff;

use crate::posix::programs::text::{Arguments, Options, answer, failure, filter, output};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path;

use super::moment;

/// The program.
#[derive(Debug)]
pub struct Diff;

static OPTIONS: Options =
    Options::new("uqNawU:L:", &[("unified", 'u'), ("brief", 'q'), ("new-file", 'N'), ("label", 'L')]);

impl Program for Diff {
    fn name(&self) -> &'static str {
        "diff"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        if parsed.value('U').is_some_and(|lines| lines != "3") {
            return answer(call, failure("diff", "three lines of context are all that is simulated", 2));
        }
        let [one, other] = parsed.operands.as_slice() else {
            return answer(call, failure("diff", "two files are compared", 2));
        };
        let heads = heads(&call, &parsed, [one, other]);
        let files: Vec<String> =
            parsed
                .operands
                .iter()
                .map(|name| {
                    if parsed.has('N') && !exists(&call, name) {
                        "/dev/null".to_owned()
                    } else {
                        name.clone()
                    }
                })
                .collect();
        let names = [one.clone(), other.clone()];
        filter(call, files, move |inputs| {
            let [(_, left), (_, right)] = inputs else { return Reply { status: 2, ..Reply::default() } };
            if left == right {
                return output("");
            }
            let [one, other] = names;
            let mut reply = output(if parsed.has('q') {
                format!("Files {one} and {other} differ\n")
            } else {
                unified(left, right, &heads)
            });
            reply.status = 1;
            reply
        })
    }
}

fn exists(call: &Call, name: &str) -> bool {
    let world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    name == "-" || world.metadata(&call.host, &path::absolute(&call.cwd, name)).is_some()
}

/// `NAME<tab>TIME`, or the labels given.
fn heads(call: &Call, parsed: &Arguments, names: [&String; 2]) -> [String; 2] {
    let labels: Vec<&String> =
        parsed.options.iter().filter(|(letter, _)| *letter == 'L').map(|(_, label)| label).collect();
    let world = call.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut heads = names.map(|name| {
        let found = world.metadata(&call.host, &path::absolute(&call.cwd, name));
        let time = found.map_or(world.epoch(&call.host), |found| found.attributes.modified);
        format!("{name}\t{}", moment(time, "%Y-%m-%d %H:%M:%S.%9f +0000"))
    });
    for (head, label) in heads.iter_mut().zip(labels) {
        head.clone_from(label);
    }
    heads
}

/// The unified form, with these heads.
pub(crate) fn unified(left: &[u8], right: &[u8], heads: &[String; 2]) -> String {
    let (left, right) = (String::from_utf8_lossy(left), String::from_utf8_lossy(right));
    let [one, other] = heads;
    TextDiff::from_lines(left.as_ref(), right.as_ref())
        .unified_diff()
        .context_radius(3)
        .header(one, other)
        .to_string()
}
