//! Secrets known to a run, made unreadable wherever text leaves it: entries of the journal, lines of output.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::runbook::event::Event;

/// Knows a run's secrets. Copies know the same.
#[derive(Clone, Default)]
pub struct Hush {
    secrets: Arc<Mutex<Vec<Zeroizing<String>>>>,
}

impl Hush {
    /// From now on this is unreadable.
    pub fn add(&self, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(Zeroizing::new(secret.to_owned()));
    }

    /// A text without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in secrets.iter() {
            text = text.replace(secret.as_str(), "••••••");
        }
        text
    }

    /// An entry without secrets.
    pub(super) fn event(&self, event: Event) -> Event {
        if self.secrets.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return event;
        }
        let hushed =
            serde_json::to_value(&event).ok().and_then(|json| serde_json::from_value(self.json(json)).ok());
        hushed.unwrap_or(event)
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
