//! `$((…))`: brush-parser reads the expression, this computes it, in 64 bits, wrapping.

use brush_parser::arithmetic;
use brush_parser::ast::{
    ArithmeticExpr as Expr, ArithmeticTarget as Target, BinaryOperator as Binary, UnaryAssignmentOperator,
    UnaryOperator as Unary,
};

use super::expand::Expanded;
use super::state::{Flow, Shell};
use super::syntax::Word;

/// How deep an expression may nest.
const DEEPEST: usize = 64;
/// Signs that an expression may have: the parser recurses on each.
const MOST_SIGNS: usize = 256;
/// Stack for the parser, which takes up to 8 KiB for a sign.
const STACK: usize = 4 * 1024 * 1024;

impl Shell {
    /// Expands and computes an expression.
    pub(crate) async fn arithmetic(&mut self, expression: &Word) -> Expanded<i64> {
        let text = self.text(expression).await?;
        match self.compute(&text, 0) {
            Ok(value) => Ok(value),
            Err(message) => {
                self.complain(&message).await;
                self.status = 2;
                Err(Flow::Exit)
            }
        }
    }

    fn compute(&mut self, text: &str, depth: usize) -> Result<i64, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(0);
        }
        if !text.starts_with('0')
            && let Ok(value) = text.parse()
        {
            return Ok(value);
        }
        if depth > DEEPEST || text.len() > 4096 {
            return Err("arithmetic expression: too deep".to_owned());
        }
        // The parser reads an element's index anew for each operator there is.
        if text.contains('[') {
            return Err("arithmetic expression: arrays are not simulated".to_owned());
        }
        if text.bytes().filter(|b| b.is_ascii_punctuation() && *b != b'_').count() > MOST_SIGNS {
            return Err("arithmetic expression: too deep".to_owned());
        }
        let parsed = stacker::maybe_grow(STACK, STACK, || arithmetic::parse(text))
            .map_err(|_| format!("arithmetic expression: expecting primary: \"{text}\""))?;
        self.evaluate(&parsed, depth + 1)
    }

    fn variable(&mut self, target: &Target, depth: usize) -> Result<i64, String> {
        let name = name(target)?;
        match self.get(name).map(str::to_owned) {
            None if self.options.nounset => Err(format!("{name}: parameter not set")),
            None => Ok(0),
            Some(value) => self.compute(&value, depth),
        }
    }

    fn assign(&mut self, target: &Target, value: i64) -> Result<i64, String> {
        self.set(name(target)?, value.to_string())?;
        Ok(value)
    }

    fn evaluate(&mut self, expression: &Expr, depth: usize) -> Result<i64, String> {
        if depth > DEEPEST {
            return Err("arithmetic expression: too deep".to_owned());
        }
        let depth = depth + 1;
        Ok(match expression {
            Expr::Literal(value) => *value,
            Expr::Reference(target) => self.variable(target, depth)?,
            Expr::UnaryOp(sign, inner) => {
                let value = self.evaluate(inner, depth)?;
                match sign {
                    Unary::UnaryPlus => value,
                    Unary::UnaryMinus => value.wrapping_neg(),
                    Unary::BitwiseNot => !value,
                    Unary::LogicalNot => i64::from(value == 0),
                }
            }
            Expr::BinaryOp(Binary::LogicalAnd, left, right) => {
                i64::from(self.evaluate(left, depth)? != 0 && self.evaluate(right, depth)? != 0)
            }
            Expr::BinaryOp(Binary::LogicalOr, left, right) => {
                i64::from(self.evaluate(left, depth)? != 0 || self.evaluate(right, depth)? != 0)
            }
            Expr::BinaryOp(sign, left, right) => {
                let (left, right) = (self.evaluate(left, depth)?, self.evaluate(right, depth)?);
                binary(sign, left, right)?
            }
            Expr::Conditional(condition, yes, no) => {
                let taken = if self.evaluate(condition, depth)? != 0 { yes } else { no };
                self.evaluate(taken, depth)?
            }
            Expr::Assignment(target, value) => {
                let value = self.evaluate(value, depth)?;
                self.assign(target, value)?
            }
            Expr::BinaryAssignment(sign, target, value) => {
                let right = self.evaluate(value, depth)?;
                let left = self.variable(target, depth)?;
                self.assign(target, binary(sign, left, right)?)?
            }
            Expr::UnaryAssignment(sign, target) => {
                let old = self.variable(target, depth)?;
                let (new, result) = match sign {
                    UnaryAssignmentOperator::PrefixIncrement => (old.wrapping_add(1), old.wrapping_add(1)),
                    UnaryAssignmentOperator::PrefixDecrement => (old.wrapping_sub(1), old.wrapping_sub(1)),
                    UnaryAssignmentOperator::PostfixIncrement => (old.wrapping_add(1), old),
                    UnaryAssignmentOperator::PostfixDecrement => (old.wrapping_sub(1), old),
                };
                self.assign(target, new)?;
                result
            }
        })
    }
}

fn name(target: &Target) -> Result<&str, String> {
    match target {
        Target::Variable(name) => Ok(name),
        Target::ArrayElement(..) => Err("arithmetic expression: arrays are not simulated".to_owned()),
    }
}

fn binary(sign: &Binary, left: i64, right: i64) -> Result<i64, String> {
    let shift = u32::try_from(right & 63).unwrap_or(0);
    Ok(match sign {
        Binary::Power => left.wrapping_pow(
            u32::try_from(right).map_err(|_| "arithmetic expression: bad exponent".to_owned())?,
        ),
        Binary::Multiply => left.wrapping_mul(right),
        Binary::Divide | Binary::Modulo if right == 0 => {
            return Err("arithmetic expression: division by zero".to_owned());
        }
        Binary::Divide => left.wrapping_div(right),
        Binary::Modulo => left.wrapping_rem(right),
        Binary::Comma => right,
        Binary::Add => left.wrapping_add(right),
        Binary::Subtract => left.wrapping_sub(right),
        Binary::ShiftLeft => left.wrapping_shl(shift),
        Binary::ShiftRight => left.wrapping_shr(shift),
        Binary::LessThan => i64::from(left < right),
        Binary::LessThanOrEqualTo => i64::from(left <= right),
        Binary::GreaterThan => i64::from(left > right),
        Binary::GreaterThanOrEqualTo => i64::from(left >= right),
        Binary::Equals => i64::from(left == right),
        Binary::NotEquals => i64::from(left != right),
        Binary::BitwiseAnd => left & right,
        Binary::BitwiseXor => left ^ right,
        Binary::BitwiseOr => left | right,
        Binary::LogicalAnd => i64::from(left != 0 && right != 0),
        Binary::LogicalOr => i64::from(left != 0 || right != 0),
    })
}
