//! What is wrong with a check of the inventory's own: what its answer says.

use crate::check::DeclaredCheck;

use super::{Finding, Service};

/// How long ago it was asked.
pub const AGE: &str = "age";
/// Figures that its answer had beyond those that are kept.
pub const MORE_FIGURES: &str = "more_figures";

/// What is wrong with it.
#[must_use]
pub fn findings(check: &DeclaredCheck, service: &Service) -> Vec<Finding> {
    let Some(severity) = service.check.as_ref().and_then(|check| check.severity) else { return Vec::new() };
    let mut message = format!("{}: {}", check.name, service.detail);
    if let Some(next) = &check.when_bad {
        // The answer of a plugin seldom ends as a sentence does.
        message.push_str(if message.ends_with(['.', '!', '?']) { " " } else { ". " });
        message.push_str(next);
    }
    vec![Finding::new(severity, message)]
}
