//! Submodules: `submodule status`, `submodule update`, and what of `ls-tree`, `cat-file` and `fetch` is about them.

use crate::git::{Repository, blob, linked};
use crate::posix::programs::text::failure;

use super::remote::reached;
use super::{Reply, Run, fatal, output};

/// `submodule [--quiet] status|update|sync`.
pub(super) fn submodule(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    let quiet = arguments.iter().any(|argument| matches!(argument.as_str(), "-q" | "--quiet"));
    let mut words = arguments.iter().filter(|argument| !argument.starts_with('-'));
    match words.next().map(String::as_str) {
        None => status(run, &[]),
        Some("status") => status(run, &words.cloned().collect::<Vec<_>>()),
        Some("update") => update(run, arguments.iter().any(|argument| argument == "--init"), quiet),
        // Addresses of origins do not change here.
        Some("sync") => output(""),
        Some(other) => failure("git", &format!("submodule: '{other}' is not simulated"), 1),
    }
}

/// Path and commit of each, as the index has it.
fn links(repository: &Repository) -> Vec<(String, String)> {
    let link = |(path, content): (&String, &Vec<u8>)| Some((path.clone(), linked(content)?.to_owned()));
    repository.index.iter().filter_map(link).collect()
}

fn nested(run: &Run<'_>, path: &str) -> Option<Repository> {
    run.world.repositories.get(&(run.host.clone(), format!("{}/{path}", run.top))).cloned()
}

fn status(run: &Run<'_>, named: &[String]) -> Reply {
    let mut text = String::new();
    let all = links(&run.repository());
    if let Some(name) = named.iter().find(|name| !all.iter().any(|(path, _)| run.covers(name, path))) {
        let text = format!("error: pathspec '{name}' did not match any file(s) known to git\n");
        return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
    }
    for (path, wanted) in all.into_iter().filter(|(path, _)| run.wanted(named, path)) {
        text.push_str(&match nested(run, &path).and_then(|repository| repository.commits.last().cloned()) {
            None => format!("-{wanted} {path}\n"),
            Some(head) => {
                let mark = if head.hash == wanted { ' ' } else { '+' };
                format!("{mark}{} {path} (heads/master)\n", head.hash)
            }
        });
    }
    output(text)
}

fn update(run: &mut Run<'_>, init: bool, quiet: bool) -> Reply {
    let mut text = String::new();
    for (path, wanted) in links(&run.repository()) {
        let there = match nested(run, &path) {
            Some(repository) => repository,
            None if !init => continue,
            None => match origin_of(run, &path).map(|origin| (reached(run, &origin), origin)) {
                None => return fatal(&format!("No url found for submodule path '{path}' in .gitmodules")),
                Some((Err(reply), _)) => return reply,
                Some((Ok(origin), at)) => {
                    Repository { origin: Some(at), fetched: origin.commits, ..Repository::default() }
                }
            },
        };
        if there.commits.last().is_some_and(|head| head.hash == wanted) {
            continue;
        }
        if let Err(reply) = check_out(run, &path, there, &wanted) {
            return reply;
        }
        text.push_str(&format!("Submodule path '{path}': checked out '{wanted}'\n"));
    }
    output(if quiet { String::new() } else { text })
}

/// Where `.gitmodules` says that a submodule comes from.
fn origin_of(run: &Run<'_>, path: &str) -> Option<(jumpdeck_fleet::names::HostName, String)> {
    let file = run.world.read_file(&run.host, &format!("{}/.gitmodules", run.top))?;
    let text = String::from_utf8_lossy(&file).into_owned();
    let section = text
        .split("[submodule ")
        .find(|part| part.lines().any(|line| line.trim() == format!("path = {path}")))?;
    let url = section.lines().find_map(|line| line.trim().strip_prefix("url = "))?;
    let (host, top) = url.split_once(':')?;
    Some((run.world.resolve(host)?, top.to_owned()))
}

/// Brings a submodule to a commit, which its origin is asked for where it is not here.
fn check_out(run: &mut Run<'_>, path: &str, mut there: Repository, wanted: &str) -> Result<(), Reply> {
    if there.line_to(wanted).is_none()
        && let Some(origin) = there.origin.clone()
    {
        there.fetched = reached(run, &origin)?.commits;
    }
    let Some(line) = there.line_to(wanted) else {
        let text = format!(
            "fatal: reference is not a tree: {wanted}\nUnable to checkout '{wanted}' in submodule path '{path}'\n"
        );
        return Err(Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() });
    };
    let (host, top) = (run.host.clone(), format!("{}/{path}", run.top));
    let before = there.head();
    there.commits = line;
    there.index = there.head();
    for file in before.keys().filter(|file| !there.index.contains_key(*file)) {
        run.world.remove_file(&host, &format!("{top}/{file}"));
    }
    for (file, content) in there.index.iter().filter(|(file, content)| before.get(*file) != Some(content)) {
        run.world.write_file(&host, &format!("{top}/{file}"), content.clone());
    }
    run.world.repositories.insert((host, top), there);
    Ok(())
}

/// `fetch --recurse-submodules`: those that are here fetch as well; what the newest commit names must be at their origin.
pub(super) fn fetch_all(run: &mut Run<'_>) -> Reply {
    let newest = run.repository().fetched.last().map(|commit| commit.tree.clone()).unwrap_or_default();
    for (path, _) in links(&run.repository()) {
        let Some(mut there) = nested(run, &path) else { continue };
        let Some(origin) = there.origin.clone() else { continue };
        match reached(run, &origin) {
            Ok(origin) => there.fetched = origin.commits,
            Err(reply) => {
                let said = String::from_utf8_lossy(&reply.stderr).into_owned();
                let text = format!("{said}Errors during submodule fetch:\n\t{path}\n");
                return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
            }
        }
        let wanted = newest.get(&path).and_then(|content| linked(content)).unwrap_or_default();
        let lacks = !wanted.is_empty() && there.line_to(wanted).is_none();
        run.world.repositories.insert((run.host.clone(), format!("{}/{path}", run.top)), there);
        if lacks {
            let text = format!(
                "fatal: remote error: upload-pack: not our ref {wanted}\nErrors during submodule fetch:\n\t{path}\n"
            );
            return Reply { stderr: text.into_bytes(), status: 1, ..Reply::default() };
        }
    }
    output("")
}

/// `ls-tree -r COMMIT`.
pub(super) fn ls_tree(run: &Run<'_>, arguments: &[String]) -> Reply {
    let name = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("HEAD", String::as_str);
    let repository = run.repository();
    let Some(commit) = repository.find(name) else {
        return fatal(&format!("Not a valid object name {name}"));
    };
    let row = |(path, content): (&String, &Vec<u8>)| match linked(content) {
        Some(hash) => format!("160000 commit {hash}\t{path}\n"),
        None => format!("100644 blob {}\t{path}\n", blob(content)),
    };
    output(commit.tree.iter().map(row).collect::<String>())
}

/// `cat-file -e COMMIT`: whether it is here.
pub(super) fn cat_file(run: &Run<'_>, arguments: &[String]) -> Reply {
    let [flag, name] = arguments else { return failure("git", "cat-file: only -e is simulated", 1) };
    if flag != "-e" {
        return failure("git", "cat-file: only -e is simulated", 1);
    }
    match run.repository().find(name.trim_end_matches("^{commit}")) {
        Some(_) => output(""),
        None => fatal(&format!("Not a valid object name {name}")),
    }
}
