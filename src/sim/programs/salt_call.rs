//! `salt-call --local grains.get|grains.item|test.ping`, answered from the host's grains file and the world.

use serde_json::{Map, Value, json};

use crate::sim::program::Reply;

use super::quick::{Ask, Quick, failure, output};

pub(super) static SALT_CALL: Quick = Quick { name: "salt-call", answer };

fn answer(ask: &Ask<'_>) -> Reply {
    let mut json = false;
    let mut words: Vec<&str> = Vec::new();
    let mut args = ask.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--local" | "--retcode-passthrough" => {}
            "--out=json" => json = true,
            "--out" | "--output" => json = args.next().is_some_and(|out| out == "json"),
            "-l" | "--log-level" => {
                args.next();
            }
            option if option.starts_with("--log-level=") || option.starts_with("--out") => {}
            option if option.starts_with('-') => {
                return failure(2, &format!("salt-call: error: no such option: {option}"));
            }
            word => words.push(word),
        }
    }
    let result = match words.as_slice() {
        ["test.ping"] => Value::Bool(true),
        ["grains.get", name] => grain(ask, name).unwrap_or(Value::String(String::new())),
        ["grains.item", names @ ..] => {
            let found = names.iter().map(|n| ((*n).to_owned(), grain(ask, n).unwrap_or(json!(""))));
            Value::Object(found.collect::<Map<_, _>>())
        }
        ["grains.items"] => {
            let found = NAMES.iter().filter_map(|n| Some(((*n).to_owned(), grain(ask, n)?)));
            Value::Object(found.collect::<Map<_, _>>())
        }
        [] => return failure(2, "Usage: salt-call [options] <function> [arguments]"),
        [function, ..] => return failure(1, &format!("Function {function} was not found")),
    };
    if json {
        let text = serde_json::to_string_pretty(&json!({ "local": result })).unwrap_or_default();
        // Salt indents by four.
        let indent = |line: &str| {
            let spaces = line.len() - line.trim_start().len();
            format!("{}{line}\n", " ".repeat(spaces))
        };
        return output(text.lines().map(indent).collect::<String>());
    }
    let mut text = "local:\n".to_owned();
    nested(&result, 4, &mut text);
    output(text)
}

static NAMES: &[&str] =
    &["id", "host", "fqdn", "level", "roles", "num_cpus", "os", "osrelease", "kernelrelease"];

/// The grains file is read as it stands, so that what was written to it counts.
fn grain(ask: &Ask<'_>, name: &str) -> Option<Value> {
    let machine = ask.world.machine(ask.host)?;
    let (os, release) = machine.os.id.split_once(' ').unwrap_or((machine.os.id, ""));
    Some(match name {
        "id" | "host" => json!(ask.host.as_str()),
        "fqdn" => json!(ask.world.fqdn(ask.host)),
        "num_cpus" => json!(machine.cpus),
        "os" => json!(if os == "ubuntu" { "Ubuntu" } else { "Debian" }),
        "osrelease" => json!(release),
        "kernelrelease" => json!(machine.os.kernel),
        // The fleet's own grains module tells the roles by the name where the file lists none.
        "roles" => from_file(ask, name).unwrap_or_else(|| {
            let roles = machine.roles();
            Value::Array(roles.iter().map(|role| json!(role.as_str())).collect())
        }),
        other => return from_file(ask, other),
    })
}

/// A top-level key of the grains file: a text or a list of texts.
fn from_file(ask: &Ask<'_>, name: &str) -> Option<Value> {
    let file = ask.world.read_file(ask.host, "/etc/salt/grains")?;
    let text = String::from_utf8_lossy(&file);
    let mut lines = text.lines();
    let value = lines.by_ref().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))?;
    if !value.is_empty() {
        return Some(json!(value.trim_matches(['"', '\''])));
    }
    let items = lines.map_while(|line| line.trim_start().strip_prefix("- ").map(str::trim));
    Some(Value::Array(items.map(|item| json!(item)).collect()))
}

/// Salt's own "nested" form.
fn nested(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("{pad}- {}\n", plain(item)));
            }
        }
        Value::Object(map) => {
            text.push_str(&format!("{pad}----------\n"));
            for (key, item) in map {
                text.push_str(&format!("{pad}{key}:\n"));
                nested(item, indent + 4, text);
            }
        }
        other => text.push_str(&format!("{pad}{}\n", plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}
