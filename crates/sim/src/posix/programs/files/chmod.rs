//! `chmod`: octal, and `u+rwx,go-w,a=r`.

use crate::program::{BoxFuture, Call, Program};

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Chmod;

static OPTIONS: Options = Options::new("R", &[("recursive", 'R')]);

impl Program for Chmod {
    fn name(&self) -> &'static str {
        "chmod"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        // `-x` is a mode, not an option.
        let mode = call.args.iter().position(|arg| arg != "-R" && arg.starts_with('-'));
        if let Some(word) = mode.filter(|&at| at > 0).and_then(|at| call.args.get_mut(at)) {
            word.insert(0, 'a');
        }
        run(call, &OPTIONS, |work, parsed| {
            let [mode, names @ ..] = parsed.operands.as_slice() else {
                return work.complain("missing operand");
            };
            for name in names {
                let path = work.path(name);
                if !work.exists(&path) {
                    work.complain(&format!("cannot access '{name}': No such file or directory"));
                    continue;
                }
                let paths = if parsed.has('R') { work.below(&path) } else { vec![path] };
                for path in paths {
                    let host = work.host.clone();
                    let Some(found) = work.world.metadata(&host, &path) else { continue };
                    if work.user != "root" && found.attributes.owner != work.user {
                        work.complain(&format!("changing permissions of '{name}': Operation not permitted"));
                        continue;
                    }
                    let Some(new) = changed(found.attributes.mode, found.directory, mode) else {
                        return work.complain(&format!("invalid mode: '{mode}'"));
                    };
                    work.world.set_attributes(&host, &path, |attributes| attributes.mode = new);
                }
            }
        })
    }
}

/// The mode that comes of it; `None` when the words are none.
fn changed(mut mode: u32, directory: bool, words: &str) -> Option<u32> {
    if let Ok(octal) = u32::from_str_radix(words, 8) {
        return (octal <= 0o7777).then_some(octal);
    }
    for clause in words.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let (sign, letters) = rest.split_at(1);
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o777;
        }
        let mut bits = 0;
        for letter in letters.chars() {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if directory || mode & 0o111 != 0 => 0o111,
                'X' | 's' | 't' => 0,
                _ => return None,
            };
        }
        mode = match sign {
            "+" => mode | (bits & mask),
            "-" => mode & !(bits & mask),
            _ => (mode & !mask) | (bits & mask),
        };
    }
    Some(mode)
}
