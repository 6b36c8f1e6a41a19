//! What happens to the text of an expansion: splitting into fields, trimming, cutting, replacing. Pure.

use super::pattern;
use super::state::LARGEST;

/// Characters that replacing may look at in all: a star looks at the rest of the text from every place in it.
const MOST_LOOKS: usize = 1 << 26;

/// A piece of a word after expansion, before splitting.
pub(super) enum Segment {
    /// Quoted text: never split, never a pattern.
    Quoted(String),
    /// The script's own unquoted text: a pattern, never split.
    Plain(String),
    /// The result of an unquoted expansion: split, and a pattern.
    Split(String),
    /// Between two of the positional parameters.
    Break,
}

impl Segment {
    /// Bytes it holds.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Quoted(text) | Self::Plain(text) | Self::Split(text) => text.len() + size_of::<Self>(),
            Self::Break => size_of::<Self>(),
        }
    }
}

/// A field, as text and as the pattern it may be.
#[derive(Default)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) pattern: String,
}

/// Field splitting (POSIX 2.6.5).
pub(super) fn split(segments: Vec<Segment>, separators: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut current: Option<Field> = None;
    let mut after_blank = false;
    for segment in segments {
        match segment {
            Segment::Quoted(text) => {
                let field = current.get_or_insert_default();
                field.text.push_str(&text);
                pattern::escape(&text, &mut field.pattern);
                after_blank = false;
            }
            Segment::Plain(text) => {
                let field = current.get_or_insert_default();
                field.text.push_str(&text);
                field.pattern.push_str(&text);
                after_blank = false;
            }
            Segment::Break => {
                fields.extend(current.take());
                after_blank = false;
            }
            Segment::Split(text) => {
                for c in text.chars() {
                    if !separators.contains(c) {
                        let field = current.get_or_insert_default();
                        field.text.push(c);
                        field.pattern.extend((c == '\\').then_some('\\'));
                        field.pattern.push(c);
                        after_blank = false;
                    } else if c.is_ascii_whitespace() {
                        after_blank |= current.is_some();
                        fields.extend(current.take());
                    } else {
                        if current.is_some() || !after_blank {
                            fields.push(current.take().unwrap_or_default());
                        }
                        after_blank = false;
                    }
                }
            }
        }
    }
    fields.extend(current);
    fields
}

/// `${x#p}`, `${x##p}`, `${x%p}`, `${x%%p}`.
pub(super) fn trim(value: &str, pattern: &str, suffix: bool, longest: bool) -> String {
    let Some(count) = pattern::matched(pattern, value, suffix, longest) else { return value.to_owned() };
    if suffix {
        let kept = value.chars().count() - count;
        value.chars().take(kept).collect()
    } else {
        value.chars().skip(count).collect()
    }
}

pub(super) fn slice(value: &str, offset: i64, length: Option<i64>) -> String {
    let total = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    let start = if offset < 0 { (total + offset).max(0) } else { offset.min(total) };
    let end = match length {
        None => total,
        Some(length) if length < 0 => (total + length).max(start),
        Some(length) => start.saturating_add(length).min(total),
    };
    let (start, count) = (usize::try_from(start).unwrap_or(0), usize::try_from(end - start).unwrap_or(0));
    value.chars().skip(start).take(count).collect()
}

/// `${x/p/w}`, `${x//p/w}`; `None` when that is more than a shell here does.
pub(super) fn replace(value: &str, pattern: &str, with: &str, all: bool) -> Option<String> {
    let reach = if pattern.contains('*') { value.len() } else { pattern.len().min(value.len()) };
    if value.len().saturating_mul(reach).saturating_mul(pattern.len().max(1)) > MOST_LOOKS {
        return None;
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some(next) = rest.chars().next() {
        match pattern::matched(pattern, rest, false, true).filter(|&count| count > 0) {
            Some(count) => {
                out.push_str(with);
                if out.len() > LARGEST {
                    return None;
                }
                rest = rest.char_indices().nth(count).and_then(|(at, _)| rest.get(at..)).unwrap_or_default();
                if !all {
                    break;
                }
            }
            None => {
                out.push(next);
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Some(out)
}
