//! Finds the line of a key. Pillar files hold Jinja, which no reader of YAML takes, so lines and their
//! indentation are what is read: comments, Jinja, block texts, quoted and flow values over several lines and
//! items of lists hold no keys of the paths looked for.

use std::ops::Range;

use super::scalar::{closed, comment_at};

/// A key that was found.
pub(super) struct FoundKey {
    /// Its line, from 1.
    pub(super) line: usize,
    /// What follows its colon, up to the end of the line or its comment, in bytes of the text.
    pub(super) value: Range<usize>,
    /// Whether the lines below belong to its value.
    pub(super) goes_on: bool,
}

/// What the lines below a line are part of.
enum YamlInside {
    /// Keys, as far as is known.
    Keys,
    /// A block text, whose lines are indented more than this.
    Block(usize),
    /// A quoted or flow value that has begun so.
    Value(String),
    /// Jinja that ends with this.
    Jinja(&'static str),
}

/// An element of the path to a line: its indentation, and its key; none for an item of a list, or for what is no plain key.
type Above = (usize, Option<String>);

/// Every key of that path.
pub(super) fn find(text: &str, keys: &[&str]) -> Result<Vec<FoundKey>, String> {
    let mut above: Vec<Above> = Vec::new();
    let mut found: Vec<FoundKey> = Vec::new();
    let mut inside = YamlInside::Keys;
    // The indentation of the newest match, as long as the next line may go on with its value.
    let mut newest: Option<usize> = None;
    let mut start = 0;
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let at = start;
        start += whole.len();
        let line = whole.trim_end_matches('\n').trim_end_matches('\r');
        let body = line.trim_start_matches(' ');
        let indent = line.len() - body.len();
        match &mut inside {
            YamlInside::Jinja(end) => {
                if line.contains(*end) {
                    inside = YamlInside::Keys;
                }
                continue;
            }
            YamlInside::Block(header) if body.trim().is_empty() || indent > *header => continue,
            YamlInside::Value(begun) => {
                begun.push('\n');
                begun.push_str(line);
                if closed(begun) {
                    inside = YamlInside::Keys;
                }
                continue;
            }
            YamlInside::Block(_) | YamlInside::Keys => inside = YamlInside::Keys,
        }
        if body.trim().is_empty() || body.starts_with('#') {
            continue;
        }
        if let Some(end) = jinja(body) {
            if !body.get(2..).is_some_and(|rest| rest.contains(end)) {
                inside = YamlInside::Jinja(end);
            }
            continue;
        }
        if let Some(match_indent) = newest.take()
            && indent > match_indent
            && let Some(last) = found.last_mut()
        {
            last.goes_on = true;
        }
        let entry = entry(body, indent);
        // A list may be indented as little as its key.
        above.retain(|(depth, key)| *depth < indent || (*depth == indent && key.is_some() && entry.is_item));
        above.extend(entry.parts);
        let Some(value_at) = entry.value else { continue };
        let value = body.get(value_at..).unwrap_or_default();
        let depth = above.last().map_or(indent, |(depth, _)| *depth);
        let is_it = entry.has_key
            && above.len() == keys.len()
            && above.iter().zip(keys).all(|((_, known), key)| known.as_deref() == Some(*key));
        if is_it {
            let begin = at + indent + value_at;
            found.push(FoundKey { line: number + 1, value: begin..begin + value.len(), goes_on: false });
            newest = Some(depth);
        }
        let plain = value.get(..comment_at(value)).unwrap_or(value).trim_end();
        if is_block(plain) {
            inside = YamlInside::Block(depth);
        } else if !closed(plain) {
            inside = YamlInside::Value(plain.to_owned());
            if is_it && let Some(last) = found.last_mut() {
                last.goes_on = true;
            }
        }
    }
    Ok(found)
}

/// A line's keys and items, by indentation, and where its value begins.
struct YamlEntry {
    parts: Vec<(usize, Option<String>)>,
    is_item: bool,
    has_key: bool,
    value: Option<usize>,
}

fn entry(body: &str, indent: usize) -> YamlEntry {
    let mut parts = Vec::new();
    let mut at = 0;
    // `- - key: value`: each dash is an item, what follows is indented by the characters before it.
    while let Some(rest) = body.get(at..)
        && let Some(behind) = rest.strip_prefix('-')
        && (behind.is_empty() || behind.starts_with([' ', '\t']))
    {
        parts.push((indent + at, None));
        at += 1 + (behind.len() - behind.trim_start().len());
    }
    let is_item = !parts.is_empty();
    let rest = body.get(at..).unwrap_or_default();
    match key(rest) {
        Some((name, behind)) => {
            parts.push((indent + at, name));
            YamlEntry { parts, is_item, has_key: true, value: Some(at + behind) }
        }
        None => YamlEntry { parts, is_item, has_key: false, value: (!rest.is_empty()).then_some(at) },
    }
}

/// The key of `key: value`, and where the value begins. A key that is no plain or simply quoted word has no name.
fn key(text: &str) -> Option<(Option<String>, usize)> {
    let (name, end) = match text.chars().next()? {
        quote @ ('\'' | '"') => {
            let close = text.get(1..)?.find(quote)? + 1;
            let name = text.get(1..close)?;
            (Some(name.to_owned()).filter(|name| !name.contains('\\')), close + 1)
        }
        first => {
            let end = text.char_indices().find_map(|(at, c)| {
                let behind = text.get(at + 1..).and_then(|rest| rest.chars().next());
                (c == ':' && behind.is_none_or(|c| c == ' ' || c == '\t')).then_some(at)
            })?;
            let name = text.get(..end)?.trim_end();
            if comment_at(name) < name.len() {
                return None;
            }
            let is_name = !"[{&*!|>%@?,`".contains(first);
            (is_name.then(|| name.to_owned()), end)
        }
    };
    let behind = text.get(end..)?;
    let after = behind.trim_start_matches(' ').strip_prefix(':')?;
    if !(after.is_empty() || after.starts_with([' ', '\t'])) {
        return None;
    }
    Some((name, text.len() - after.trim_start_matches([' ', '\t']).len()))
}

/// Whether a value is the head of a block text: `|`, `>-`, `!!str |2`.
fn is_block(value: &str) -> bool {
    let Some(last) = value.split_whitespace().next_back() else { return false };
    let head = last.strip_prefix(['|', '>']);
    let alone = value.split_whitespace().rev().skip(1).all(|word| word.starts_with(['!', '&']));
    alone && head.is_some_and(|marks| marks.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-')))
}

/// The end of the Jinja that a line begins with.
fn jinja(body: &str) -> Option<&'static str> {
    match body.get(..2)? {
        "{%" => Some("%}"),
        "{#" => Some("#}"),
        "{{" => Some("}}"),
        _ => None,
    }
}
