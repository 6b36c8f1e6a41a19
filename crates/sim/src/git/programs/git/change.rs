//! What changes something: add, commit, checkout, reset, revert.

use crate::git::{Tree, linked};

use super::look::counted;
use super::{Reply, Run, fatal, output, paths};

pub(super) fn add(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let mut repository = run.repository();
    let all = arguments.iter().any(|a| matches!(a.as_str(), "-A" | "--all" | "-u" | "--update"));
    let known_only = arguments.iter().any(|a| matches!(a.as_str(), "-u" | "--update"));
    let names: Vec<String> = arguments.iter().filter(|a| !a.starts_with('-')).cloned().collect();
    if names.is_empty() && !all {
        return Reply { stderr: b"Nothing specified, nothing added.\n".to_vec(), ..Reply::default() };
    }
    let work = run.work_tree();
    for name in &names {
        if !work.keys().chain(repository.index.keys()).any(|path| run.covers(name, path)) {
            return fatal(&format!("pathspec '{name}' did not match any files"));
        }
    }
    let both = paths(&[&work, &repository.index]).into_iter().cloned().collect::<Vec<_>>();
    for path in both.iter().filter(|path| run.wanted(&names, path)) {
        match work.get(path) {
            Some(_) if known_only && !repository.index.contains_key(path) => {}
            Some(content) => drop(repository.index.insert(path.clone(), content.clone())),
            None => drop(repository.index.remove(path)),
        }
    }
    run.store(repository);
    output("")
}

pub(super) fn rm(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let mut repository = run.repository();
    let names: Vec<String> = arguments.iter().filter(|a| !a.starts_with('-')).cloned().collect();
    let gone: Vec<String> = repository
        .index
        .keys()
        .filter(|path| !names.is_empty() && run.wanted(&names, path))
        .cloned()
        .collect();
    if gone.is_empty() {
        return fatal(&format!("pathspec '{}' did not match any files", names.join(" ")));
    }
    for path in &gone {
        repository.index.remove(path);
        let (host, full) = (run.host.clone(), format!("{}/{path}", run.top));
        run.world.remove_file(&host, &full);
    }
    run.store(repository);
    if arguments.iter().any(|a| a == "-q" || a == "--quiet") {
        return output("");
    }
    output(gone.iter().map(|path| format!("rm '{path}'\n")).collect::<String>())
}

pub(super) fn commit(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let (mut messages, mut quiet, mut all, mut names) = (Vec::new(), false, false, Vec::new());
    let mut empty = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-m" | "--message" => messages.extend(rest.next().cloned()),
            "-F" | "--file" => match rest.next().map(String::as_str) {
                Some("-") => messages.push(run.input.trim_end().to_owned()),
                Some(file) => {
                    let path = crate::shell::path::absolute(&run.cwd, file);
                    let Some(text) = run.world.read_file(&run.host, &path) else {
                        return fatal(&format!(
                            "could not read log file '{file}': No such file or directory"
                        ));
                    };
                    messages.push(String::from_utf8_lossy(&text).trim_end().to_owned());
                }
                None => return fatal("option `file' requires a value"),
            },
            "--file=-" | "-F-" => messages.push(run.input.trim_end().to_owned()),
            "-q" | "--quiet" => quiet = true,
            "-a" | "--all" => all = true,
            "-am" => {
                all = true;
                messages.extend(rest.next().cloned());
            }
            "-qm" => {
                quiet = true;
                messages.extend(rest.next().cloned());
            }
            "--allow-empty" => empty = true,
            "--no-verify" | "-n" | "--" => {}
            other if other.starts_with("--author=") => {
                run.author = other.trim_start_matches("--author=").to_owned();
            }
            other if other.starts_with("--message=") => {
                messages.push(other.trim_start_matches("--message=").to_owned());
            }
            other if other.starts_with('-') => return fatal(&format!("unknown option: {other}")),
            name => names.push(name.to_owned()),
        }
    }
    if all {
        add(run, &["-u".to_owned()]);
    }
    if !names.is_empty() {
        let added = add(run, &names);
        if added.status != 0 {
            return added;
        }
    }
    let mut repository = run.repository();
    let before = repository.head();
    let staged = repository.index.clone();
    // `commit PATH` takes what is named and leaves the rest staged.
    if !names.is_empty() {
        let mut partial = before.clone();
        for path in paths(&[&before, &staged]).into_iter().filter(|path| run.wanted(&names, path)) {
            match staged.get(path) {
                Some(content) => drop(partial.insert(path.clone(), content.clone())),
                None => drop(partial.remove(path)),
            }
        }
        repository.index = partial;
    }
    if repository.index == before && !empty {
        let clean = run.work_tree() == before;
        let text = if clean {
            "On branch master\nnothing to commit, working directory clean\n"
        } else {
            "On branch master\nno changes added to commit\n"
        };
        return Reply { status: 1, ..output(text) };
    }
    let message = messages.join("\n\n");
    if message.trim().is_empty() {
        return Reply {
            stderr: b"Aborting commit due to empty commit message.\n".to_vec(),
            status: 1,
            ..Reply::default()
        };
    }
    let (author, time) = (run.author.clone(), run.world.epoch(&run.host));
    let after = repository.index.clone();
    let hash: String = repository.commit(&author, time, &message).chars().take(7).collect();
    repository.index = staged;
    run.store(repository);
    if quiet {
        return output("");
    }
    let subject = message.lines().next().unwrap_or_default();
    output(format!("[master {hash}] {subject}\n{}", summary(&before, &after)))
}

/// What a commit changed, as git tells after it.
fn summary(before: &Tree, after: &Tree) -> String {
    let mut text = counted(before, after, |_| true, false);
    for path in paths(&[before, after]) {
        match (before.contains_key(path), after.contains_key(path)) {
            (false, true) => text.push_str(&format!(" create mode 100644 {path}\n")),
            (true, false) => text.push_str(&format!(" delete mode 100644 {path}\n")),
            _ => {}
        }
    }
    text
}

/// Writes files of a tree to the disk, and removes those it has not.
fn put_back(run: &mut Run<'_>, tree: &Tree, names: &[String]) {
    let host = run.host.clone();
    let now = run.work_tree();
    let known = run.repository().index;
    let all: Vec<String> =
        paths(&[tree, &now]).into_iter().filter(|p| run.wanted(names, p)).cloned().collect();
    for path in all {
        let full = format!("{}/{path}", run.top);
        match tree.get(&path) {
            Some(content) if now.get(&path) == Some(content) || linked(content).is_some() => {}
            Some(content) => run.world.write_file(&host, &full, content.clone()),
            None if known.get(&path).is_some_and(|content| linked(content).is_none()) => {
                run.world.remove_file(&host, &full);
            }
            None => {}
        }
    }
}

/// `checkout [COMMIT] [--] PATH…`, `restore PATH…`.
pub(super) fn checkout(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let mut repository = run.repository();
    let mut names: Vec<String> =
        arguments.iter().filter(|a| !a.starts_with('-') || a.starts_with("--source")).cloned().collect();
    let mut source = None;
    if let Some(name) = names.first().map(|name| name.trim_start_matches("--source=").to_owned())
        && let Some(commit) = repository.find(&name)
    {
        source = Some(commit.tree.clone());
        names.remove(0);
    }
    if names.is_empty() {
        return fatal("only paths can be checked out: one branch is simulated");
    }
    let tree = source.clone().unwrap_or_else(|| repository.index.clone());
    if let Some(name) = names.iter().find(|name| !tree.keys().any(|path| run.covers(name, path))) {
        let text = format!("error: pathspec '{name}' did not match any file(s) known to git.\n");
        return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
    }
    put_back(run, &tree, &names);
    if let Some(source) = source {
        for (path, content) in source.iter().filter(|(path, _)| run.wanted(&names, path)) {
            repository.index.insert(path.clone(), content.clone());
        }
        run.store(repository);
    }
    output("")
}

/// `reset [--hard] [COMMIT] [-- PATH…]`.
pub(super) fn reset(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let hard = arguments.iter().any(|a| a == "--hard");
    let mut repository = run.repository();
    let mut names: Vec<String> = arguments.iter().filter(|a| !a.starts_with('-')).cloned().collect();
    let mut line = repository.commits.clone();
    if let Some(commit) = names.first().and_then(|name| repository.find(name)) {
        line = repository.line_to(&commit.hash).unwrap_or(line);
        names.remove(0);
    }
    let Some(tree) = line.last().map(|commit| commit.tree.clone()) else {
        return fatal("Failed to resolve 'HEAD' as a valid revision.");
    };
    if names.is_empty() {
        if hard {
            put_back(run, &tree, &[]);
        }
        repository.commits = line;
        repository.index = tree;
    } else {
        let both = paths(&[&tree, &repository.index]).into_iter().cloned().collect::<Vec<_>>();
        for path in both.iter().filter(|path| run.wanted(&names, path)) {
            match tree.get(path) {
                Some(content) => drop(repository.index.insert(path.clone(), content.clone())),
                None => drop(repository.index.remove(path)),
            }
        }
    }
    let newest = repository.commits.last().cloned();
    run.store(repository);
    match newest {
        Some(commit) if hard && !arguments.iter().any(|a| a == "-q" || a == "--quiet") => {
            let short: String = commit.hash.chars().take(7).collect();
            output(format!("HEAD is now at {short} {}\n", commit.message.lines().next().unwrap_or_default()))
        }
        _ => output(""),
    }
}

/// `revert [--no-edit] COMMIT`: the files that commit changed, as they were before it.
pub(super) fn revert(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let mut repository = run.repository();
    let name = arguments.iter().find(|a| !a.starts_with('-')).cloned().unwrap_or_default();
    let found = repository.find(&name).map(|commit| commit.hash.clone());
    let Some(at) = repository.commits.iter().position(|commit| Some(&commit.hash) == found.as_ref()) else {
        return fatal(&format!("bad revision '{name}'"));
    };
    let head = repository.head();
    if repository.index != head || run.work_tree() != head {
        let text = "error: Your local changes would be overwritten by revert.\nfatal: revert failed\n";
        return Reply { stderr: text.into(), status: super::FATAL, ..Reply::default() };
    }
    let Some(commit) = repository.commits.get(at).cloned() else { return fatal("bad revision") };
    let before = at
        .checked_sub(1)
        .and_then(|at| repository.commits.get(at))
        .map(|c| c.tree.clone())
        .unwrap_or_default();
    let mut tree = head.clone();
    for path in paths(&[&before, &commit.tree]) {
        if before.get(path) == commit.tree.get(path) {
            continue;
        }
        if head.get(path) != commit.tree.get(path) {
            let text = format!("error: could not revert {}: conflict in {path}\n", commit.hash);
            return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
        }
        match before.get(path) {
            Some(content) => drop(tree.insert(path.clone(), content.clone())),
            None => drop(tree.remove(path)),
        }
    }
    put_back(run, &tree, &[]);
    repository.index = tree.clone();
    let subject = commit.message.lines().next().unwrap_or_default();
    let message = format!("Revert \"{subject}\"\n\nThis reverts commit {}.", commit.hash);
    let (author, time) = (run.author.clone(), run.world.epoch(&run.host));
    let hash: String = repository.commit(&author, time, &message).chars().take(7).collect();
    run.store(repository);
    output(format!("[master {hash}] Revert \"{subject}\"\n{}", summary(&head, &tree)))
}

/// `merge --ff-only COMMIT`: onto a commit that comes after this one, or not at all.
pub(super) fn merge(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let repository = run.repository();
    if !arguments.iter().any(|a| a == "--ff-only") {
        return fatal("only --ff-only is simulated");
    }
    let name = arguments.iter().find(|a| !a.starts_with('-')).map_or("@{u}", String::as_str);
    let Some(line) = repository.find(name).and_then(|commit| repository.line_to(&commit.hash)) else {
        return Reply {
            stderr: format!("merge: {name} - not something we can merge\n").into_bytes(),
            status: 1,
            ..Reply::default()
        };
    };
    let (old, new) = (repository.commits.last().cloned(), line.last().cloned());
    if let Some(new) = &new
        && repository.commits.iter().any(|commit| commit.hash == new.hash)
    {
        return output("Already up-to-date.\n");
    }
    if old.as_ref().is_some_and(|old| !line.iter().any(|commit| commit.hash == old.hash)) {
        return fatal("Not possible to fast-forward, aborting.");
    }
    let (before, after) = (repository.head(), new.map(|new| new.tree).unwrap_or_default());
    let touched = run.work_tree();
    let lost = paths(&[&before, &after])
        .into_iter()
        .find(|path| before.get(*path) != after.get(*path) && touched.get(*path) != before.get(*path));
    if let Some(path) = lost {
        let text = format!(
            "error: Your local changes to the following files would be overwritten by merge:\n\t{path}\nAborting\n"
        );
        return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
    }
    put_back(run, &after, &[]);
    let mut repository = run.repository();
    (repository.commits, repository.index) = (line, after.clone());
    run.store(repository);
    output(format!("Fast-forward\n{}", counted(&before, &after, |_| true, true)))
}

/// `pull --ff-only`: both.
pub(super) fn pull(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let fetched = super::remote::fetch(run, &[]);
    if fetched.status != 0 {
        return fetched;
    }
    let mut merged: Vec<String> = arguments.iter().filter(|a| a.starts_with("--ff")).cloned().collect();
    merged.push("@{u}".to_owned());
    merge(run, &merged)
}
