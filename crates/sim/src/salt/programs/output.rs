//! How Salt shows what came back: JSON, or its own nested form, or that of highstates.

use serde::Serialize as _;
use serde_json::{Map, Value};

/// The outputters that are simulated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Out {
    #[default]
    Nested,
    Json,
    Text,
    Quiet,
}

impl Out {
    /// The outputter of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "nested" | "highstate" | "pprint" | "yaml" => Self::Nested,
            "json" => Self::Json,
            "txt" | "newline_values_only" => Self::Text,
            "quiet" => Self::Quiet,
            _ => return None,
        })
    }

    /// A mapping from minions, or from `local`, to what they returned.
    pub(crate) fn show(self, returned: &Map<String, Value>) -> String {
        match self {
            Self::Quiet => String::new(),
            Self::Json => json(&Value::Object(returned.clone())),
            Self::Text => returned.iter().map(|(id, value)| format!("{id}: {}\n", plain(value))).collect(),
            Self::Nested => returned.iter().map(|(id, value)| minion(id, value)).collect(),
        }
    }
}

/// JSON as Salt prints it: indented by four.
pub(crate) fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    let _only_memory = value.serialize(&mut serializer);
    String::from_utf8(bytes).unwrap_or_default() + "\n"
}

fn minion(id: &str, value: &Value) -> String {
    let mut text = format!("{id}:\n");
    match value.as_object().filter(|map| !map.is_empty() && map.keys().all(|key| key.contains("_|-"))) {
        Some(states) => highstate(states, &mut text),
        None => nested(value, 4, &mut text),
    }
    text
}

/// Salt's "nested" form.
pub(crate) fn nested(value: &Value, indent: usize, text: &mut String) {
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
        other => plain(other).lines().for_each(|line| text.push_str(&format!("{pad}{line}\n"))),
    }
}

fn highstate(states: &Map<String, Value>, text: &mut String) {
    let (mut good, mut bad, mut changed) = (0, 0, 0);
    for (key, state) in states {
        let mut parts = key.split("_|-");
        let kind = parts.next().unwrap_or_default();
        let id = parts.next().unwrap_or_default();
        let function = parts.last().unwrap_or_default();
        let get = |name: &str| state.get(name).map(plain).unwrap_or_default();
        match state.get("result") {
            Some(Value::Bool(false)) => bad += 1,
            _ => good += 1,
        }
        text.push_str(&format!(
            "----------\n          ID: {id}\n    Function: {kind}.{function}\n      Result: {}\n     Comment: {}\n     \
             Started: {}\n    Duration: {}\n     Changes:   \n",
            get("result"),
            get("comment"),
            get("start_time"),
            get("duration"),
        ));
        if let Some(changes) = state.get("changes").filter(|c| c.as_object().is_some_and(|c| !c.is_empty())) {
            changed += 1;
            nested(changes, 14, text);
        }
    }
    let note = if changed > 0 { format!(" (changed={changed})") } else { String::new() };
    text.push_str(&format!(
        "\nSummary\n------------\nSucceeded: {good}{note}\nFailed:    {bad}\n------------\nTotal states run:     {}\n",
        good + bad
    ));
}

/// A value on one line, as Python prints it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}
