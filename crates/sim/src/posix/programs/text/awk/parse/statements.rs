//! Statements.

use crate::posix::programs::text::awk::tree::{Expression, Statement};

use super::tokens::Token;
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn block(&mut self) -> Parsed<Vec<Statement>> {
        self.want("{")?;
        let mut statements = Vec::new();
        self.gaps();
        while !self.take("}") {
            if self.rest.is_empty() {
                return Err("} is missing".to_owned());
            }
            statements.push(self.statement()?);
            self.gaps();
        }
        Ok(statements)
    }

    /// A block, or one statement.
    fn body(&mut self) -> Parsed<Vec<Statement>> {
        self.newlines();
        if self.is("{") {
            return self.block();
        }
        if self.take(";") {
            return Ok(Vec::new());
        }
        Ok(vec![self.statement()?])
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.nested(Self::one_statement)
    }

    fn one_statement(&mut self) -> Parsed<Statement> {
        self.operators = 0;
        if self.word("if") {
            self.want("(")?;
            let condition = self.expression()?;
            self.want(")")?;
            let then = self.body()?;
            let before = self.rest;
            self.gaps();
            if self.word("else") {
                return Ok(Statement::If(condition, then, self.body()?));
            }
            self.rest = before;
            return Ok(Statement::If(condition, then, Vec::new()));
        }
        if self.word("while") {
            self.want("(")?;
            let condition = self.expression()?;
            self.want(")")?;
            return Ok(Statement::While(condition, self.body()?));
        }
        if self.word("for") {
            return self.loop_statement();
        }
        self.simple()
    }

    fn loop_statement(&mut self) -> Parsed<Statement> {
        self.want("(")?;
        if let [Token::Name(name), Token::Name(word), Token::Name(array), Token::Sign(")"), rest @ ..] =
            self.rest
            && word == "in"
        {
            let (name, array) = (name.clone(), array.clone());
            self.rest = rest;
            return Ok(Statement::ForIn(name, array, self.body()?));
        }
        let part = |parser: &mut Self, end: &str| -> Parsed<Option<Box<Statement>>> {
            if parser.take(end) {
                return Ok(None);
            }
            let statement = parser.simple()?;
            parser.want(end)?;
            Ok(Some(Box::new(statement)))
        };
        let start = part(self, ";")?;
        let condition = if self.is(";") { None } else { Some(self.expression()?) };
        self.want(";")?;
        let step = part(self, ")")?;
        Ok(Statement::For(start, condition, step, self.body()?))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        if self.word("next") {
            return Ok(Statement::Next);
        }
        if self.word("break") {
            return Ok(Statement::Break);
        }
        if self.word("continue") {
            return Ok(Statement::Continue);
        }
        if self.word("exit") {
            let ends =
                self.is("}") || self.is(";") || matches!(self.rest.first(), None | Some(Token::Newline));
            return Ok(Statement::Exit(if ends { None } else { Some(self.expression()?) }));
        }
        if self.word("delete") {
            let Some(Token::Name(name)) = self.rest.first().cloned() else {
                return Err("delete what?".to_owned());
            };
            self.skip();
            let index = if self.take("[") { Some(self.index()?) } else { None };
            return Ok(Statement::Delete(name, index));
        }
        if self.word("print") {
            return Ok(Statement::Print(self.printed()?));
        }
        if self.word("printf") {
            return Ok(Statement::Printf(self.printed()?));
        }
        Ok(Statement::Expression(self.expression()?))
    }

    fn printed(&mut self) -> Parsed<Vec<Expression>> {
        let mut values = Vec::new();
        let ends = |parser: &Self| {
            parser.is("}") || parser.is(";") || matches!(parser.rest.first(), None | Some(Token::Newline))
        };
        self.no_greater = true;
        // `print(a, b)`: the parentheses hold the list.
        let before = self.rest;
        let listed = self.take("(") && {
            values = self.list(")")?;
            ends(self)
        };
        if !listed {
            self.rest = before;
            values.clear();
            while !ends(self) && !self.is(">") && !self.is("|") {
                values.push(self.expression()?);
                if !self.take(",") {
                    break;
                }
                self.newlines();
            }
        }
        self.no_greater = false;
        if self.is(">") || self.is("|") {
            return Err("output to files and pipes is not simulated".to_owned());
        }
        Ok(values)
    }
}
