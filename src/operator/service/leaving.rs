//! What is left in effect when a console ends.

use std::sync::Arc;

use super::Inner;
use jumpdeck_fleet::run::InEffect;

/// What runs of a console leave in effect.
pub struct LeftInEffect(Arc<Inner>);

impl LeftInEffect {
    pub(super) fn of(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// Each run that leaves something, and what.
    #[must_use]
    pub fn runs(&self) -> Vec<(String, Vec<InEffect>)> {
        let state = self.0.lock();
        let left = state.in_effect.iter().filter(|(_, effects)| !effects.is_empty());
        left.map(|(run, effects)| (run.clone(), effects.clone())).collect()
    }
}
