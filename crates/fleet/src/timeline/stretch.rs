//! How long something has been seen without a break.

use std::time::Duration;

use super::{Onset, WallTime};

/// Looks are a second apart; what was not seen for so long was not seen without a break.
const BREAK: Duration = Duration::from_secs(30);
/// Not every question is asked with the first report: what turns up so soon after a break may have begun in it.
const SETTLES: Duration = Duration::from_secs(120);

/// A time in which something was seen again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// When it was seen last before the break that came before this time.
    before: Option<WallTime>,
    from: WallTime,
    pub(super) last: WallTime,
}

impl Stretch {
    /// It was last seen at that moment, by a console that has ended.
    pub(super) fn ended(last: WallTime) -> Self {
        Self { before: Some(last), from: last, last }
    }

    /// It is seen now. `known`: when it was seen last, where this is the first time.
    pub(super) fn seen(known: Option<Self>, at: WallTime) -> Self {
        match known {
            Some(known) if is_recent(known.last, at) => Self { last: known.last.max(at), ..known },
            Some(known) => Self { before: Some(known.last), from: at, last: at },
            None => Self { before: None, from: at, last: at },
        }
    }

    /// The same, after an earlier time.
    pub(super) fn after(self, known: Option<Self>) -> Self {
        Self { before: known.map(|known| known.last), ..self }
    }

    /// When the time without a break began.
    pub(super) fn from(self) -> WallTime {
        self.from
    }

    /// What is to be said of the beginning of something that is there now, by when it was not.
    pub(super) fn onset(known: Option<Self>, at: WallTime) -> Onset {
        match known {
            None => Onset::FirstLook,
            Some(known) if !is_recent(known.last, at) => Onset::After(known.last),
            Some(known) if at.since(known.from) < SETTLES => match known.before {
                Some(before) => Onset::After(before),
                None => Onset::FirstLook,
            },
            Some(_) => Onset::Seen,
        }
    }
}

/// Whether nothing can have been missed since.
pub(super) fn is_recent(last: WallTime, at: WallTime) -> bool {
    at.since(last) < BREAK
}
