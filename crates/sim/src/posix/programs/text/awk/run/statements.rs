//! Statements, and what they print.

use std::collections::BTreeMap;

use crate::posix::programs::text::awk::tree::{Expression, Statement};
use crate::posix::programs::text::awk::value::Value;

use super::{Flow, LARGEST, LONGEST, Machine, PIECE};

impl Machine<'_> {
    pub(super) fn print(&mut self, values: &[Expression]) {
        let mut texts = Vec::new();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                texts.push(self.setting("OFS"));
            }
            texts.push(self.value(value).text());
        }
        if values.is_empty() {
            texts.push(self.record.clone());
        }
        texts.push(self.setting("ORS"));
        for text in texts {
            self.write(&text);
        }
    }

    /// Writes to standard output.
    fn write(&mut self, text: &str) {
        if self.out.len().saturating_add(text.len()) > LARGEST {
            self.failed.get_or_insert_with(|| "output this long: not simulated".to_owned());
        }
        if self.may(text.len()) {
            self.out.push_str(text);
        }
    }

    pub(super) fn block(&mut self, statements: &[Statement]) -> Flow {
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
        if self.steps > LONGEST {
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
                    let text = self.formatted(&first.text(), rest);
                    self.write(&text);
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
                let size = |array: &BTreeMap<String, Value>| array.keys().map(|key| key.len() + PIECE).sum();
                // An empty loop counts, too.
                let work = self.arrays.get(array).map_or(0, size);
                if !self.may(work) {
                    return Flow::Exit;
                }
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
                    let status = crate::posix::machine::count(self.value(status).number());
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
}
