//! `find`: the tests and actions people prune disks with. No `-exec` (there is `xargs`), no `-o`.

use crate::posix::files::Metadata;
use crate::posix::programs::text::answer;
use crate::program::{BoxFuture, Call, Program};
use crate::shell::pattern;

use super::{Work, moment, with_world};

/// The program.
#[derive(Debug)]
pub struct Find;

enum Test {
    Name(String, bool),
    Path(String),
    Kind(char),
    /// Sign, count, bytes a unit.
    Size(char, u64, u64),
    /// Sign, count, seconds a unit.
    Age(char, f64, f64),
    Newer(f64),
    Empty,
    Owner(String),
    /// Names that it has: none of a deleted file that a process holds open.
    Links(u64),
}

enum Action {
    Print(char),
    Format(String),
    Delete,
}

#[derive(Default)]
struct Plan {
    roots: Vec<String>,
    tests: Vec<(bool, Test)>,
    actions: Vec<Action>,
    least: usize,
    most: Option<usize>,
    /// Stays on the filesystem of where it begins.
    stays: bool,
}

impl Program for Find {
    fn name(&self) -> &'static str {
        "find"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words = call.args.get(1..).unwrap_or_default().to_vec();
        let reply = with_world(&call, |work| match plan(work, &words) {
            Err(what) => work.complain(&what),
            Ok(plan) => {
                for root in &plan.roots {
                    let path = work.path(root);
                    if work.exists(&path) {
                        walk(work, &plan, root, &path, 0);
                    } else {
                        work.complain(&format!("'{root}': No such file or directory"));
                    }
                }
            }
        });
        answer(call, reply)
    }
}

fn plan(work: &Work<'_>, words: &[String]) -> Result<Plan, String> {
    // There are no symbolic links to follow, except descriptors, which always are.
    let words = words.strip_prefix(&["-L".to_owned()]).unwrap_or(words);
    let starts = words.iter().position(|word| word.starts_with('-') || word == "!" || word == "(");
    let (roots, mut rest) = words.split_at(starts.unwrap_or(words.len()));
    let mut plan = Plan { roots: roots.to_vec(), ..Plan::default() };
    if plan.roots.is_empty() {
        plan.roots.push(".".to_owned());
    }
    let mut negated = false;
    while let [word, tail @ ..] = rest {
        rest = tail;
        let mut value = || -> Result<&String, String> {
            let [value, tail @ ..] = rest else { return Err(format!("missing argument to '{word}'")) };
            rest = tail;
            Ok(value)
        };
        let test = match word.as_str() {
            "!" | "-not" => {
                negated = !negated;
                continue;
            }
            "-a" | "-and" | "-noleaf" | "-depth" => continue,
            "-xdev" | "-mount" => {
                plan.stays = true;
                continue;
            }
            "-maxdepth" => {
                plan.most = Some(value()?.parse().map_err(|_| "-maxdepth wants a number".to_owned())?);
                continue;
            }
            "-mindepth" => {
                plan.least = value()?.parse().map_err(|_| "-mindepth wants a number".to_owned())?;
                continue;
            }
            "-print" | "-print0" => {
                plan.actions.push(Action::Print(if word == "-print" { '\n' } else { '\0' }));
                continue;
            }
            "-printf" => {
                plan.actions.push(Action::Format(value()?.clone()));
                continue;
            }
            "-delete" => {
                plan.actions.push(Action::Delete);
                continue;
            }
            "-name" => Test::Name(value()?.clone(), false),
            "-iname" => Test::Name(value()?.to_lowercase(), true),
            "-path" | "-wholename" => Test::Path(value()?.clone()),
            "-type" => Test::Kind(value()?.chars().next().unwrap_or('f')),
            "-empty" => Test::Empty,
            "-links" => Test::Links(value()?.parse().map_err(|_| "-links wants a number".to_owned())?),
            "-user" => Test::Owner(value()?.clone()),
            "-size" => size(value()?)?,
            "-mtime" | "-ctime" => age(value()?, 86_400.0)?,
            "-mmin" | "-cmin" => age(value()?, 60.0)?,
            "-newer" => {
                let name = value()?;
                let found = work.world.metadata(&work.host, &work.path(name));
                let found = found.ok_or_else(|| format!("'{name}': No such file or directory"))?;
                Test::Newer(found.attributes.modified)
            }
            "-exec" | "-execdir" | "-ok" | "-o" | "-or" | "(" | ")" => {
                return Err(format!("{word} is not simulated; use xargs"));
            }
            other => return Err(format!("unknown predicate '{other}'")),
        };
        plan.tests.push((std::mem::take(&mut negated), test));
    }
    if plan.actions.is_empty() {
        plan.actions.push(Action::Print('\n'));
    }
    Ok(plan)
}

fn signed(text: &str) -> (char, &str) {
    match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, text.get(1..).unwrap_or_default()),
        _ => ('=', text),
    }
}

fn size(text: &str) -> Result<Test, String> {
    let (sign, rest) = signed(text);
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match rest.get(digits.len()..).unwrap_or_default() {
        "" | "b" => 512,
        "c" => 1,
        "k" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(format!("invalid -size type '{rest}'")),
    };
    let count = digits.parse().map_err(|_| format!("invalid argument '{text}' to '-size'"))?;
    Ok(Test::Size(sign, count, unit))
}

fn age(text: &str, unit: f64) -> Result<Test, String> {
    let (sign, digits) = signed(text);
    digits.parse().map(|count| Test::Age(sign, count, unit)).map_err(|_| format!("invalid argument '{text}'"))
}

fn compare<T: PartialOrd>(sign: char, value: &T, wanted: &T) -> bool {
    match sign {
        '+' => value > wanted,
        '-' => value < wanted,
        _ => value == wanted,
    }
}

fn holds(work: &Work<'_>, test: &Test, shown: &str, path: &str, found: &Metadata) -> bool {
    let name = shown.trim_end_matches('/').rsplit('/').next().unwrap_or(shown);
    match test {
        Test::Name(wanted, false) => pattern::matches(wanted, name),
        Test::Name(wanted, true) => pattern::matches(wanted, &name.to_lowercase()),
        Test::Path(wanted) => pattern::matches(wanted, shown),
        Test::Kind(kind) => *kind == if found.directory { 'd' } else { 'f' },
        Test::Size(sign, count, unit) => compare(*sign, &found.size.div_ceil(*unit), count),
        Test::Age(sign, count, unit) => {
            let age = ((work.world.epoch(&work.host) - found.attributes.modified) / unit).floor();
            compare(*sign, &age, count)
        }
        Test::Newer(than) => found.attributes.modified > *than,
        Test::Empty if found.directory => {
            work.world.list_dir(&work.host, path).is_some_and(|names| names.is_empty())
        }
        Test::Empty => found.size == 0,
        Test::Links(links) => *links == u64::from(work.world.held_file(&work.host, path).is_none()),
        Test::Owner(owner) => found.attributes.owner == *owner,
    }
}

fn walk(work: &mut Work<'_>, plan: &Plan, shown: &str, path: &str, depth: usize) {
    let Some(found) = work.world.metadata(&work.host, path) else { return };
    let deletes = plan.actions.iter().any(|action| matches!(action, Action::Delete));
    // -delete goes through a directory before the directory itself.
    if !deletes {
        visit(work, plan, (shown, path), &found, depth);
    }
    let elsewhere = plan.stays
        && depth > 0
        && work.world.machine(&work.host).is_some_and(|m| m.mounts.iter().any(|mount| mount.path == path));
    let enters = found.directory && !elsewhere && plan.most.is_none_or(|most| depth < most);
    if enters && work.world.is_closed(&work.host, path, &work.user) {
        work.complain(&format!("'{shown}': Permission denied"));
    } else if enters {
        for name in work.world.list_dir(&work.host, path).unwrap_or_default() {
            let shown = format!("{}/{name}", shown.trim_end_matches('/'));
            walk(work, plan, &shown, &format!("{}/{name}", path.trim_end_matches('/')), depth + 1);
        }
    }
    if deletes {
        visit(work, plan, (shown, path), &found, depth);
    }
}

fn visit(work: &mut Work<'_>, plan: &Plan, (shown, path): (&str, &str), found: &Metadata, depth: usize) {
    let wanted = depth >= plan.least
        && plan.tests.iter().all(|(negated, test)| holds(work, test, shown, path, found) != *negated);
    if !wanted {
        return;
    }
    for action in &plan.actions {
        match action {
            Action::Print(end) => work.say(&format!("{shown}{end}")),
            Action::Format(format) => {
                let text = formatted(format, shown, found, depth);
                work.say(&text);
            }
            Action::Delete => {
                let host = work.host.clone();
                let gone = work.may_write(path)
                    && if found.directory {
                        work.world.remove_dir(&host, path)
                    } else {
                        work.world.remove_file(&host, path)
                    };
                if !gone && shown != "." {
                    work.complain(&format!("cannot delete '{shown}'"));
                }
            }
        }
    }
}

/// The folder of a path, as `%h` prints it.
fn folder(shown: &str) -> &str {
    shown.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

fn formatted(format: &str, shown: &str, found: &Metadata, depth: usize) -> String {
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match (c, rest.clone().next()) {
            ('%', Some(letter)) => {
                rest.next();
                match letter {
                    'p' => text.push_str(shown),
                    'f' => text.push_str(shown.rsplit('/').next().unwrap_or(shown)),
                    'h' => text.push_str(folder(shown)),
                    's' => text.push_str(&found.size.to_string()),
                    'k' => text.push_str(&found.size.div_ceil(1024).to_string()),
                    'd' => text.push_str(&depth.to_string()),
                    'y' => text.push(if found.directory { 'd' } else { 'f' }),
                    'u' => text.push_str(&found.attributes.owner),
                    'm' => text.push_str(&format!("{:o}", found.attributes.mode)),
                    't' => text.push_str(&moment(found.attributes.modified, "%a %b %e %H:%M:%S.%9f0 %Y")),
                    'T' => match rest.next() {
                        Some('@') => text.push_str(&format!("{:.10}", found.attributes.modified)),
                        Some(part) => text.push_str(&moment(found.attributes.modified, &format!("%{part}"))),
                        None => {}
                    },
                    other => text.push(other),
                }
            }
            ('\\', Some(letter)) => {
                rest.next();
                text.push(match letter {
                    'n' => '\n',
                    't' => '\t',
                    '0' => '\0',
                    other => other,
                });
            }
            (c, _) => text.push(c),
        }
    }
    text
}
