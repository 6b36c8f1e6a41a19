//! Regular expressions: how large they may be, and how long they take.

use std::ops::Range;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{Machine, PIECE};

/// Bytes of the longest one. What it stands for is a thousand times as large, for classes of Unicode.
const LONGEST: usize = 4096;
/// What making one counts as, and each byte of it.
const MAKING: usize = 256 * 1024;
const MAKING_BYTE: usize = 1024;
/// How many are kept.
const KEPT: usize = 64;
/// Sizes, bytes of the compiled expression, and what a byte of text counts as that it is tried on. At worst each state is
/// tried for each byte.
const WEIGHTS: &[(usize, usize)] =
    &[(4 << 10, 4), (16 << 10, 16), (64 << 10, 64), (256 << 10, 256), (1 << 20, 1024)];

/// One that was made.
#[derive(Clone)]
pub(super) struct Made {
    regex: Arc<Regex>,
    weight: usize,
}

impl Machine<'_> {
    fn made(&mut self, pattern: &str) -> Option<Made> {
        if let Some(made) = self.regexes.get(pattern) {
            return Some(made.clone());
        }
        if pattern.len() > LONGEST {
            self.failed.get_or_insert_with(|| "a regular expression this long: not simulated".to_owned());
        }
        if !self.may(MAKING + MAKING_BYTE * pattern.len()) {
            return None;
        }
        let made = WEIGHTS.iter().find_map(|&(size, weight)| {
            let regex = Arc::new(RegexBuilder::new(pattern).size_limit(size).build().ok()?);
            Some(Made { regex, weight })
        });
        let Some(made) = made else {
            self.failed.get_or_insert_with(|| format!("not an expression: {pattern}"));
            return None;
        };
        if self.regexes.len() >= KEPT {
            self.regexes.clear();
        }
        self.regexes.insert(pattern.to_owned(), made.clone());
        Some(made)
    }

    pub(super) fn matches(&mut self, pattern: &str, text: &str) -> bool {
        let Some(Made { regex, weight }) = self.made(pattern) else { return false };
        self.may(text.len().saturating_mul(weight)) && regex.is_match(text)
    }

    /// Where it matches, the first times.
    pub(super) fn hits(&mut self, pattern: &str, text: &str, most: usize) -> Vec<Range<usize>> {
        let Some(Made { regex, weight }) = self.made(pattern) else { return Vec::new() };
        let mut hits = Vec::new();
        let mut found = regex.find_iter(text);
        let mut from = 0;
        // Each time it may look through all that is left.
        while hits.len() < most && self.may((text.len() - from).saturating_mul(weight) + PIECE) {
            let Some(hit) = found.next() else { break };
            from = hit.end();
            hits.push(hit.range());
        }
        hits
    }

    /// `sub`: a text with its hits replaced. `&` is the hit, `\&` is `&`.
    pub(super) fn replaced(&mut self, text: &str, hits: &[Range<usize>], with: &str) -> Option<String> {
        let references = with.matches('&').count();
        let mut new = String::new();
        let mut from = 0;
        for place in hits {
            let (before, hit) = (text.get(from..place.start)?, text.get(place.clone())?);
            let length = before.len() + with.len();
            if !self.grows(new.len(), length.saturating_add(hit.len().saturating_mul(references))) {
                return None;
            }
            new.push_str(before);
            for (at, part) in with.split("\\&").enumerate() {
                new.push_str(if at > 0 { "&" } else { "" });
                new.push_str(&part.replace('&', hit));
            }
            from = place.end;
        }
        let rest = text.get(from..)?;
        self.grows(new.len(), rest.len()).then(|| new + rest)
    }
}
