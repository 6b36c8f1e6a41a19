//! The filter of what a host is looked at for.

use super::filter::{TermSubject, Terms, Words};

/// What it may name: text alone. The rows of processes, ports and mounts have no field in common.
pub(in crate::app) static LOOK_WORDS: Words =
    Words { screen: "look", example: Some("mysql !zombie"), fields: &[], figures: &[] };

/// Whether a row with this text, in lower case, is let through.
pub(in crate::app) fn holds(filter: &str) -> impl Fn(&str) -> bool + use<> {
    let terms = Terms::new(filter, &LOOK_WORDS);
    move |row| {
        terms.all(|what| match what {
            TermSubject::Text(text) => row.contains(text.as_str()),
            // `term::read` lets no field through on this screen.
            TermSubject::Is(..) | TermSubject::Figure(..) => false,
        })
    }
}
