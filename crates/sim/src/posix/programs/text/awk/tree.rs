//! Awk's programs, as they are read.

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
