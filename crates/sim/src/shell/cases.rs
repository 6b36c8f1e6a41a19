//! brush-parser takes the `)` of `$(case x in a) …;; esac)` for the end of the substitution. Written `(a)` it does
//! not: this puts the parenthesis there. Only texts that could not be read otherwise come here.

/// The text with an opening parenthesis before every `case` pattern that has none.
pub(crate) fn with_opened_patterns(text: &str) -> String {
    let mut scanner = Scanner { chars: text.chars().peekable(), out: String::with_capacity(text.len() + 16) };
    while scanner.chars.peek().is_some() {
        scanner.commands();
    }
    scanner.out
}

struct Scanner<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
}

impl Scanner<'_> {
    fn copy(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        self.out.push(next);
        Some(next)
    }

    fn copy_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.chars.peek().is_some_and(|&c| wanted(c)) {
            self.copy();
        }
    }

    /// Copies commands up to the parenthesis that closes them.
    fn commands(&mut self) {
        let mut start = true;
        let mut open_cases = 0_usize;
        while let Some(&next) = self.chars.peek() {
            match next {
                ')' => {
                    self.copy();
                    return;
                }
                '(' => {
                    self.copy();
                    self.commands();
                    start = true;
                }
                ';' => {
                    self.copy();
                    start = true;
                    if open_cases > 0 && self.chars.peek() == Some(&';') {
                        self.copy();
                        self.pattern();
                    }
                }
                '\n' | '&' | '|' => {
                    self.copy();
                    start = true;
                }
                '#' => self.copy_while(|c| c != '\n'),
                c if c.is_whitespace() || matches!(c, '<' | '>') => {
                    self.copy();
                }
                _ => {
                    let word = self.word();
                    match (start, word.as_str()) {
                        (true, "case") => {
                            open_cases += 1;
                            self.copy_while(char::is_whitespace);
                            self.word();
                            self.copy_while(char::is_whitespace);
                            self.word();
                            self.pattern();
                        }
                        (true, "esac") => {
                            open_cases = open_cases.saturating_sub(1);
                            start = false;
                        }
                        (_, "then" | "do" | "else" | "elif" | "if" | "while" | "until" | "{" | "!") => {
                            start = true
                        }
                        _ => start = false,
                    }
                }
            }
        }
    }

    /// Copies a pattern with its parentheses, unless `esac` comes instead.
    fn pattern(&mut self) {
        self.copy_while(char::is_whitespace);
        let mut ahead = self.chars.clone();
        let word: String = ahead.by_ref().take(4).collect();
        if word == "esac" && !ahead.next().is_some_and(char::is_alphanumeric) {
            return;
        }
        match self.chars.peek() {
            Some('(') => {
                self.copy();
            }
            Some(_) => self.out.push('('),
            None => return,
        }
        while let Some(&next) = self.chars.peek() {
            match next {
                ')' => {
                    self.copy();
                    return;
                }
                '|' | ' ' | '\t' => {
                    self.copy();
                }
                _ if self.word().is_empty() => return,
                _ => {}
            }
        }
    }

    /// Copies a word and returns it.
    fn word(&mut self) -> String {
        let from = self.out.len();
        while let Some(&next) = self.chars.peek() {
            if next.is_whitespace() || matches!(next, ';' | '&' | '|' | '(' | ')' | '<' | '>') {
                break;
            }
            self.copy();
            match next {
                '\\' => {
                    self.copy();
                }
                '\'' | '`' => self.through(next),
                '"' => self.double_quoted(),
                '$' => self.dollar(),
                _ => {}
            }
        }
        self.out.get(from..).unwrap_or_default().to_owned()
    }

    fn through(&mut self, end: char) {
        while let Some(c) = self.copy() {
            if c == end {
                return;
            }
            if c == '\\' && end != '\'' {
                self.copy();
            }
        }
    }

    fn double_quoted(&mut self) {
        while let Some(c) = self.copy() {
            match c {
                '"' => return,
                '\\' => {
                    self.copy();
                }
                '`' => self.through('`'),
                '$' => self.dollar(),
                _ => {}
            }
        }
    }

    fn dollar(&mut self) {
        match self.chars.peek() {
            Some('(') => {
                self.copy();
                if self.chars.peek() == Some(&'(') {
                    self.balanced('(', ')');
                    self.copy_while(|c| c == ')');
                } else {
                    self.commands();
                }
            }
            Some('{') => self.balanced('{', '}'),
            _ => {}
        }
    }

    fn balanced(&mut self, open: char, close: char) {
        let mut depth = 0_usize;
        while let Some(c) = self.copy() {
            if c == open {
                depth += 1;
            } else if c == close {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return;
                }
            }
        }
    }
}
