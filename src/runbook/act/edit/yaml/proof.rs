//! Reads a document before and after: only the value meant may differ. Jinja, which no reader of YAML takes,
//! is replaced by words that stay the same.

use serde_json::Value;

use super::scalar::is_number;

/// Proves that a change is one of that key's value alone, which reads back as `new`. Jinja may also be text of a value, for
/// whoever reads the file without rendering it: where it is YAML as it stands, that reading is proved, too.
///
/// # Errors
/// What else would differ.
pub(super) fn only_that_changed(before: &str, after: &str, keys: &[&str], new: &str) -> Result<(), String> {
    let has_jinja = ["{%", "{{", "{#"].iter().any(|mark| before.contains(mark));
    if has_jinja && let Ok(document) = read(before) {
        differs_there_only(document, after, keys, new)?;
    }
    match read(&without_jinja(before)) {
        Ok(document) => differs_there_only(document, &without_jinja(after), keys, new),
        // What Jinja makes of it is not known: the line is all there is.
        Err(_) if has_jinja => Ok(()),
        Err(first) => Err(format!("the file is not a single YAML document ({first})")),
    }
}

fn read(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

fn differs_there_only(before: Value, after: &str, keys: &[&str], new: &str) -> Result<(), String> {
    let mut wanted = before;
    let now = read(after).map_err(|first| format!("the edit would make the file invalid YAML ({first})"))?;
    let path = keys.join(":");
    let reached = |mut at: Value| {
        for key in keys {
            at = at.get_mut(key)?.take();
        }
        Some(at)
    };
    let Some(value) = reached(now.clone()) else { return Err(format!("the edit would remove {path}")) };
    let means = match &value {
        Value::String(text) => text == new,
        Value::Number(number) => is_number(new) && number.to_string() == new,
        Value::Bool(switch) => new.eq_ignore_ascii_case(&switch.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    if !means {
        return Err(format!("the edit would set {path} to {value}, not {new:?}"));
    }
    let mut at = &mut wanted;
    for key in keys {
        at = at.get_mut(key).ok_or_else(|| format!("the line that was found does not hold {path}"))?;
    }
    *at = value;
    if wanted == now { Ok(()) } else { Err(format!("the edit would change more than {path}")) }
}

/// The text with Jinja replaced: statements and comments by comments of YAML or by nothing, values by words.
fn without_jinja(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut number = 0;
    while let Some(at) = ["{%", "{{", "{#"].iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, jinja) = rest.split_at(at);
        plain.push_str(before);
        let (end, is_value) = match jinja.get(..2) {
            Some("{{") => ("}}", true),
            Some("{%") => ("%}", false),
            _ => ("#}", false),
        };
        let length = jinja.find(end).map_or(jinja.len(), |at| at + 2);
        if is_value {
            number += 1;
            plain.push_str(&format!("jinja{number}"));
        } else {
            // Lines stay lines.
            plain.extend(jinja.get(..length).unwrap_or_default().chars().filter(|c| *c == '\n'));
        }
        rest = jinja.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}
