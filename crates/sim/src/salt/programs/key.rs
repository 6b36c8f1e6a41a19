//! `salt-key`: the master's list of minion keys.

use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt as _;

use crate::posix::programs::text::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::salt::keys::Keys;
use crate::salt::lost::{ACCEPTED, public_text};
use crate::shell::pattern;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::output::{Out, json as pretty};
use super::{is_master, lock, refused};

/// The program.
#[derive(Debug)]
pub(crate) struct SaltKey;

impl Program for SaltKey {
    fn name(&self) -> &'static str {
        "salt-key"
    }

    fn installed(&self, world: &World, host: &HostName) -> bool {
        is_master(world, host)
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let wanted = match refused(&call).map_or_else(|| read(&call.args), Err) {
                Ok(wanted) => wanted,
                Err(reply) => return write(&mut call, reply).await,
            };
            let mut typed = String::new();
            if !wanted.yes && matches!(wanted.action, Action::Change(..)) {
                let mut byte = [0_u8; 1];
                while call.stdin.read(&mut byte).await.is_ok_and(|count| count > 0) && byte != *b"\n" {
                    typed.extend(byte.iter().map(|&byte| char::from(byte)));
                }
            }
            let reply = act(&call, &wanted, &typed);
            write(&mut call, reply).await
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Accept,
    Reject,
    Delete,
}

#[derive(Debug)]
enum Action {
    List(String),
    Finger(String),
    FingerAll,
    Print(String),
    Change(Verb, String),
}

#[derive(Debug)]
struct Wanted {
    action: Action,
    out: Out,
    yes: bool,
    rejected_too: bool,
    denied_too: bool,
}

fn read(args: &[String]) -> Result<Wanted, Reply> {
    let mut wanted = Wanted {
        action: Action::List("all".to_owned()),
        out: Out::default(),
        yes: false,
        rejected_too: false,
        denied_too: false,
    };
    let mut rest = args.iter().skip(1);
    while let Some(word) = rest.next() {
        let (name, glued) = match word.split_once('=').filter(|_| word.starts_with("--")) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || glued.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match name {
            "-L" | "--list-all" => wanted.action = Action::List("all".to_owned()),
            "-l" | "--list" => wanted.action = Action::List(value()),
            "-f" | "--finger" => wanted.action = Action::Finger(value()),
            "-F" | "--finger-all" => wanted.action = Action::FingerAll,
            "-p" | "--print" => wanted.action = Action::Print(value()),
            "-a" | "--accept" => wanted.action = Action::Change(Verb::Accept, value()),
            "-A" | "--accept-all" => wanted.action = Action::Change(Verb::Accept, "*".to_owned()),
            "-r" | "--reject" => wanted.action = Action::Change(Verb::Reject, value()),
            "-R" | "--reject-all" => wanted.action = Action::Change(Verb::Reject, "*".to_owned()),
            "-d" | "--delete" => wanted.action = Action::Change(Verb::Delete, value()),
            "-D" | "--delete-all" => wanted.action = Action::Change(Verb::Delete, "*".to_owned()),
            "-y" | "--yes" => wanted.yes = true,
            "--include-all" => (wanted.rejected_too, wanted.denied_too) = (true, true),
            "--include-rejected" => wanted.rejected_too = true,
            "--include-denied" => wanted.denied_too = true,
            "--no-color" | "-q" | "--quiet" => {}
            "--out" | "--output" => match Out::find(&value()) {
                Some(out) => wanted.out = out,
                None => return Err(failure("salt-key", "error: invalid outputter", 2)),
            },
            other if other.starts_with('-') => {
                return Err(failure("salt-key", &format!("error: no such option: {other}"), 2));
            }
            // Words that are no options are passed over: `salt-key -F master` is how people write it.
            _ => {}
        }
    }
    Ok(wanted)
}

fn act(call: &Call, wanted: &Wanted, typed: &str) -> Reply {
    let mut world = lock(&call.world);
    match &wanted.action {
        Action::List(which) => list(&world.salt().keys, which, wanted.out),
        Action::Finger(glob) => {
            world.salt_until_now();
            fingers(&world, glob, false, wanted.out)
        }
        Action::FingerAll => {
            world.salt_until_now();
            fingers(&world, "*", true, wanted.out)
        }
        Action::Print(glob) => print(&world.salt().keys, glob, wanted.out),
        Action::Change(verb, glob) => change(&mut world, *verb, glob, wanted, typed),
    }
}

/// The keys themselves, as `-p` shows them.
fn print(keys: &Keys, glob: &str, out: Out) -> Reply {
    let found = keys.lists().into_iter().map(|(_, name, list)| {
        let keys = list.iter().filter(|(id, _)| pattern::matches(glob, id));
        (name, keys.map(|(id, key)| (id.clone(), json!(public_text(key).trim_end()))).collect::<Map<_, _>>())
    });
    let found: Map<String, Value> = found
        .filter(|(_, keys)| !keys.is_empty())
        .map(|(name, keys)| (name.to_owned(), Value::Object(keys)))
        .collect();
    if out == Out::Json {
        return output(pretty(&Value::Object(found)));
    }
    let lines = found.values().filter_map(Value::as_object).flatten();
    output(
        lines.map(|(id, key)| format!("{id}:  {}\n", key.as_str().unwrap_or_default())).collect::<String>(),
    )
}

fn list(keys: &Keys, which: &str, out: Out) -> Reply {
    let shown = |name: &str| match which {
        "all" => true,
        "acc" | "accepted" => name == "minions",
        "pre" | "un" | "unacc" | "unaccepted" => name == "minions_pre",
        "rej" | "rejected" => name == "minions_rejected",
        "den" | "denied" => name == "minions_denied",
        _ => false,
    };
    let lists = keys.lists().into_iter().filter(|(_, name, _)| shown(name));
    if out == Out::Json {
        let lists = lists.map(|(_, name, list)| (name.to_owned(), json!(list.keys().collect::<Vec<_>>())));
        return output(pretty(&Value::Object(lists.collect::<Map<_, _>>())));
    }
    let text = |(title, _, list): (&str, &str, &std::collections::BTreeMap<String, String>)| {
        format!("{title}:\n{}", list.keys().map(|id| format!("{id}\n")).collect::<String>())
    };
    output(lists.map(text).collect::<String>())
}

fn fingers(world: &World, glob: &str, master_too: bool, out: Out) -> Reply {
    let mut whole = Map::new();
    if master_too {
        let own = world.master_fingerprint().unwrap_or_default();
        whole.insert("local".to_owned(), json!({ "master.pem": own, "master.pub": own }));
    }
    for (_, name, list) in world.salt.keys.lists() {
        let found: Map<String, Value> = list
            .iter()
            .filter(|(id, _)| pattern::matches(glob, id))
            .map(|(id, key)| (id.clone(), json!(key)))
            .collect();
        if !found.is_empty() {
            whole.insert(name.to_owned(), Value::Object(found));
        }
    }
    if out == Out::Json {
        return output(pretty(&Value::Object(whole)));
    }
    let mut text = String::new();
    for (name, list) in &whole {
        let title = match name.as_str() {
            "local" => "Local Keys",
            "minions_pre" => "Unaccepted Keys",
            "minions_denied" => "Denied Keys",
            "minions_rejected" => "Rejected Keys",
            _ => "Accepted Keys",
        };
        text.push_str(&format!("{title}:\n"));
        for (id, key) in list.as_object().into_iter().flatten() {
            text.push_str(&format!("{id}:  {}\n", key.as_str().unwrap_or_default()));
        }
    }
    output(text)
}

fn change(world: &mut World, verb: Verb, glob: &str, wanted: &Wanted, typed: &str) -> Reply {
    let now = world.now().as_secs_f64();
    let keys = &mut world.salt().keys;
    let takes = |name: &str| match verb {
        Verb::Delete => true,
        Verb::Accept | Verb::Reject => {
            name == "minions_pre"
                || (wanted.rejected_too && name == "minions_rejected" && verb == Verb::Accept)
                || (wanted.denied_too && name == "minions_denied" && verb == Verb::Accept)
        }
    };
    let mut shown = String::new();
    let mut ids: Vec<String> = Vec::new();
    for (title, _, list) in keys.lists().into_iter().filter(|(_, name, _)| takes(name)) {
        let found: Vec<&String> = list.keys().filter(|id| pattern::matches(glob, id)).collect();
        if !found.is_empty() {
            shown.push_str(&format!("{title}:\n"));
        }
        for id in found {
            shown.push_str(&format!("{id}\n"));
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
    }
    if ids.is_empty() {
        let lists = if verb == Verb::Delete { "accepted, unaccepted or rejected" } else { "unaccepted" };
        return output(format!("The key glob '{glob}' does not match any {lists} keys.\n"));
    }
    let word = match verb {
        Verb::Accept => "accepted",
        Verb::Reject => "rejected",
        Verb::Delete => "deleted",
    };
    let mut text = format!("The following keys are going to be {word}:\n{shown}");
    if !wanted.yes {
        text.push_str("Proceed? [N/y] ");
        if !typed.trim().eq_ignore_ascii_case("y") {
            return output(text);
        }
    }
    for id in &ids {
        match verb {
            Verb::Accept => keys.accept(id, wanted.rejected_too, wanted.denied_too),
            Verb::Reject => keys.reject(id),
            Verb::Delete => keys.delete(id, now),
        };
        text.push_str(&format!("Key for minion {id} {word}.\n"));
    }
    if verb == Verb::Delete
        && let Some(jump) = world.jump().cloned()
    {
        for id in &ids {
            world.remove_file(&jump, &format!("{ACCEPTED}/{id}"));
        }
    }
    output(text)
}
