//! Values as arguments of `salt`: read there as the text that is meant. Salt takes words that begin with a
//! minus as options, `name=value` as keywords, and reads the rest as YAML: `no`, `10` and `{a: b}` are no
//! texts to it.

use crate::runbook::scope::{Scope, ScopeError};
use crate::runbook::template::{Part, Template};
use crate::runbook::value::ValueKind;

/// What YAML 1.1 reads as something else than a text, though it consists of letters.
const WORDS: [&str; 14] =
    ["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n", "inf", "nan", ".inf", ".nan"];

/// An argument as a word of the command. What a runbook's author wrote stays as it is (`test=True` is a keyword); what
/// variables put in is text, and numbers and truth values when the whole argument is one.
pub(super) fn word(scope: &Scope<'_>, argument: &Template) -> Result<String, ScopeError> {
    let Some((variable, behind)) = argument.parts.iter().find_map(|part| match part {
        Part::Variable(variable) => Some((variable, argument.parts.len())),
        Part::Text(_) => None,
    }) else {
        return scope.text(argument);
    };
    if behind == 1 && matches!(scope.value(variable)?.kind(), ValueKind::Int | ValueKind::Bool) {
        // A minus in front is a number's own, and would be an option's: YAML reads a number with a space before it, too.
        let number = scope.text(argument)?;
        return Ok(if number.starts_with('-') { format!(" {number}") } else { number });
    }
    let text = scope.text(argument)?;
    // The author's own keyword: the variable is its value.
    let keyword = match argument.parts.first() {
        Some(Part::Text(first)) => first.split_once('=').map(|(name, _)| name).filter(|name| is_name(name)),
        _ => None,
    };
    let (head, value) = match keyword {
        Some(name) => text.split_at(name.len() + 1),
        None => ("", text.as_str()),
    };
    let value = meant(value).ok_or_else(|| ScopeError::NotForSalt(variable.to_string()))?;
    Ok(format!("{head}{value}"))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// A word that Salt reads as exactly this text; `None` when there is none.
fn meant(text: &str) -> Option<String> {
    if is_plain(text) {
        return Some(text.to_owned());
    }
    let is_keyword = text.split_once('=').is_some_and(|(name, _)| is_name(name));
    if text.contains(['\t', '\n', '\r']) {
        // Taken as it is, when it is neither an option nor a keyword.
        return (!text.starts_with('-') && !is_keyword).then(|| text.to_owned());
    }
    if let Some((before, _)) = text.split_once('#') {
        // Taken as it is when it begins like a text; in quotes the quotes would be part of it.
        return (is_plain(before.trim_end()) && !is_keyword).then(|| text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', "''")))
}

/// Whether YAML reads it as the text it is: a letter or a slash first, nothing with a meaning in it.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./:@- ".contains(c))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn texts_are_neither_options_nor_keywords_nor_yaml() {
        for (text, word) in [
            ("code", "code"),
            ("accounts:mysql:wiki", "accounts:mysql:wiki"),
            ("grep x /etc/a b", "grep x /etc/a b"),
            ("--out-file=/root/.ssh/authorized_keys", "'--out-file=/root/.ssh/authorized_keys'"),
            ("test=True", "'test=True'"),
            ("no", "'no'"),
            ("NULL", "'NULL'"),
            ("10", "'10'"),
            ("1_000", "'1_000'"),
            ("10.0.0.1", "'10.0.0.1'"),
            ("a: b", "'a: b'"),
            ("a:", "'a:'"),
            ("{a: b}", "'{a: b}'"),
            ("it's", "'it''s'"),
            ("*", "'*'"),
            ("", "''"),
            (" x", "' x'"),
            ("x ", "'x '"),
            ("a # b", "a # b"),
        ] {
            assert_eq!(meant(text).unwrap(), word, "{text:?}");
        }
        for text in ["--x\ty", "test=True\nx", "5 #x", "'a' # b", "test=1 # x", "- #", "#"] {
            assert_eq!(meant(text), None, "{text:?}");
        }
    }

    /// A word in single quotes is the text again in YAML.
    #[test]
    fn quoted_words_read_as_the_text() {
        for text in [
            "it's", "no", "10", "a: b", "{x", "- y", "*z", "!t", "", " p ", "'", "''", "\\", "\"", "%a",
            "@b", "|",
        ] {
            let word = meant(text).unwrap();
            assert_eq!(serde_saphyr::from_str::<String>(&word).unwrap(), text, "{word}");
        }
    }
}
