//! How the client cuts its input into statements: at `;`, `\G` and `\g`, outside quotes and comments.

/// A statement to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The SQL, without its end.
    pub(super) sql: String,
    /// Whether `\G` asked for the vertical form.
    pub(super) vertical: bool,
    /// The line of the input on which it ended.
    pub(super) line: usize,
}

/// The client's reader.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    buffer: String,
    quote: Option<char>,
    comment: bool,
    lines: usize,
}

impl Splitter {
    /// Reads a line; gives the statements that it ends.
    pub(super) fn line(&mut self, line: &str) -> Vec<Statement> {
        self.lines += 1;
        let mut statements = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            if self.comment {
                if c == '*' && next == Some('/') {
                    chars.next();
                    self.comment = false;
                }
            } else if let Some(quote) = self.quote {
                self.buffer.push(c);
                if c == '\\' && quote != '`' {
                    self.buffer.extend(chars.next());
                } else if c == quote {
                    self.quote = None;
                }
            } else {
                match (c, next) {
                    ('\'' | '"' | '`', _) => {
                        self.quote = Some(c);
                        self.buffer.push(c);
                    }
                    ('#', _) => break,
                    ('-', Some('-')) if is_comment(chars.clone()) => break,
                    ('/', Some('*')) if !is_versioned(chars.clone()) => {
                        chars.next();
                        self.comment = true;
                    }
                    (';', _) => statements.extend(self.end(false)),
                    ('\\', Some('G')) => {
                        chars.next();
                        statements.extend(self.end(true));
                    }
                    // Another character set: here all is UTF-8.
                    ('\\', Some('C')) => drop(chars.by_ref().find(|c| *c == ';')),
                    ('\\', Some('g')) => {
                        chars.next();
                        statements.extend(self.end(false));
                    }
                    _ => self.buffer.push(c),
                }
            }
        }
        if matches!(self.buffer.trim().to_ascii_lowercase().as_str(), "quit" | "exit" | "\\q") {
            statements.extend(self.end(false));
        } else if !self.buffer.is_empty() {
            self.buffer.push('\n');
        }
        statements
    }

    /// The input ended: what is left is sent as it is.
    pub(super) fn finish(&mut self) -> Option<Statement> {
        self.end(false)
    }

    fn end(&mut self, vertical: bool) -> Option<Statement> {
        self.quote = None;
        let sql = std::mem::take(&mut self.buffer).trim().to_owned();
        (!sql.is_empty()).then_some(Statement { sql, vertical, line: self.lines })
    }
}

/// `/*!` and `/*M!` are for the server to read.
fn is_versioned(after: impl Iterator<Item = char>) -> bool {
    let start: String = after.skip(1).take(2).collect();
    start.starts_with('!') || start == "M!"
}

/// `--` starts a comment only before a space or the line's end.
fn is_comment(mut after: impl Iterator<Item = char>) -> bool {
    after.next();
    after.next().is_none_or(char::is_whitespace)
}
