//! The filter of lines of logs.

use super::filter::{Field, TermSubject, Terms, Words, contains};
use crate::app::model::logs::LineFilter;
use jumpdeck_fleet::log::LogLine;

/// What it may name.
pub(in crate::app) static LOG_WORDS: Words = Words {
    screen: "logs",
    example: Some("timeout host:app1 level:error !cron"),
    fields: &[("host", Field::Host), ("level", Field::State), ("log", Field::Name)],
    figures: &[],
};

/// What lines are looked for.
pub struct LineTerms {
    text: String,
    terms: Terms,
}

impl std::fmt::Debug for LineTerms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LineTerms").field(&self.text).finish()
    }
}

impl LineTerms {
    /// The terms of a filter's text.
    #[must_use]
    pub fn of(text: &str) -> Box<Self> {
        Box::new(Self { text: text.to_owned(), terms: Terms::new(text, &LOG_WORDS) })
    }
}

impl LineFilter for LineTerms {
    fn text(&self) -> &str {
        &self.text
    }

    fn holds(&self, line: &LogLine) -> bool {
        self.terms.all(|what| match what {
            TermSubject::Text(text) => contains(line.text.as_str(), text),
            TermSubject::Is(Field::Host, values) => {
                values.iter().any(|value| contains(line.host.as_str(), value))
            }
            TermSubject::Is(Field::State, values) => {
                values.iter().any(|value| contains(line.level.word(), value))
            }
            TermSubject::Is(Field::Name, values) => values.iter().any(|value| contains(&line.source, value)),
            // `term::read` lets no other field through on this screen.
            TermSubject::Is(..) | TermSubject::Figure(..) => false,
        })
    }

    fn looked_for(&self) -> Vec<&str> {
        self.terms.texts().collect()
    }
}
