//! Expressions, as they are read from a statement.

use super::SqlError;
use super::lexer::{Cursor, Token};
use super::value::Value;
use super::{functions, select};

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Value(Value),
    Variable(String),
    UserVariable(String),
    Column(String),
    Star,
    Call {
        name: String,
        written: String,
        arguments: Vec<Expr>,
        distinct: bool,
    },
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    /// Value, lowest, highest.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    Like(Box<Expr>, Box<Expr>),
    IsNull(Box<Expr>),
    Interval(Box<Expr>, String),
    /// What is compared, if anything; the arms; what else.
    Case(Option<Box<Expr>>, Vec<(Expr, Expr)>, Option<Box<Expr>>),
    Select(Box<select::Select>),
}

/// Words that end an expression or a name without AS.
static CLAUSES: &[&str] = &[
    "from",
    "limit",
    "where",
    "order",
    "group",
    "union",
    "is",
    "and",
    "or",
    "xor",
    "in",
    "like",
    "not",
    "between",
    "into",
    "having",
    "as",
    "asc",
    "desc",
    "on",
    "when",
    "then",
    "else",
    "end",
    "div",
    "mod",
    "separator",
    "for",
    "join",
    "left",
    "inner",
    "using",
    "set",
    "values",
    "offset",
    "interval",
    "regexp",
];

pub(super) fn is_clause(word: &str) -> bool {
    CLAUSES.iter().any(|clause| word.eq_ignore_ascii_case(clause))
}

impl Expr {
    pub(super) fn parse(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        c.nested(Self::or)
    }

    fn or(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let mut left = Self::and(c)?;
        while c.take("or") || c.double('|') {
            c.operator()?;
            left = Self::Binary("or", Box::new(left), Box::new(Self::and(c)?));
        }
        Ok(left)
    }

    fn and(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let mut left = Self::not(c)?;
        while c.take("and") || c.double('&') {
            c.operator()?;
            left = Self::Binary("and", Box::new(left), Box::new(Self::not(c)?));
        }
        Ok(left)
    }

    fn not(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        if c.take("not") {
            return Ok(Self::Not(Box::new(c.nested(Self::not)?)));
        }
        Self::comparison(c)
    }

    fn comparison(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let mut left = Self::sum(c)?;
        loop {
            if c.take("is") {
                c.operator()?;
                let not = c.take("not");
                let test = if c.take("null") {
                    Self::IsNull(Box::new(left))
                } else if c.take("true") {
                    Self::Binary("<>", Box::new(left), Box::new(Self::Value(Value::Int(0))))
                } else {
                    return Err(c.syntax());
                };
                left = if not { Self::Not(Box::new(test)) } else { test };
                continue;
            }
            let not = c.is("not") && {
                c.next();
                true
            };
            let test = if c.take("in") {
                c.expect('(')?;
                let list = if c.is("select") {
                    vec![Self::Select(Box::new(select::Select::parse_after(c)?))]
                } else {
                    Self::list(c)?
                };
                c.expect(')')?;
                Self::In(Box::new(left), list)
            } else if c.take("like") {
                Self::Like(Box::new(left), Box::new(Self::sum(c)?))
            } else if c.take("between") {
                let low = Self::sum(c)?;
                c.expect_word("and")?;
                let high = Self::sum(c)?;
                Self::Between(Box::new(left), Box::new(low), Box::new(high))
            } else if not {
                return Err(c.syntax());
            } else if let Some(operator) = comparison(c) {
                c.operator()?;
                let right = Self::sum(c)?;
                left = Self::Binary(operator, Box::new(left), Box::new(right));
                continue;
            } else {
                return Ok(left);
            };
            c.operator()?;
            left = if not { Self::Not(Box::new(test)) } else { test };
        }
    }

    fn sum(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let mut left = Self::product(c)?;
        loop {
            let operator = if c.symbol('+') {
                "+"
            } else if c.symbol('-') {
                "-"
            } else {
                return Ok(left);
            };
            c.operator()?;
            left = Self::Binary(operator, Box::new(left), Box::new(Self::product(c)?));
        }
    }

    fn product(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let mut left = Self::unary(c)?;
        loop {
            let operator = if c.symbol('*') {
                "*"
            } else if c.symbol('/') {
                "/"
            } else if c.take("div") {
                "div"
            } else if c.symbol('%') || c.take("mod") {
                "%"
            } else {
                return Ok(left);
            };
            c.operator()?;
            left = Self::Binary(operator, Box::new(left), Box::new(Self::unary(c)?));
        }
    }

    fn unary(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        if c.symbol('-') {
            return Ok(Self::Minus(Box::new(c.nested(Self::unary)?)));
        }
        if c.symbol('!') {
            return Ok(Self::Not(Box::new(c.nested(Self::unary)?)));
        }
        Self::atom(c)
    }

    /// Expressions between commas.
    pub(super) fn list(c: &mut Cursor<'_>) -> Result<Vec<Self>, SqlError> {
        let mut list = vec![Self::parse(c)?];
        while c.symbol(',') {
            list.push(Self::parse(c)?);
        }
        Ok(list)
    }

    fn atom(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let before = c.offset();
        Ok(match c.next() {
            Some(Token::Text(text)) => Self::Value(Value::Text(text)),
            Some(Token::Number(number)) => Self::Value(match number.parse::<i64>() {
                Ok(whole) => Value::Int(whole),
                // A decimal is kept as written.
                Err(_) => Value::Text(number),
            }),
            Some(Token::Variable(name)) => Self::Variable(name),
            Some(Token::Symbol('@')) => Self::UserVariable(c.word_or_text()?.to_lowercase()),
            Some(Token::Symbol('*')) => Self::Star,
            Some(Token::Symbol('(')) => {
                let inner = if c.is("select") {
                    Self::Select(Box::new(select::Select::parse_after(c)?))
                } else {
                    Self::parse(c)?
                };
                c.expect(')')?;
                inner
            }
            Some(Token::Name(name)) => Self::qualified(c, name)?,
            Some(Token::Word(word)) => Self::word(c, word, before)?,
            _ => return Err(c.syntax_at(before)),
        })
    }

    fn word(c: &mut Cursor<'_>, word: String, before: usize) -> Result<Self, SqlError> {
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "null" => return Ok(Self::Value(Value::Null)),
            "true" => return Ok(Self::Value(Value::Int(1))),
            "false" => return Ok(Self::Value(Value::Int(0))),
            "interval" => {
                let much = c.nested(Self::sum)?;
                return Ok(Self::Interval(Box::new(much), c.name()?.to_ascii_lowercase()));
            }
            "case" => return Self::case(c),
            "if" | "left" | "mod" | "values" if matches!(c.peek(), Some(Token::Symbol('('))) => {}
            "exists" => return Err(SqlError::unsupported(c.sql())),
            other if is_clause(other) => return Err(c.syntax_at(before)),
            _ => {}
        }
        if !c.symbol('(') {
            if matches!(lower.as_str(), "current_user" | "current_timestamp") {
                return Ok(Self::Call { name: lower, written: word, arguments: Vec::new(), distinct: false });
            }
            return Self::qualified(c, word);
        }
        let distinct = c.take("distinct");
        let mut arguments = Vec::new();
        if !c.symbol(')') {
            // Units are bare words: TIMESTAMPDIFF(SECOND, …).
            arguments = Self::list(c)?;
            if lower == "cast" && c.take("as") {
                c.name()?;
            }
            if c.take("order") {
                c.expect_word("by")?;
                Self::list(c)?;
            }
            if c.take("separator") {
                arguments.push(Self::parse(c)?);
            }
            c.expect(')')?;
        }
        Ok(Self::Call { name: lower, written: word, arguments, distinct })
    }

    /// A column's name; what table it is of says nothing here, as there is one table in a statement.
    fn qualified(c: &mut Cursor<'_>, first: String) -> Result<Self, SqlError> {
        let mut name = first;
        while c.symbol('.') {
            if c.symbol('*') {
                return Ok(Self::Star);
            }
            name = c.name()?;
        }
        Ok(Self::Column(name))
    }

    fn case(c: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let subject = if c.is("when") { None } else { Some(Box::new(Self::parse(c)?)) };
        let mut arms = Vec::new();
        while c.take("when") {
            let test = Self::parse(c)?;
            c.expect_word("then")?;
            arms.push((test, Self::parse(c)?));
        }
        let other = if c.take("else") { Some(Box::new(Self::parse(c)?)) } else { None };
        c.expect_word("end")?;
        Ok(Self::Case(subject, arms, other))
    }

    /// Whether it counts over a group of rows.
    pub(super) fn aggregates(&self) -> bool {
        match self {
            Self::Call { name, arguments, .. } => {
                functions::is_aggregate(name) || arguments.iter().any(Self::aggregates)
            }
            Self::Not(a) | Self::Minus(a) | Self::IsNull(a) => a.aggregates(),
            Self::Binary(_, a, b) | Self::Like(a, b) => a.aggregates() || b.aggregates(),
            Self::In(a, _) => a.aggregates(),
            Self::Between(a, b, c) => a.aggregates() || b.aggregates() || c.aggregates(),
            Self::Case(subject, arms, other) => {
                subject.as_ref().is_some_and(|s| s.aggregates())
                    || arms.iter().any(|(a, b)| a.aggregates() || b.aggregates())
                    || other.as_ref().is_some_and(|o| o.aggregates())
            }
            _ => false,
        }
    }
}

fn comparison(c: &mut Cursor<'_>) -> Option<&'static str> {
    let two = |c: &mut Cursor<'_>, second: char, long: &'static str, short: &'static str| {
        if c.symbol(second) { long } else { short }
    };
    if c.symbol('=') {
        Some("=")
    } else if c.symbol('<') {
        if c.symbol('>') {
            return Some("<>");
        }
        let least = two(c, '=', "<=", "<");
        // `<=>` also compares NULL.
        if least == "<=" && c.symbol('>') { Some("<=>") } else { Some(least) }
    } else if c.symbol('>') {
        Some(two(c, '=', ">=", ">"))
    } else if matches!(c.peek(), Some(Token::Symbol('!'))) && c.peek_second() == Some(&Token::Symbol('=')) {
        c.next();
        c.next();
        Some("<>")
    } else {
        None
    }
}
