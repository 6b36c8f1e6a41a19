//! How many bytes may be on their way at once. Pure.
//!
//! Beats and their answers travel behind whatever was sent before them, in the buffers of the link. So little is sent or asked for
//! at once, and as much as the link showed that it carries in a moment.

use std::time::Duration;

/// The size of the next piece, by how long those before took.
#[derive(Debug)]
pub(super) struct Pace {
    size: usize,
    least: usize,
    most: usize,
    /// How long a piece may hold up a beat. The link may stall in the same moment, and the jump box be busy.
    moment: Duration,
    /// The fastest answer: what it takes without us.
    fastest: Option<Duration>,
}

impl Pace {
    /// Of what is sent. When the link becomes slow at once, or the jump box busy, the largest piece must get through before the
    /// lease is lost: shells there read it byte by byte.
    pub(super) fn sending() -> Self {
        let moment = Duration::from_millis(300);
        Self { size: 8 << 10, least: 4 << 10, most: 32 << 10, moment, fastest: None }
    }

    /// Of what is read: each piece is a command of its own on the jump box, so none is as small.
    pub(super) fn reading() -> Self {
        let moment = Duration::from_millis(500);
        Self { size: 8 << 10, least: 8 << 10, most: 256 << 10, moment, fastest: None }
    }

    /// Bytes that may be on their way.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Something was answered after so long.
    pub(super) fn answered(&mut self, took: Duration) {
        self.fastest = Some(self.fastest.map_or(took, |fastest| fastest.min(took)));
    }

    /// A piece was answered after so long.
    pub(super) fn piece_answered(&mut self, took: Duration) {
        self.answered(took);
        self.piece_took(took.saturating_sub(self.fastest.unwrap_or_default()));
    }

    /// The link was busy with a piece for so long. The next one is at most twice as large, and no less than half.
    pub(super) fn piece_took(&mut self, took: Duration) {
        let carries = u128::try_from(self.size).unwrap_or(u128::MAX).saturating_mul(self.moment.as_millis());
        let carries = usize::try_from(carries / took.as_millis().max(1)).unwrap_or(usize::MAX);
        let next = carries.clamp(self.size / 2, self.size.saturating_mul(2));
        self.size = next.clamp(self.least, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends pieces over a link with that many bytes a second and milliseconds of latency, each answered by a jump box that takes
    /// `busy` milliseconds: the time a beat waits behind the last piece, and the bytes a second.
    fn over(rate: u32, latency: u64, busy: u64) -> (Duration, f64) {
        let mut pace = Pace::sending();
        let (latency, busy) = (Duration::from_millis(latency), Duration::from_millis(busy));
        let carries = |bytes: usize| {
            Duration::from_secs_f64(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(rate))
        };
        pace.answered(latency + carries(600));
        let mut took = Duration::ZERO;
        let mut sent = 0;
        for _ in 0..40 {
            sent += pace.size();
            let piece = latency + busy + carries(pace.size());
            took += piece;
            pace.piece_answered(piece);
        }
        let sent = f64::from(u32::try_from(sent).unwrap_or(u32::MAX));
        (carries(pace.size()), sent / took.as_secs_f64())
    }

    #[test]
    fn a_beat_waits_less_than_half_a_second_behind_a_piece_whatever_the_link() {
        for rate in [10_000, 40_000, 100_000, 1_000_000, 100_000_000] {
            for latency in [1, 100, 600] {
                let (waits, _) = over(rate, latency, 0);
                assert!(waits < Duration::from_millis(500), "{rate} B/s, {latency} ms: {waits:?}");
            }
        }
    }

    #[test]
    fn neither_latency_nor_a_busy_jump_box_alone_makes_pieces_small() {
        let (_, far) = over(100_000_000, 600, 0);
        assert!(far > 40_000.0, "{far}");
        let (_, busy) = over(100_000_000, 1, 200);
        assert!(busy > 100_000.0, "{busy}");
        let (_, slow) = over(40_000, 20, 0);
        assert!(slow > 30_000.0, "{slow}");
    }
}
