//! Secrets known to a run, made unreadable wherever text leaves it: entries of the journal, lines of output.

use serde_json::Value as Json;

use crate::runbook::event::Event;
use crate::runbook::redact::Redactor;

/// Knows a run's secrets. Copies know the same.
#[derive(Clone, Default)]
pub struct Hush {
    redactor: Redactor,
}

impl Hush {
    /// From now on this is unreadable. What is too short to be told from other text is no secret that could be kept.
    pub fn add(&self, secret: &str) {
        let _ = self.redactor.add(secret);
    }

    /// A text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.redactor.text(text)
    }

    /// An entry without secrets.
    pub(super) fn event(&self, event: Event) -> Event {
        let Ok(json) = serde_json::to_value(&event) else { return event };
        serde_json::from_value(self.json(json)).unwrap_or(event)
    }

    fn json(&self, json: Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.text(&text)),
            Json::Array(items) => Json::Array(items.into_iter().map(|i| self.json(i)).collect()),
            Json::Object(map) => Json::Object(map.into_iter().map(|(k, v)| (k, self.json(v))).collect()),
            other => other,
        }
    }
}
