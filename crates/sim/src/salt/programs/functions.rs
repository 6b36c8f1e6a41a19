//! What a minion is asked that needs no states: the functions of its execution modules.

use serde_json::{Map, Value, json};

use crate::program::SharedWorld;
use crate::salt::jobs::is_state_run;
use crate::salt::pillar::lookup;
use crate::shell::pipe::{filled, pipe};
use crate::shell::{Login, Machine};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Output kept of a command.
const LARGEST: usize = 1 << 20;

/// Whether a function runs a command on the minion.
pub(crate) fn is_command(function: &str) -> bool {
    matches!(function, "cmd.run" | "cmd.run_stdout" | "cmd.run_all" | "cmd.retcode" | "cmd.shell")
}

/// What a minion answers. States and commands are not answered here.
pub(crate) fn answer(world: &mut World, host: &HostName, function: &str, arguments: &[String]) -> Value {
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !is_keyword(word)).collect();
    match function.split_once('.') {
        Some(("test", name)) => test(world, host, name, &words),
        Some(("grains", name)) => grains(world, host, name, &words),
        Some(("pillar", name)) => pillar(world, host, name, &words),
        Some(("saltutil", name)) => saltutil(world, host, name, &words),
        Some(("state", "single")) => single(world, host, arguments),
        Some(("state", name)) => state(world, host, name, &words),
        Some(("service", name)) => service(world, host, name, &words),
        Some(("network", "ip_addrs" | "ipaddrs")) => {
            json!([world.machine(host).map(|m| m.address.clone()).unwrap_or_default()])
        }
        Some(("network", "get_hostname")) => json!(world.minion_id(host)),
        Some(("file", "file_exists")) => {
            let found = words.first().and_then(|path| world.metadata(host, path));
            json!(found.is_some_and(|found| !found.directory))
        }
        _ => json!(format!("'{function}' is not available.")),
    }
}

/// `test=True`, `timeout=5`: a name, an equals sign.
fn is_keyword(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

fn missing(function: &str) -> Value {
    json!(format!("'{function}' is not available."))
}

fn test(world: &World, host: &HostName, name: &str, words: &[&str]) -> Value {
    match name {
        "ping" => json!(true),
        "version" => json!(world.salt_version(host)),
        "versions" => json!({ "Salt": world.salt_version(host) }),
        "echo" => json!(words.join(" ")),
        "fib" | "sleep" => json!(true),
        other => missing(&format!("test.{other}")),
    }
}

fn grains(world: &mut World, host: &HostName, name: &str, words: &[&str]) -> Value {
    let one = |name: &str| world.grain(host, name).unwrap_or_else(|| json!(""));
    match (name, words) {
        ("get", [wanted, rest @ ..]) => {
            let (top, below) = wanted.split_once(':').unwrap_or((wanted, ""));
            let found = world.grain(host, top);
            let found =
                if below.is_empty() { found } else { found.as_ref().and_then(|v| lookup(v, below)).cloned() };
            found.unwrap_or_else(|| json!(rest.first().copied().unwrap_or_default()))
        }
        ("item", names) => Value::Object(names.iter().map(|name| ((*name).to_owned(), one(name))).collect()),
        ("items", _) => world.grains(host),
        ("ls", _) => json!(crate::salt::grains::NAMES),
        ("setval", [name, value, ..]) => {
            let value = serde_saphyr::from_str::<Value>(value).unwrap_or_else(|_| json!(value));
            set_grain(world, host, name, &value);
            json!({ *name: value })
        }
        (what @ ("append" | "remove"), [name, value, ..]) => {
            let mut list = world.grain(host, name).and_then(|v| v.as_array().cloned()).unwrap_or_default();
            list.retain(|item| item != value);
            if what == "append" {
                list.push(json!(value));
            }
            let value = Value::Array(list);
            set_grain(world, host, name, &value);
            json!({ *name: value })
        }
        ("delval", [name, ..]) => {
            set_grain(world, host, name, &Value::Null);
            json!(true)
        }
        (other, _) => missing(&format!("grains.{other}")),
    }
}

/// Writes a grain into the grains file; null takes it out.
fn set_grain(world: &mut World, host: &HostName, name: &str, value: &Value) {
    let before = world.read_file(host, "/etc/salt/grains").unwrap_or_default();
    let before = String::from_utf8_lossy(&before).into_owned();
    let mut text = String::new();
    let mut inside = false;
    for line in before.lines() {
        let top = !line.starts_with([' ', '-']);
        inside = if top { line.split(':').next() == Some(name) } else { inside };
        if !inside {
            text.push_str(&format!("{line}\n"));
        }
    }
    match value {
        Value::Null => {}
        Value::Array(items) => {
            text.push_str(&format!("{name}:\n"));
            items.iter().for_each(|item| text.push_str(&format!("- {}\n", super::output::plain(item))));
        }
        other => text.push_str(&format!("{name}: {}\n", super::output::plain(other))),
    }
    world.write_file(host, "/etc/salt/grains", text.into_bytes());
}

fn pillar(world: &World, host: &HostName, name: &str, words: &[&str]) -> Value {
    let held = world.pillar_of(host);
    match (name, words) {
        ("get", [path, rest @ ..]) => {
            lookup(held, path).cloned().unwrap_or_else(|| json!(rest.first().copied().unwrap_or_default()))
        }
        ("item", names) => {
            let found = names
                .iter()
                .map(|n| ((*n).to_owned(), lookup(held, n).cloned().unwrap_or_else(|| json!(""))));
            Value::Object(found.collect::<Map<_, _>>())
        }
        ("raw", _) => held.clone(),
        // This one asks the master anew.
        ("items" | "data", _) => world.compiled_pillar(host),
        (other, _) => missing(&format!("pillar.{other}")),
    }
}

fn saltutil(world: &mut World, host: &HostName, name: &str, words: &[&str]) -> Value {
    match (name, words) {
        ("refresh_pillar", _) => {
            world.refresh_pillar(host);
            json!(true)
        }
        ("sync_all" | "sync_grains" | "sync_modules" | "sync_states", _) => json!([]),
        ("running", _) => Value::Array(running(world, host)),
        ("is_running", [wanted, ..]) => {
            let found = running(world, host).into_iter().filter(|job| {
                job.get("fun")
                    .and_then(Value::as_str)
                    .is_some_and(|f| crate::shell::pattern::matches(wanted, f))
            });
            Value::Array(found.collect())
        }
        ("find_job", [jid, ..]) => {
            let found = running(world, host).into_iter().find(|job| job.get("jid") == Some(&json!(jid)));
            found.unwrap_or_else(|| json!({}))
        }
        (what @ ("kill_job" | "term_job"), [jid, ..]) => {
            let signal = if what == "kill_job" { 9 } else { 15 };
            match world.kill_job(host, jid) {
                Some(pid) => json!(format!("Signal {signal} sent to job {jid} at pid {pid}")),
                None => json!(""),
            }
        }
        (other, _) => missing(&format!("saltutil.{other}")),
    }
}

/// The jobs that run on a minion, as it tells them.
pub(crate) fn running(world: &mut World, host: &HostName) -> Vec<Value> {
    let jobs = world.salt().jobs.iter().filter_map(|job| {
        let run = job.runs.values().find(|run| run.host.as_ref() == Some(host) && run.is_running())?;
        let told = is_state_run(&job.function) || is_command(&job.function);
        told.then(|| {
            json!({
                "fun": job.function,
                "jid": job.jid,
                "pid": run.pid,
                "arg": job.arguments,
                "target": job.target,
                "tgt": job.target,
                "tgt_type": job.kind.name(),
                "user": job.user,
                "ret": "",
            })
        })
    });
    jobs.collect()
}

/// `state.single file.managed name=PATH contents_pillar=KEY mode=600`.
fn single(world: &mut World, host: &HostName, arguments: &[String]) -> Value {
    if let Some(message) = world.conflict(host) {
        return json!([message]);
    }
    let of = |name: &str| arguments.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let mode = of("mode").and_then(|mode| u32::from_str_radix(mode, 8).ok());
    match (arguments, of("name"), of("contents_pillar"), mode) {
        ([function, _, _, _], Some(path), Some(pillar), Some(mode)) if function == "file.managed" => {
            crate::salt::states::managed(world, host, path, pillar, mode)
        }
        _ => missing("state.single"),
    }
}

/// `state.disable` and its kin; what applies states is a job and not answered here.
fn state(world: &mut World, host: &HostName, name: &str, words: &[&str]) -> Value {
    match name {
        "running" => match world.conflict(host) {
            Some(message) => json!([message]),
            None => json!([]),
        },
        "show_top" => json!({ "base": crate::salt::states::of_roles(world, host) }),
        "show_lowstate" => crate::salt::states::low(world, host),
        "show_low_sls" => {
            let names =
                words.first().into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
            crate::salt::states::low_of(world, host, names)
        }
        // Nothing at all until something was disabled there once.
        "list_disabled" => world.grain(host, "state_runs_disabled").unwrap_or_else(|| json!("")),
        "disable" | "enable" => {
            let names = world.salt().disabled.entry(host.clone()).or_default();
            let mut said = Vec::new();
            for word in words.iter().flat_map(|word| word.split(',')) {
                let there = names.iter().any(|name| name == word);
                said.push(match (name, there) {
                    ("disable", true) => format!("Info: {word} state already disabled."),
                    ("disable", false) => {
                        names.push(word.to_owned());
                        format!("Info: {word} state disabled.")
                    }
                    (_, true) => {
                        names.retain(|name| name != word);
                        format!("Info: {word} state enabled.")
                    }
                    (_, false) => format!("Info: {word} state already enabled."),
                });
            }
            json!({ "msg": said.join("\n"), "res": true })
        }
        other => missing(&format!("state.{other}")),
    }
}

fn service(world: &mut World, host: &HostName, name: &str, words: &[&str]) -> Value {
    let of = |world: &World, name: &str| world.service_named(host, name).is_some();
    match (name, words) {
        ("get_all", _) => {
            let mut all = world.services(host);
            all.sort_unstable();
            json!(all)
        }
        ("available", [service, ..]) => json!(of(world, service)),
        ("missing", [service, ..]) => json!(!of(world, service)),
        ("status", [service, ..]) => json!(world.service_runs(host, service)),
        ("enabled", [service, ..]) => json!(of(world, service)),
        ("start", [service, ..]) => json!(world.set_service(host, service, true)),
        ("stop", [service, ..]) => json!(world.set_service(host, service, false)),
        ("restart", [service, ..]) => json!(world.restart_service(host, service)),
        ("reload", [service, ..]) => json!(world.reload_service(host, service)),
        (other, _) => missing(&format!("service.{other}")),
    }
}

/// Runs a command on a minion, as root, and returns what the function of that name does.
pub(crate) async fn command(
    world: SharedWorld,
    host: HostName,
    function: &str,
    arguments: &[String],
) -> Value {
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !is_keyword(word)).collect();
    let login =
        Login { machine: Machine::new(host, world), user: "root".to_owned(), environment: Vec::new() };
    let ((stdout, out), (stderr, err)) = (pipe(), pipe());
    let text = words.join(" ");
    let ran = login.execute(&text, filled(Vec::new()), stdout, stderr);
    let (ended, out, err) = tokio::join!(ran, out.take_all(LARGEST), err.take_all(LARGEST));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
    match function {
        "cmd.retcode" => json!(ended.status),
        "cmd.run_all" => {
            json!({ "pid": 0, "retcode": ended.status, "stderr": text(&err), "stdout": text(&out) })
        }
        "cmd.run_stdout" => json!(text(&out)),
        _ if err.is_empty() => json!(text(&out)),
        _ => json!(format!("{}{}{}", text(&out), if out.is_empty() { "" } else { "\n" }, text(&err))),
    }
}
