//! What a command printed: the beginning of each stream, and how much more there was.

use sha2::{Digest, Sha256};

use super::error::TransportError;
use jumpdeck_fleet::text::Clean;

/// How a command ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Exit status; `None` when a signal ended it, or its end is not known.
    pub status: Option<u32>,
    /// The signal that ended it.
    pub signal: Option<Clean>,
    /// Standard output.
    pub stdout: StreamOutput,
    /// Standard error.
    pub stderr: StreamOutput,
    /// Why nothing more was read: its time was over, or the connection was lost. With a status, something that it
    /// started still has its output open; without one it may still be running there.
    pub cut: Option<TransportError>,
}

/// What came on one stream. Two are equal only if every byte was, also of what is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StreamOutput {
    /// Its beginning, at most as many bytes as were asked for.
    pub kept: Vec<u8>,
    /// Bytes that came after those.
    pub beyond: u64,
    /// SHA-256 of the bytes that came after those; `None` when none came.
    pub beyond_sha256: Option<[u8; 32]>,
}

/// Takes a stream in, piece by piece.
pub(super) struct StreamKeeper {
    limit: usize,
    kept: Vec<u8>,
    beyond: u64,
    digest: Sha256,
}

impl StreamKeeper {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), beyond: 0, digest: Sha256::new() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.kept.len()).min(bytes.len());
        let (kept, beyond) = bytes.split_at(room);
        self.kept.extend_from_slice(kept);
        if !beyond.is_empty() {
            self.beyond += beyond.len() as u64;
            self.digest.update(beyond);
        }
    }

    pub(super) fn done(self) -> StreamOutput {
        let beyond_sha256 = (self.beyond > 0).then(|| self.digest.finalize().into());
        StreamOutput { kept: self.kept, beyond: self.beyond, beyond_sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(limit: usize, pieces: &[&[u8]]) -> StreamOutput {
        let mut recorder = StreamKeeper::new(limit);
        pieces.iter().for_each(|piece| recorder.take(piece));
        recorder.done()
    }

    #[test]
    fn the_beginning_is_kept_and_the_rest_is_counted() {
        assert_eq!(
            printed(4, &[b"ab", b"cd"]),
            StreamOutput { kept: b"abcd".to_vec(), beyond: 0, beyond_sha256: None }
        );
        let cut = printed(4, &[b"abc", b"def", b"g"]);
        assert_eq!((cut.kept.as_slice(), cut.beyond), (&b"abcd"[..], 3));
    }

    #[test]
    fn two_are_alike_only_if_what_is_not_kept_is() {
        assert_eq!(printed(2, &[b"abcd"]), printed(2, &[b"a", b"bc", b"d"]), "however it comes");
        assert_ne!(printed(2, &[b"abcd"]), printed(2, &[b"abce"]));
        assert_ne!(printed(2, &[b"abcd"]), printed(2, &[b"abcdd"]));
    }
}
