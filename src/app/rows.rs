//! The rows of the screen on top: filtered, sorted, and which of them is selected. Every screen and every key goes through
//! here, so that what is drawn and what a key acts on are the same rows. What the rows are, the screen says.

use super::model::Model;

pub mod beside;
pub mod declared;
pub(super) mod filter;
mod lines;
pub mod order;
mod seen;
pub mod selection;
pub mod sorting;
pub mod term;
#[cfg(test)]
mod tests;

pub use filter::{Words, unreadable, wrong};
pub(in crate::app) use lines::LOG_WORDS;
pub use lines::LineTerms;
pub(in crate::app) use seen::{LOOK_WORDS, holds};

/// How many rows the screen on top has.
#[must_use]
pub fn count(model: &Model) -> usize {
    model.screen().kind().count(model)
}
