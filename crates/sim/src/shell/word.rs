//! Words to pieces: quoting, parameter expansions, substitutions. The grammar of commands is brush-parser's; the
//! inside of words is read here, because a command substitution must be compiled once and not at every run.

use std::cell::Cell;
use std::sync::Arc;

use super::parse::{Syntax, parse};
use super::syntax::{List, Operation, Parameter, Piece, Word};

/// Where a word stands decides what its quotes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An ordinary word.
    Plain,
    /// Between double quotes.
    Quoted,
    /// A here-document or an arithmetic expression: double quotes are ordinary characters.
    Document,
}

/// How deep words may stand in words (`${a:-${b:-…}}`).
const DEEPEST: usize = 100;

thread_local! {
    /// How deep the word that is being read on this thread stands.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Reads a word.
pub(crate) fn word(text: &str, place: Place) -> Result<Word, Syntax> {
    let depth = DEPTH.get();
    if depth >= DEEPEST {
        return Err(Syntax::Unsupported("words this deep"));
    }
    DEPTH.set(depth + 1);
    let read = cut(text, place);
    DEPTH.set(depth);
    read
}

fn cut(text: &str, place: Place) -> Result<Word, Syntax> {
    let mut reader = Cutter { rest: text, pieces: Vec::new(), plain: String::new() };
    if place == Place::Plain {
        reader.tilde();
    }
    reader.run(place)?;
    reader.flush(place);
    Ok(Word(reader.pieces))
}

struct Cutter<'a> {
    rest: &'a str,
    pieces: Vec<Piece>,
    plain: String,
}

impl<'a> Cutter<'a> {
    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    fn flush(&mut self, place: Place) {
        if !self.plain.is_empty() {
            let text = std::mem::take(&mut self.plain);
            self.pieces.push(if place == Place::Plain { Piece::Text(text) } else { Piece::Quoted(text) });
        }
    }

    fn push(&mut self, piece: Piece, place: Place) {
        self.flush(place);
        self.pieces.push(piece);
    }

    fn tilde(&mut self) {
        if let Some(after) = self.rest.strip_prefix('~') {
            let end = after.find(['/', ':']).unwrap_or(after.len());
            let (user, rest) = after.split_at(end);
            if user.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
                self.pieces.push(Piece::Tilde(user.to_owned()));
                self.rest = rest;
            }
        }
    }

    fn run(&mut self, place: Place) -> Result<(), Syntax> {
        while let Some(next) = self.bump() {
            match next {
                '\\' => self.escape(place),
                '\'' if place == Place::Plain => {
                    let inner = self.until('\'')?;
                    self.push(Piece::Quoted(inner.to_owned()), place);
                }
                '"' if place == Place::Plain => self.double_quoted()?,
                '$' if place == Place::Plain && self.rest.starts_with('\'') => {
                    self.bump();
                    let inner = self.ansi_c();
                    self.push(Piece::Quoted(inner), place);
                }
                '$' => self.dollar(place)?,
                '`' => {
                    let source = self.backquoted(place)?;
                    let list = substitution(&source)?;
                    self.push(Piece::Substitution(list, place != Place::Plain), place);
                }
                other => self.plain.push(other),
            }
        }
        Ok(())
    }

    fn escape(&mut self, place: Place) {
        match self.bump() {
            None => self.plain.push('\\'),
            Some('\n') => {}
            Some(c) if place == Place::Plain => self.push(Piece::Quoted(c.to_string()), place),
            Some(c @ ('$' | '`' | '\\')) => self.plain.push(c),
            Some('"') if place == Place::Quoted => self.plain.push('"'),
            Some(c) => {
                self.plain.push('\\');
                self.plain.push(c);
            }
        }
    }

    fn until(&mut self, end: char) -> Result<&'a str, Syntax> {
        let (inner, rest) = self.rest.split_once(end).ok_or(Syntax::Incomplete)?;
        self.rest = rest;
        Ok(inner)
    }

    fn double_quoted(&mut self) -> Result<(), Syntax> {
        let end = quote_end(self.rest)?;
        let (inner, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        let inner = word(inner, Place::Quoted)?;
        self.flush(Place::Plain);
        if inner.0.is_empty() {
            self.pieces.push(Piece::Quoted(String::new()));
        }
        self.pieces.extend(inner.0);
        Ok(())
    }

    fn backquoted(&mut self, place: Place) -> Result<String, Syntax> {
        let mut source = String::new();
        loop {
            match self.bump().ok_or(Syntax::Incomplete)? {
                '`' => return Ok(source),
                '\\' => match self.bump().ok_or(Syntax::Incomplete)? {
                    c @ ('`' | '\\' | '$') => source.push(c),
                    '"' if place == Place::Quoted => source.push('"'),
                    c => source.extend(['\\', c]),
                },
                c => source.push(c),
            }
        }
    }

    fn ansi_c(&mut self) -> String {
        let mut out = String::new();
        while let Some(next) = self.bump() {
            match next {
                '\'' => break,
                '\\' => match self.bump() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('e' | 'E') => out.push('\u{1b}'),
                    Some('a') => out.push('\u{7}'),
                    Some(c) => out.push(c),
                    None => out.push('\\'),
                },
                c => out.push(c),
            }
        }
        out
    }

    fn dollar(&mut self, place: Place) -> Result<(), Syntax> {
        let quoted = place != Place::Plain;
        if let Some(after) = self.rest.strip_prefix("((")
            && let Some(end) = arithmetic_end(after)
        {
            let (inner, rest) = after.split_at(end);
            self.rest = rest.get(2..).unwrap_or_default();
            let inner = word(inner, Place::Document)?;
            self.push(Piece::Arithmetic(inner, quoted), place);
            return Ok(());
        }
        if let Some(after) = self.rest.strip_prefix('(') {
            let (list, rest) = parenthesised(after)?;
            self.rest = rest;
            self.push(Piece::Substitution(list, quoted), place);
            return Ok(());
        }
        if let Some(after) = self.rest.strip_prefix('{') {
            let end = brace_end(after)?;
            let (inner, rest) = after.split_at(end);
            self.rest = rest.get(1..).unwrap_or_default();
            let parameter = braced(inner, place)?;
            self.push(Piece::Parameter(Box::new(parameter), quoted), place);
            return Ok(());
        }
        let length = name_length(self.rest);
        if length == 0 {
            self.plain.push('$');
            return Ok(());
        }
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        let parameter = Parameter { name: name.to_owned(), operation: Operation::Get };
        self.push(Piece::Parameter(Box::new(parameter), quoted), place);
        Ok(())
    }
}

/// Bytes of the parameter name that follows a dollar sign.
fn name_length(text: &str) -> usize {
    match text.chars().next() {
        Some('@' | '*' | '#' | '?' | '-' | '$' | '!' | '0'..='9') => 1,
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
        }
        _ => 0,
    }
}

fn substitution(source: &str) -> Result<Arc<List>, Syntax> {
    parse(source).map_err(|error| if error == Syntax::Incomplete { Syntax::Unexpected } else { error })
}

/// The list after `$(`, and what follows its closing parenthesis: the first one at which the text before it is
/// a whole script.
fn parenthesised(text: &str) -> Result<(Arc<List>, &str), Syntax> {
    for (at, _) in text.match_indices(')') {
        let (inner, rest) = text.split_at(at);
        let last_line = inner.rsplit('\n').next().unwrap_or(inner);
        if last_line.trim_start().starts_with('#')
            || last_line.contains(" #") && !last_line.contains(['"', '\''])
        {
            continue;
        }
        if let Ok(list) = parse(inner) {
            return Ok((list, rest.get(1..).unwrap_or_default()));
        }
    }
    Err(Syntax::Incomplete)
}

/// Where the double-quoted text ends.
fn quote_end(text: &str) -> Result<usize, Syntax> {
    scan(text, |rest, _| rest.starts_with('"')).ok_or(Syntax::Incomplete)
}

/// Where `${` ends.
fn brace_end(text: &str) -> Result<usize, Syntax> {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let next = rest.chars().next().ok_or(Syntax::Incomplete)?;
        at += match next {
            '}' => return Ok(at),
            '\'' => rest.get(1..).and_then(|r| r.find('\'')).map_or(1, |end| end + 2),
            '"' => rest.get(1..).and_then(|r| quote_end(r).ok()).map_or(1, |end| end + 2),
            _ => skip(rest, next),
        };
    }
}

/// Where `$((` ends, by balance of parentheses; `None` when it is a subshell in a substitution.
fn arithmetic_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let next = rest.chars().next()?;
        match next {
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ')' => return rest.starts_with("))").then_some(at),
            _ => {
                at += skip(rest, next);
                continue;
            }
        }
        at += 1;
    }
}

fn scan(text: &str, ends: impl Fn(&str, usize) -> bool) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let next = rest.chars().next()?;
        if ends(rest, at) {
            return Some(at);
        }
        at += skip(rest, next);
    }
}

/// Bytes of one character, escape, expansion or substitution at the start of the text.
fn skip(rest: &str, next: char) -> usize {
    let nested = match next {
        '\\' => rest.chars().take(2).map(char::len_utf8).sum(),
        '`' => {
            let mut escaped = false;
            rest.char_indices()
                .skip(1)
                .find(|&(_, c)| {
                    let found = c == '`' && !escaped;
                    escaped = c == '\\' && !escaped;
                    found
                })
                .map_or(1, |(at, _)| at + 1)
        }
        '$' => {
            if let Some((after, end)) = rest.strip_prefix("$((").and_then(|a| Some((a, arithmetic_end(a)?))) {
                rest.len() - after.len() + end + 2
            } else if let Some(after) = rest.strip_prefix("$(") {
                parenthesised(after).map_or(1, |(_, tail)| rest.len() - tail.len())
            } else if let Some(after) = rest.strip_prefix("${") {
                brace_end(after).map_or(1, |end| end + 3)
            } else {
                1
            }
        }
        other => other.len_utf8(),
    };
    nested.max(1)
}

/// The inside of `${…}`.
fn braced(inner: &str, place: Place) -> Result<Parameter, Syntax> {
    if let Some(name) = inner.strip_prefix('#')
        && !name.is_empty()
        && full_name_length(name) == name.len()
    {
        return Ok(Parameter { name: name.to_owned(), operation: Operation::Length });
    }
    let length = full_name_length(inner);
    if length == 0 {
        return Err(Syntax::BadSubstitution);
    }
    let (name, rest) = inner.split_at(length);
    // In "${x#'a'}" the pattern has quotes of its own; in "${x:-'a'}" they are ordinary characters.
    let operand_place = if place == Place::Plain { Place::Plain } else { Place::Quoted };
    Ok(Parameter { name: name.to_owned(), operation: operation(rest, operand_place)? })
}

fn operation(rest: &str, place: Place) -> Result<Operation, Syntax> {
    let colon = rest.starts_with(':');
    let after_colon = rest.strip_prefix(':').unwrap_or(rest);
    let mut chars = after_colon.chars();
    Ok(match (colon, chars.next()) {
        (false, None) => Operation::Get,
        (_, Some(sign @ ('-' | '=' | '+' | '?'))) => {
            Operation::Default { sign, colon, word: operand(chars.as_str(), place)? }
        }
        (false, Some(sign @ ('#' | '%'))) => {
            let text = chars.as_str();
            let longest = text.starts_with(sign);
            let text = if longest { text.get(1..).unwrap_or_default() } else { text };
            Operation::Trim { suffix: sign == '%', longest, pattern: word(text, Place::Plain)? }
        }
        (false, Some('/')) => {
            let text = chars.as_str();
            let (all, text) = text.strip_prefix('/').map_or((false, text), |rest| (true, rest));
            let end = scan(text, |rest, _| rest.starts_with('/')).unwrap_or(text.len());
            let (pattern, with) = text.split_at(end);
            let with = with.strip_prefix('/').unwrap_or_default();
            Operation::Replace { all, pattern: word(pattern, Place::Plain)?, with: word(with, Place::Plain)? }
        }
        (true, Some(_)) => {
            let (offset, length) = match after_colon.split_once(':') {
                Some((offset, length)) => (offset, Some(word(length, Place::Document)?)),
                None => (after_colon, None),
            };
            Operation::Slice { offset: word(offset, Place::Document)?, length }
        }
        _ => return Err(Syntax::BadSubstitution),
    })
}

/// `"${x:-"a b"}"`: inside the braces double quotes open again.
fn operand(text: &str, place: Place) -> Result<Word, Syntax> {
    if place == Place::Plain {
        return word(text, Place::Plain);
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = scan(rest, |rest, _| rest.starts_with('"')) {
        let (before, after) = rest.split_at(at);
        pieces.extend(word(before, Place::Quoted)?.0);
        rest = after.get(1..).unwrap_or_default();
    }
    pieces.extend(word(rest, Place::Quoted)?.0);
    Ok(Word(pieces))
}

/// Bytes of a parameter name inside braces: all digits count.
fn full_name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    }
    name_length(text)
}
