//! When to try again: doubling, capped, with jitter, so that a fleet that lost its jump box does not come back as one.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// Counts failures and tells how long to wait.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure. `jitter` is a random number in 0..1.
    pub(crate) fn next(&mut self, jitter: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(30);
        doubled.min(LONGEST).mul_f64(0.75 + 0.5 * jitter.clamp(0.0, 1.0))
    }

    /// It worked: the next failure starts anew.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_capped() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..9).map(|_| backoff.next(0.5).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.next(0.0), Duration::from_millis(750));
        assert_eq!(backoff.next(1.0), Duration::from_millis(2500));
    }
}
