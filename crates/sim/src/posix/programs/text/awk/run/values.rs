//! What expressions are worth, and assigning it.

use crate::posix::programs::text::awk::tree::Expression;
use crate::posix::programs::text::awk::value::Value;

use super::{Machine, PIECE};

impl Machine<'_> {
    pub(super) fn assign(&mut self, target: &Expression, value: Value) {
        match target {
            Expression::Variable(name) => {
                self.variables.insert(name.clone(), value);
            }
            Expression::Element(name, index) => {
                let key = self.value(index).text();
                self.may(key.len() + PIECE);
                self.arrays.entry(name.clone()).or_default().insert(key, value);
            }
            Expression::Field(number) => {
                let number = self.value(number).number();
                self.set_field(number, value.text());
            }
            _ => self.failed = Some("nothing that can be assigned to".to_owned()),
        }
    }

    pub(super) fn value(&mut self, expression: &Expression) -> Value {
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
                self.may(key.len() + PIECE);
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
    pub(super) fn pattern(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Regex(pattern) => pattern.clone(),
            other => self.value(other).text(),
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
