//! Finding secrets in a text: one pass a form (Knuth, Morris and Pratt), so that no secret makes it slow.

use std::ops::Range;

use zeroize::Zeroizing;

use super::MARK;

/// A form of a secret.
pub(super) struct SecretForm {
    text: Zeroizing<String>,
    /// For each beginning of it, the length of the longest shorter beginning that it ends with.
    falls: Zeroizing<Vec<usize>>,
}

impl SecretForm {
    pub(super) fn new(text: Zeroizing<String>) -> Self {
        let mut form = Self { falls: Zeroizing::new(vec![0]), text };
        let mut matched = 0;
        for at in 1..form.text.len() {
            let Some(byte) = form.text.as_bytes().get(at).copied() else { break };
            matched = form.step(matched, byte);
            form.falls.push(matched);
        }
        form
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How much of it is matched with one byte more.
    fn step(&self, mut matched: usize, byte: u8) -> usize {
        loop {
            if self.text.as_bytes().get(matched) == Some(&byte) {
                return matched + 1;
            }
            match matched.checked_sub(1) {
                None => return 0,
                Some(last) => matched = self.falls.get(last).copied().unwrap_or(0),
            }
        }
    }

    /// Looks through a text from a place on, `matched` bytes of this being matched before it: tells where it stands, and
    /// how much is matched at the end.
    pub(super) fn scan(
        &self,
        text: &str,
        from: usize,
        mut matched: usize,
        found: &mut Vec<Range<usize>>,
    ) -> usize {
        let bytes = text.as_bytes();
        let Some(first) = self.text.as_bytes().first() else { return 0 };
        let mut at = from;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if matched == 0 {
                match rest.iter().position(|byte| byte == first) {
                    None => return 0,
                    Some(skipped) => at += skipped,
                }
            }
            let Some(byte) = bytes.get(at).copied() else { break };
            at += 1;
            matched = self.step(matched, byte);
            if matched == self.text.len() {
                add(found, at - matched..at);
                matched = self.falls.last().copied().unwrap_or(0);
            }
        }
        matched
    }
}

/// Adds a place; one that overlaps the last becomes part of it.
fn add(found: &mut Vec<Range<usize>>, range: Range<usize>) {
    match found.last_mut() {
        Some(last) if range.start < last.end && last.start <= range.start => {
            last.end = last.end.max(range.end)
        }
        _ => found.push(range),
    }
}

/// Places in order, overlapping ones as one.
pub(super) fn merged(mut all: Vec<Range<usize>>) -> Vec<Range<usize>> {
    all.sort_by_key(|range| (range.start, range.end));
    let mut merged = Vec::with_capacity(all.len());
    all.into_iter().for_each(|range| add(&mut merged, range));
    merged
}

/// Where secrets stand in a text, in order; overlapping ones as one.
pub(super) fn found(text: &str, forms: &[SecretForm]) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for form in forms {
        form.scan(text, 0, 0, &mut all);
    }
    merged(all)
}

pub(super) fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(MARK);
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
