//! What each single state does on a machine, and what Salt says of it.

use serde_json::{Value, json};
use similar::TextDiff;

use crate::git::code::Code;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::super::MinionFault;
use super::{Outcome, Wanted};

/// Does it, or only tells what it would do.
pub(super) fn one(
    world: &mut World,
    host: &HostName,
    wanted: Wanted,
    (test, changed): (bool, bool),
) -> Outcome {
    let (kind, name, function) = wanted.parts();
    let mut outcome = Outcome {
        key: format!("{kind}_|-{name}_|-{name}_|-{function}"),
        result: Value::Bool(true),
        comment: String::new(),
        changes: json!({}),
        seconds: if kind == "file" { 0.012 } else { 0.08 },
        name,
    };
    let fault = world.minion_fault(host).cloned();
    if let Some(MinionFault::StateFails(part)) = &fault
        && outcome.key.contains(part.as_str())
    {
        outcome.result = Value::Bool(false);
        outcome.comment =
            format!("An exception occurred in this state: {function} of {} failed", outcome.name);
        return outcome;
    }
    let honest = fault != Some(MinionFault::SaysDone);
    match wanted {
        Wanted::Package(name) => outcome.comment = format!("Package {name} is already installed."),
        Wanted::Account(person, there) => {
            account(world, host, (&person, there), (test, honest), &mut outcome)
        }
        Wanted::Code(code) => copied(world, host, code, (test, honest), &mut outcome),
        Wanted::Watching(name, reload) if changed && world.service_runs(host, name) => {
            watching(world, host, (name, reload), (test, honest), &mut outcome);
        }
        Wanted::Running(name) | Wanted::Watching(name, _) => {
            running(world, host, name, test, honest, &mut outcome);
        }
        Wanted::File { path, content, mode, secret } => {
            file(world, host, (&path, content, mode, secret), (test, honest), &mut outcome);
        }
    }
    outcome
}

/// A command that copies code, run as `cmd.run` runs it: it says that it ran, whatever it copied.
fn copied(
    world: &mut World,
    host: &HostName,
    code: &Code,
    (test, honest): (bool, bool),
    outcome: &mut Outcome,
) {
    if test {
        outcome.result = Value::Null;
        outcome.comment = format!("Command \"{}\" would have been executed", outcome.name);
        return;
    }
    let serves =
        world.jump().cloned().is_some_and(|jump| world.is_up(&jump) && world.service_runs(&jump, "xinetd"));
    if serves && honest {
        let (files, gone) = world.code_waits(host, code);
        world.copy_code(host, &code.repository(), code.folder, &files);
        for path in gone {
            world.remove_file(host, &format!("{}/{path}", code.folder));
        }
    }
    let said = "rsync: failed to connect to salt: Connection refused (111)";
    outcome.result = Value::Bool(serves);
    outcome.comment = format!("Command \"{}\" run", outcome.name);
    let (retcode, stderr) = if serves { (0, "") } else { (10, said) };
    outcome.changes = json!({ "pid": 4711, "retcode": retcode, "stdout": "", "stderr": stderr });
}

fn running(world: &mut World, host: &HostName, name: &str, test: bool, honest: bool, outcome: &mut Outcome) {
    if world.service_runs(host, name) {
        outcome.comment = "The service ".to_owned() + name + " is already running";
    } else if test {
        outcome.result = Value::Null;
        outcome.comment = format!("Service {name} is set to start");
    } else {
        let started = !honest || world.set_service(host, name, true);
        outcome.result = Value::Bool(started);
        outcome.comment = match started {
            true => format!("Started Service {name}"),
            false => format!("Service {name} failed to start"),
        };
        outcome.changes = if started { json!({ name: true }) } else { json!({}) };
    }
}

/// A service whose file was changed.
fn watching(
    world: &mut World,
    host: &HostName,
    (name, reload): (&str, bool),
    (test, honest): (bool, bool),
    outcome: &mut Outcome,
) {
    let word = if reload { "reloaded" } else { "restarted" };
    if test {
        outcome.result = Value::Null;
        outcome.comment = format!("Service is set to be {word}");
        return;
    }
    if honest {
        let done = if reload { world.reload_service(host, name) } else { world.restart_service(host, name) };
        outcome.result = Value::Bool(done);
        if !done {
            outcome.comment = format!("Failed to {} the service", word.trim_end_matches("ed"));
            outcome.changes = json!({ name: false });
            return;
        }
    }
    outcome.comment = format!("Service {word}");
    outcome.changes = json!({ name: true });
}

/// `user.present` and `user.absent`.
fn account(
    world: &mut World,
    host: &HostName,
    (person, there): (&str, bool),
    (test, honest): (bool, bool),
    outcome: &mut Outcome,
) {
    let exists = world.account(host, "/etc/passwd", person).is_some();
    let right = if there { world.is_open_account(host, person) } else { !exists };
    let words = match (right, there, test) {
        (true, true, _) => format!("User {person} is present and up to date"),
        (true, false, _) => format!("User {person} is not present"),
        (false, true, true) => format!("User {person} is set to be changed"),
        (false, false, true) => format!("User {person} set for removal"),
        (false, true, false) => format!("Updated user {person}"),
        (false, false, false) => format!("Removed user {person}"),
    };
    outcome.comment = words;
    match (right, test) {
        (true, _) => {}
        (false, true) => outcome.result = Value::Null,
        (false, false) if world.accounts_are_locked(host) => {
            outcome.result = Value::Bool(false);
            outcome.comment = format!("Failed to change user {person}: cannot lock /etc/passwd");
        }
        (false, false) => {
            outcome.changes = json!({ person: if there { "updated" } else { "removed" } });
            match there {
                _ if !honest => {}
                true => world.open_account(host, person),
                false => world.remove_account(host, person),
            }
        }
    }
}

fn file(
    world: &mut World,
    host: &HostName,
    (path, content, mode, secret): (&str, String, u32, bool),
    (test, honest): (bool, bool),
    outcome: &mut Outcome,
) {
    let before = world.read_file(host, path);
    if before.as_deref() == Some(content.as_bytes()) {
        outcome.comment = format!("File {path} is in the correct state");
        return;
    }
    outcome.changes = match &before {
        None => json!({ "diff": "New file", "mode": format!("{mode:04o}") }),
        Some(_) if secret => json!({ "diff": "<show_diff=False>" }),
        Some(before) => {
            let before = String::from_utf8_lossy(before);
            let diff = TextDiff::from_lines(before.as_ref(), content.as_str());
            json!({ "diff": diff.unified_diff().context_radius(3).header("---", "+++").to_string() })
        }
    };
    if test {
        outcome.result = Value::Null;
        outcome.comment = format!("The file {path} is set to be changed");
        return;
    }
    outcome.comment = format!("File {path} updated");
    if honest {
        world.write_file(host, path, content.into_bytes());
        world.set_attributes(host, path, |attributes| attributes.mode = mode);
    }
}
