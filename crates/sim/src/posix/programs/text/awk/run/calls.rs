//! The functions.

use std::collections::BTreeMap;

use crate::posix::programs::text::awk::tree::Expression;
use crate::posix::programs::text::awk::value::{Value, format};

use super::{LARGEST, Machine, PIECE};

impl Machine<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Expression]) -> Value {
        let record = Expression::Field(Box::new(Expression::Number(0.0)));
        match (name, arguments) {
            ("length", []) => self.call(name, &[record]),
            ("length", [Expression::Variable(name)]) if self.arrays.contains_key(name) => {
                let length = self.arrays.get(name).map_or(0, BTreeMap::len);
                Value::Number(f64::from(u32::try_from(length).unwrap_or(0)))
            }
            ("split", [text, Expression::Variable(array), rest @ ..]) => {
                let text = self.value(text).text();
                let separator = match rest.first() {
                    Some(separator) => self.pattern(separator),
                    None => self.setting("FS"),
                };
                let parts = self.split(&text, &separator);
                self.may(parts.len() * PIECE);
                let total = u32::try_from(parts.len()).unwrap_or(0);
                let numbered =
                    (1..).zip(parts).map(|(at, part): (u32, _)| (at.to_string(), Value::Input(part)));
                self.arrays.insert(array.clone(), numbered.collect());
                Value::Number(f64::from(total))
            }
            (which @ ("sub" | "gsub"), [pattern, with, rest @ ..]) => {
                let pattern = self.pattern(pattern);
                let with = self.value(with).text();
                let target = rest.first().unwrap_or(&record);
                let text = self.value(target).text();
                let hits = self.hits(&pattern, &text, if which == "sub" { 1 } else { usize::MAX });
                if !hits.is_empty()
                    && let Some(new) = self.replaced(&text, &hits, &with)
                {
                    self.assign(target, Value::Text(new));
                }
                Value::Number(f64::from(u32::try_from(hits.len()).unwrap_or(0)))
            }
            ("match", [text, pattern]) => {
                let text = self.value(text).text();
                let pattern = self.pattern(pattern);
                let (start, length) = match self.hits(&pattern, &text, 1).first() {
                    Some(hit) => (hit.start + 1, f64::from(u32::try_from(hit.len()).unwrap_or(0))),
                    None => (0, -1.0),
                };
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

    /// `printf`
    pub(super) fn formatted(&mut self, text: &str, values: &[Value]) -> String {
        let (text, work) = format(text, values, LARGEST);
        self.fits(work);
        text
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
            ("sprintf", [_, rest @ ..]) => Value::Text(self.formatted(&first.text(), rest)),
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
