//! Two of a kind side by side: a fact of both, and what can be said of it.

pub mod environments;

/// A value of one side: a host, or an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComparedValue {
    /// As it is shown.
    Known(String),
    /// Why it is not known.
    Unknown(String),
    /// It is known that the side has no such thing.
    Nothing,
}

/// A fact of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedFact {
    /// Its name.
    pub name: String,
    /// Of the left side and of the right one.
    pub values: [ComparedValue; 2],
    /// Whether it is a figure that moves: that two of them differ says nothing.
    pub moves: bool,
}

/// What can be said of a fact of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactVerdict {
    /// Both are known, and not the same.
    Differ,
    /// One or both are not known.
    Unknown,
    /// Both are figures that move.
    Moves,
    /// Both are known, and the same.
    Alike,
}

impl FactVerdict {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Differ, Self::Unknown, Self::Moves, Self::Alike];

    /// Its sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Differ => "≠",
            Self::Unknown => "?",
            Self::Moves => "~",
            Self::Alike => "=",
        }
    }

    /// The title of its section.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Differ => "DIFFERENT",
            Self::Unknown => "UNKNOWN OF ONE OR BOTH",
            Self::Moves => "FIGURES",
            Self::Alike => "ALIKE",
        }
    }
}

impl ComparedFact {
    /// What can be said of it. Something unknown is neither the same nor different.
    #[must_use]
    pub fn verdict(&self) -> FactVerdict {
        match &self.values {
            [ComparedValue::Unknown(_), _] | [_, ComparedValue::Unknown(_)] => FactVerdict::Unknown,
            [ComparedValue::Known(_), ComparedValue::Known(_)] if self.moves => FactVerdict::Moves,
            [left, right] if left == right => FactVerdict::Alike,
            [ComparedValue::Known(_) | ComparedValue::Nothing, _] => FactVerdict::Differ,
        }
    }
}
