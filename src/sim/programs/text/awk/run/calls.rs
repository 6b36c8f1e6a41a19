//! The functions.

use std::collections::BTreeMap;

use super::{LARGEST, Machine};
use crate::sim::programs::text::awk::tree::Expression;
use crate::sim::programs::text::awk::value::{Value, format};

impl Machine<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expression]) -> Value {
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
