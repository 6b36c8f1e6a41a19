//! `stat`: `-c FORMAT` with the letters people use, or the long form.

use crate::posix::files::Metadata;
use crate::program::{BoxFuture, Call, Program};

use super::{Options, Work, moment, run};

/// The program.
#[derive(Debug)]
pub struct Stat;

static OPTIONS: Options = Options::new("Ltc:", &[("format", 'c'), ("dereference", 'L')]);

impl Program for Stat {
    fn name(&self) -> &'static str {
        "stat"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            for name in &parsed.operands {
                let path = work.path(name);
                if work.world.is_out_of_reach(&work.host, &path, &work.user) {
                    work.complain(&format!("cannot stat '{name}': Permission denied"));
                    continue;
                }
                let Some(found) = work.world.metadata(&work.host, &path) else {
                    work.complain(&format!("cannot stat '{name}': No such file or directory"));
                    continue;
                };
                match parsed.value('c') {
                    Some(format) => one(work, format, (name, &path), &found),
                    None => long(work, name, &found),
                }
            }
        })
    }
}

/// `drwxr-xr-x`
pub(crate) fn letters(found: &Metadata) -> String {
    let mut text = String::from(if found.directory { "d" } else { "-" });
    for shift in [6, 3, 0] {
        let bits = found.attributes.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        let special = match shift {
            0 if found.attributes.mode & 0o1000 != 0 => Some(('t', 'T')),
            3 if found.attributes.mode & 0o2000 != 0 => Some(('s', 'S')),
            6 if found.attributes.mode & 0o4000 != 0 => Some(('s', 'S')),
            _ => None,
        };
        let (executable, not) = special.unwrap_or(('x', '-'));
        text.push(if bits & 1 != 0 { executable } else { not });
    }
    text
}

fn kind(found: &Metadata) -> &'static str {
    match (found.directory, found.size) {
        (true, _) => "directory",
        (false, 0) => "regular empty file",
        (false, _) => "regular file",
    }
}

/// A number that is another for each path.
fn inode(path: &str) -> u64 {
    path.bytes().fold(17, |sum: u64, byte| (sum * 31 + u64::from(byte)) % 1_000_000_007)
}

fn one(work: &mut Work<'_>, format: &str, (name, path): (&str, &str), found: &Metadata) {
    let deleted = work.world.held_file(&work.host, path).is_some();
    let mut text = String::new();
    let mut rest = format.chars();
    let attributes = &found.attributes;
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('s') => text.push_str(&found.size.to_string()),
            Some('Y' | 'Z' | 'X') => text.push_str(&format!("{:.0}", attributes.modified.floor())),
            Some('y' | 'z' | 'x') => {
                text.push_str(&moment(attributes.modified, "%Y-%m-%d %H:%M:%S.%9f +0000"))
            }
            Some('a') => text.push_str(&format!("{:o}", attributes.mode)),
            Some('A') => text.push_str(&letters(found)),
            Some('U') => text.push_str(&attributes.owner),
            Some('G') => text.push_str(&attributes.group),
            Some('F') => text.push_str(kind(found)),
            Some('n') => text.push_str(name),
            Some('h') => text.push(if deleted { '0' } else { '1' }),
            Some('d') => text.push_str(&work.world.device_of(&work.host, path).to_string()),
            Some('i') => text.push_str(&inode(path).to_string()),
            Some('b') => text.push_str(&found.size.div_ceil(512).to_string()),
            Some('B') => text.push_str("512"),
            Some('%') | None => text.push('%'),
            Some(other) => return work.complain(&format!("%{other} is not simulated")),
        }
    }
    work.say(&format!("{text}\n"));
}

fn long(work: &mut Work<'_>, name: &str, found: &Metadata) {
    let attributes = &found.attributes;
    let time = moment(attributes.modified, "%Y-%m-%d %H:%M:%S.%9f +0000");
    let text = format!(
        "  File: {name}\n  Size: {:<15} Blocks: {:<10} IO Block: 4096   {}\nAccess: ({:04o}/{})  Uid: ({:>8})   \
         Gid: ({:>8})\nModify: {time}\nChange: {time}\n",
        found.size,
        found.size.div_ceil(512),
        kind(found),
        attributes.mode,
        letters(found),
        attributes.owner,
        attributes.group,
    );
    work.say(&text);
}
