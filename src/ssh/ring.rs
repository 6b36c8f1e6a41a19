//! Keys unlocked in this process.

/// Decrypted keys and accepted host keys, shared by all connections of the process.
#[derive(Debug, Default)]
pub struct KeyRing {}

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
