//! Running an awk program over its input.

mod calls;
mod expression;
mod statements;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::posix::programs::text::Named;
use crate::program::Reply;

use super::parse::unescaped;
use super::tree::{Expression, Pattern, Rule};
use super::value::Value;
use expression::Made;

/// Steps after which a program is taken for one without an end.
const LONGEST: usize = 2_000_000;
/// Bytes it may write, and a text of it may have.
const LARGEST: usize = 4 * 1024 * 1024;
/// Bytes of texts that it may go through in all, besides sixty-four for each of its input: a program that doubles a text
/// or tries expressions without end is stopped although it makes few steps.
const MOST_WORK: usize = 256 * 1024 * 1024;
/// What a record, a field, a key or an element counts as, besides its text.
const PIECE: usize = 64;
/// The highest field that can be made.
const LAST_FIELD: usize = 1000;
/// Stack for the program, which is worked out by recursion.
const STACK: usize = 16 * 1024 * 1024;

/// What a statement leaves.
enum Flow {
    Go,
    Next,
    Exit,
    Break,
    Continue,
}

struct Machine<'e> {
    /// Nobody waits for it any more.
    ended: &'e AtomicBool,
    variables: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    record: String,
    fields: Vec<String>,
    /// The ranges that have begun and not ended, by their numbers.
    inside: BTreeSet<usize>,
    out: String,
    status: u8,
    steps: usize,
    /// What is left of the work it may do.
    left: usize,
    regexes: BTreeMap<String, Made>,
    failed: Option<String>,
}

/// Runs it: BEGIN, every record of every input, END.
pub(super) fn run(
    rules: &[Rule],
    inputs: &[Named],
    separator: Option<&str>,
    set: &[String],
    ended: &AtomicBool,
) -> Reply {
    let mut machine = Machine {
        ended,
        variables: BTreeMap::new(),
        arrays: BTreeMap::new(),
        record: String::new(),
        fields: Vec::new(),
        inside: BTreeSet::new(),
        out: String::new(),
        status: 0,
        steps: 0,
        left: MOST_WORK + 64 * inputs.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(),
        regexes: BTreeMap::new(),
        failed: None,
    };
    for (name, value) in
        [("FS", " "), ("OFS", " "), ("ORS", "\n"), ("SUBSEP", "\x1c"), ("NR", "0"), ("NF", "0")]
    {
        machine.variables.insert(name.to_owned(), Value::Input(value.to_owned()));
    }
    if let Some(separator) = separator {
        machine.variables.insert("FS".to_owned(), Value::Text(unescaped(separator)));
    }
    for (name, value) in set.iter().filter_map(|word| word.split_once('=')) {
        machine.variables.insert(name.to_owned(), Value::Input(unescaped(value)));
    }
    stacker::maybe_grow(STACK, STACK, || machine.whole(rules, inputs));
    if let Some(why) = &machine.failed {
        let stderr = format!("awk: {why}\n").into_bytes();
        return Reply { stdout: machine.out.into_bytes(), stderr, status: 2 };
    }
    Reply { stdout: machine.out.into_bytes(), status: machine.status, ..Reply::default() }
}

impl Machine<'_> {
    /// Counts work; false when it was too much, or something has failed before.
    fn may(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(bytes);
        if self.ended.load(Ordering::Relaxed) {
            self.failed.get_or_insert_with(|| "Terminated".to_owned());
        }
        if self.left == 0 {
            self.failed.get_or_insert_with(|| "it does not come to an end".to_owned());
        }
        self.failed.is_none()
    }

    /// Whether a text may be this long.
    fn fits(&mut self, bytes: usize) -> bool {
        self.grows(0, bytes)
    }

    /// Whether a text of some length may become longer.
    fn grows(&mut self, length: usize, by: usize) -> bool {
        if length.saturating_add(by) > LARGEST {
            self.failed.get_or_insert_with(|| "out of memory".to_owned());
        }
        self.may(by)
    }

    fn whole(&mut self, rules: &[Rule], inputs: &[Named]) {
        let only = |rules: &mut Self, wanted: fn(&Pattern) -> bool, all: &[Rule]| {
            for rule in all.iter().filter(|rule| wanted(&rule.pattern)) {
                if let Flow::Exit = rules.block(rule.action.as_deref().unwrap_or_default()) {
                    return true;
                }
            }
            false
        };
        let mut left = only(self, |pattern| matches!(pattern, Pattern::Begin), rules);
        let mut number = 0;
        for (file, bytes) in inputs {
            self.variables.insert("FILENAME".to_owned(), Value::Text(file.clone().unwrap_or_default()));
            let text = String::from_utf8_lossy(bytes);
            for (at, line) in text.lines().enumerate() {
                if left || self.failed.is_some() {
                    break;
                }
                number += 1;
                self.variables.insert("NR".to_owned(), Value::Number(f64::from(number)));
                let own = i32::try_from(at).unwrap_or(0) + 1;
                self.variables.insert("FNR".to_owned(), Value::Number(f64::from(own)));
                self.take(line.to_owned());
                left = matches!(self.record_rules(rules), Flow::Exit);
            }
        }
        if self.failed.is_none() {
            only(self, |pattern| matches!(pattern, Pattern::End), rules);
        }
    }

    fn record_rules(&mut self, rules: &[Rule]) -> Flow {
        self.may(rules.len());
        for rule in rules {
            let meant = match &rule.pattern {
                Pattern::Begin | Pattern::End => false,
                Pattern::Always => true,
                Pattern::When(condition) => self.value(condition).holds(),
                Pattern::Range(from, to, number) => {
                    let inside = self.inside.remove(number) || self.value(from).holds();
                    if inside && !self.value(to).holds() {
                        self.inside.insert(*number);
                    }
                    inside
                }
            };
            if !meant {
                continue;
            }
            let flow = match &rule.action {
                Some(action) => self.block(action),
                None => {
                    self.print(&[]);
                    Flow::Go
                }
            };
            match flow {
                Flow::Next => return Flow::Go,
                Flow::Exit => return Flow::Exit,
                _ => {}
            }
        }
        Flow::Go
    }

    /// Takes a record and splits it.
    fn take(&mut self, record: String) {
        let separator = self.setting("FS");
        self.may(PIECE);
        self.fields = self.split(&record, &separator);
        self.record = record;
        self.count_fields();
    }

    fn count_fields(&mut self) {
        let count = u32::try_from(self.fields.len()).unwrap_or(0);
        self.variables.insert("NF".to_owned(), Value::Number(f64::from(count)));
    }

    fn get(&self, name: &str) -> Value {
        self.variables.get(name).cloned().unwrap_or_else(|| Value::Input(String::new()))
    }

    /// What a variable holds that the program goes by, as a text.
    fn setting(&mut self, name: &str) -> String {
        self.value(&Expression::Variable(name.to_owned())).text()
    }

    fn field(&self, number: f64) -> Value {
        let number = usize::try_from(crate::posix::machine::count(number)).unwrap_or(0);
        let text = match number.checked_sub(1) {
            None => Some(&self.record),
            Some(at) => self.fields.get(at),
        };
        Value::Input(text.cloned().unwrap_or_default())
    }

    fn set_field(&mut self, number: f64, value: String) {
        let number = usize::try_from(crate::posix::machine::count(number)).unwrap_or(0);
        let Some(at) = number.checked_sub(1) else { return self.take(value) };
        if at >= LAST_FIELD {
            self.failed.get_or_insert_with(|| format!("fields above {LAST_FIELD} are not simulated"));
            return;
        }
        if self.fields.len() <= at {
            self.fields.resize(at + 1, String::new());
        }
        if let Some(field) = self.fields.get_mut(at) {
            *field = value;
        }
        let between = self.setting("OFS");
        let length = self.fields.iter().map(|field| field.len() + between.len()).sum();
        if !self.fits(length) {
            return;
        }
        self.record = self.fields.join(&between);
        self.count_fields();
    }

    /// Fields: by blanks, by one character, or by an expression.
    fn split(&mut self, text: &str, separator: &str) -> Vec<String> {
        if text.is_empty() || !self.may(text.len()) {
            return Vec::new();
        }
        // One more than it may make shows that there are too many.
        let most = self.left / PIECE + 1;
        let mut chars = separator.chars();
        let parts: Vec<String> = match (chars.next(), chars.next()) {
            (Some(' '), None) => text.split_whitespace().take(most).map(str::to_owned).collect(),
            (None, _) => text.chars().take(most).map(String::from).collect(),
            (Some(one), None) => text.split(one).take(most).map(str::to_owned).collect(),
            _ => {
                let hits = self.hits(separator, text, most);
                let from = std::iter::once(0).chain(hits.iter().map(|hit| hit.end));
                let to = hits.iter().map(|hit| hit.start).chain([text.len()]);
                let part = |(from, to)| text.get(from..to).unwrap_or_default().to_owned();
                from.zip(to).map(part).collect()
            }
        };
        self.may(parts.len() * PIECE);
        parts
    }
}
