//! What only looks: status, diff, log, show, rev-parse.

use crate::git::{Commit, Tree, blob};
use crate::posix::programs::files::diff::unified;
use crate::posix::programs::files::moment;
use crate::posix::programs::text::failure;

use super::{Reply, Run, fatal, output, paths};

/// Paths after `--`, or that are no options.
pub(super) fn operands(arguments: &[String]) -> Vec<String> {
    let mut named = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            named.extend(rest.cloned());
            break;
        }
        if !argument.starts_with('-') {
            named.push(argument.clone());
        }
    }
    named
}

pub(super) fn has(arguments: &[String], names: &[&str]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| names.contains(&argument.as_str()))
}

/// Git's form of the difference between two trees.
pub(super) fn patch(before: &Tree, after: &Tree, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for path in paths(&[before, after]).into_iter().filter(|path| wanted(path)) {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        text.push_str(&format!("diff --git a/{path} b/{path}\n"));
        let short = |content: Option<&Vec<u8>>| {
            content.map_or("0000000".to_owned(), |content| blob(content).chars().take(7).collect())
        };
        let index = format!("index {}..{}", short(old), short(new));
        text.push_str(&match (old, new) {
            (None, _) => format!("new file mode 100644\n{index}\n"),
            (_, None) => format!("deleted file mode 100644\n{index}\n"),
            _ => format!("{index} 100644\n"),
        });
        let side = |there: bool, name: String| if there { name } else { "/dev/null".to_owned() };
        let heads = [side(old.is_some(), format!("a/{path}")), side(new.is_some(), format!("b/{path}"))];
        let empty = Vec::new();
        text.push_str(&unified(old.unwrap_or(&empty), new.unwrap_or(&empty), &heads));
    }
    text
}

/// ` 1 file changed, 2 insertions(+), 1 deletion(-)`, with a row for each file before it when wanted.
pub(super) fn counted(before: &Tree, after: &Tree, wanted: impl Fn(&str) -> bool, rows: bool) -> String {
    let (mut files, mut added, mut removed, mut text) = (0, 0, 0, String::new());
    for path in paths(&[before, after]).into_iter().filter(|path| wanted(path)) {
        let part = patch(before, after, |other| other == path);
        if part.is_empty() {
            continue;
        }
        let count = |sign: char, head: &str| {
            part.lines().filter(|line| line.starts_with(sign) && !line.starts_with(head)).count()
        };
        let (plus, minus) = (count('+', "+++ "), count('-', "--- "));
        (files, added, removed) = (files + 1, added + plus, removed + minus);
        if rows {
            let marks = format!("{}{}", "+".repeat(plus.min(30)), "-".repeat(minus.min(30)));
            text.push_str(&format!(" {path} | {} {marks}\n", plus + minus));
        }
    }
    let s = |count: usize| if count == 1 { "" } else { "s" };
    text.push_str(&format!(" {files} file{} changed", s(files)));
    if added > 0 || removed == 0 {
        text.push_str(&format!(", {added} insertion{}(+)", s(added)));
    }
    if removed > 0 || added == 0 {
        text.push_str(&format!(", {removed} deletion{}(-)", s(removed)));
    }
    text.push('\n');
    text
}

pub(super) fn diff(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let mut names = operands(arguments);
    let cached = has(arguments, &["--cached", "--staged"]);
    let mut before = if cached { repository.head() } else { repository.index.clone() };
    let mut after = if cached { repository.index.clone() } else { run.work_tree() };
    // What git does not know yet is no difference.
    after.retain(|path, _| repository.index.contains_key(path) || cached);
    let mut commits = Vec::new();
    while let Some(commit) = names.first().and_then(|name| repository.find(name)) {
        commits.push(commit.clone());
        names.remove(0);
    }
    match commits.as_slice() {
        [] => {}
        [one] => before = one.tree.clone(),
        [one, other, ..] => (before, after) = (one.tree.clone(), other.tree.clone()),
    }
    let wanted = |path: &str| run.wanted(&names, path);
    let text = patch(&before, &after, wanted);
    let status = u8::from(has(arguments, &["--quiet", "--exit-code"]) && !text.is_empty());
    let stdout = if text.is_empty() || has(arguments, &["--quiet"]) {
        String::new()
    } else if has(arguments, &["--name-only"]) {
        let changed = |path: &&String| before.get(*path) != after.get(*path) && wanted(path);
        paths(&[&before, &after]).into_iter().filter(changed).map(|path| format!("{path}\n")).collect()
    } else if has(arguments, &["--stat"]) {
        counted(&before, &after, wanted, true)
    } else {
        text
    };
    Reply { status, ..output(stdout) }
}

/// One commit in a `--format`.
fn formatted(commit: &Commit, format: &str) -> String {
    let (name, address) = commit.author.split_once(" <").unwrap_or((&commit.author, ""));
    let (subject, body) = commit.message.split_once('\n').unwrap_or((&commit.message, ""));
    let short: String = commit.hash.chars().take(7).collect();
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let table: [(&str, String); 20] = [
            ("H", commit.hash.clone()),
            ("h", short.clone()),
            ("s", subject.to_owned()),
            ("b", body.trim_start().to_owned()),
            ("B", format!("{}\n", commit.message)),
            ("an", name.to_owned()),
            ("cn", name.to_owned()),
            ("ae", address.trim_end_matches('>').to_owned()),
            ("ce", address.trim_end_matches('>').to_owned()),
            ("at", format!("{:.0}", commit.time.floor())),
            ("ct", format!("{:.0}", commit.time.floor())),
            ("aI", moment(commit.time, "%Y-%m-%dT%H:%M:%S+00:00")),
            ("cI", moment(commit.time, "%Y-%m-%dT%H:%M:%S+00:00")),
            ("ai", moment(commit.time, "%Y-%m-%d %H:%M:%S +0000")),
            ("ci", moment(commit.time, "%Y-%m-%d %H:%M:%S +0000")),
            ("ad", moment(commit.time, "%a %b %-d %H:%M:%S %Y +0000")),
            ("cd", moment(commit.time, "%a %b %-d %H:%M:%S %Y +0000")),
            ("n", "\n".to_owned()),
            ("x00", "\0".to_owned()),
            ("%", "%".to_owned()),
        ];
        let hit = table.iter().find(|(name, _)| rest.starts_with(name));
        match hit {
            Some((name, value)) => {
                text.push_str(value);
                rest = rest.get(name.len()..).unwrap_or_default();
            }
            None => text.push('%'),
        }
    }
    text + rest
}

pub(super) fn log(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let (mut most, mut format, mut names) = (usize::MAX, None, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--" => names.extend(rest.by_ref().cloned()),
            "-n" => most = rest.next().and_then(|n| n.parse().ok()).unwrap_or(most),
            "--oneline" => format = Some("%h %s".to_owned()),
            "HEAD" | "master" | "--no-color" | "--no-decorate" => {}
            other => {
                let number = other.strip_prefix("-n").or_else(|| other.strip_prefix('-'));
                if let Some(number) = number.and_then(|n| n.parse().ok()) {
                    most = number;
                } else if let Some(wanted) =
                    other.strip_prefix("--format=").or_else(|| other.strip_prefix("--pretty="))
                {
                    let wanted =
                        wanted.strip_prefix("format:").or(wanted.strip_prefix("tformat:")).unwrap_or(wanted);
                    format = Some(if wanted == "oneline" { "%H %s" } else { wanted }.to_owned());
                } else if other.starts_with('-') {
                    return fatal(&format!("unrecognized argument: {other}"));
                } else {
                    names.push(other.to_owned());
                }
            }
        }
    }
    if repository.commits.is_empty() {
        return fatal("bad default revision 'HEAD'");
    }
    let mut line = repository.commits.clone();
    let mut from = 0;
    if let Some((before, after)) = names.first().and_then(|name| name.split_once("..")) {
        let end = |name: &str| repository.find(if name.is_empty() { "HEAD" } else { name });
        let (Some(before), Some(after)) = (end(before), end(after)) else {
            return fatal(&format!("ambiguous argument '{}': unknown revision", names.concat()));
        };
        line = repository.line_to(&after.hash).unwrap_or_default();
        let known = repository.line_to(&before.hash).unwrap_or_default();
        from = line.iter().position(|own| !known.iter().any(|c| c.hash == own.hash)).unwrap_or(line.len());
        names.remove(0);
    } else if let Some(commit) = names.first().and_then(|name| repository.find(name)) {
        line = repository.line_to(&commit.hash).unwrap_or_default();
        names.remove(0);
    }
    let mut text = String::new();
    let empty = Tree::new();
    let touched = |at: usize, commit: &Commit| {
        let before = at.checked_sub(1).and_then(|at| line.get(at)).map_or(&empty, |c| &c.tree);
        names.is_empty() || !patch(before, &commit.tree, |path| run.wanted(&names, path)).is_empty()
    };
    let new = line.iter().enumerate().skip(from).rev();
    let found = new.filter(|(at, commit)| touched(*at, commit)).take(most);
    for (number, (_, commit)) in found.enumerate() {
        match &format {
            Some(format) => text.push_str(&format!("{}\n", formatted(commit, format))),
            None => {
                let gap = if number > 0 { "\n" } else { "" };
                text.push_str(&format!("{gap}{}", long(commit)));
            }
        }
    }
    output(text)
}

fn long(commit: &Commit) -> String {
    let indented: String = commit.message.trim_end().lines().map(|line| format!("    {line}\n")).collect();
    formatted(commit, &format!("commit %H\nAuthor: {}\nDate:   %ad\n\n{indented}", commit.author))
}

pub(super) fn show(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let name = operands(arguments).first().cloned().unwrap_or_else(|| "HEAD".to_owned());
    if let Some((commit, path)) = name.split_once(':') {
        let tree = match commit {
            "" => Some(repository.index.clone()),
            commit => repository.find(commit).map(|commit| commit.tree.clone()),
        };
        let found = tree.and_then(|tree| tree.get(path.trim_start_matches("./")).cloned());
        return match found {
            Some(content) => output(content),
            None => fatal(&format!("Path '{path}' does not exist in '{commit}'")),
        };
    }
    let Some(at) =
        repository.find(&name).and_then(|c| repository.commits.iter().position(|o| o.hash == c.hash))
    else {
        return fatal(&format!(
            "ambiguous argument '{name}': unknown revision or path not in the working tree."
        ));
    };
    let Some(commit) = repository.commits.get(at) else { return output("") };
    let empty = Tree::new();
    let before = at.checked_sub(1).and_then(|at| repository.commits.get(at)).map_or(&empty, |c| &c.tree);
    let change = if has(arguments, &["--stat"]) {
        counted(before, &commit.tree, |_| true, true)
    } else {
        patch(before, &commit.tree, |_| true)
    };
    output(format!("{}\n{change}", long(commit)))
}

pub(super) fn rev_parse(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let mut text = String::new();
    let (mut short, mut branch) = (false, false);
    for argument in arguments {
        match argument.as_str() {
            "--short" => short = true,
            "--verify" | "-q" | "--quiet" => {}
            "--abbrev-ref" => branch = true,
            "--show-toplevel" => text.push_str(&format!("{}\n", run.top)),
            "--git-dir" | "--absolute-git-dir" => text.push_str(&format!("{}/.git\n", run.top)),
            "--is-inside-work-tree" => text.push_str("true\n"),
            "HEAD" if branch => text.push_str("master\n"),
            "@{u}" | "@{upstream}" if branch && repository.origin.is_some() => {
                text.push_str("origin/master\n")
            }
            name => match repository.find(name.trim_end_matches("^{commit}").trim_end_matches("^0")) {
                Some(commit) => {
                    let length = if short { 7 } else { 40 };
                    text.push_str(&format!("{}\n", commit.hash.chars().take(length).collect::<String>()));
                }
                None => {
                    return fatal(&format!(
                        "ambiguous argument '{name}': unknown revision or path not in the working tree."
                    ));
                }
            },
        }
    }
    output(text)
}

pub(super) fn rev_list(run: &Run<'_>, arguments: &[String]) -> Reply {
    let commits = run.repository().commits;
    if has(arguments, &["--count"]) {
        return output(format!("{}\n", commits.len()));
    }
    output(commits.iter().rev().map(|commit| format!("{}\n", commit.hash)).collect::<String>())
}

pub(super) fn branch(arguments: &[String]) -> Reply {
    match arguments {
        [] => output("* master\n"),
        [flag] if flag == "--show-current" => output("master\n"),
        _ => failure("git", "branch: only one branch is simulated", 1),
    }
}

/// Reading tells who commits; writing is taken and forgotten.
pub(super) fn config(run: &Run<'_>, arguments: &[String]) -> Reply {
    let (name, address) = run.author.split_once(" <").unwrap_or_default();
    match operands(arguments).as_slice() {
        [key] if key == "user.name" => output(format!("{name}\n")),
        [key] if key == "user.email" => output(format!("{}\n", address.trim_end_matches('>'))),
        [key] if key == "remote.origin.url" => match run.repository().origin {
            Some((host, top)) => output(format!("ssh://{host}{top}\n")),
            None => Reply { status: 1, ..Reply::default() },
        },
        [_] => Reply { status: 1, ..Reply::default() },
        _ => output(""),
    }
}

/// `merge-base --is-ancestor COMMIT COMMIT`.
pub(super) fn merge_base(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let named = operands(arguments);
    let [before, after] = named.as_slice() else { return fatal("only --is-ancestor is simulated") };
    let (Some(before), Some(after)) = (repository.find(before), repository.find(after)) else {
        return fatal("Not a valid commit name");
    };
    let line = repository.line_to(&after.hash).unwrap_or_default();
    let status = u8::from(!line.iter().any(|commit| commit.hash == before.hash));
    Reply { status, ..output("") }
}
