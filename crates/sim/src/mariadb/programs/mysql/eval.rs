//! Expressions, worked out for a row or a group of rows.

use std::cmp::Ordering;

use crate::world::World;

use super::SqlError;
use super::execute::Session;
use super::expr::Expr;
use super::value::Value;
use super::{functions, show, variables};

/// What an expression is worked out against.
pub(super) struct Env<'a> {
    pub(super) session: &'a mut Session,
    pub(super) world: &'a mut World,
    /// The columns of the table, and a row of it.
    pub(super) columns: &'a [String],
    pub(super) row: &'a [Value],
    /// The rows counted over.
    pub(super) group: Option<&'a [Vec<Value>]>,
}

impl Env<'_> {
    pub(super) fn value(&mut self, expr: &Expr) -> Result<Value, SqlError> {
        let value = self.worked_out(expr)?;
        if let Value::Text(text) = &value {
            self.session.made(text.len())?;
        }
        Ok(value)
    }

    fn worked_out(&mut self, expr: &Expr) -> Result<Value, SqlError> {
        Ok(match expr {
            Expr::Value(value) => value.clone(),
            Expr::Variable(name) => variables::value(self.session, self.world, name)?,
            Expr::UserVariable(name) => self.session.user_variables.get(name).cloned().unwrap_or(Value::Null),
            Expr::Column(name) => self.column(name)?,
            Expr::Star => Value::Int(1),
            Expr::Not(inner) => match self.value(inner)?.is_true() {
                Some(truth) => Value::truth(!truth),
                None => Value::Null,
            },
            Expr::Minus(inner) => match self.value(inner)? {
                Value::Int(number) if number != i64::MIN => Value::Int(-number),
                other => other.number().map_or(Value::Null, |n| Value::from_number(-n)),
            },
            Expr::IsNull(inner) => Value::truth(self.value(inner)? == Value::Null),
            Expr::Like(text, pattern) => match (self.value(text)?.cell(), self.value(pattern)?.cell()) {
                (Some(text), Some(pattern)) => Value::truth(show::like(&text, &pattern)),
                _ => Value::Null,
            },
            Expr::In(needle, list) => self.is_in(needle, list)?,
            Expr::Binary(operator, a, b) => self.binary(operator, a, b)?,
            Expr::Interval(..) => return Err(SqlError::unsupported("INTERVAL")),
            Expr::Between(value, low, high) => self.between(value, low, high)?,
            Expr::Case(subject, arms, other) => {
                let subject = match subject {
                    Some(subject) => Some(self.value(subject)?),
                    None => None,
                };
                for (test, value) in arms {
                    let test = self.value(test)?;
                    let holds = match &subject {
                        Some(subject) => subject.compare(&test) == Some(Ordering::Equal),
                        None => test.is_true() == Some(true),
                    };
                    if holds {
                        return self.value(value);
                    }
                }
                match other {
                    Some(other) => self.value(other)?,
                    None => Value::Null,
                }
            }
            Expr::Select(select) => {
                let rows = select.run(self.session, self.world)?;
                let first = rows.rows.first().and_then(|row| row.first()).cloned().flatten();
                first.map_or(Value::Null, |text| text.parse().map_or(Value::Text(text), Value::Int))
            }
            Expr::Call { name, written, arguments, distinct } => {
                functions::call(self, name, written, arguments, *distinct)?
            }
        })
    }

    fn column(&self, name: &str) -> Result<Value, SqlError> {
        let place = self.columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        match place {
            Some(place) => Ok(self.row.get(place).cloned().unwrap_or(Value::Null)),
            None => {
                let message = format!("Unknown column '{name}' in '{}'", self.session.place_word());
                Err(SqlError::new(1054, "42S22", message))
            }
        }
    }

    fn is_in(&mut self, needle: &Expr, list: &[Expr]) -> Result<Value, SqlError> {
        let needle = self.value(needle)?;
        let mut values = Vec::new();
        for expr in list {
            if let Expr::Select(select) = expr {
                let rows = select.run(self.session, self.world)?;
                let firsts = rows.rows.into_iter().filter_map(|row| row.into_iter().next());
                values.extend(firsts.map(|cell| Value::from_cell(cell.as_deref())));
            } else {
                values.push(self.value(expr)?);
            }
        }
        let found = values.iter().any(|v| needle.compare(v) == Some(Ordering::Equal));
        let unknown = needle == Value::Null || !found && values.contains(&Value::Null);
        Ok(if unknown { Value::Null } else { Value::truth(found) })
    }

    fn between(&mut self, value: &Expr, low: &Expr, high: &Expr) -> Result<Value, SqlError> {
        let (value, low, high) = (self.value(value)?, self.value(low)?, self.value(high)?);
        let above = value.compare(&low).map(Ordering::is_ge);
        let below = value.compare(&high).map(Ordering::is_le);
        Ok(match (above, below) {
            (Some(false), _) | (_, Some(false)) => Value::truth(false),
            (Some(true), Some(true)) => Value::truth(true),
            _ => Value::Null,
        })
    }

    fn binary(&mut self, operator: &str, a: &Expr, b: &Expr) -> Result<Value, SqlError> {
        if let (Expr::Interval(much, unit), "+" | "-") = (b, operator) {
            let much = self.value(much)?.number().unwrap_or(0.0);
            let much = if operator == "-" { -much } else { much };
            return Ok(functions::moved(&self.value(a)?, much, unit));
        }
        let left = self.value(a)?;
        if operator == "and" || operator == "or" {
            let decides = operator == "or";
            if left.is_true() == Some(decides) {
                return Ok(Value::truth(decides));
            }
            let right = self.value(b)?;
            return Ok(match (left.is_true(), right.is_true()) {
                (_, Some(truth)) if truth == decides => Value::truth(decides),
                (Some(_), Some(_)) => Value::truth(!decides),
                _ => Value::Null,
            });
        }
        let right = self.value(b)?;
        if operator == "<=>" {
            let both = left == Value::Null && right == Value::Null;
            return Ok(Value::truth(both || left.compare(&right) == Some(Ordering::Equal)));
        }
        let order = left.compare(&right);
        let test = |truth: fn(Ordering) -> bool| order.map_or(Value::Null, |o| Value::truth(truth(o)));
        Ok(match operator {
            "=" => test(Ordering::is_eq),
            "<>" => test(Ordering::is_ne),
            "<" => test(Ordering::is_lt),
            "<=" => test(Ordering::is_le),
            ">" => test(Ordering::is_gt),
            ">=" => test(Ordering::is_ge),
            _ => arithmetic(operator, &left, &right),
        })
    }
}

fn arithmetic(operator: &str, left: &Value, right: &Value) -> Value {
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let whole = match operator {
            "+" => a.checked_add(*b),
            "-" => a.checked_sub(*b),
            "*" => a.checked_mul(*b),
            "%" => a.checked_rem(*b),
            "div" => a.checked_div(*b),
            _ => None,
        };
        if let Some(whole) = whole {
            return Value::Int(whole);
        }
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else { return Value::Null };
    match operator {
        "+" => Value::from_number(a + b),
        "-" => Value::from_number(a - b),
        "*" => Value::from_number(a * b),
        _ if b == 0.0 => Value::Null,
        // A quotient has four decimals.
        "/" => Value::text(format!("{:.4}", a / b)),
        "div" => Value::from_number((a / b).trunc()),
        _ => Value::from_number(a % b),
    }
}
