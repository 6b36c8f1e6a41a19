//! `systemctl`: services of the roles, and units that `systemd-run` made.

use crate::posix::programs::files::{Work, moment, with_world};
use crate::posix::programs::text::answer;
use crate::program::{BoxFuture, Call, Program};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The program.
#[derive(Debug)]
pub(crate) struct Systemctl;

impl Program for Systemctl {
    fn name(&self) -> &'static str {
        "systemctl"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        world.machine(host).is_some_and(|m| m.os.has_systemd())
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let words: Vec<String> = call.args.get(1..).unwrap_or_default().to_vec();
        let reply = with_world(&call, |work| {
            let mut rest = Vec::new();
            let (mut quiet, mut value_only, mut properties) = (false, false, Vec::new());
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    "-q" | "--quiet" => quiet = true,
                    "--value" => value_only = true,
                    "-p" | "--property" => properties.extend(words.next().cloned()),
                    other if other.starts_with("--property=") => {
                        properties.push(other.trim_start_matches("--property=").to_owned());
                    }
                    other if other.starts_with("-p") && other.len() > 2 => {
                        properties.push(other.trim_start_matches("-p").to_owned());
                    }
                    other if other.starts_with('-') => {}
                    other => rest.push(other.to_owned()),
                }
            }
            let properties: Vec<String> =
                properties.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect();
            match rest.as_slice() {
                [action, names @ ..] if !names.is_empty() => {
                    for name in names {
                        act(work, action, name, quiet, (value_only, &properties));
                    }
                }
                [action] if matches!(action.as_str(), "daemon-reload" | "reset-failed") => {}
                [action] if action == "list-units" => list_failed(work),
                [action] if action == "is-system-running" => work.say("running\n"),
                _ => work.complain("Too few arguments."),
            }
        });
        answer(call, reply)
    }
}

/// `list-units --state=failed`: no other state is listed here.
fn list_failed(work: &mut Work<'_>) {
    let host = work.host.clone();
    let names: Vec<String> = work.world.failed_units(&host).iter().map(|name| full_name(name)).collect();
    for name in names {
        work.say(&format!("{name} loaded failed failed {name}\n"));
    }
}

fn full_name(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("{name}.service") }
}

/// What there is to tell of a unit.
struct Told {
    load: &'static str,
    active: &'static str,
    sub: &'static str,
    pid: u32,
    /// Seconds since 1970.
    since: Option<f64>,
    result: &'static str,
    exit: u8,
    description: String,
}

fn told(work: &Work<'_>, name: &str) -> Told {
    let none = Told {
        load: "not-found",
        active: "inactive",
        sub: "dead",
        pid: 0,
        since: None,
        result: "success",
        exit: 0,
        description: name.to_owned(),
    };
    if let Some(unit) = work.world.unit(&work.host, name) {
        let (active, sub, result) = match unit.ended {
            None => ("active", "running", "success"),
            Some((0, _)) if unit.remains => ("active", "exited", "success"),
            Some((0, _)) => ("inactive", "dead", "success"),
            Some((status, _)) if status > 128 => ("failed", "failed", "signal"),
            Some(_) => ("failed", "failed", "exit-code"),
        };
        return Told {
            load: "loaded",
            active,
            sub,
            pid: if unit.ended.is_none() { unit.pid } else { 0 },
            since: Some(unit.ended.map_or(unit.started, |(_, when)| when)),
            result,
            exit: unit.ended.map_or(0, |(status, _)| status),
            description: unit.command.clone(),
        };
    }
    match work.world.service(&work.host, name) {
        None => none,
        Some(service) => {
            let (active, sub) = if service.runs { ("active", "running") } else { ("inactive", "dead") };
            let pid = if service.runs { service.pid } else { 0 };
            Told { load: "loaded", active, sub, pid, since: Some(service.since), ..none }
        }
    }
}

fn act(work: &mut Work<'_>, action: &str, name: &str, quiet: bool, shown: (bool, &[String])) {
    let host = work.host.clone();
    let told = told(work, name);
    let full = full_name(name);
    match action {
        "is-active" | "is-failed" => {
            if !quiet {
                work.say(&format!("{}\n", told.active));
            }
            let holds = if action == "is-active" { told.active == "active" } else { told.active == "failed" };
            work.reply.status = match (holds, action) {
                (true, _) => 0,
                (false, "is-active") => 3,
                (false, _) => 1,
            };
        }
        "is-enabled" => {
            let there = told.load == "loaded";
            work.say(if there { "enabled\n" } else { "not-found\n" });
            work.reply.status = u8::from(!there);
        }
        "show" => show(work, &full, &told, shown),
        "status" => status(work, &full, &told),
        "cat" if told.load == "loaded" => {
            work.say(&format!("# /lib/systemd/system/{full}\n[Unit]\nDescription={}\n", told.description));
        }
        _ if told.load != "loaded" => {
            work.reply.stderr.extend(format!("Failed to {action} {full}: Unit {full} not found.\n").bytes());
            work.reply.status = 5;
        }
        _ if work.user != "root" => {
            let text = format!("Failed to {action} {full}: Interactive authentication required.\n");
            work.reply.stderr.extend(text.bytes());
            work.reply.status = 1;
        }
        "stop" | "kill" => {
            let now = work.world.epoch(&host);
            match work.world.unit_mut(&host, name) {
                Some(unit) => {
                    if let Some(abort) = unit.abort.take() {
                        abort.abort();
                    }
                    unit.ended.get_or_insert((143, now));
                }
                None => drop(work.world.set_service(&host, name, false)),
            }
        }
        "reset-failed" => work.world.set_unit(&host, name, None),
        "enable" | "disable" | "mask" | "unmask" => {}
        "reload" | "reload-or-restart"
            if work.world.unit(&host, name).is_none() && told.active == "active" =>
        {
            if !work.world.reload_service(&host, name) {
                work.reply.stderr.extend(format!("Job for {full} failed.\n").bytes());
                work.reply.status = 1;
            }
        }
        "start" | "restart" | "reload" | "reload-or-restart" | "try-restart" => {
            if matches!(action, "restart" | "reload-or-restart" | "try-restart") {
                work.world.set_service(&host, name, false);
            }
            if !work.world.set_service(&host, name, true) {
                let text = format!(
                    "Job for {full} failed because the control process exited with error code.\n\
                     See \"systemctl status {full}\" and \"journalctl -xeu {full}\" for details.\n"
                );
                work.reply.stderr.extend(text.bytes());
                work.reply.status = 1;
            }
        }
        other => work.complain(&format!("Unknown command verb '{other}'.")),
    }
}

fn show(work: &mut Work<'_>, full: &str, told: &Told, (value_only, wanted): (bool, &[String])) {
    let stamp = told.since.map_or_else(String::new, |since| moment(since, "%a %Y-%m-%d %H:%M:%S UTC"));
    let rows = [
        ("Id", full.to_owned()),
        ("LoadState", told.load.to_owned()),
        ("ActiveState", told.active.to_owned()),
        ("SubState", told.sub.to_owned()),
        ("MainPID", told.pid.to_string()),
        ("Result", told.result.to_owned()),
        ("ExecMainStatus", told.exit.to_string()),
        ("ActiveEnterTimestamp", stamp),
        ("Description", told.description.clone()),
    ];
    for (name, value) in rows {
        if wanted.is_empty() || wanted.iter().any(|property| property == name) {
            work.say(&if value_only { format!("{value}\n") } else { format!("{name}={value}\n") });
        }
    }
}

fn status(work: &mut Work<'_>, full: &str, told: &Told) {
    if told.load != "loaded" {
        work.reply.stderr.extend(format!("Unit {full} could not be found.\n").bytes());
        work.reply.status = 4;
        return;
    }
    let since = told.since.map_or_else(String::new, |since| moment(since, " since %a %Y-%m-%d %H:%M:%S UTC"));
    let pid = if told.pid > 0 { format!("   Main PID: {}\n", told.pid) } else { String::new() };
    work.say(&format!(
        "* {full} - {}\n     Loaded: loaded (/lib/systemd/system/{full}; enabled)\n     Active: {} ({}){since}\n{pid}",
        told.description, told.active, told.sub
    ));
    work.reply.status = if told.active == "active" { 0 } else { 3 };
}
