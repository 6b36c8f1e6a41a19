//! What is about the repository that one was cloned from: fetch, ls-remote.

use crate::git::Repository;
use jumpdeck_fleet::names::HostName;

use super::submodule;
use super::{Reply, Run, fatal, output};

/// The repository that this one was cloned from, or what git says when it is not there.
fn origin(run: &Run<'_>) -> Result<Repository, Reply> {
    let Some(origin) = run.repository().origin else {
        return Err(fatal(
            "No remote repository specified.  Please, specify either a URL or a\nremote name.",
        ));
    };
    reached(run, &origin)
}

/// A repository on another host, or what git says when it is not there.
pub(super) fn reached(run: &Run<'_>, origin: &(HostName, String)) -> Result<Repository, Reply> {
    let (host, top) = origin;
    let answers = run.world.is_up(host) && run.world.service_runs(host, "ssh");
    let there = run.world.repositories.get(origin).filter(|_| run.world.metadata(host, top).is_some());
    there.filter(|_| answers).cloned().ok_or_else(|| {
        let why = match answers {
            false => format!("ssh: connect to host {host} port 22: No route to host"),
            true => format!("fatal: '{top}' does not appear to be a git repository"),
        };
        let text = format!("{why}\nfatal: Could not read from remote repository.\n");
        Reply { stderr: text.into_bytes(), status: super::FATAL, ..Reply::default() }
    })
}

/// `fetch [--recurse-submodules] [origin]`: what the origin has.
pub(super) fn fetch(run: &mut Run<'_>, arguments: &[String]) -> Reply {
    match origin(run) {
        Err(reply) => reply,
        Ok(there) => {
            let mut repository = run.repository();
            repository.fetched = there.commits;
            run.store(repository);
            let inside = arguments.iter().any(|argument| argument == "--recurse-submodules");
            if inside { submodule::fetch_all(run) } else { output("") }
        }
    }
}

/// `ls-remote origin [REF]`.
pub(super) fn ls_remote(run: &Run<'_>, arguments: &[String]) -> Reply {
    let wanted = arguments.iter().filter(|a| !a.starts_with('-')).nth(1).map_or("HEAD", String::as_str);
    match origin(run) {
        Err(reply) => reply,
        Ok(_) if !matches!(wanted, "HEAD" | "refs/heads/master" | "master") => output(""),
        Ok(there) => output(
            there.commits.last().map_or_else(String::new, |commit| format!("{}\t{wanted}\n", commit.hash)),
        ),
    }
}
