//! Changes of an inventory's text: what is not changed stays byte for byte, with its comments, order, layout and line ends. Places
//! come from the parser. Whether the new text says what was wanted is for the reader to prove: [`change`] does so.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Context, parse};
use jumpdeck_fleet::fleet::{Fleet, HostChange, Set};
use jumpdeck_fleet::names::{EnvName, HostName, RoleName};

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no sound inventory.
    #[error("the inventory has mistakes: {0}")]
    Unsound(String),
    /// It has no such host, or cannot say it.
    #[error("{0}")]
    Impossible(String),
    /// The place is written in a way that this program does not change.
    #[error("the entry of {0} has a layout that cannot be changed automatically")]
    Layout(HostName),
}

/// A text with changes made.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The new text. The same as before when nothing had to be changed.
    pub text: String,
    /// What the new text says.
    pub fleet: Fleet,
}

/// Makes changes, and proves that the new text says them and nothing else.
///
/// # Errors
/// When the text is no sound inventory, or cannot be changed so.
pub fn change(
    file: &str,
    text: &str,
    env: &EnvName,
    changes: &[HostChange],
    context: &Context,
) -> Result<Changed, EditError> {
    let fleet = sound(file, text, context)?;
    let wanted = fleet.with(env, changes).map_err(EditError::Impossible)?;
    let mut new = text.to_owned();
    for change in changes {
        let layout = || EditError::Layout(change.host.clone());
        let now = sound(file, &new, context)?;
        let after = now.with(env, std::slice::from_ref(change)).map_err(EditError::Impossible)?;
        if after == now {
            continue;
        }
        let host = after.environment(env).and_then(|env| env.host(&change.host)).ok_or_else(layout)?;
        let root = DeTable::parse(&new).map_err(|_| layout())?;
        let entry = entry(root.get_ref(), env, &change.host).ok_or_else(layout)?;
        let splices = match &change.set {
            Set::Gains(_) | Set::Loses(_) => roles(&new, entry, &host.roles),
            Set::Address(address) => scalar(&new, entry, "address", &format!("\"{address}\"")),
        };
        new = splice(&new, splices.ok_or_else(layout)?).ok_or_else(layout)?;
    }
    let says = sound(file, &new, context);
    match says {
        Ok(fleet) if fleet == wanted => Ok(Changed { text: new, fleet }),
        // The new text is refused for a reason that the wish has, such as one address for two hosts.
        Err(EditError::Unsound(why)) => Err(EditError::Impossible(why)),
        Ok(_) | Err(_) => {
            let host = changes.first().map(|change| change.host.clone());
            Err(host.map_or_else(|| EditError::Impossible("nothing to change".to_owned()), EditError::Layout))
        }
    }
}

fn sound(file: &str, text: &str, context: &Context) -> Result<Fleet, EditError> {
    parse(file, text, context).map_err(|errors| {
        let first = errors.first();
        let advice =
            first.and_then(|error| error.advice()).map(|advice| format!("; {advice}")).unwrap_or_default();
        EditError::Unsound(format!("{}{advice}", first.map(ToString::to_string).unwrap_or_default()))
    })
}

/// A text to be put in place of a range.
type Splice = (Range<usize>, String);
type DocumentValue<'t> = Spanned<DeValue<'t>>;

fn splice(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (range, put) in splices {
        // No comment is ever taken away.
        if text.get(range.clone())?.contains('#') {
            return None;
        }
        new.push_str(text.get(at..range.start)?);
        new.push_str(&put);
        at = range.end;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}

/// The host's table, wherever it is written.
fn entry<'t>(root: &'t DeTable<'t>, env: &EnvName, host: &HostName) -> Option<&'t DocumentValue<'t>> {
    let environment = table(table(root.get("environments")?)?.get(env.as_str())?)?;
    let own = environment.get("hosts").and_then(|hosts| match hosts.get_ref() {
        DeValue::Array(list) => list.iter().find(|entry| says(entry, "name", host.as_str())),
        DeValue::Table(keyed) => keyed.get(host.as_str()),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    });
    let listed = || match root.get("hosts")?.get_ref() {
        DeValue::Array(list) => list
            .iter()
            .find(|entry| says(entry, "name", host.as_str()) && says(entry, "environment", env.as_str())),
        DeValue::Table(_)
        | DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => None,
    };
    own.or_else(listed)
}

fn table<'t>(value: &'t DocumentValue<'t>) -> Option<&'t DeTable<'t>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn says(entry: &DocumentValue<'_>, key: &str, wanted: &str) -> bool {
    let value = table(entry).and_then(|table| table.get(key));
    matches!(value.map(Spanned::get_ref), Some(DeValue::String(text)) if text == wanted)
}

/// Puts a value where the key has one, or adds the key.
fn scalar(text: &str, entry: &DocumentValue<'_>, key: &str, value: &str) -> Option<Vec<Splice>> {
    match table(entry)?.get(key) {
        Some(old) => Some(vec![(old.span(), value.to_owned())]),
        None => Some(vec![add(text, entry, &format!("{key} = {value}"))?]),
    }
}

/// The roles are these from now on.
fn roles(text: &str, entry: &DocumentValue<'_>, wanted: &[RoleName]) -> Option<Vec<Splice>> {
    let Some(old) = table(entry)?.get("roles") else {
        let list: Vec<String> = wanted.iter().map(|role| format!("\"{role}\"")).collect();
        return Some(vec![add(text, entry, &format!("roles = [{}]", list.join(", ")))?]);
    };
    let DeValue::Array(items) = old.get_ref() else { return None };
    let mut there: Vec<(String, Range<usize>)> = Vec::new();
    for item in items {
        let DeValue::String(role) = item.get_ref() else { return None };
        there.push((role.to_string(), item.span()));
    }
    let mut splices = Vec::new();
    let is_wanted = |role: &str| wanted.iter().any(|wanted| wanted.as_str() == role);
    for (at, (role, span)) in there.iter().enumerate() {
        if !is_wanted(role) {
            let before = at.checked_sub(1).and_then(|at| there.get(at)).map(|(_, span)| span.clone());
            splices.extend(without(text, &old.span(), before, span, at + 1 == there.len())?);
        }
    }
    let new: Vec<&RoleName> =
        wanted.iter().filter(|role| there.iter().all(|(there, _)| there != role.as_str())).collect();
    if !new.is_empty() {
        // One change gives or takes one role.
        if !splices.is_empty() {
            return None;
        }
        let list: Vec<String> = new.iter().map(|role| format!("\"{role}\"")).collect();
        splices.extend(with(text, &old.span(), there.last().map(|(_, span)| span), &list.join(", "))?);
    }
    Some(splices)
}

/// Adds an item at the end of a list.
fn with(text: &str, list: &Range<usize>, last: Option<&Range<usize>>, item: &str) -> Option<Vec<Splice>> {
    let close = list.end.checked_sub(1)?;
    let Some(last) = last else {
        // `[]`, `[ ]`, or a list of comments alone: right after the bracket.
        let open = list.start + 1;
        return Some(vec![(open..open, item.to_owned())]);
    };
    let comma = find_outside_comments(text, last.end..close, ',');
    let line_start = text.get(..last.start)?.rfind('\n').map(|at| at + 1).filter(|at| *at > list.start);
    let Some(line_start) = line_start else {
        return Some(vec![(last.end..last.end, format!(", {item}"))]);
    };
    // A line of its own, as the one before has; a comment behind that stays behind it.
    let indent = text.get(line_start..last.start)?;
    let after = comma.map_or(last.end, |at| at + 1);
    let rest = text.get(after..close)?;
    let end = match rest.find('\n') {
        Some(at) => after + rest.get(..at)?.trim_end_matches('\r').len(),
        // The bracket is on the same line.
        None => return Some(vec![(last.end..last.end, format!(", {item}"))]),
    };
    if !indent.trim().is_empty() {
        return Some(vec![(last.end..last.end, format!(", {item}"))]);
    }
    let newline = newline(text, line_start);
    let trailing = if comma.is_some() { "," } else { "" };
    let mut splices = Vec::new();
    if comma.is_none() {
        splices.push((last.end..last.end, ",".to_owned()));
    }
    splices.push((end..end, format!("{newline}{indent}{item}{trailing}")));
    Some(splices)
}

/// Takes an item out of a list, with a comma that belongs to it.
fn without(
    text: &str,
    list: &Range<usize>,
    before: Option<Range<usize>>,
    item: &Range<usize>,
    is_last: bool,
) -> Option<Vec<Splice>> {
    let close = list.end.checked_sub(1)?;
    let comma = find_outside_comments(text, item.end..close, ',');
    let end = match comma {
        // Only blanks may be between.
        Some(at) if text.get(item.end..at)?.trim().is_empty() => at + 1,
        Some(_) => return None,
        None => item.end,
    };
    let mut splices = Vec::new();
    if is_last
        && comma.is_none()
        && let Some(before) = before
    {
        let at = find_outside_comments(text, before.end..item.start, ',')?;
        splices.push((at..at + 1, String::new()));
    }
    // The whole line, when nothing else is on it.
    let line_start = text.get(..item.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line_end = text.get(end..)?.find('\n').map(|at| end + at + 1);
    let alone = |from: usize, to: usize| {
        Some(text.get(from..item.start)?.trim().is_empty() && text.get(end..to)?.trim().is_empty())
    };
    if let Some(line_end) = line_end.filter(|to| *to <= close)
        && line_start > list.start
        && alone(line_start, line_end)?
    {
        splices.push((line_start..line_end, String::new()));
        return Some(splices);
    }
    // Else the blanks that parted it from its neighbour.
    let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let after = blanks(text.get(end..close)?);
    let from = match splices.first() {
        // Its neighbour is the one before: the comma and what follows it.
        Some((at, _)) if text.get(at.end..item.start)?.trim_start_matches([' ', '\t']).is_empty() => {
            let from = at.start;
            splices.clear();
            from
        }
        _ => item.start,
    };
    let to = if from == item.start && !is_last { end + after } else { end };
    splices.push((from..to, String::new()));
    Some(splices)
}

/// Adds `key = value` to a host's table.
fn add(text: &str, entry: &DocumentValue<'_>, line: &str) -> Option<Splice> {
    let span = entry.span();
    let written = text.get(span.clone())?;
    let children = table(entry)?.iter();
    let last = children.max_by_key(|(_, value)| value.span().end);
    if written.starts_with('{') {
        return Some(match last {
            Some((_, last)) => (last.span().end..last.span().end, format!(", {line}")),
            None => {
                (span.start + 1..span.start + 1, format!(" {line}{}", if written == "{}" { " " } else { "" }))
            }
        });
    }
    let line_of = |at: usize| text.get(..at).map(|before| before.rfind('\n').map_or(0, |at| at + 1));
    if written.starts_with('[') {
        let (behind, first_key) = match last {
            Some((key, value)) => (value.span().end, key.span().start),
            None => (span.end, span.start),
        };
        let indent = text.get(line_of(first_key)?..first_key)?;
        let indent = if indent.trim().is_empty() { indent } else { "" };
        return behind_line(text, behind, &format!("{indent}{line}"));
    }
    // `db2.address = "…"`: another line of the same beginning.
    let (_, value) = last?;
    let head = text.get(line_of(span.start)?..span.end)?;
    if head.contains(['{', '=', '[', ',', '#']) {
        return None;
    }
    behind_line(text, value.span().end, &format!("{head}.{line}"))
}

/// A new line behind the one that `at` is on.
fn behind_line(text: &str, at: usize, line: &str) -> Option<Splice> {
    let newline = newline(text, at);
    match text.get(at..)?.find('\n') {
        Some(end) => {
            let end = at + end + 1;
            Some((end..end, format!("{line}{newline}")))
        }
        None => Some((text.len()..text.len(), format!("{newline}{line}"))),
    }
}

/// How lines end near a place.
fn newline(text: &str, at: usize) -> &'static str {
    let ends = |part: Option<&str>| {
        part.and_then(|part| part.find('\n').map(|end| part.get(..end).is_some_and(|l| l.ends_with('\r'))))
    };
    let before = || {
        text.get(..at).and_then(|t| t.rfind('\n').map(|end| t.get(..end).is_some_and(|l| l.ends_with('\r'))))
    };
    match ends(text.get(at..)).or_else(before) {
        Some(true) => "\r\n",
        Some(false) | None => "\n",
    }
}

/// Where a character is, in a range that holds blanks and comments beside it.
fn find_outside_comments(text: &str, range: Range<usize>, wanted: char) -> Option<usize> {
    let mut comment = false;
    text.get(range.clone())?.char_indices().find_map(|(at, c)| {
        match c {
            '#' => comment = true,
            '\n' => comment = false,
            c if c == wanted && !comment => return Some(range.start + at),
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests;
