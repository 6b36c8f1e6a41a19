//! What a script uses: the commands it runs with their words, as far as its text tells, read from the very tree that the
//! simulated shell runs. For a test that holds the simulated fleet against the scripts that are sent to it.
//!
//! Followed are functions with their arguments, variables with texts that are assigned to them, and commands that are
//! words of other commands (`sudo`, `timeout`, `sh -c`, `xargs`, `find -exec`, Salt's `cmd.run`). Names and words
//! that only a machine knows are skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parse::parse;
use super::syntax::{
    AndOr, Command, Compound, Function, List, Operation, Parameter, Piece, Redirect, RedirectKind, Simple,
    Test, Word,
};
use within::Within;

mod within;

/// A command of a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// The name it is called by.
    pub name: String,
    /// Whether it is one of several names that a variable may have.
    pub maybe: bool,
    /// Its words after the name.
    pub arguments: Vec<Argument>,
}

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Argument {
    /// What it may be; nothing when that is not known.
    pub texts: Vec<String>,
    /// Whether that is all of it, or its beginning.
    pub whole: bool,
}

impl Argument {
    fn of(text: &str) -> Self {
        Self { texts: vec![text.to_owned()], whole: true }
    }

    /// Its text, when there is one and that is all.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.texts.as_slice() {
            [text] if self.whole => Some(text),
            _ => None,
        }
    }
}

/// What scripts that are sent one after the other use. Functions of one are known in the others.
///
/// # Errors
/// With the shell's complaint about a script that it cannot read.
pub fn uses(scripts: &[&str]) -> Result<BTreeSet<Used>, String> {
    let mut reading = Reading::default();
    let lists: Vec<Arc<List>> = scripts.iter().map(|script| read(script)).collect::<Result<_, String>>()?;
    // First the functions, then what variables may be, then the commands.
    for _ in 0..3 {
        reading.found.clear();
        reading.walked.clear();
        for list in &lists {
            reading.list(list, &Frame::default());
        }
        for function in reading.functions.clone().into_values() {
            reading.compound(&function.body, &mut Frame::default());
        }
    }
    match reading.wrong.pop_first() {
        Some(wrong) => Err(wrong),
        None => Ok(reading.found),
    }
}

fn read(script: &str) -> Result<Arc<List>, String> {
    parse(script).map_err(|error| format!("{error}: {script}"))
}

/// The positional parameters, where they are known.
#[derive(Debug, Clone, Default)]
struct Frame(Option<Vec<Argument>>);

#[derive(Default)]
struct Reading {
    functions: BTreeMap<String, Arc<Function>>,
    variables: BTreeMap<String, BTreeSet<String>>,
    walked: BTreeSet<(String, Vec<Argument>)>,
    found: BTreeSet<Used>,
    wrong: BTreeSet<String>,
}

impl Reading {
    fn list(&mut self, list: &List, frame: &Frame) {
        let mut frame = frame.clone();
        self.same(list, &mut frame);
    }

    /// A list that runs in the same shell: what it sets is set after it.
    fn same(&mut self, list: &List, frame: &mut Frame) {
        for item in &list.0 {
            self.and_or(&item.and_or, frame);
        }
    }

    fn and_or(&mut self, and_or: &AndOr, frame: &mut Frame) {
        let pipelines = std::iter::once(&and_or.first).chain(and_or.rest.iter().map(|(_, next)| next));
        for command in pipelines.flat_map(|pipeline| &pipeline.commands) {
            match command {
                Command::Simple(simple) => self.simple(simple, frame),
                Command::Compound(compound, redirects) => {
                    self.compound(compound, frame);
                    self.redirects(redirects, frame);
                }
                Command::Function(name, function) => {
                    self.functions.insert(name.clone(), Arc::clone(function));
                }
            }
        }
    }

    fn compound(&mut self, compound: &Compound, frame: &mut Frame) {
        match compound {
            Compound::Group(list) => self.same(list, frame),
            Compound::Subshell(list) => self.list(list, frame),
            Compound::For { name, values, body } => {
                let values = match values {
                    Some(values) => values.iter().flat_map(|value| self.words(value, frame)).collect(),
                    None => frame.0.clone().unwrap_or_default(),
                };
                for value in values.iter().filter(|value| value.whole) {
                    self.variables.entry(name.clone()).or_default().extend(value.texts.iter().cloned());
                }
                self.same(body, frame);
            }
            Compound::Case { value, arms } => {
                self.words(value, frame);
                for arm in arms {
                    for pattern in &arm.patterns {
                        self.words(pattern, frame);
                    }
                    self.same(&arm.body, frame);
                }
            }
            Compound::If { arms, otherwise } => {
                for (condition, body) in arms {
                    self.same(condition, frame);
                    self.same(body, frame);
                }
                otherwise.iter().for_each(|list| self.same(list, frame));
            }
            Compound::Loop { condition, body, .. } => {
                self.same(condition, frame);
                self.same(body, frame);
            }
            Compound::Arithmetic(word) => self.inside(word, frame),
            Compound::ArithmeticFor { start, condition, step, body } => {
                std::iter::once(start).chain(condition).chain([step]).for_each(|w| self.inside(w, frame));
                self.same(body, frame);
            }
            Compound::Test(test) => self.test(test, frame),
        }
    }

    fn test(&mut self, test: &Test, frame: &Frame) {
        match test {
            Test::And(left, right) | Test::Or(left, right) => {
                self.test(left, frame);
                self.test(right, frame);
            }
            Test::Not(inner) => self.test(inner, frame),
            Test::Unary(_, word) => self.inside(word, frame),
            Test::Binary(_, left, right) | Test::Matches(left, right) => {
                self.inside(left, frame);
                self.inside(right, frame);
            }
        }
    }

    fn redirects(&mut self, redirects: &[Redirect], frame: &Frame) {
        for redirect in redirects {
            match &redirect.kind {
                RedirectKind::Read(word)
                | RedirectKind::Write(word)
                | RedirectKind::Append(word)
                | RedirectKind::ReadWrite(word)
                | RedirectKind::Duplicate(word)
                | RedirectKind::Here(word)
                | RedirectKind::HereString(word)
                | RedirectKind::Both(word, _) => self.inside(word, frame),
            }
        }
    }

    fn simple(&mut self, simple: &Simple, frame: &mut Frame) {
        self.redirects(&simple.redirects, frame);
        for assignment in &simple.assignments {
            let values = self.words(&assignment.value, frame);
            self.variables.entry(assignment.name.clone()).or_default().extend(looked_for(&assignment.value));
            let [value] = values.as_slice() else { continue };
            if value.whole && !assignment.append {
                let known = self.variables.entry(assignment.name.clone()).or_default();
                known.extend(value.texts.iter().cloned());
            }
        }
        let words: Vec<Argument> = simple.words.iter().flat_map(|word| self.words(word, frame)).collect();
        self.run(&words, frame);
    }

    /// A command that is the words of a script, or of another command.
    fn run(&mut self, words: &[Argument], frame: &mut Frame) {
        let Some((first, arguments)) = words.split_first() else { return };
        if first.texts.is_empty() || !first.whole {
            return;
        }
        if first.text() == Some("set") && arguments.first().and_then(Argument::text) == Some("--") {
            frame.0 = Some(arguments.get(1..).unwrap_or_default().to_vec());
        }
        if first.text() == Some("shift")
            && let Some(known) = &mut frame.0
        {
            let by = arguments.first().map_or(Some(1), |word| word.text()?.parse().ok());
            frame.0 = by.and_then(|by: usize| known.get(by..)).map(<[Argument]>::to_vec);
        }
        for name in &first.texts {
            self.named(name, first.texts.len() > 1, arguments);
        }
    }

    fn named(&mut self, name: &str, maybe: bool, arguments: &[Argument]) {
        if let Some(function) = self.functions.get(name).cloned() {
            if self.walked.insert((name.to_owned(), arguments.to_vec())) && self.walked.len() < MOST_CALLS {
                let mut frame = Frame(Some(arguments.to_vec()));
                self.compound(&function.body, &mut frame);
            }
            return;
        }
        let used = Used { name: name.to_owned(), maybe, arguments: arguments.to_vec() };
        if !self.found.insert(used) {
            return;
        }
        for within in within::of(name.rsplit('/').next().unwrap_or(name), arguments) {
            match within {
                Within::Words(words) => self.run(&words, &mut Frame::default()),
                Within::Script(text) => match read(&text) {
                    Ok(list) => self.list(&list, &Frame::default()),
                    Err(wrong) => {
                        self.wrong.insert(wrong);
                    }
                },
            }
        }
    }

    /// The substitutions in a word.
    fn inside(&mut self, word: &Word, frame: &Frame) {
        self.words(word, frame);
    }

    /// What a word of a command becomes.
    fn words(&mut self, word: &Word, frame: &Frame) -> Vec<Argument> {
        self.pieces(word, frame);
        let pieces: Vec<&Piece> =
            word.0.iter().filter(|piece| !matches!(piece, Piece::Quoted(text) if text.is_empty())).collect();
        match pieces.as_slice() {
            [] => vec![Argument::of("")],
            [Piece::Parameter(parameter, quoted)] if matches!(parameter.operation, Operation::Get) => {
                self.parameter(parameter, *quoted, frame)
            }
            pieces => vec![literal(pieces)],
        }
    }

    fn parameter(&self, parameter: &Parameter, quoted: bool, frame: &Frame) -> Vec<Argument> {
        if matches!(parameter.name.as_str(), "@" | "*") {
            return frame.0.clone().unwrap_or_else(|| vec![Argument::default()]);
        }
        if let (Ok(place), Some(known)) = (parameter.name.parse::<usize>(), &frame.0) {
            return vec![place.checked_sub(1).and_then(|at| known.get(at)).cloned().unwrap_or_default()];
        }
        let Some(known) = self.variables.get(&parameter.name).filter(|known| !known.is_empty()) else {
            return vec![Argument::default()];
        };
        if quoted || known.iter().all(|text| !text.contains(char::is_whitespace) && !text.is_empty()) {
            return vec![Argument { texts: known.iter().cloned().collect(), whole: true }];
        }
        // `sudo -n` or nothing: the longest says the most.
        let longest = known.iter().max_by_key(|text| text.len()).map(String::as_str).unwrap_or_default();
        longest.split_whitespace().map(Argument::of).collect()
    }

    fn pieces(&mut self, word: &Word, frame: &Frame) {
        for piece in &word.0 {
            match piece {
                Piece::Text(_) | Piece::Quoted(_) | Piece::Tilde(_) => {}
                Piece::Substitution(list, _) => self.list(list, frame),
                Piece::Arithmetic(inner, _) => self.inside(inner, frame),
                Piece::Parameter(parameter, _) => match &parameter.operation {
                    Operation::Get | Operation::Length => {}
                    Operation::Default { word, .. } | Operation::Trim { pattern: word, .. } => {
                        self.inside(word, frame);
                    }
                    Operation::Slice { offset, length } => {
                        std::iter::once(offset).chain(length).for_each(|word| self.inside(word, frame));
                    }
                    Operation::Replace { pattern, with, .. } => {
                        self.inside(pattern, frame);
                        self.inside(with, frame);
                    }
                },
            }
        }
    }
}

/// The names in `$(command -v one || command -v other)`: what it prints is one of them.
fn looked_for(value: &Word) -> Vec<String> {
    let [Piece::Substitution(list, _)] = value.0.as_slice() else { return Vec::new() };
    let and_ors = list.0.iter().map(|item| &item.and_or);
    let pipelines =
        and_ors.flat_map(|list| std::iter::once(&list.first).chain(list.rest.iter().map(|(_, p)| p)));
    let name = |command: &Command| match command {
        Command::Simple(simple) => {
            let words: Vec<Argument> =
                simple.words.iter().map(|word| literal(&word.0.iter().collect::<Vec<_>>())).collect();
            match words.iter().map(Argument::text).collect::<Vec<_>>().as_slice() {
                [Some("command"), Some("-v"), Some(name)] => Some((*name).to_owned()),
                _ => None,
            }
        }
        Command::Compound(..) | Command::Function(..) => None,
    };
    pipelines.flat_map(|pipeline| &pipeline.commands).filter_map(name).collect()
}

/// Calls of functions that are followed.
const MOST_CALLS: usize = 20_000;

/// A word's text, up to what only a machine can know.
fn literal(pieces: &[&Piece]) -> Argument {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) | Piece::Quoted(part) => text.push_str(part),
            Piece::Tilde(_) | Piece::Parameter(..) | Piece::Substitution(..) | Piece::Arithmetic(..) => {
                let texts = if text.is_empty() { Vec::new() } else { vec![text] };
                return Argument { texts, whole: false };
            }
        }
    }
    Argument { texts: vec![text], whole: true }
}

#[cfg(test)]
mod tests;
