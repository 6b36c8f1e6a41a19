//! SQL words, and a cursor over them.

use crate::mariadb::Version;

use super::{SqlError, product};

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name.
    Word(String),
    /// A name in backticks.
    Name(String),
    /// A text in quotes.
    Text(String),
    /// A number.
    Number(String),
    /// A system variable, without its `@@` and scope.
    Variable(String),
    /// Anything else, one character.
    Symbol(char),
}

/// A cursor over a statement's words.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    sql: &'a str,
    tokens: Vec<(Token, usize, usize)>,
    at: usize,
    version: &'a Version,
    depth: usize,
    operators: usize,
}

/// How deep expressions and queries may nest.
const DEEPEST: usize = 100;
/// Operators of one expression: a chain of them is as deep a tree as it is long.
const MOST_OPERATORS: usize = 500;

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a str, version: &'a Version) -> Result<Self, SqlError> {
        let mut cursor = Self { sql, tokens: Vec::new(), at: 0, version, depth: 0, operators: 0 };
        let mut from = 0;
        // Inside a versioned comment whose content is read.
        let mut inside = false;
        while let Some(rest) = sql.get(from..) {
            let blank = rest.len() - rest.trim_start().len();
            from += blank;
            let rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { break };
            if inside && rest.starts_with("*/") {
                inside = false;
                from += 2;
                continue;
            }
            if rest.starts_with("/*") {
                if let Some(length) = versioned(rest, version) {
                    inside = true;
                    from += length;
                } else {
                    from += rest.find("*/").map_or(rest.len(), |end| end + 2);
                }
                continue;
            }
            let Some((token, length)) = read(first, rest) else { return Err(cursor.syntax_at(from)) };
            cursor.tokens.push((token, from, from + length));
            from += length;
        }
        Ok(cursor)
    }

    /// Reads something that may hold itself.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if self.depth >= DEEPEST {
            return Err(SqlError::unsupported("expressions this deep"));
        }
        if self.depth == 0 {
            self.operators = 0;
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Counts an operator of the expression at hand.
    pub(super) fn operator(&mut self) -> Result<(), SqlError> {
        self.operators += 1;
        match self.operators > MOST_OPERATORS {
            true => Err(SqlError::unsupported("expressions this long")),
            false => Ok(()),
        }
    }

    /// The error of a server that cannot read on from there; it quotes eighty characters, as the server does.
    pub(super) fn syntax_at(&self, from: usize) -> SqlError {
        let near: String = self.sql.get(from..).unwrap_or_default().chars().take(80).collect();
        let line = 1 + self.sql.get(..from).unwrap_or_default().matches('\n').count();
        let manual =
            format!("check the manual that corresponds to your {} server version", product(self.version));
        let message = format!(
            "You have an error in your SQL syntax; {manual} for the right syntax to use near '{near}' at line {line}"
        );
        SqlError::new(1064, "42000", message)
    }

    /// The error of a server that cannot read on from here.
    pub(super) fn syntax(&self) -> SqlError {
        self.syntax_at(self.offset())
    }

    /// Where the next word begins, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.sql.len(), |(_, start, _)| *start)
    }

    /// The text from there to where the last word read ends.
    pub(super) fn text_since(&self, start: usize) -> &'a str {
        let end =
            self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |(_, _, end)| *end);
        self.sql.get(start..end).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _, _)| token)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// Steps over a keyword if it is next.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(there);
        there
    }

    /// Steps over one of these keywords if one is next.
    pub(super) fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(word))
    }

    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let there = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(there);
        there
    }

    pub(super) fn text(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Some(text)
            }
            _ => None,
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), SqlError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.syntax()) }
    }

    pub(super) fn sql(&self) -> &'a str {
        self.sql
    }

    /// A symbol that has to be next.
    pub(super) fn expect(&mut self, symbol: char) -> Result<(), SqlError> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.syntax()) }
    }

    /// A keyword that has to be next.
    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), SqlError> {
        if self.take(word) { Ok(()) } else { Err(self.syntax()) }
    }

    /// Whether a keyword is next.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word))
    }

    /// Steps over a symbol that stands twice (`||`, `&&`).
    pub(super) fn double(&mut self, symbol: char) -> bool {
        let wanted = Token::Symbol(symbol);
        let there = self.peek() == Some(&wanted) && self.peek_second() == Some(&wanted);
        self.at += if there { 2 } else { 0 };
        there
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(token, _, _)| token)
    }

    /// A name, bare or in backticks.
    pub(super) fn name(&mut self) -> Result<String, SqlError> {
        match self.peek() {
            Some(Token::Word(name) | Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.syntax()),
        }
    }

    /// A name, a text or a number, as one text.
    pub(super) fn word_or_text(&mut self) -> Result<String, SqlError> {
        match self.next() {
            Some(Token::Word(text) | Token::Name(text) | Token::Text(text) | Token::Number(text)) => Ok(text),
            _ => {
                self.at = self.at.saturating_sub(1);
                Err(self.syntax())
            }
        }
    }

    /// What is left, as written.
    pub(super) fn rest(&self) -> &'a str {
        self.sql.get(self.offset()..).unwrap_or_default()
    }
}

/// The length of a versioned comment's beginning (`/*!`, `/*!50001`, `/*M!100101`), if this server reads what is in it.
fn versioned(rest: &str, version: &Version) -> Option<usize> {
    let (after, start) = match (rest.strip_prefix("/*!"), rest.strip_prefix("/*M!")) {
        (Some(after), _) => (after, 3),
        (None, Some(after)) if version.mariadb => (after, 4),
        _ => return None,
    };
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()).min(6);
    let wanted: u32 = after.get(..digits).filter(|d| d.len() >= 5).and_then(|d| d.parse().ok()).unwrap_or(0);
    // MariaDB 10 leaves out what MySQL 5.7 and later brought.
    let foreign = version.mariadb_from(10, 0) && start == 3 && (50_700..100_000).contains(&wanted);
    let length = if wanted == 0 { start } else { start + digits };
    (wanted <= version.id() && !foreign).then_some(length)
}

/// The word at the start of `rest`, and its length in bytes; `None` for a quote without an end.
fn read(first: char, rest: &str) -> Option<(Token, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let run = |text: &str| text.find(|c| !is_part(c)).unwrap_or(text.len());
    match first {
        '\'' | '"' => quoted(first, rest).map(|(text, length)| (Token::Text(text), length)),
        '`' => quoted(first, rest).map(|(text, length)| (Token::Name(text), length)),
        '@' if rest.starts_with("@@") => {
            let name = rest.get(2..)?;
            let length = name.find(|c| !is_part(c) && c != '.').unwrap_or(name.len());
            let name = name.get(..length)?.to_ascii_lowercase();
            let bare = ["global.", "session.", "local."].iter().find_map(|scope| name.strip_prefix(scope));
            Some((Token::Variable(bare.unwrap_or(&name).to_owned()), length + 2))
        }
        '0'..='9' => {
            let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            Some((Token::Number(rest.get(..length)?.to_owned()), length))
        }
        c if is_part(c) => {
            let length = run(rest);
            Some((Token::Word(rest.get(..length)?.to_owned()), length))
        }
        other => Some((Token::Symbol(other), other.len_utf8())),
    }
}

fn quoted(quote: char, rest: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if !matches!(chars.peek(), Some((_, next)) if *next == quote) {
                return Some((text, at + c.len_utf8()));
            }
            chars.next();
            text.push(quote);
        } else if c == '\\' && quote != '`' {
            let (_, escaped) = chars.next()?;
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                // In a pattern these stay escaped.
                '%' | '_' => text.extend(['\\', escaped]),
                other => text.push(other),
            }
        } else {
            text.push(c);
        }
    }
    None
}
