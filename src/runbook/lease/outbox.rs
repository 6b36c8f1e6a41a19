//! What waits to be sent to the holder, in order. Pure.

use std::collections::VecDeque;

/// A part of an entry is at least that long: its line has a beginning of its own.
const SMALLEST: usize = 512;

/// Lines in order; an entry may be sent in parts.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    lines: VecDeque<OutboxLine>,
}

#[derive(Debug)]
enum OutboxLine {
    /// An entry, from that byte on: what is before was sent.
    Entry(String, usize),
    /// Any other, as it is sent.
    Word(String),
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn entry(&mut self, line: String) {
        self.lines.push_back(OutboxLine::Entry(line, 0));
    }

    pub(super) fn word(&mut self, word: String) {
        self.lines.push_back(OutboxLine::Word(word));
    }

    /// Takes up to `room` bytes, one line at least. An entry that does not fit is cut between two
    /// characters: `part` lines, and a `say` line with the rest.
    pub(super) fn piece(&mut self, room: usize) -> String {
        let mut piece = String::new();
        while let Some(line) = self.lines.pop_front() {
            let left = room.saturating_sub(piece.len());
            match line {
                OutboxLine::Word(word) if piece.is_empty() || word.len() < left => {
                    piece.push_str(&word);
                    piece.push('\n');
                }
                OutboxLine::Entry(text, sent) if text.len() - sent + "say \n".len() <= left => {
                    piece.push_str("say ");
                    piece.push_str(text.get(sent..).unwrap_or_default());
                    piece.push('\n');
                }
                OutboxLine::Entry(text, sent) if piece.is_empty() || left >= SMALLEST => {
                    let mut end = text.len().min(sent + left.max(SMALLEST));
                    while !text.is_char_boundary(end) {
                        end -= 1;
                    }
                    match end < text.len() {
                        true => {
                            piece.push_str("part ");
                            piece.push_str(text.get(sent..end).unwrap_or_default());
                            piece.push('\n');
                            self.lines.push_front(OutboxLine::Entry(text, end));
                        }
                        // The rest is as short as the shortest part.
                        false => {
                            piece.push_str("say ");
                            piece.push_str(text.get(sent..).unwrap_or_default());
                            piece.push('\n');
                        }
                    }
                    break;
                }
                line @ (OutboxLine::Word(_) | OutboxLine::Entry(..)) => {
                    self.lines.push_front(line);
                    break;
                }
            }
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    /// What the holder keeps of pieces: entries, and other lines in between.
    fn kept(pieces: &[String]) -> Vec<String> {
        let mut kept = Vec::new();
        let mut begun = String::new();
        for line in pieces.iter().flat_map(|piece| piece.split_terminator('\n')) {
            if let Some(part) = line.strip_prefix("part ") {
                begun.push_str(part);
            } else if let Some(rest) = line.strip_prefix("say ") {
                kept.push(std::mem::take(&mut begun) + rest);
            } else {
                assert!(begun.is_empty(), "{line} in the middle of an entry");
                kept.push(line.to_owned());
            }
        }
        assert!(begun.is_empty());
        kept
    }

    #[test]
    fn in_pieces_of_any_size_every_line_arrives_in_order() {
        let long = " ü€\\ ".repeat(3000);
        let lines = ["a", "", &long, "b", &long[..600], "c"];
        for room in [0, 1, 7, 511, 512, 513, 700, 2048, 9000, 1 << 20] {
            let mut outbox = Outbox::default();
            let mut wanted = Vec::new();
            for line in lines {
                outbox.entry(line.to_owned());
                outbox.word("open".to_owned());
                wanted.extend([line.to_owned(), "open".to_owned()]);
            }
            let mut pieces = Vec::new();
            while !outbox.is_empty() {
                let piece = outbox.piece(room);
                assert!(!piece.is_empty() && piece.ends_with('\n'));
                assert!(piece.len() <= room.max(SMALLEST) + "part \n".len(), "{room}: {}", piece.len());
                pieces.push(piece);
            }
            assert_eq!(kept(&pieces), wanted, "{room}");
        }
    }
}
