//! Bounded history of figures, for sparklines.

use std::collections::VecDeque;

use super::time::Moment;

/// An hour at a five-second cadence.
pub const HOUR_AT_FIVE_SECONDS: usize = 720;

/// The last samples of one figure, oldest first; a gap is a sample of `None`, so that a silence shows as a hole and
/// never as a line drawn through it.
#[derive(Debug, Clone)]
pub struct Ring {
    samples: VecDeque<(Moment, Option<f32>)>,
    capacity: usize,
}

impl Default for Ring {
    fn default() -> Self {
        Self::new(HOUR_AT_FIVE_SECONDS)
    }
}

impl Ring {
    /// An empty ring for `capacity` samples. Memory is taken as samples come.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { samples: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Adds a sample; the oldest goes when the ring is full.
    pub fn push(&mut self, at: Moment, value: Option<f32>) {
        if self.samples.len() == self.capacity {
            self.samples.pop_front();
        }
        self.samples.push_back((at, value));
    }

    /// The last `n` samples, oldest first.
    pub fn last(&self, n: usize) -> impl Iterator<Item = Option<f32>> + '_ {
        self.samples.iter().skip(self.samples.len().saturating_sub(n)).map(|(_, v)| *v)
    }

    /// Every sample with its moment, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Moment, Option<f32>)> + '_ {
        self.samples.iter().copied()
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_and_its_holes() {
        let mut ring = Ring::new(3);
        for (i, v) in [Some(1.0), Some(2.0), None, Some(4.0)].into_iter().enumerate() {
            ring.push(Moment(i as u64), v);
        }
        assert_eq!(ring.last(9).collect::<Vec<_>>(), [Some(2.0), None, Some(4.0)]);
        assert_eq!(ring.last(1).collect::<Vec<_>>(), [Some(4.0)]);
    }
}
