//! Secrets made unreadable in texts, in every form they take on their way: as they are, quoted for a shell, escaped for
//! SQL and JSON, in URLs, in base64 and hexadecimal. Imports nothing.
//!
//! Not found: a secret cut by line ends (wrapped base64), and one that went through two of these at once.

mod forms;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use zeroize::Zeroizing;

/// What stands in a secret's place.
pub const MARK: &str = "••••••";

/// A secret shorter than this is found all over, and found again by where it is missing.
pub const SHORTEST: usize = 4;

/// Why a secret cannot be hidden. The text says what to do, and never what the secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHidable {
    /// It would be found in every other text.
    #[error("a secret of fewer than {SHORTEST} characters cannot be hidden: use a longer one")]
    TooShort,
    /// It spells what stands in a secret's place.
    #[error("a secret with the character • in it cannot be hidden: that character stands for hidden text")]
    SpellsMark,
}

/// Knows secrets. Copies know the same; they are wiped with the last.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Arc<RwLock<Vec<Zeroizing<String>>>>,
}

impl std::fmt::Debug for Redactor {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(…)")
    }
}

impl Redactor {
    /// Knows none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on this is unreadable, in all copies.
    ///
    /// # Errors
    /// When it cannot be hidden; nothing is added then.
    pub fn add(&self, secret: &str) -> Result<(), NotHidable> {
        can_be_hidden(secret)?;
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms::of(secret) {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        Ok(())
    }

    /// A text without secrets: each, or what overlaps, gives way to one [`MARK`].
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        without(text, &found(text, &self.forms()))
    }

    /// Whether no secret is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms().is_empty()
    }

    /// Whether a text holds a secret.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        !found(text, &self.forms()).is_empty()
    }

    /// For a text that comes in pieces.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream { redactor: self.clone(), held: Zeroizing::default() }
    }

    fn forms(&self) -> RwLockReadGuard<'_, Vec<Zeroizing<String>>> {
        self.forms.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text that comes in pieces. What may be the beginning of a secret is kept until the next; a line's end lets go of
/// all before it, unless a secret has one in it.
pub struct Stream {
    redactor: Redactor,
    held: Zeroizing<String>,
}

impl Stream {
    /// The next piece: what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        // A String that grows leaves its old bytes behind: a new one, the old one wiped.
        let mut text = Zeroizing::new(String::with_capacity(self.held.len() + piece.len()));
        text.push_str(&self.held);
        text.push_str(piece);
        let forms = self.redactor.forms();
        let ranges = found(&text, &forms);
        let longest = forms.iter().map(|f| f.len()).max().unwrap_or(0);
        let mut cut = (text.len() + 1).saturating_sub(longest.max(1));
        if !forms.iter().any(|f| f.contains('\n')) {
            cut = cut.max(text.rfind('\n').map_or(0, |at| at + 1));
        }
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        if let Some(across) = ranges.iter().find(|r| r.start < cut && cut < r.end) {
            cut = across.start;
        }
        let ready: Vec<_> = ranges.into_iter().filter(|r| r.end <= cut).collect();
        let (shown, held) = text.split_at(cut);
        let out = without(shown, &ready);
        self.held = Zeroizing::new(held.to_owned());
        out
    }

    /// The rest.
    #[must_use]
    pub fn finish(self) -> String {
        self.redactor.text(&self.held)
    }
}

/// Whether a secret can be hidden wherever it may stand.
///
/// # Errors
/// Why it cannot.
pub fn can_be_hidden(secret: &str) -> Result<(), NotHidable> {
    if secret.chars().count() < SHORTEST {
        return Err(NotHidable::TooShort);
    }
    match secret.chars().any(|c| MARK.contains(c)) {
        true => Err(NotHidable::SpellsMark),
        false => Ok(()),
    }
}

/// Where secrets stand in a text, in order; overlapping ones as one.
fn found(text: &str, forms: &[Zeroizing<String>]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for form in forms {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(form.as_str())) {
            let start = from + at;
            all.push(start..start + form.len());
            // The next one may begin inside this one.
            from = start + form.chars().next().map_or(1, char::len_utf8);
        }
    }
    all.sort_by_key(|r| (r.start, r.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in all {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn without(text: &str, ranges: &[Range<usize>]) -> String {
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
