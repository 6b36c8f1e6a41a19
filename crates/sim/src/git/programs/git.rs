//! `git`: what is done to a repository of pillars and states: look, add, commit, take back.

mod change;
mod look;
mod remote;
mod status;
mod submodule;

use std::collections::BTreeSet;
use std::sync::PoisonError;

use tokio::io::AsyncReadExt as _;

use crate::git::{Repository, Tree};
use crate::posix::programs::text::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Git's status when something is wrong with what it was asked.
const FATAL: u8 = 128;

/// The program.
#[derive(Debug)]
pub(crate) struct Git;

impl Program for Git {
    fn name(&self) -> &'static str {
        "git"
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let mut input = String::new();
            // Only a message is read from standard input: `commit -F -`.
            if call.args.windows(2).any(|pair| pair == ["-F", "-"] || pair == ["--file", "-"])
                || call.args.iter().any(|arg| arg == "--file=-" || arg == "-F-")
            {
                let _not_text = call.stdin.read_to_string(&mut input).await;
            }
            let reply = answer(&call, &input);
            write(&mut call, reply).await
        })
    }
}

/// One run: where, who, and what with.
struct Run<'a> {
    world: &'a mut World,
    host: HostName,
    cwd: String,
    top: String,
    author: String,
    input: &'a str,
}

impl Run<'_> {
    fn repository(&self) -> Repository {
        self.world.repositories.get(&(self.host.clone(), self.top.clone())).cloned().unwrap_or_default()
    }

    fn store(&mut self, repository: Repository) {
        self.world.repositories.insert((self.host.clone(), self.top.clone()), repository);
    }

    fn work_tree(&self) -> Tree {
        self.world.git_tree(&self.host, &self.top, &self.repository().index)
    }

    /// Whether a path of the tree is among those named; none named means all.
    fn wanted(&self, names: &[String], file: &str) -> bool {
        names.is_empty() || names.iter().any(|name| self.covers(name, file))
    }

    fn covers(&self, name: &str, file: &str) -> bool {
        let named = path::absolute(&self.cwd, name);
        let full = format!("{}/{file}", self.top);
        full == named || full.strip_prefix(&named).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// All the paths of some trees.
fn paths<'a>(trees: &[&'a Tree]) -> BTreeSet<&'a String> {
    trees.iter().flat_map(|tree| tree.keys()).collect()
}

fn fatal(what: &str) -> Reply {
    Reply { stderr: format!("fatal: {what}\n").into_bytes(), status: FATAL, ..Reply::default() }
}

fn answer(call: &Call, input: &str) -> Reply {
    let mut cwd = call.cwd.clone();
    let mut rest = call.args.get(1..).unwrap_or_default();
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = tail;
        match flag.as_str() {
            "-C" => {
                cwd = path::absolute(&cwd, tail.first().map(String::as_str).unwrap_or_default());
                rest = tail.get(1..).unwrap_or_default();
            }
            "-c" => rest = tail.get(1..).unwrap_or_default(),
            "--no-pager" | "-P" => {}
            "--version" => return output("git version 2.17.1\n"),
            other => return failure("git", &format!("unknown option: {other}"), 129),
        }
    }
    let [command, arguments @ ..] = rest else {
        return failure("git", "usage: git [-C <path>] <command> [<args>]", 1);
    };
    let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    if command == "init" {
        let place = path::absolute(&cwd, arguments.last().filter(|a| !a.starts_with('-')).map_or(".", |a| a));
        world.repositories.entry((call.host.clone(), place.clone())).or_default();
        return output(format!("Initialized empty Git repository in {place}/.git/\n"));
    }
    if world.is_closed(&call.host, &cwd, &call.user) {
        return fatal(&format!("cannot change to '{cwd}': Permission denied"));
    }
    if world.metadata(&call.host, &cwd).is_none() {
        return fatal(&format!("Cannot change to '{cwd}': No such file or directory"));
    }
    // One that is closed is none.
    let reached = |top: &String| !world.is_closed(&call.host, &format!("{top}/.git"), &call.user);
    let Some(top) = world.repository_of(&call.host, &cwd).filter(reached) else {
        return fatal("Not a git repository (or any of the parent directories): .git");
    };
    let name = call.env.get("GIT_AUTHOR_NAME").cloned().unwrap_or_else(|| {
        let person = call.env.get("SUDO_USER").unwrap_or(&call.user);
        person.clone()
    });
    let address = call
        .env
        .get("GIT_AUTHOR_EMAIL")
        .cloned()
        .unwrap_or_else(|| format!("{}@{}", call.user, world.fqdn(&call.host)));
    let author = format!("{name} <{address}>");
    let mut run = Run { host: call.host.clone(), world: &mut world, cwd, top, author, input };
    match command.as_str() {
        "status" => status::status(&run, arguments),
        "diff" => look::diff(&run, arguments),
        "log" => look::log(&run, arguments),
        "show" => look::show(&run, arguments),
        "rev-parse" => look::rev_parse(&run, arguments),
        "rev-list" => look::rev_list(&run, arguments),
        "branch" => look::branch(arguments),
        "ls-files" => output(run.repository().index.keys().map(|p| format!("{p}\n")).collect::<String>()),
        "config" => look::config(&run, arguments),
        "add" => change::add(&mut run, arguments),
        "rm" => change::rm(&mut run, arguments),
        "commit" => change::commit(&mut run, arguments),
        "checkout" | "restore" => change::checkout(&mut run, arguments),
        "reset" => change::reset(&mut run, arguments),
        "fetch" => remote::fetch(&mut run, arguments),
        "submodule" => submodule::submodule(&mut run, arguments),
        "ls-tree" => submodule::ls_tree(&run, arguments),
        "cat-file" => submodule::cat_file(&run, arguments),
        "ls-remote" => remote::ls_remote(&run, arguments),
        "merge" => change::merge(&mut run, arguments),
        "pull" => change::pull(&mut run, arguments),
        "merge-base" => look::merge_base(&run, arguments),
        "revert" => change::revert(&mut run, arguments),
        other => failure("git", &format!("'{other}' is not simulated"), 1),
    }
}

#[cfg(test)]
mod tests;
