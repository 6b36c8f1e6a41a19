//! Source text to a compiled script: brush-parser reads the grammar of commands, this turns its tree into
//! [`super::syntax`]. Results are cached by their text: a fleet is sent the same script a thousand times.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Cursor;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use brush_parser::ast;
use brush_parser::{ParseError, Parser, ParserOptions};

use super::cases::with_opened_patterns;
use super::nesting;
use super::syntax::{
    AndOr, Arm, Assignment, Command, Compound, Function, Item, List, Pipeline, Redirect, RedirectKind,
    Simple, Test, Word,
};
use super::word::{Place, word};

/// Why a text is not a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Syntax {
    /// More input may complete it.
    #[error("Syntax error: end of file unexpected")]
    Incomplete,
    #[error("Syntax error: word unexpected")]
    Unexpected,
    #[error("Bad substitution")]
    BadSubstitution,
    #[error("Syntax error: not simulated: {0}")]
    Unsupported(&'static str),
}

/// Scripts kept; a few a fleet are sent over and over.
const KEPT: usize = 512;

#[derive(Default)]
struct Cache {
    whole: HashMap<Arc<str>, Arc<List>>,
    incomplete: HashSet<(usize, u64)>,
    hasher: RandomState,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

/// How deep brackets may nest in a text, and texts in texts (`$(…)`): the parsers recurse on them.
const DEEPEST: usize = 50;
/// Bytes that reading one script may take in, all its substitutions and attempts together.
const MOST_WORK: usize = 4 * 1024 * 1024;
/// Stack that a bracket may take of a parser which recurses on it.
const STACK_OF_A_BRACKET: usize = 16 * 1024;
/// Brackets of a script. More of them are no script: a parser that recursed on each would need gigabytes of stack.
const MOST_BRACKETS: usize = 8_192;

thread_local! {
    /// Of the script that is being read on this thread: how deep in substitutions, and the bytes taken in.
    static READING: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Reads a script, or takes it from the cache.
pub(crate) fn parse(source: &str) -> Result<Arc<List>, Syntax> {
    let key = {
        let cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = cache.whole.get(source) {
            return Ok(Arc::clone(list));
        }
        let key = (source.len(), cache.hasher.hash_one(source));
        if cache.incomplete.contains(&key) {
            return Err(Syntax::Incomplete);
        }
        key
    };
    let (depth, work) = READING.get();
    let work = if depth == 0 { 0 } else { work + source.len() };
    if depth > DEEPEST || work > MOST_WORK {
        return Err(Syntax::Unsupported("substitutions this deep"));
    }
    READING.set((depth + 1, work));
    let result = read(source).map(Arc::new);
    READING.set((depth, READING.get().1));
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    match &result {
        Ok(list) => {
            if cache.whole.len() >= KEPT {
                cache.whole.clear();
            }
            cache.whole.insert(Arc::from(source), Arc::clone(list));
        }
        Err(Syntax::Incomplete) => {
            if cache.incomplete.len() >= KEPT * 16 {
                cache.incomplete.clear();
            }
            cache.incomplete.insert(key);
        }
        Err(_) => {}
    }
    result
}

fn is_too_deep(source: &str) -> bool {
    let mut depth = 0_usize;
    source.chars().any(|c| {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

fn read(source: &str) -> Result<List, Syntax> {
    let brackets = source.bytes().filter(|b| matches!(b, b'(' | b'{' | b'`')).count();
    if is_too_deep(source) || brackets > MOST_BRACKETS {
        return Err(Syntax::Unsupported("brackets this deep"));
    }
    // A quoted `)` hides what stays open from the count above: there must be stack for every bracket.
    let stack = 1024 * 1024 + brackets * STACK_OF_A_BRACKET;
    stacker::maybe_grow(stack, stack, || {
        // The newline gives "something is missing" and "something is too much" different places.
        let text = if source.ends_with('\n') { source.to_owned() } else { format!("{source}\n") };
        match compile(&text) {
            Err(Syntax::Unexpected) if text.contains("case") => compile(&with_opened_patterns(&text)),
            result => result,
        }
    })
}

fn compile(text: &str) -> Result<List, Syntax> {
    let options = ParserOptions::default();
    if nesting::is_too_deep(text, &options.tokenizer_options()) {
        return Err(Syntax::Unsupported("commands this deep"));
    }
    let program = Parser::new(Cursor::new(text), &options).parse_program();
    let program = program.map_err(|error| match error {
        ParseError::ParsingAtEndOfInput => Syntax::Incomplete,
        ParseError::Tokenizing { inner, .. } if inner.is_incomplete() => Syntax::Incomplete,
        _ => Syntax::Unexpected,
    })?;
    let mut items = Vec::new();
    for command in &program.complete_commands {
        items.extend(list(command)?.0);
    }
    Ok(List(items))
}

fn list(source: &ast::CompoundList) -> Result<List, Syntax> {
    let item = |ast::CompoundListItem(and_or_list, separator): &ast::CompoundListItem| {
        Ok(Item {
            and_or: Arc::new(and_or(and_or_list)?),
            background: matches!(separator, ast::SeparatorOperator::Async),
        })
    };
    source.0.iter().map(item).collect::<Result<_, _>>().map(List)
}

fn and_or(source: &ast::AndOrList) -> Result<AndOr, Syntax> {
    let mut rest = Vec::new();
    for next in &source.additional {
        rest.push(match next {
            ast::AndOr::And(next) => (true, pipeline(next)?),
            ast::AndOr::Or(next) => (false, pipeline(next)?),
        });
    }
    Ok(AndOr { first: pipeline(&source.first)?, rest })
}

fn pipeline(source: &ast::Pipeline) -> Result<Pipeline, Syntax> {
    let commands = source.seq.iter().map(command).collect::<Result<_, _>>()?;
    Ok(Pipeline { negated: source.bang, commands })
}

fn command(source: &ast::Command) -> Result<Command, Syntax> {
    Ok(match source {
        ast::Command::Simple(simple) => Command::Simple(simple_command(simple)?),
        ast::Command::Compound(inner, redirects) => {
            Command::Compound(compound(inner)?, redirect_list(redirects.as_ref())?)
        }
        ast::Command::Function(function) => {
            let ast::FunctionBody(body, redirects) = &function.body;
            let compiled = Function { body: compound(body)?, redirects: redirect_list(redirects.as_ref())? };
            Command::Function(function.fname.value.clone(), Arc::new(compiled))
        }
        ast::Command::ExtendedTest(inner, redirects) => {
            Command::Compound(Compound::Test(test(&inner.expr)?), redirect_list(redirects.as_ref())?)
        }
    })
}

fn plain(source: &ast::Word) -> Result<Word, Syntax> {
    word(&source.value, Place::Plain)
}

fn arithmetic(source: &ast::UnexpandedArithmeticExpr) -> Result<Word, Syntax> {
    word(&source.value, Place::Document)
}

fn simple_command(source: &ast::SimpleCommand) -> Result<Simple, Syntax> {
    let line =
        source.word_or_name.as_ref().and_then(|word| word.loc.as_ref()).map_or(1, |loc| loc.start.line);
    let mut simple = Simple { line, assignments: Vec::new(), words: Vec::new(), redirects: Vec::new() };
    for item in source.prefix.iter().flat_map(|prefix| &prefix.0) {
        add(&mut simple, item, true)?;
    }
    if let Some(name) = &source.word_or_name {
        simple.words.push(plain(name)?);
    }
    for item in source.suffix.iter().flat_map(|suffix| &suffix.0) {
        add(&mut simple, item, false)?;
    }
    Ok(simple)
}

fn add(simple: &mut Simple, item: &ast::CommandPrefixOrSuffixItem, prefix: bool) -> Result<(), Syntax> {
    match item {
        ast::CommandPrefixOrSuffixItem::IoRedirect(inner) => simple.redirects.extend(redirect(inner)?),
        ast::CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) if prefix => {
            let ast::AssignmentName::VariableName(name) = &assignment.name else {
                return Err(Syntax::Unsupported("arrays"));
            };
            let ast::AssignmentValue::Scalar(value) = &assignment.value else {
                return Err(Syntax::Unsupported("arrays"));
            };
            let value = plain(value)?;
            simple.assignments.push(Assignment { name: name.clone(), append: assignment.append, value });
        }
        ast::CommandPrefixOrSuffixItem::AssignmentWord(_, inner)
        | ast::CommandPrefixOrSuffixItem::Word(inner) => simple.words.push(plain(inner)?),
        ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
            return Err(Syntax::Unsupported("process substitution"));
        }
    }
    Ok(())
}

fn redirect_list(source: Option<&ast::RedirectList>) -> Result<Vec<Redirect>, Syntax> {
    let mut out = Vec::new();
    for item in source.iter().flat_map(|list| &list.0) {
        out.extend(redirect(item)?);
    }
    Ok(out)
}

fn redirect(source: &ast::IoRedirect) -> Result<Vec<Redirect>, Syntax> {
    let fd = |number: Option<i32>, usual: usize| {
        number.map_or(Ok(usual), |n| usize::try_from(n).map_err(|_| Syntax::Unexpected))
    };
    let one = match source {
        ast::IoRedirect::File(number, kind, target) => {
            use ast::IoFileRedirectKind as Kind;
            let target = match target {
                ast::IoFileRedirectTarget::Filename(name) | ast::IoFileRedirectTarget::Duplicate(name) => {
                    plain(name)?
                }
                ast::IoFileRedirectTarget::Fd(number) => word(&number.to_string(), Place::Plain)?,
                ast::IoFileRedirectTarget::ProcessSubstitution(..) => {
                    return Err(Syntax::Unsupported("process substitution"));
                }
            };
            let (usual, kind) = match kind {
                Kind::Read => (0, RedirectKind::Read(target)),
                Kind::ReadAndWrite => (0, RedirectKind::ReadWrite(target)),
                Kind::Write | Kind::Clobber => (1, RedirectKind::Write(target)),
                Kind::Append => (1, RedirectKind::Append(target)),
                Kind::DuplicateInput => (0, RedirectKind::Duplicate(target)),
                Kind::DuplicateOutput => (1, RedirectKind::Duplicate(target)),
            };
            Redirect { fd: fd(*number, usual)?, kind }
        }
        ast::IoRedirect::HereDocument(number, here) => {
            let mut text = here.doc.value.clone();
            if here.remove_tabs {
                text = text.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect();
            }
            let text = if here.requires_expansion {
                word(&text, Place::Document)?
            } else {
                Word(vec![super::syntax::Piece::Quoted(text)])
            };
            Redirect { fd: fd(*number, 0)?, kind: RedirectKind::Here(text) }
        }
        ast::IoRedirect::HereString(number, text) => {
            Redirect { fd: fd(*number, 0)?, kind: RedirectKind::HereString(plain(text)?) }
        }
        ast::IoRedirect::OutputAndError(target, append) => {
            Redirect { fd: 1, kind: RedirectKind::Both(plain(target)?, *append) }
        }
    };
    Ok(vec![one])
}

fn compound(source: &ast::CompoundCommand) -> Result<Compound, Syntax> {
    Ok(match source {
        ast::CompoundCommand::BraceGroup(group) => Compound::Group(list(&group.list)?),
        ast::CompoundCommand::Subshell(shell) => Compound::Subshell(list(&shell.list)?),
        ast::CompoundCommand::ForClause(clause) => Compound::For {
            name: clause.variable_name.clone(),
            values: clause
                .values
                .as_ref()
                .map(|values| values.iter().map(plain).collect::<Result<_, _>>())
                .transpose()?,
            body: list(&clause.body.list)?,
        },
        ast::CompoundCommand::CaseClause(clause) => {
            let arms = clause.cases.iter().map(arm).collect::<Result<_, _>>()?;
            Compound::Case { value: plain(&clause.value)?, arms }
        }
        ast::CompoundCommand::IfClause(clause) => if_clause(clause)?,
        ast::CompoundCommand::WhileClause(clause) => {
            Compound::Loop { until: false, condition: list(&clause.0)?, body: list(&clause.1.list)? }
        }
        ast::CompoundCommand::UntilClause(clause) => {
            Compound::Loop { until: true, condition: list(&clause.0)?, body: list(&clause.1.list)? }
        }
        ast::CompoundCommand::Arithmetic(inner) => Compound::Arithmetic(arithmetic(&inner.expr)?),
        ast::CompoundCommand::ArithmeticForClause(clause) => {
            let part =
                |part: &Option<ast::UnexpandedArithmeticExpr>| part.as_ref().map(arithmetic).transpose();
            Compound::ArithmeticFor {
                start: part(&clause.initializer)?.unwrap_or_default(),
                condition: part(&clause.condition)?,
                step: part(&clause.updater)?.unwrap_or_default(),
                body: list(&clause.body.list)?,
            }
        }
        ast::CompoundCommand::Coprocess(_) => return Err(Syntax::Unsupported("coproc")),
    })
}

fn arm(source: &ast::CaseItem) -> Result<Arm, Syntax> {
    Ok(Arm {
        patterns: source.patterns.iter().map(plain).collect::<Result<_, _>>()?,
        body: source.cmd.as_ref().map(list).transpose()?.unwrap_or_default(),
        falls_through: matches!(
            source.post_action,
            ast::CaseItemPostAction::UnconditionallyExecuteNextCaseItem
        ),
    })
}

fn if_clause(source: &ast::IfClauseCommand) -> Result<Compound, Syntax> {
    let mut arms = vec![(list(&source.condition)?, list(&source.then)?)];
    let mut otherwise = None;
    for part in source.elses.iter().flatten() {
        match &part.condition {
            Some(condition) => arms.push((list(condition)?, list(&part.body)?)),
            None => otherwise = Some(list(&part.body)?),
        }
    }
    Ok(Compound::If { arms, otherwise })
}

fn test(source: &ast::ExtendedTestExpr) -> Result<Test, Syntax> {
    use ast::ExtendedTestExpr as Expr;
    Ok(match source {
        Expr::And(left, right) => Test::And(Box::new(test(left)?), Box::new(test(right)?)),
        Expr::Or(left, right) => Test::Or(Box::new(test(left)?), Box::new(test(right)?)),
        Expr::Not(inner) => Test::Not(Box::new(test(inner)?)),
        Expr::Parenthesized(inner) => test(inner)?,
        Expr::UnaryTest(sign, operand) => Test::Unary(sign.to_string(), plain(operand)?),
        Expr::BinaryTest(sign, left, right) => match sign {
            ast::BinaryPredicate::StringExactlyMatchesPattern => Test::Matches(plain(left)?, plain(right)?),
            ast::BinaryPredicate::StringDoesNotExactlyMatchPattern => {
                Test::Not(Box::new(Test::Matches(plain(left)?, plain(right)?)))
            }
            other => Test::Binary(other.to_string(), plain(left)?, plain(right)?),
        },
    })
}
