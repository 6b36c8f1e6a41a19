//! The one monotonic clock of a process, as [`Moment`]s.

use std::time::Duration;

use tokio::time::Instant;

use jumpdeck_fleet::time::Moment;

/// Reads the clock. Copies agree with each other.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that reads zero now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::default().plus(self.start.elapsed())
    }

    /// The same moment for the runtime's timers.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + Duration::from_millis(moment.0)
    }
}
