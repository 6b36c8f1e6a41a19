//! Awk's words and signs.

use super::Parsed;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name with its parenthesis right after it.
    Function(String),
    Sign(&'static str),
    Newline,
}

static SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "!~", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "{", "}", "(",
    ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "?", ":", "=", "$", "|",
];

pub(super) fn tokens(source: &str) -> Parsed<Vec<Token>> {
    let mut out: Vec<Token> = Vec::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\\n") {
            rest = after;
        } else if c == '\n' {
            out.push(Token::Newline);
            rest = rest.get(1..).unwrap_or_default();
        } else if c.is_whitespace() {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        } else if c == '#' {
            rest = rest.get(rest.find('\n').unwrap_or(rest.len())..).unwrap_or_default();
        } else if c == '"' {
            let (text, after) = quoted(rest.get(1..).unwrap_or_default(), '"')?;
            out.push(Token::Text(unescaped(&text)));
            rest = after;
        } else if c == '/' && starts_value(out.last()) {
            let (text, after) = quoted(rest.get(1..).unwrap_or_default(), '/')?;
            out.push(Token::Regex(text.replace("\\/", "/")));
            rest = after;
        } else if c.is_ascii_digit() || (c == '.' && rest.chars().nth(1).is_some_and(|d| d.is_ascii_digit()))
        {
            let plain = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            let tail = rest.get(plain..).unwrap_or_default();
            let power =
                tail.strip_prefix(['e', 'E']).map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
            let digits = power.map_or(0, |power| {
                power.len() - power.trim_start_matches(|c: char| c.is_ascii_digit()).len()
            });
            let end = match power {
                Some(power) if digits > 0 => rest.len() - power.len() + digits,
                _ => plain,
            };
            let (number, after) = rest.split_at(end);
            out.push(Token::Number(number.parse().map_err(|_| number.to_owned())?));
            rest = after;
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let keyword =
                matches!(name, "if" | "while" | "for" | "print" | "printf" | "in" | "exit" | "return");
            let calls = after.starts_with('(') && !keyword;
            out.push(if calls { Token::Function(name.to_owned()) } else { Token::Name(name.to_owned()) });
            rest = after;
        } else {
            let sign =
                SIGNS.iter().find(|sign| rest.starts_with(**sign)).ok_or_else(|| format!("at {rest}"))?;
            out.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        }
    }
    Ok(out)
}

/// Whether a `/` after that begins a regular expression.
fn starts_value(before: Option<&Token>) -> bool {
    match before {
        None | Some(Token::Newline) => true,
        Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "$" | "++" | "--"),
        Some(_) => false,
    }
}

fn quoted(text: &str, end: char) -> Parsed<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == end {
            return Ok((out, text.get(at + c.len_utf8()..).unwrap_or_default()));
        }
        out.push(c);
        if c == '\\'
            && let Some((_, next)) = chars.next()
        {
            out.push(next);
        }
    }
    Err("unterminated string".to_owned())
}

pub(in crate::posix::programs::text::awk) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                chars.next();
                match next {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    '"' | '\\' | '/' => out.push(next),
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            (c, _) => out.push(c),
        }
    }
    out
}
