//! `systemd-run`: a command as a unit of its own, that no session owns.

use std::sync::Arc;

use crate::services::Unit;
use crate::shell::state::{Fd, Shell};

use super::missing_program;

pub(super) async fn run(shell: &mut Shell, arguments: &[String]) -> u8 {
    let (mut name, mut collect, mut remains, mut wait, mut variables) =
        (None, false, false, false, Vec::new());
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = tail;
        let (word, value) = flag.split_once('=').map_or((flag.as_str(), None), |(w, v)| (w, Some(v)));
        let mut value = || match value {
            Some(value) => value.to_owned(),
            None => {
                let value = tail.first().cloned().unwrap_or_default();
                rest = tail.get(1..).unwrap_or_default();
                value
            }
        };
        match word {
            "--unit" | "-u" => name = Some(value()),
            "--setenv" | "-E" => variables.push(value()),
            "--property" | "-p" | "--description" | "--slice" | "--uid" | "--gid" | "--working-directory" => {
                drop(value())
            }
            "--collect" | "-G" => collect = true,
            "--remain-after-exit" | "-r" => remains = true,
            "--wait" => wait = true,
            "--quiet" | "-q" | "--no-block" | "--no-ask-password" | "--system" | "--service-type" => {}
            "--" => break,
            other => {
                shell.put(2, format!("systemd-run: unrecognized option '{other}'\n").as_bytes()).await;
                return 1;
            }
        }
    }
    if shell.user != "root" {
        shell.put(2, b"Failed to start transient service unit: Interactive authentication required.\n").await;
        return 1;
    }
    if rest.is_empty() {
        shell.put(2, b"Command line to execute required.\n").await;
        return 1;
    }
    if let Some(missing) = missing_program(shell, rest) {
        shell
            .put(2, format!("Failed to find executable {missing}: No such file or directory\n").as_bytes())
            .await;
        return 1;
    }
    let machine = Arc::clone(&shell.machine);
    let pid = machine.new_pid();
    let name = name.unwrap_or_else(|| format!("run-u{pid}")).trim_end_matches(".service").to_owned();
    let known = {
        let mut world = machine.world();
        let known = world.unit(&machine.host, &name).is_some();
        if !known {
            let started = world.epoch(&machine.host);
            let unit = Unit { command: rest.join(" "), pid, started, ended: None, remains, abort: None };
            world.set_unit(&machine.host, &name, Some(unit));
        }
        known
    };
    if known {
        let text = format!("Failed to start transient service unit: Unit {name}.service already exists.\n");
        shell.put(2, text.as_bytes()).await;
        return 1;
    }
    let mut child = shell.child();
    child.group = machine.detached();
    child.job = Some(pid);
    child.descriptors = vec![Fd::Null, Fd::Null, Fd::Null];
    "/".clone_into(&mut child.cwd);
    for variable in variables {
        if let Some((name, value)) = variable.split_once('=') {
            child.export(name, value);
        }
    }
    let (command, unit, owner) = (rest.to_vec(), name.clone(), Arc::clone(&machine));
    machine.spawn(&machine.detached(), pid, async move {
        let status = child.external(command).await;
        let mut world = owner.world();
        let now = world.epoch(&owner.host);
        // A unit that went well is forgotten, unless it is to remain; one that failed only when asked for that.
        if !remains && (status == 0 || collect) {
            world.set_unit(&owner.host, &unit, None);
        } else if let Some(unit) = world.unit_mut(&owner.host, &unit) {
            unit.ended.get_or_insert((status, now));
        }
        status
    });
    if let Some(unit) = machine.world().unit_mut(&machine.host, &name) {
        unit.abort = machine.abort_handle(pid);
    }
    if wait {
        return machine.wait(pid).await.unwrap_or(127);
    }
    shell.put(2, format!("Running as unit: {name}.service\n").as_bytes()).await;
    0
}
