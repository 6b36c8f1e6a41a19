//! A text that comes in pieces: only what may be the beginning of a secret is kept until the next.

use std::ops::Range;

use zeroize::Zeroizing;

use super::find::merged;
use super::{MARK, Redactor};

/// A text that comes in pieces. What it lets go is, piece after piece, what [`Redactor::text`] makes of the whole.
pub struct RedactedStream {
    redactor: Redactor,
    /// Not let go yet: it may be the beginning of a secret.
    held: Zeroizing<String>,
    /// How much of each form stands at the end of it.
    matched: Vec<usize>,
    /// Secrets within what is held.
    found: Vec<Range<usize>>,
    /// So much of what is held gave way to a mark already.
    hidden: usize,
}

impl RedactedStream {
    pub(super) fn new(redactor: Redactor) -> Self {
        let held = Zeroizing::default();
        Self { redactor, held, matched: Vec::new(), found: Vec::new(), hidden: 0 }
    }

    /// The next piece: what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        // A String that grows leaves its old bytes behind: a new one, the old one wiped.
        let mut text = Zeroizing::new(String::with_capacity(self.held.len() + piece.len()));
        text.push_str(&self.held);
        text.push_str(piece);
        let mut found = std::mem::take(&mut self.found);
        {
            let forms = self.redactor.forms();
            for (number, form) in forms.iter().enumerate() {
                // A form that was added meanwhile is looked for in what is held, too.
                match self.matched.get_mut(number) {
                    Some(matched) => *matched = form.scan(&text, self.held.len(), *matched, &mut found),
                    None => self.matched.push(form.scan(&text, 0, 0, &mut found)),
                }
            }
        }
        let kept = self.matched.iter().copied().max().unwrap_or(0);
        let ready = text.len().saturating_sub(kept);
        self.let_go(&text, ready, merged(found))
    }

    /// The rest.
    #[must_use]
    pub fn finish(mut self) -> String {
        let text = std::mem::take(&mut self.held);
        let found = std::mem::take(&mut self.found);
        self.let_go(&text, text.len(), found)
    }

    /// Lets go of what comes before a place. A secret that reaches beyond it gives way to its mark now.
    fn let_go(&mut self, text: &str, ready: usize, found: Vec<Range<usize>>) -> String {
        let mut out = String::new();
        let mut from = self.hidden;
        for range in found {
            if range.start < self.hidden {
                // It goes on from one that has its mark.
                self.hidden = self.hidden.max(range.end);
                from = self.hidden;
            } else if range.start < ready {
                out.push_str(text.get(from..range.start).unwrap_or_default());
                out.push_str(MARK);
                (from, self.hidden) = (range.end, range.end);
            } else {
                self.found.push(range.start - ready..range.end - ready);
            }
        }
        out.push_str(text.get(from..ready).unwrap_or_default());
        self.hidden = self.hidden.saturating_sub(ready);
        self.held = Zeroizing::new(text.get(ready..).unwrap_or_default().to_owned());
        out
    }
}
