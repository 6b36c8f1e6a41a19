//! Texts with variables: `move writes to {candidate} ({candidate.address})`. A double brace is a brace.
//! Variables come into a text as they are, into SQL as literals, into shell never: there they are assigned
//! before the script, quoted.

use std::fmt;
use std::ops::Range;

/// A text with places for variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// The value of a variable.
    Variable(Variable),
}

/// A variable's name as used: `candidate`, `candidate.address`, `host` (the host a step runs on).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable {
    /// The variable.
    pub name: String,
    /// `address`, … of a host; none for the value itself.
    pub field: Option<String>,
}

/// What is wrong in a template, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Bytes of the template's text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: &'static str,
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// When a brace is not closed, or holds no variable's name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            plain.push_str(before);
            let here = text.len() - brace.len();
            let fail = |length: usize, message| Err(TemplateError { span: here..here + length, message });
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(brace.get(..1).unwrap_or_default());
                rest = brace.get(2..).unwrap_or_default();
            } else if brace.starts_with('}') {
                return fail(1, "a closing brace without an opening one; write }} for a brace");
            } else {
                let Some(end) = brace.find('}') else {
                    return fail(1, "this brace is not closed; write {{ for a brace");
                };
                let Some(variable) = brace.get(1..end).and_then(Variable::parse) else {
                    return fail(
                        end + 1,
                        "write a variable's name between the braces, as in {candidate.address}",
                    );
                };
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Variable(variable));
                rest = brace.get(end + 1..).unwrap_or_default();
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// A template without variables.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// The variables it uses.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Text(_) => None,
        })
    }

    /// The text with each variable as `value` gives it; the variable that has none is the error.
    ///
    /// # Errors
    /// The first variable without a value.
    pub fn fill<E>(&self, mut value: impl FnMut(&Variable) -> Result<String, E>) -> Result<String, E> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Variable(variable) => text.push_str(&value(variable)?),
            }
        }
        Ok(text)
    }
}

impl Variable {
    /// Reads `name` or `name.field`: lower-case letters, digits and `_`, a letter first.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = |s: &str| {
            s.starts_with(|c: char| c.is_ascii_lowercase())
                && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let (name, field) = match text.split_once('.') {
            Some((name, field)) => (name, Some(field)),
            None => (text, None),
        };
        (word(name) && field.is_none_or(word))
            .then(|| Self { name: name.to_owned(), field: field.map(str::to_owned) })
    }

    /// The name a shell script finds its value under: `candidate_address`.
    #[must_use]
    pub fn shell_name(&self) -> String {
        match &self.field {
            Some(field) => format!("{}_{field}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}.{field}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The template as it was written.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Variable(variable) => write!(f, "{{{variable}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn templates_are_read_and_written() {
        for text in ["", "plain", "{a}", "to {candidate} ({candidate.address}) now", "{{\"a\": {b}}}"] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.to_string(), text);
        }
        let filled = Template::parse("{{{a}}} {b.c}").unwrap().fill(|v| Ok::<_, ()>(format!("<{v}>")));
        assert_eq!(filled.unwrap(), "{<a>} <b.c>");
    }

    #[test]
    fn what_is_no_template_is_refused_at_its_place() {
        for (bad, span) in
            [("a {b", 2..3), ("a }", 2..3), ("{A}", 0..3), ("x{a b}", 1..6), ("{}", 0..2), ("{a.}", 0..4)]
        {
            assert_eq!(Template::parse(bad).unwrap_err().span, span, "{bad}");
        }
    }
}
