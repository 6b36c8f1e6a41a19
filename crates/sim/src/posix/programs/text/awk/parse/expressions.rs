//! Expressions: each level of the grammar reads the next tighter one.

use crate::posix::programs::text::awk::tree::Expression;

use super::tokens::Token;
use super::{MOST_OPERATORS, Parsed, Parser};

impl Parser<'_> {
    fn binary(&mut self, sign: &'static str, left: Expression, right: Expression) -> Parsed<Expression> {
        self.operators += 1;
        if self.operators > MOST_OPERATORS {
            return Err("an expression this long: not simulated".to_owned());
        }
        Ok(Expression::Binary(sign, Box::new(left), Box::new(right)))
    }

    pub(super) fn list(&mut self, end: &str) -> Parsed<Vec<Expression>> {
        let mut values = Vec::new();
        let outer = std::mem::take(&mut self.no_greater);
        while !self.take(end) {
            values.push(self.expression()?);
            if !self.take(",") {
                self.want(end)?;
                break;
            }
            self.newlines();
        }
        self.no_greater = outer;
        Ok(values)
    }

    pub(super) fn index(&mut self) -> Parsed<Expression> {
        let mut values = self.list("]")?.into_iter();
        let mut index = values.next().ok_or_else(|| "an index is missing".to_owned())?;
        for value in values {
            let mark = Expression::Variable("SUBSEP".to_owned());
            index = self.binary("", index, mark)?;
            index = self.binary("", index, value)?;
        }
        Ok(index)
    }

    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.nested(Self::whole_expression)
    }

    fn whole_expression(&mut self) -> Parsed<Expression> {
        let target = self.choice()?;
        if !matches!(target, Expression::Variable(_) | Expression::Element(..) | Expression::Field(_)) {
            return Ok(target);
        }
        for sign in ["=", "+=", "-=", "*=", "/=", "%=", "^="] {
            if self.take(sign) {
                let operation = sign.chars().next().filter(|_| sign.len() == 2);
                let value = self.expression()?;
                return Ok(Expression::Assign(Box::new(target), operation, Box::new(value)));
            }
        }
        Ok(target)
    }

    fn choice(&mut self) -> Parsed<Expression> {
        let condition = self.either()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.expression()?;
        self.want(":")?;
        let no = self.expression()?;
        Ok(Expression::Choice(Box::new(condition), Box::new(yes), Box::new(no)))
    }

    fn either(&mut self) -> Parsed<Expression> {
        let mut left = self.both()?;
        while self.take("||") {
            self.newlines();
            let right = self.both()?;
            left = self.binary("||", left, right)?;
        }
        Ok(left)
    }

    fn both(&mut self) -> Parsed<Expression> {
        let mut left = self.membership()?;
        while self.take("&&") {
            self.newlines();
            let right = self.membership()?;
            left = self.binary("&&", left, right)?;
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expression> {
        let mut left = self.matching()?;
        while self.word("in") {
            let Some(Token::Name(name)) = self.rest.first().cloned() else {
                return Err("in what?".to_owned());
            };
            self.skip();
            self.operators += 1;
            if self.operators > MOST_OPERATORS {
                return Err("an expression this long: not simulated".to_owned());
            }
            left = Expression::In(Box::new(left), name);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expression> {
        let mut left = self.comparison()?;
        loop {
            let sign = if self.take("~") {
                "~"
            } else if self.take("!~") {
                "!~"
            } else {
                return Ok(left);
            };
            let right = self.comparison()?;
            left = self.binary(sign, left, right)?;
        }
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.joined()?;
        for sign in ["<=", ">=", "==", "!=", "<", ">"] {
            if !(sign == ">" && self.no_greater) && self.take(sign) {
                let right = self.joined()?;
                return self.binary(sign, left, right);
            }
        }
        Ok(left)
    }

    /// Values side by side are one text.
    fn joined(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        loop {
            let more = match self.rest.first() {
                Some(Token::Name(name)) => name != "in",
                Some(Token::Number(_) | Token::Text(_) | Token::Function(_) | Token::Regex(_)) => true,
                Some(Token::Sign(sign)) => {
                    matches!(*sign, "$" | "(" | "!" | "-" | "++" | "--") && *sign != "!"
                }
                _ => false,
            };
            if !more || self.is("-") {
                return Ok(left);
            }
            let right = self.sum()?;
            left = self.binary("", left, right)?;
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.product()?;
        loop {
            let sign = if self.take("+") {
                "+"
            } else if self.take("-") {
                "-"
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = self.binary(sign, left, right)?;
        }
    }

    fn product(&mut self) -> Parsed<Expression> {
        let mut left = self.unary()?;
        loop {
            let Some(sign) = ["*", "/", "%"].into_iter().find(|sign| self.is(sign)) else { return Ok(left) };
            self.skip();
            let right = self.unary()?;
            left = self.binary(sign, left, right)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.nested(Self::signed)
    }

    fn signed(&mut self) -> Parsed<Expression> {
        if self.take("!") {
            return Ok(Expression::Not(Box::new(self.unary()?)));
        }
        if self.take("-") {
            return Ok(Expression::Minus(Box::new(self.unary()?)));
        }
        if self.take("+") {
            let right = self.unary()?;
            return self.binary("+", Expression::Number(0.0), right);
        }
        let base = self.postfix()?;
        if self.take("^") {
            let power = self.unary()?;
            return self.binary("^", base, power);
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        for (sign, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(sign) {
                return Ok(Expression::Step(Box::new(self.primary()?), by, false));
            }
        }
        let value = self.primary()?;
        if matches!(value, Expression::Variable(_) | Expression::Element(..) | Expression::Field(_)) {
            for (sign, by) in [("++", 1.0), ("--", -1.0)] {
                if self.take(sign) {
                    return Ok(Expression::Step(Box::new(value), by, true));
                }
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        self.nested(Self::value)
    }

    fn value(&mut self) -> Parsed<Expression> {
        let Some(token) = self.rest.first().cloned() else { return Err("unexpected end".to_owned()) };
        self.skip();
        Ok(match token {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text),
            Token::Regex(text) => Expression::Regex(text),
            Token::Function(name) => {
                self.want("(")?;
                Expression::Call(name, self.list(")")?)
            }
            Token::Name(name) if name == "length" => Expression::Call(name, Vec::new()),
            Token::Name(name) if matches!(name.as_str(), "getline" | "function" | "func") => {
                return Err(format!("{name} is not simulated"));
            }
            Token::Name(name) if self.take("[") => Expression::Element(name, Box::new(self.index()?)),
            Token::Name(name) => Expression::Variable(name),
            Token::Sign("$") => {
                let number = if self.take("++") {
                    Expression::Step(Box::new(self.primary()?), 1.0, false)
                } else {
                    self.primary()?
                };
                Expression::Field(Box::new(number))
            }
            Token::Sign("(") => {
                let outer = std::mem::take(&mut self.no_greater);
                let value = self.expression()?;
                self.want(")")?;
                self.no_greater = outer;
                value
            }
            other => return Err(format!("unexpected {other:?}")),
        })
    }
}
