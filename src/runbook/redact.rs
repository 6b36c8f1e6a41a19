//! Secrets made unreadable in texts, in every form they take on their way: as they are, quoted for a shell, escaped for
//! SQL, JSON, XML, regular expressions and C, in URLs, in base64 and hexadecimal, and made printable after any of these.
//! The table of them is in `redact::forms`. Time and memory grow with the text, whatever the secret is.
//!
//! Not found: a secret cut by line ends (wrapped base64), and one that went through two encodings at once.

mod find;
mod forms;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use find::{SecretForm, found, without};
pub use stream::RedactedStream;

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
    forms: Arc<RwLock<Vec<SecretForm>>>,
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
            if !forms.iter().any(|known| known.text() == form.as_str()) {
                forms.push(SecretForm::new(form));
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

    /// How much it knows: it grows with each secret that is new.
    #[must_use]
    pub fn knows(&self) -> usize {
        self.forms().len()
    }

    /// Whether a text holds a secret.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        !found(text, &self.forms()).is_empty()
    }

    /// For a text that comes in pieces.
    #[must_use]
    pub fn stream(&self) -> RedactedStream {
        RedactedStream::new(self.clone())
    }

    fn forms(&self) -> RwLockReadGuard<'_, Vec<SecretForm>> {
        self.forms.read().unwrap_or_else(PoisonError::into_inner)
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
