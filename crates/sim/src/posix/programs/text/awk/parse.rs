//! Awk's grammar.

mod expressions;
mod statements;
mod tokens;

use super::tree::{Pattern, Rule};
pub(super) use tokens::unescaped;
use tokens::{Token, tokens};

type Parsed<T> = Result<T, String>;

/// How deep expressions and statements may nest.
const DEEPEST: usize = 200;
/// Operators of one expression: a chain of them is as deep a tree as it is long.
const MOST_OPERATORS: usize = 500;

/// Stack for reading, which recurses through a dozen levels of the grammar for one of the text.
const STACK: usize = 8 * 1024 * 1024;

/// Reads a program.
pub(super) fn read(source: &str) -> Parsed<Vec<Rule>> {
    stacker::maybe_grow(STACK, STACK, || whole(source))
}

fn whole(source: &str) -> Parsed<Vec<Rule>> {
    let tokens = tokens(source)?;
    let mut parser = Parser { rest: &tokens, ranges: 0, no_greater: false, depth: 0, operators: 0 };
    let mut rules = Vec::new();
    parser.gaps();
    while !parser.rest.is_empty() {
        rules.push(parser.rule()?);
        parser.gaps();
    }
    Ok(rules)
}

struct Parser<'a> {
    rest: &'a [Token],
    ranges: usize,
    /// Inside `print`: `>` is no comparison.
    no_greater: bool,
    depth: usize,
    /// Of the expression at hand.
    operators: usize,
}

impl Parser<'_> {
    /// One level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err("nested this deep: not simulated".to_owned());
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.rest.first(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        if found {
            self.skip();
        }
        found
    }

    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn want(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) { Ok(()) } else { Err(format!("{sign} is missing at {:?}", self.rest.first())) }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.rest.first(), Some(Token::Name(name)) if name == word);
        if found {
            self.skip();
        }
        found
    }

    fn newlines(&mut self) {
        while self.rest.first() == Some(&Token::Newline) {
            self.skip();
        }
    }

    fn gaps(&mut self) {
        while self.rest.first() == Some(&Token::Newline) || self.is(";") {
            self.skip();
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let pattern = if self.word("BEGIN") {
            Pattern::Begin
        } else if self.word("END") {
            Pattern::End
        } else if self.is("{") {
            Pattern::Always
        } else {
            self.operators = 0;
            let from = self.expression()?;
            if self.take(",") {
                self.newlines();
                self.ranges += 1;
                Pattern::Range(from, self.expression()?, self.ranges)
            } else {
                Pattern::When(from)
            }
        };
        let action = if self.is("{") { Some(self.block()?) } else { None };
        Ok(Rule { pattern, action })
    }
}
