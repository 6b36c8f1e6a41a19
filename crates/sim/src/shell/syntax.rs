//! The shape of a script once read: words already cut into pieces, so that running it again costs no parsing.

use std::sync::Arc;

/// A list of commands.
#[derive(Debug, Default)]
pub(crate) struct List(pub(crate) Vec<Item>);

/// One and-or list, perhaps in the background.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) and_or: Arc<AndOr>,
    pub(crate) background: bool,
}

/// Pipelines joined by `&&` (true) and `||` (false).
#[derive(Debug)]
pub(crate) struct AndOr {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(bool, Pipeline)>,
}

/// Commands joined by `|`.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) enum Command {
    Simple(Simple),
    Compound(Compound, Vec<Redirect>),
    Function(String, Arc<Function>),
}

#[derive(Debug)]
pub(crate) struct Simple {
    pub(crate) line: usize,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) words: Vec<Word>,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) append: bool,
    pub(crate) value: Word,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) body: Compound,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug)]
pub(crate) enum Compound {
    Group(List),
    Subshell(List),
    For { name: String, values: Option<Vec<Word>>, body: List },
    Case { value: Word, arms: Vec<Arm> },
    If { arms: Vec<(List, List)>, otherwise: Option<List> },
    Loop { until: bool, condition: List, body: List },
    Arithmetic(Word),
    ArithmeticFor { start: Word, condition: Option<Word>, step: Word, body: List },
    Test(Test),
}

#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: List,
    /// `;&` runs the next arm too.
    pub(crate) falls_through: bool,
}

/// `[[ … ]]`
#[derive(Debug)]
pub(crate) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Unary(String, Word),
    Binary(String, Word, Word),
    Matches(Word, Word),
}

#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) fd: usize,
    pub(crate) kind: RedirectKind,
}

#[derive(Debug)]
pub(crate) enum RedirectKind {
    Read(Word),
    Write(Word),
    Append(Word),
    ReadWrite(Word),
    Duplicate(Word),
    Here(Word),
    HereString(Word),
    Both(Word, bool),
}

/// A word, cut into pieces.
#[derive(Debug, Default)]
pub(crate) struct Word(pub(crate) Vec<Piece>);

#[derive(Debug)]
pub(crate) enum Piece {
    /// Unquoted text: globbed, never split.
    Text(String),
    /// Quoted text, perhaps empty: makes a field of its own.
    Quoted(String),
    Tilde(String),
    Parameter(Box<Parameter>, bool),
    Substitution(Arc<List>, bool),
    Arithmetic(Word, bool),
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) operation: Operation,
}

#[derive(Debug)]
pub(crate) enum Operation {
    Get,
    Length,
    /// `-`, `=`, `+` or `?`; with a colon empty counts as unset.
    Default {
        sign: char,
        colon: bool,
        word: Word,
    },
    /// `#`, `##`, `%`, `%%`.
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    /// `${name:offset:length}` of bash.
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    /// `${name/pattern/with}` of bash.
    Replace {
        all: bool,
        pattern: Word,
        with: Word,
    },
}
