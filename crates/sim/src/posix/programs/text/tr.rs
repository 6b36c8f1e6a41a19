//! `tr`: characters to others.

use crate::program::{BoxFuture, Call, Program};

use super::{Arguments, Options, answer, concatenated, failure, filter, output};

/// The program.
#[derive(Debug)]
pub struct Tr;

static OPTIONS: Options = Options::new("dscC", &[("delete", 'd'), ("squeeze-repeats", 's')]);

impl Program for Tr {
    fn name(&self) -> &'static str {
        "tr"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        if parsed.operands.is_empty() {
            return answer(call, failure("tr", "missing operand", 1));
        }
        filter(call, Vec::new(), move |inputs| {
            let text = String::from_utf8_lossy(&concatenated(inputs)).into_owned();
            output(translate(&text, &parsed))
        })
    }
}

fn translate(text: &str, parsed: &Arguments) -> String {
    let from = parsed.operands.first().map(|set| expand(set)).unwrap_or_default();
    let to = parsed.operands.get(1).map(|set| expand(set)).unwrap_or_default();
    let complement = parsed.has('c') || parsed.has('C');
    let index = |c: char| match from.iter().position(|&f| f == c) {
        Some(_) if complement => None,
        None if complement => Some(usize::MAX),
        found => found,
    };
    let mut out = String::new();
    let mut last = None;
    for c in text.chars() {
        let found = index(c);
        if parsed.has('d') && found.is_some() {
            continue;
        }
        let new =
            found.and_then(|at| to.get(at).or(to.last())).copied().filter(|_| !parsed.has('d')).unwrap_or(c);
        let squeezed = if to.is_empty() { found.is_some() } else { to.contains(&new) };
        if parsed.has('s') && squeezed && last == Some(new) {
            continue;
        }
        last = Some(new);
        out.push(new);
    }
    out
}

/// Ranges, classes and escapes of a set.
fn expand(set: &str) -> Vec<char> {
    let named = |name: &str| -> Option<Vec<char>> {
        let ascii = (0_u8..128).map(char::from);
        Some(match name {
            "upper" => ascii.filter(char::is_ascii_uppercase).collect(),
            "lower" => ascii.filter(char::is_ascii_lowercase).collect(),
            "digit" => ascii.filter(char::is_ascii_digit).collect(),
            "alpha" => ascii.filter(char::is_ascii_alphabetic).collect(),
            "alnum" => ascii.filter(char::is_ascii_alphanumeric).collect(),
            "space" => ascii.filter(char::is_ascii_whitespace).chain(['\u{b}']).collect(),
            "blank" => vec![' ', '\t'],
            "punct" => ascii.filter(char::is_ascii_punctuation).collect(),
            _ => return None,
        })
    };
    let mut out = Vec::new();
    let mut rest = set;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix("[:").and_then(|r| r.split_once(":]"))
            && let Some(class) = named(name)
        {
            out.extend(class);
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let c = if c == '\\' {
            let escaped = rest.chars().next().unwrap_or('\\');
            rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
            match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                other => other,
            }
        } else {
            c
        };
        let mut ahead = rest.chars();
        if let (Some('-'), Some(end)) = (ahead.next(), ahead.next()) {
            out.extend(c..=end);
            rest = ahead.as_str();
        } else {
            out.push(c);
        }
    }
    out
}
