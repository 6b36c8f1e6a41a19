//! Numbers of checks and the ranges of the Monitoring Plugins Development Guidelines.

use std::fmt;

/// A number that is one: no infinity, no NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct CheckNumber(f64);

// Sound: a NaN, which alone is not equal to itself, is none.
impl Eq for CheckNumber {}

impl CheckNumber {
    /// Reads a decimal number, such as `12`, `-0.5` or `1e3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Words such as `inf` and `nan` are numbers to Rust.
        let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let number = Some(text).filter(|text| text.chars().all(plain)).and_then(|text| text.parse().ok());
        number.and_then(Self::new)
    }

    /// Takes a number.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for CheckNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size != 0.0 && !(1e-6..1e15).contains(&size) {
            write!(f, "{:e}", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// A range as plugins take it with `-w` and `-c`: bad is what lies outside of it, or inside where it begins with `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckRange {
    from: Option<CheckNumber>,
    to: Option<CheckNumber>,
    inside: bool,
}

impl CheckRange {
    /// What is more than a number is bad.
    #[must_use]
    pub fn over(limit: CheckNumber) -> Self {
        Self { from: None, to: Some(limit), inside: false }
    }

    /// Reads `10` (bad below 0 and over 10), `10:` (below 10), `~:10` (over 10), `10:20` (outside), `@10:20` (inside).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (inside, text) = text.strip_prefix('@').map_or((false, text), |text| (true, text));
        let (from, to) = text.split_once(':').unwrap_or(("", text));
        let from = match from {
            "" => Some(CheckNumber(0.0)),
            "~" => None,
            number => Some(CheckNumber::parse(number)?),
        };
        let to = match to {
            // Not even a colon: nothing was written.
            "" if !text.contains(':') => return None,
            "" => None,
            number => Some(CheckNumber::parse(number)?),
        };
        let in_order = from.zip(to).is_none_or(|(from, to)| from <= to);
        in_order.then_some(Self { from, to, inside })
    }

    /// Whether a number is bad.
    #[must_use]
    pub fn alerts(&self, number: CheckNumber) -> bool {
        let lies_in = self.from.is_none_or(|from| number >= from) && self.to.is_none_or(|to| number <= to);
        lies_in == self.inside
    }
}

impl fmt::Display for CheckRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to, self.inside) {
            (None, Some(to), false) => write!(f, "over {to}"),
            (Some(from), None, false) => write!(f, "below {from}"),
            (Some(from), Some(to), false) if from.0 == 0.0 => write!(f, "over {to}"),
            (Some(from), Some(to), false) => write!(f, "outside {from} to {to}"),
            (None, None, false) => f.write_str("never"),
            (Some(from), Some(to), true) => write!(f, "from {from} to {to}"),
            (Some(from), None, true) => write!(f, "from {from}"),
            (None, Some(to), true) => write!(f, "up to {to}"),
            (None, None, true) => f.write_str("always"),
        }
    }
}
