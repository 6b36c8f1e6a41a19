//! The figures of a service.

use std::fmt;

use crate::backup::in_words;
use crate::storage::human_kb;
use crate::text::Clean;

/// One figure of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReading {
    /// Its name in the JSON and on screen: lower case, words joined by `_`.
    pub name: &'static str,
    /// The figure.
    pub figure: Figure,
}

/// The value of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// A word: a version, a role.
    Text(Clean),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Amount {
        /// How many.
        value: u64,
        /// The most there can be, where there is a limit.
        of: Option<u64>,
        /// Of what.
        unit: Unit,
    },
}

impl Figure {
    /// A text, printable and at most 120 characters long.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(Clean::first_line(text, 120))
    }

    /// A number of things.
    #[must_use]
    pub fn count(value: u64) -> Self {
        Self::Amount { value, of: None, unit: Unit::Count }
    }

    /// How much of its limit is used, percent.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn percent(&self) -> Option<f64> {
        match self {
            Self::Amount { value, of: Some(of), .. } if *of > 0 => Some(*value as f64 * 100.0 / *of as f64),
            Self::Amount { .. } | Self::Text(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Amount { value, of: None, unit } => f.write_str(&unit.show(*value)),
            Self::Amount { value, of: Some(of), unit } => {
                write!(f, "{} of {}", unit.show(*value), unit.show(*of))
            }
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// The word of the status JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
        }
    }

    fn show(self, value: u64) -> String {
        match self {
            Self::Count => value.to_string(),
            Self::Bytes => human_kb(value.div_ceil(1024)),
            Self::Seconds if value < 60 => format!("{value} s"),
            Self::Seconds => in_words(value),
        }
    }
}
