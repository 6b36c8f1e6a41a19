//! Time as plain data: nothing here reads a clock.

use std::time::Duration;

/// Milliseconds on a monotonic clock since the process started. The event loop and the actors stamp it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// The time from `earlier` to this moment; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This moment and `by` more.
    #[must_use]
    pub fn plus(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// How far a value may still be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// At most two cadences old.
    Fresh,
    /// Between two and four cadences: shown dimmed.
    Stale,
    /// Over four cadences: shown as `?`, counted as unknown.
    Expired,
}

impl Freshness {
    /// Judges an age against the cadence the value is asked at.
    #[must_use]
    pub fn of(age: Duration, cadence: Duration) -> Self {
        if age <= cadence.saturating_mul(2) {
            Self::Fresh
        } else if age <= cadence.saturating_mul(4) {
            Self::Stale
        } else {
            Self::Expired
        }
    }
}

/// An age in three characters or so: `3s`, `59s`, `4m`, `2h`, `9d`.
#[must_use]
pub fn short_age(age: Duration) -> String {
    let s = age.as_secs();
    match s {
        0..=59 => format!("{s}s"),
        60..=3599 => format!("{}m", s / 60),
        3600..=86_399 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_turns_at_two_and_four_cadences() {
        let cadence = Duration::from_secs(5);
        assert_eq!(Freshness::of(Duration::from_secs(10), cadence), Freshness::Fresh);
        assert_eq!(Freshness::of(Duration::from_millis(10_001), cadence), Freshness::Stale);
        assert_eq!(Freshness::of(Duration::from_secs(20), cadence), Freshness::Stale);
        assert_eq!(Freshness::of(Duration::from_millis(20_001), cadence), Freshness::Expired);
    }

    #[test]
    fn ages_are_short() {
        let age = |s| short_age(Duration::from_secs(s));
        assert_eq!([age(0), age(59), age(60), age(7200), age(200_000)], ["0s", "59s", "1m", "2h", "2d"]);
    }
}
