//! A value in one line: read as it is, and written so that it means the new text.

/// A value that can be replaced.
pub(super) struct Old {
    /// What it means.
    pub(super) text: String,
    /// Its bytes, quotes included.
    pub(super) length: usize,
    /// Its quote, if it has one.
    quote: Option<char>,
}

/// Words that some reader of YAML takes as something else than text.
const WORDS: [&str; 16] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "none",
    "y",
    "n",
    "inf",
    "nan",
    ".inf",
    ".nan",
    "undefined",
    "nil",
];

/// Reads the value after a key's colon; an error says what it is instead.
pub(super) fn read(value: &str) -> Result<Old, String> {
    let value = value.trim_end();
    let first = value.chars().next().filter(|c| *c != '#').ok_or("has no value on its line")?;
    if ["{{", "{%", "{#"].iter().any(|mark| value.contains(mark)) {
        return Err("is produced by Jinja".to_owned());
    }
    if matches!(first, '\'' | '"') {
        let end = quote_end(value, first).ok_or("continues on the next line")?;
        let behind = value.get(end..).unwrap_or_default();
        if !behind.trim().is_empty() && comment_at(behind) != behind.len() - behind.trim_start().len() {
            return Err("is not a plain value".to_owned());
        }
        let inner = value.get(1..end.saturating_sub(1)).unwrap_or_default();
        let text = if first == '\'' { inner.replace("''", "'") } else { inner.to_owned() };
        return Ok(Old { text, length: end, quote: Some(first) });
    }
    if "|>{[&*!%@`-?,]}".contains(first)
        && !is_number(value.get(..comment_at(value)).unwrap_or(value).trim_end())
    {
        return Err("is not a plain value".to_owned());
    }
    let text = value.get(..comment_at(value)).unwrap_or(value).trim_end();
    Ok(Old { text: text.to_owned(), length: text.len(), quote: None })
}

/// Where a comment begins that is not within quotes at the beginning; the length without one.
pub(super) fn comment_at(value: &str) -> usize {
    let skip = match value.chars().next() {
        Some(quote @ ('\'' | '"')) => quote_end(value, quote).unwrap_or(value.len()),
        _ => 0,
    };
    let mut before = if skip == 0 { Some(' ') } else { None };
    for (at, c) in value.char_indices().filter(|(at, _)| *at >= skip) {
        if c == '#' && matches!(before, Some(' ' | '\t')) {
            return at;
        }
        before = Some(c);
    }
    value.len()
}

/// Whether a value that begins in a line ends in it: its quotes and brackets are closed.
pub(super) fn closed(value: &str) -> bool {
    let trimmed = value.trim_start();
    match trimmed.chars().next() {
        Some(quote @ ('\'' | '"')) => quote_end(trimmed, quote).is_some(),
        Some('[' | '{') if !trimmed.starts_with("{{") && !trimmed.starts_with("{%") => {
            let (mut depth, mut quote) = (0_i32, None);
            for c in trimmed.chars() {
                match (quote, c) {
                    (Some(q), c) if c == q => quote = None,
                    (Some(_), _) => {}
                    (None, '\'' | '"') => quote = Some(c),
                    (None, '[' | '{') => depth += 1,
                    (None, ']' | '}') => depth -= 1,
                    (None, _) => {}
                }
            }
            depth <= 0
        }
        _ => true,
    }
}

/// The end of the closing quote of a text that begins with one.
fn quote_end(value: &str, quote: char) -> Option<usize> {
    let mut chars = value.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if quote == '\'' && *next == '\'' => drop(chars.next()),
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// Writes a text so that it is read as this text: in the quotes that were there, or in some where YAML needs them.
pub(super) fn write(new: &str, old: &Old) -> Result<String, String> {
    if new.contains("{{") || new.contains("{%") || new.contains("{#") {
        return Err("would be run as Jinja on the Salt master".to_owned());
    }
    let unprintable = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if new.chars().any(unprintable) {
        return Err("cannot be written in one line of YAML".to_owned());
    }
    let same_kind = old.quote.is_none() && is_number(new) && is_number(&old.text);
    Ok(match old.quote {
        Some('"') => format!("\"{}\"", new.replace('\\', "\\\\").replace('"', "\\\"")),
        None if same_kind || is_plain(new) || is_switch(new) && is_switch(&old.text) => new.to_owned(),
        Some(_) | None => format!("'{}'", new.replace('\'', "''")),
    })
}

/// A whole number, in its only form.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.len() < 19
        && digits.chars().all(|c| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && text != "-0"
}

fn is_switch(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False")
}

/// Whether every reader of YAML takes it as the text it is.
fn is_plain(text: &str) -> bool {
    let dotted = text.parse::<std::net::Ipv4Addr>().is_ok();
    dotted
        || text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
            && !text.ends_with([':', ' '])
            && !text.contains(": ")
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./:@+- ".contains(c))
            && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}
