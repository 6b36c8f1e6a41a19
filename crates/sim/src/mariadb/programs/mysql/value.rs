//! SQL values, and how they compare and count.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }

    pub(super) fn from_cell(cell: Option<&str>) -> Self {
        cell.map_or(Self::Null, Self::text)
    }

    /// A number from a count.
    pub(super) fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub(super) fn cell(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(number.to_string()),
            Self::Real(number) => Some(format!("{number}")),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// As a number: a text counts by how it begins.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            #[allow(clippy::cast_precision_loss)] // as MariaDB does in doubles
            Self::Int(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Text(text) => {
                let text = text.trim_start();
                let sign = usize::from(text.starts_with(['-', '+']));
                let digits = text.get(sign..).unwrap_or_default();
                let length = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
                Some(text.get(..sign + length).and_then(|t| t.parse().ok()).unwrap_or(0.0))
            }
        }
    }

    /// Whether a condition of this value holds; `None` for NULL.
    pub(super) fn is_true(&self) -> Option<bool> {
        self.number().map(|n| n != 0.0)
    }

    /// How two values stand; `None` when one is NULL. Texts compare without regard to case.
    pub(super) fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
            (a, b) => a.number()?.partial_cmp(&b.number()?),
        }
    }

    /// A whole number where it is one.
    pub(super) fn from_number(number: f64) -> Self {
        #[allow(clippy::cast_possible_truncation)] // checked
        if number.fract() == 0.0 && number.abs() < 9e15 {
            Self::Int(number as i64)
        } else {
            Self::Real(number)
        }
    }
}
