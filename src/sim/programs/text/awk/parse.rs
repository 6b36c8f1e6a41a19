//! Awk's grammar.

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// `None`: print the record.
    pub(super) action: Option<Vec<Statement>>,
}

#[derive(Debug)]
pub(super) enum Pattern {
    Begin,
    End,
    Always,
    When(Expression),
    /// From one to the other; its number, to remember whether it is inside.
    Range(Expression, Expression, usize),
}

#[derive(Debug)]
pub(super) enum Statement {
    Expression(Expression),
    Print(Vec<Expression>),
    Printf(Vec<Expression>),
    If(Expression, Vec<Statement>, Vec<Statement>),
    While(Expression, Vec<Statement>),
    For(Option<Box<Statement>>, Option<Expression>, Option<Box<Statement>>, Vec<Statement>),
    ForIn(String, String, Vec<Statement>),
    Delete(String, Option<Expression>),
    Next,
    Exit(Option<Expression>),
    Break,
    Continue,
}

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Regex(String),
    Variable(String),
    Element(String, Box<Expression>),
    Field(Box<Expression>),
    Assign(Box<Expression>, Option<char>, Box<Expression>),
    /// Target, by how much, whether the value is the one from before.
    Step(Box<Expression>, f64, bool),
    Not(Box<Expression>),
    Minus(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    In(Box<Expression>, String),
    Call(String, Vec<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name with its parenthesis right after it.
    Function(String),
    Sign(&'static str),
    Newline,
}

type Parsed<T> = Result<T, String>;

/// How deep expressions and statements may nest.
const DEEPEST: usize = 200;
/// Operators of one expression: a chain of them is as deep a tree as it is long.
const MOST_OPERATORS: usize = 500;

static SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "!~", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "{", "}", "(",
    ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "?", ":", "=", "$", "|",
];

fn tokens(source: &str) -> Parsed<Vec<Token>> {
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

pub(super) fn unescaped(text: &str) -> String {
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

    fn binary(&mut self, sign: &'static str, left: Expression, right: Expression) -> Parsed<Expression> {
        self.operators += 1;
        if self.operators > MOST_OPERATORS {
            return Err("an expression this long: not simulated".to_owned());
        }
        Ok(binary(sign, left, right))
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

    fn block(&mut self) -> Parsed<Vec<Statement>> {
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

    fn list(&mut self, end: &str) -> Parsed<Vec<Expression>> {
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

    fn index(&mut self) -> Parsed<Expression> {
        let mut values = self.list("]")?.into_iter();
        let mut index = values.next().ok_or_else(|| "an index is missing".to_owned())?;
        for value in values {
            let mark = Expression::Variable("SUBSEP".to_owned());
            index = self.binary("", index, mark)?;
            index = self.binary("", index, value)?;
        }
        Ok(index)
    }

    fn expression(&mut self) -> Parsed<Expression> {
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

fn binary(sign: &'static str, left: Expression, right: Expression) -> Expression {
    Expression::Binary(sign, Box::new(left), Box::new(right))
}
