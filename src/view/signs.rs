//! The signs of states. Each stands beside its word somewhere on the same screen, and help lists them; none needs a
//! special font, all are one column wide.

use crate::domain::problem::Severity;

/// How something is, as a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be, by a fresh answer.
    Ok,
    /// As it should be, by an answer over two cadences old.
    Stale,
    /// The first answer is awaited.
    Pending,
    /// A warning.
    Warning,
    /// Nobody can tell.
    Unknown,
    /// Critical.
    Critical,
}

impl Status {
    /// All of them, mildest first.
    pub const ALL: [Status; 6] =
        [Self::Ok, Self::Stale, Self::Pending, Self::Warning, Self::Unknown, Self::Critical];

    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ok => "●",
            Self::Stale => "○",
            Self::Pending => "◌",
            Self::Warning => "▲",
            Self::Unknown => "?",
            Self::Critical => "✖",
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Pending => "awaited",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Critical => "critical",
        }
    }
}

impl From<Severity> for Status {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Unknown => Self::Unknown,
            Severity::Critical => Self::Critical,
        }
    }
}
