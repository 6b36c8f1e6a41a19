//! When the loop draws, and what it still waits for.

use tokio::time::{Duration, Instant};

use jumpdeck_fleet::run::Arming;

/// Frames are at least this far apart: 30 a second.
const FRAME: Duration = Duration::from_millis(33);
/// The frame that answers a key comes sooner. Keys that come together are one frame.
const ANSWER: Duration = Duration::from_millis(4);

/// What the loop remembers from turn to turn.
pub(super) struct DrawPace {
    drawn_at: Option<Instant>,
    /// Somebody typed something since then.
    typed: bool,
    pub(super) suspended: bool,
    pub(super) news_open: bool,
    pub(super) run_news_open: bool,
    /// What runs know of arming.
    pub(super) armed: Option<Arming>,
}

impl DrawPace {
    pub(super) const fn new() -> Self {
        Self {
            drawn_at: None,
            typed: false,
            suspended: false,
            news_open: true,
            run_news_open: true,
            armed: None,
        }
    }

    /// When the next frame is due, as the model has changed. While the terminal is another's there is none.
    pub(super) fn due(&self) -> Option<Instant> {
        let apart = if self.typed { ANSWER } else { FRAME };
        (!self.suspended).then(|| self.drawn_at.map_or_else(Instant::now, |at| at + apart))
    }

    pub(super) const fn typed(&mut self) {
        self.typed = true;
    }

    pub(super) fn drawn(&mut self) {
        (self.drawn_at, self.typed) = (Some(Instant::now()), false);
    }
}
