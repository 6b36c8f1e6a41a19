//! Changes of the text of `views.toml`: what is not changed stays byte for byte. A text that was changed counts only if the
//! reader finds in it exactly what was wanted.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{SavedView, ViewRules, parse_views};

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewEditError {
    /// It has mistakes.
    #[error("{0}")]
    Unsound(String),
    /// It is written in a way that this program does not change.
    #[error("{0} has a layout that cannot be changed automatically: edit it by hand")]
    Layout(String),
}

/// The text with a view of that name: in place of the one that has it, or at the end.
///
/// # Errors
/// When the text has mistakes, or cannot be changed so.
pub fn with(file: &str, text: &str, rules: &ViewRules, view: &SavedView) -> Result<String, ViewEditError> {
    let mut wanted = sound(file, text, rules)?;
    let known = wanted.iter().position(|one| one.name == view.name);
    let new = match known {
        Some(at) => {
            wanted.splice(at..=at, [view.clone()]);
            replaced(text, rules, view)
        }
        None => {
            wanted.push(view.clone());
            Some(appended(text, rules, view))
        }
    };
    proven(file, new, rules, &wanted)
}

/// The text without the view of that name.
///
/// # Errors
/// When the text has mistakes, or cannot be changed so.
pub fn without(file: &str, text: &str, rules: &ViewRules, name: &str) -> Result<String, ViewEditError> {
    let mut wanted = sound(file, text, rules)?;
    wanted.retain(|one| one.name != name);
    proven(file, removed(text, name), rules, &wanted)
}

fn sound(file: &str, text: &str, rules: &ViewRules) -> Result<Vec<SavedView>, ViewEditError> {
    parse_views(file, text, rules)
        .map_err(|errors| ViewEditError::Unsound(errors.first().map(ToString::to_string).unwrap_or_default()))
}

fn proven(
    file: &str,
    new: Option<String>,
    rules: &ViewRules,
    wanted: &[SavedView],
) -> Result<String, ViewEditError> {
    let layout = || ViewEditError::Layout(file.to_owned());
    let new = new.ok_or_else(layout)?;
    if sound(file, &new, rules)? == wanted { Ok(new) } else { Err(layout()) }
}

/// The keys of a view with their values, as TOML.
fn values(rules: &ViewRules, view: &SavedView) -> Vec<(&'static str, Option<String>)> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let rows = view.host.is_none();
    vec![
        ("environment", Some(quoted(view.environment.as_str()))),
        ("screen", rows.then(|| quoted(rules.word(view.screen)))),
        ("host", view.host.as_ref().map(|host| quoted(host.as_str()))),
        ("filter", (!view.filter.is_empty()).then(|| quoted(&view.filter))),
        ("sort", view.sort.as_deref().map(quoted)),
        ("reverse", view.reverse.then(|| "true".to_owned())),
        ("fold", view.fold.then(|| "true".to_owned())),
        (
            "columns",
            view.columns.as_ref().map(|columns| {
                format!("[{}]", columns.iter().map(|title| quoted(title)).collect::<Vec<_>>().join(", "))
            }),
        ),
    ]
}

fn appended(text: &str, rules: &ViewRules, view: &SavedView) -> String {
    let newline = newline(text);
    let mut new = text.to_owned();
    if !new.is_empty() {
        if !new.ends_with('\n') {
            new.push_str(newline);
        }
        new.push_str(newline);
    }
    let bare = view.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let name = if bare { view.name.clone() } else { toml::Value::String(view.name.clone()).to_string() };
    new.push_str(&format!("[views.{name}]{newline}"));
    for (key, value) in values(rules, view) {
        if let Some(value) = value {
            new.push_str(&format!("{key} = {value}{newline}"));
        }
    }
    new
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A view that is written as a table with a head of its own: the line of the head, and its keys with their values.
struct ViewSection<'t> {
    head: Range<usize>,
    entries: Vec<(String, Range<usize>, &'t Spanned<DeValue<'t>>)>,
}

fn section<'t>(text: &str, root: &'t DeTable<'t>, name: &str) -> Option<ViewSection<'t>> {
    let DeValue::Table(views) = root.get("views")?.get_ref() else { return None };
    let (key, value) = views.iter().find(|(key, _)| key.get_ref().as_ref() == name)?;
    let DeValue::Table(table) = value.get_ref() else { return None };
    let head = line(text, &key.span());
    let is_head = text.get(head.clone())?.trim_start().starts_with('[');
    let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), key.span(), value)).collect();
    is_head.then_some(ViewSection { head, entries })
}

/// The whole lines of a range, with their ends.
fn line(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text.get(..range.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end =
        text.get(range.end..).and_then(|after| after.find('\n')).map_or(text.len(), |at| range.end + at + 1);
    start..end
}

fn replaced(text: &str, rules: &ViewRules, view: &SavedView) -> Option<String> {
    let root = DeTable::parse(text).ok()?;
    let section = section(text, root.get_ref(), &view.name)?;
    let mut splices: Vec<(Range<usize>, String)> = Vec::new();
    let mut missing = String::new();
    for (key, value) in values(rules, view) {
        let there = section.entries.iter().find(|(name, ..)| name == key);
        match (there, value) {
            (Some((_, _, old)), Some(new)) => splices.push((old.span(), new)),
            (Some((_, key, old)), None) => splices.push(taken_out(text, key, &old.span())),
            (None, Some(new)) => missing.push_str(&format!("{key} = {new}{}", newline(text))),
            (None, None) => {}
        }
    }
    let end = section.head.end;
    if !missing.is_empty() && !text.get(..end)?.ends_with('\n') {
        missing.insert_str(0, newline(text));
    }
    splices.push((end..end, missing));
    spliced(text, splices)
}

fn removed(text: &str, name: &str) -> Option<String> {
    let root = DeTable::parse(text).ok()?;
    let section = section(text, root.get_ref(), name)?;
    let mut splices: Vec<(Range<usize>, String)> =
        section.entries.iter().map(|(_, key, value)| taken_out(text, key, &value.span())).collect();
    let head = text.get(section.head.clone())?;
    let bracket = section.head.start + head.find(']')? + 1;
    splices.push(taken_out(text, &(section.head.start..bracket), &(bracket..bracket)));
    spliced(text, splices)
}

/// A key with its value is taken out with its line; a comment on that line stays.
fn taken_out(text: &str, key: &Range<usize>, value: &Range<usize>) -> (Range<usize>, String) {
    let whole = line(text, &(key.start..value.end));
    let rest = text.get(value.end..whole.end).unwrap_or_default();
    match rest.find('#') {
        Some(at) => (whole.start..value.end + at, String::new()),
        None => (whole, String::new()),
    }
}

fn spliced(text: &str, mut splices: Vec<(Range<usize>, String)>) -> Option<String> {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut new = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (range, put) in splices {
        new.push_str(text.get(at..range.start)?);
        new.push_str(&put);
        at = range.end;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}
