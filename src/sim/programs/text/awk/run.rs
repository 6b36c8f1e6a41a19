//! Running an awk program over its input.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use super::parse::{Expression, Pattern, Rule, Statement, unescaped};
use super::value::{Value, format};
use crate::sim::program::Reply;
use crate::sim::programs::text::Named;

/// Steps after which a program is taken for one without an end.
const LONGEST: usize = 2_000_000;
/// Bytes it may write, and a text of it may have.
const LARGEST: usize = 4 * 1024 * 1024;
/// Bytes of texts that it may go through in all, besides sixty-four for each of its input: a program that doubles a text
/// or tries expressions without end is stopped although it makes few steps.
const MOST_WORK: usize = 256 * 1024 * 1024;
/// What making a regular expression counts as.
const REGEX_WORK: usize = 256 * 1024;
/// Regular expressions kept.
const KEPT: usize = 64;
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

struct Machine {
    variables: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    record: String,
    fields: Vec<String>,
    inside: Vec<usize>,
    out: String,
    status: u8,
    steps: usize,
    /// What is left of the work it may do.
    left: usize,
    regexes: BTreeMap<String, Regex>,
    failed: Option<String>,
}

/// Runs it: BEGIN, every record of every input, END.
pub(super) fn run(rules: &[Rule], inputs: &[Named], separator: Option<&str>, set: &[String]) -> Reply {
    let mut machine = Machine {
        variables: BTreeMap::new(),
        arrays: BTreeMap::new(),
        record: String::new(),
        fields: Vec::new(),
        inside: Vec::new(),
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

impl Machine {
    /// Counts work; false when it was too much, or something has failed before.
    fn may(&mut self, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0 {
            self.failed.get_or_insert_with(|| "it does not come to an end".to_owned());
        }
        self.failed.is_none()
    }

    /// Whether a text may be this long.
    fn fits(&mut self, bytes: usize) -> bool {
        if bytes > LARGEST {
            self.failed.get_or_insert_with(|| "out of memory".to_owned());
        }
        self.may(bytes)
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
        for rule in rules {
            let meant = match &rule.pattern {
                Pattern::Begin | Pattern::End => false,
                Pattern::Always => true,
                Pattern::When(condition) => self.value(condition).holds(),
                Pattern::Range(from, to, number) => {
                    let inside = self.inside.contains(number) || self.value(from).holds();
                    if inside {
                        self.inside.retain(|other| other != number);
                        if !self.value(to).holds() {
                            self.inside.push(*number);
                        }
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
        let separator = self.get("FS").text();
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

    fn field(&self, number: f64) -> Value {
        let number = usize::try_from(crate::sim::world::machine::count(number)).unwrap_or(0);
        let text = match number.checked_sub(1) {
            None => Some(&self.record),
            Some(at) => self.fields.get(at),
        };
        Value::Input(text.cloned().unwrap_or_default())
    }

    fn set_field(&mut self, number: f64, value: String) {
        let number = usize::try_from(crate::sim::world::machine::count(number)).unwrap_or(0);
        let Some(at) = number.checked_sub(1) else { return self.take(value) };
        if at > 1000 {
            return;
        }
        if self.fields.len() <= at {
            self.fields.resize(at + 1, String::new());
        }
        if let Some(field) = self.fields.get_mut(at) {
            *field = value;
        }
        let between = self.get("OFS").text();
        let length = self.fields.iter().map(|field| field.len() + between.len()).sum();
        if !self.fits(length) {
            return;
        }
        self.record = self.fields.join(&between);
        self.count_fields();
    }

    fn print(&mut self, values: &[Expression]) {
        let text = if values.is_empty() {
            self.record.clone()
        } else {
            let separator = self.get("OFS").text();
            values.iter().map(|value| self.value(value).text()).collect::<Vec<_>>().join(&separator)
        };
        self.out.push_str(&text);
        let end = self.get("ORS").text();
        self.out.push_str(&end);
    }

    fn block(&mut self, statements: &[Statement]) -> Flow {
        for statement in statements {
            let flow = self.statement(statement);
            if !matches!(flow, Flow::Go) {
                return flow;
            }
        }
        Flow::Go
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        self.steps += 1;
        if self.steps > LONGEST || self.out.len() > LARGEST {
            self.failed.get_or_insert_with(|| "it does not come to an end".to_owned());
        }
        if self.failed.is_some() {
            return Flow::Exit;
        }
        match statement {
            Statement::Expression(expression) => drop(self.value(expression)),
            Statement::Print(values) => self.print(values),
            Statement::Printf(values) => {
                let values: Vec<Value> = values.iter().map(|value| self.value(value)).collect();
                if let [first, rest @ ..] = values.as_slice() {
                    let text = format(&first.text(), rest, LARGEST);
                    if self.fits(text.len()) {
                        self.out.push_str(&text);
                    }
                }
            }
            Statement::If(condition, then, otherwise) => {
                let holds = self.value(condition).holds();
                return self.block(if holds { then } else { otherwise });
            }
            Statement::While(condition, body) => return self.repeat(Some(condition), None, body),
            Statement::For(start, condition, step, body) => {
                if let Some(start) = start {
                    self.statement(start);
                }
                return self.repeat(condition.as_ref(), step.as_deref(), body);
            }
            Statement::ForIn(name, array, body) => {
                let keys: Vec<String> =
                    self.arrays.get(array).map(|array| array.keys().cloned().collect()).unwrap_or_default();
                for key in keys {
                    self.variables.insert(name.clone(), Value::Input(key));
                    match self.block(body) {
                        Flow::Go | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return flow,
                    }
                }
            }
            Statement::Delete(name, index) => match index {
                None => drop(self.arrays.remove(name)),
                Some(index) => {
                    let key = self.value(index).text();
                    self.arrays.entry(name.clone()).or_default().remove(&key);
                }
            },
            Statement::Next => return Flow::Next,
            Statement::Break => return Flow::Break,
            Statement::Continue => return Flow::Continue,
            Statement::Exit(status) => {
                if let Some(status) = status {
                    let status = crate::sim::world::machine::count(self.value(status).number());
                    self.status = u8::try_from(status & 0xff).unwrap_or(1);
                }
                return Flow::Exit;
            }
        }
        Flow::Go
    }

    fn repeat(
        &mut self,
        condition: Option<&Expression>,
        step: Option<&Statement>,
        body: &[Statement],
    ) -> Flow {
        while self.failed.is_none() && condition.is_none_or(|condition| self.value(condition).holds()) {
            // An empty loop counts, too.
            self.steps += 1;
            if self.steps > LONGEST {
                self.failed = Some("it does not come to an end".to_owned());
            }
            match self.block(body) {
                Flow::Go | Flow::Continue => {}
                Flow::Break => break,
                flow => return flow,
            }
            if let Some(step) = step {
                self.statement(step);
            }
        }
        Flow::Go
    }

    fn assign(&mut self, target: &Expression, value: Value) {
        match target {
            Expression::Variable(name) => {
                self.variables.insert(name.clone(), value);
            }
            Expression::Element(name, index) => {
                let key = self.value(index).text();
                self.arrays.entry(name.clone()).or_default().insert(key, value);
            }
            Expression::Field(number) => {
                let number = self.value(number).number();
                self.set_field(number, value.text());
            }
            _ => self.failed = Some("nothing that can be assigned to".to_owned()),
        }
    }

    fn value(&mut self, expression: &Expression) -> Value {
        if self.failed.is_some() {
            return Value::Number(0.0);
        }
        let value = self.worked_out(expression);
        self.may(value.size());
        value
    }

    fn worked_out(&mut self, expression: &Expression) -> Value {
        let truth = |holds: bool| Value::Number(f64::from(u8::from(holds)));
        match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Regex(pattern) => truth(self.matches(pattern, &self.record.clone())),
            Expression::Variable(name) => self.get(name),
            Expression::Element(name, index) => {
                let key = self.value(index).text();
                let array = self.arrays.entry(name.clone()).or_default();
                array.entry(key).or_insert_with(|| Value::Input(String::new())).clone()
            }
            Expression::Field(number) => {
                let number = self.value(number).number();
                self.field(number)
            }
            Expression::Assign(target, operation, value) => {
                let mut value = self.value(value);
                if let Some(operation) = operation {
                    let before = self.value(target).number();
                    value = Value::Number(calculated(*operation, before, value.number()));
                }
                self.assign(target, value.clone());
                value
            }
            Expression::Step(target, by, before) => {
                let old = self.value(target).number();
                self.assign(target, Value::Number(old + by));
                Value::Number(if *before { old } else { old + by })
            }
            Expression::Not(inner) => truth(!self.value(inner).holds()),
            Expression::Minus(inner) => Value::Number(-self.value(inner).number()),
            Expression::Choice(condition, yes, no) => {
                let holds = self.value(condition).holds();
                self.value(if holds { yes } else { no })
            }
            Expression::In(index, name) => {
                let key = self.value(index).text();
                truth(self.arrays.get(name).is_some_and(|array| array.contains_key(&key)))
            }
            Expression::Binary(sign, left, right) => self.binary(sign, left, right),
            Expression::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn binary(&mut self, sign: &str, left: &Expression, right: &Expression) -> Value {
        let truth = |holds: bool| Value::Number(f64::from(u8::from(holds)));
        match sign {
            "&&" => return truth(self.value(left).holds() && self.value(right).holds()),
            "||" => return truth(self.value(left).holds() || self.value(right).holds()),
            "~" | "!~" => {
                let text = self.value(left).text();
                let pattern = self.pattern(right);
                return truth(self.matches(&pattern, &text) == (sign == "~"));
            }
            _ => {}
        }
        let (left, right) = (self.value(left), self.value(right));
        let order = match (left.as_number(), right.as_number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(left.text().cmp(&right.text())),
        };
        match sign {
            "" => {
                let (left, right) = (left.text(), right.text());
                if !self.fits(left.len() + right.len()) {
                    return Value::Number(0.0);
                }
                Value::Text(left + &right)
            }
            "<" => truth(order.is_some_and(std::cmp::Ordering::is_lt)),
            "<=" => truth(order.is_some_and(std::cmp::Ordering::is_le)),
            ">" => truth(order.is_some_and(std::cmp::Ordering::is_gt)),
            ">=" => truth(order.is_some_and(std::cmp::Ordering::is_ge)),
            "==" => truth(order.is_some_and(std::cmp::Ordering::is_eq)),
            "!=" => truth(order.is_some_and(std::cmp::Ordering::is_ne)),
            sign => {
                let (a, b) = (left.number(), right.number());
                if matches!(sign, "/" | "%") && b == 0.0 {
                    self.failed.get_or_insert_with(|| "division by zero".to_owned());
                }
                Value::Number(calculated(sign.chars().next().unwrap_or('+'), a, b))
            }
        }
    }

    /// A regular expression, or a text used as one.
    fn pattern(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Regex(pattern) => pattern.clone(),
            other => self.value(other).text(),
        }
    }

    fn regex(&mut self, pattern: &str) -> Option<Regex> {
        if let Some(made) = self.regexes.get(pattern) {
            return Some(made.clone());
        }
        if !self.may(REGEX_WORK + pattern.len()) {
            return None;
        }
        match RegexBuilder::new(pattern).size_limit(1 << 20).build() {
            Ok(made) => {
                if self.regexes.len() >= KEPT {
                    self.regexes.clear();
                }
                self.regexes.insert(pattern.to_owned(), made.clone());
                Some(made)
            }
            Err(_) => {
                self.failed.get_or_insert_with(|| format!("not an expression: {pattern}"));
                None
            }
        }
    }

    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        self.may(text.len()) && self.regex(pattern).is_some_and(|regex| regex.is_match(text))
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Value {
        let count = |text: &str| Value::Number(f64::from(u32::try_from(text.chars().count()).unwrap_or(0)));
        match (name, arguments) {
            ("length", []) => count(&self.record),
            ("length", [Expression::Variable(name)]) if self.arrays.contains_key(name) => {
                let length = self.arrays.get(name).map_or(0, BTreeMap::len);
                Value::Number(f64::from(u32::try_from(length).unwrap_or(0)))
            }
            ("split", [text, Expression::Variable(array), rest @ ..]) => {
                let text = self.value(text).text();
                let separator = match rest.first() {
                    Some(separator) => self.pattern(separator),
                    None => self.get("FS").text(),
                };
                let parts = self.split(&text, &separator);
                let total = u32::try_from(parts.len()).unwrap_or(0);
                let numbered =
                    (1..).zip(parts).map(|(at, part): (u32, _)| (at.to_string(), Value::Input(part)));
                self.arrays.insert(array.clone(), numbered.collect());
                Value::Number(f64::from(total))
            }
            (which @ ("sub" | "gsub"), [pattern, with, rest @ ..]) => {
                let pattern = self.pattern(pattern);
                let with = self
                    .value(with)
                    .text()
                    .replace('$', "$$")
                    .replace("\\&", "\0")
                    .replace('&', "$0")
                    .replace('\0', "&");
                let whole = Expression::Field(Box::new(Expression::Number(0.0)));
                let target = rest.first().unwrap_or(&whole);
                let text = self.value(target).text();
                let Some(regex) = self.regex(&pattern) else { return Value::Number(0.0) };
                let most = if which == "sub" { 1 } else { usize::MAX };
                let (mut hits, mut length) = (0_usize, text.len());
                for hit in regex.find_iter(&text).take(most) {
                    hits += 1;
                    // Each `$0` of the replacement is the hit again.
                    length = length.saturating_add(with.len()).saturating_add(with.len() / 2 * hit.len());
                }
                if hits > 0 && self.fits(length) {
                    let limit = usize::from(which == "sub");
                    let new = regex.replacen(&text, limit, with.as_str()).into_owned();
                    self.assign(target, Value::Text(new));
                }
                Value::Number(f64::from(u32::try_from(hits).unwrap_or(0)))
            }
            ("match", [text, pattern]) => {
                let text = self.value(text).text();
                let pattern = self.pattern(pattern);
                let found = self
                    .regex(&pattern)
                    .and_then(|regex| regex.find(&text).map(|hit| (hit.start(), hit.len())));
                let (start, length) = found.map_or((0, -1.0), |(start, length)| {
                    (start + 1, f64::from(u32::try_from(length).unwrap_or(0)))
                });
                let start = Value::Number(f64::from(u32::try_from(start).unwrap_or(0)));
                self.variables.insert("RSTART".to_owned(), start.clone());
                self.variables.insert("RLENGTH".to_owned(), Value::Number(length));
                start
            }
            _ => {
                let values: Vec<Value> = arguments.iter().map(|argument| self.value(argument)).collect();
                self.plain_call(name, &values)
            }
        }
    }

    fn plain_call(&mut self, name: &str, values: &[Value]) -> Value {
        let first = values.first().cloned().unwrap_or_else(|| Value::Text(String::new()));
        match (name, values) {
            ("length", _) => {
                Value::Number(f64::from(u32::try_from(first.text().chars().count()).unwrap_or(0)))
            }
            ("int", _) => Value::Number(first.number().trunc()),
            ("sqrt", _) => Value::Number(first.number().sqrt()),
            ("toupper", _) => Value::Text(first.text().to_uppercase()),
            ("tolower", _) => Value::Text(first.text().to_lowercase()),
            ("sprintf", [_, rest @ ..]) => {
                let text = format(&first.text(), rest, LARGEST);
                self.fits(text.len());
                Value::Text(text)
            }
            ("index", [text, part]) => {
                let text = text.text();
                let at = text
                    .find(&part.text())
                    .map_or(0, |at| text.get(..at).map_or(0, |before| before.chars().count()) + 1);
                Value::Number(f64::from(u32::try_from(at).unwrap_or(0)))
            }
            ("substr", [text, start, rest @ ..]) => {
                let start = start.number().round();
                let end = rest.first().map_or(f64::INFINITY, |length| start + length.number().round());
                let chars = text.text();
                let kept = (1..)
                    .zip(chars.chars())
                    .filter(|(at, _): &(u32, char)| f64::from(*at) >= start && f64::from(*at) < end);
                Value::Text(kept.map(|(_, c)| c).collect())
            }
            _ => {
                self.failed = Some(format!("function {name} is not simulated"));
                Value::Number(0.0)
            }
        }
    }
}

fn calculated(sign: char, left: f64, right: f64) -> f64 {
    match sign {
        '-' => left - right,
        '*' => left * right,
        '/' => left / right,
        '%' => left % right,
        '^' => left.powf(right),
        _ => left + right,
    }
}

impl Machine {
    /// Fields: by blanks, by one character, or by an expression.
    fn split(&mut self, text: &str, separator: &str) -> Vec<String> {
        if text.is_empty() || !self.may(text.len() * 16) {
            return Vec::new();
        }
        let mut chars = separator.chars();
        match (chars.next(), chars.next()) {
            (Some(' '), None) => text.split_whitespace().map(str::to_owned).collect(),
            (None, _) => text.chars().map(String::from).collect(),
            (Some(one), None) => text.split(one).map(str::to_owned).collect(),
            _ => match self.regex(separator) {
                Some(regex) => regex.split(text).map(str::to_owned).collect(),
                None => vec![text.to_owned()],
            },
        }
    }
}
