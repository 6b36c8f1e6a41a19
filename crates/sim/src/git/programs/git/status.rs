//! `status`.

use crate::git::{Commit, Repository};

use super::look::{has, operands};
use super::{Reply, Run, output, paths};

/// The two letters of `status --porcelain`: staged, and not yet.
fn letters(head: Option<&Vec<u8>>, index: Option<&Vec<u8>>, work: Option<&Vec<u8>>) -> Option<(char, char)> {
    let staged = match (head, index) {
        (None, Some(_)) => 'A',
        (Some(_), None) => 'D',
        (Some(before), Some(after)) if before != after => 'M',
        _ => ' ',
    };
    let unstaged = match (index, work) {
        (Some(_), None) => 'D',
        (Some(before), Some(after)) if before != after => 'M',
        (None, Some(_)) if head.is_none() => return Some(('?', '?')),
        _ => ' ',
    };
    (staged != ' ' || unstaged != ' ').then_some((staged, unstaged))
}

/// Which rows of a status go into a section, and how each looks there.
type Pick<'a> = &'a dyn Fn(&(char, char, &String)) -> Option<String>;

/// The first line of `status --branch`: how far the branch is from what was fetched last.
fn branch_line(repository: &Repository) -> String {
    let Repository { commits, fetched, origin, .. } = repository;
    if commits.is_empty() {
        return "## Initial commit on master\n".to_owned();
    }
    if origin.is_none() {
        return "## master\n".to_owned();
    }
    let missing = |line: &[Commit], other: &[Commit]| {
        line.iter().filter(|commit| !other.iter().any(|one| one.hash == commit.hash)).count()
    };
    let counts = [("ahead", missing(commits, fetched)), ("behind", missing(fetched, commits))];
    let counts: Vec<String> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {n}")).collect();
    let apart = if counts.is_empty() { String::new() } else { format!(" [{}]", counts.join(", ")) };
    format!("## master...origin/master{apart}\n")
}

pub(super) fn status(run: &Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    let (head, work) = (repository.head(), run.work_tree());
    let names = operands(arguments);
    let rows: Vec<(char, char, &String)> = paths(&[&head, &repository.index, &work])
        .into_iter()
        .filter(|path| run.wanted(&names, path))
        .filter_map(|path| {
            let (staged, unstaged) = letters(head.get(path), repository.index.get(path), work.get(path))?;
            Some((staged, unstaged, path))
        })
        .collect();
    let branch =
        if has(arguments, &["-b", "--branch", "-sb"]) { branch_line(&repository) } else { String::new() };
    if has(arguments, &["--porcelain", "-s", "--short", "-sb", "--porcelain=v1"]) {
        let known = rows.iter().filter(|row| row.0 != '?');
        let unknown =
            rows.iter().filter(|row| row.0 == '?' && !has(arguments, &["-uno", "--untracked-files=no"]));
        let text: String = known.chain(unknown).map(|(a, b, path)| format!("{a}{b} {path}\n")).collect();
        return output(format!("{branch}{text}"));
    }
    let mut text = "On branch master\n".to_owned();
    let mut section = |title: &str, pick: Pick<'_>| {
        let lines: Vec<String> = rows.iter().filter_map(pick).collect();
        if !lines.is_empty() {
            text.push_str(&format!("{title}\n\n{}\n", lines.concat()));
        }
    };
    let word = |letter| match letter {
        'A' => "new file:   ",
        'D' => "deleted:    ",
        _ => "modified:   ",
    };
    section("Changes to be committed:", &|(a, _, path)| {
        (!matches!(a, ' ' | '?')).then(|| format!("\t{}{path}\n", word(*a)))
    });
    section("Changes not staged for commit:", &|(_, b, path)| {
        (!matches!(b, ' ' | '?')).then(|| format!("\t{}{path}\n", word(*b)))
    });
    section("Untracked files:", &|(a, _, path)| (*a == '?').then(|| format!("\t{path}\n")));
    if rows.is_empty() {
        text.push_str("nothing to commit, working directory clean\n");
    }
    output(text)
}
