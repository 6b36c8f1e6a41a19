//! Output as it comes: secrets give way first, across lines too; then each line is made printable.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::runbook::place::Place;
use crate::runbook::redact::{RedactedStream, Redactor};
use jumpdeck_fleet::text::Clean;

/// Takes output as it comes: where it is from, and printable lines.
pub(in crate::runbook) type OutputSink = dyn Fn(&Place, Vec<Clean>) + Send + Sync;

/// Takes bytes, and hands on whole lines. The last one goes when it is dropped.
pub(super) struct WholeLines {
    out: Arc<OutputSink>,
    place: Place,
    stream: Option<RedactedStream>,
    /// Bytes of a line that has no end yet.
    bytes: Zeroizing<Vec<u8>>,
    /// What the stream let go of, a line without an end.
    shown: String,
}

impl WholeLines {
    pub(super) fn new(out: Arc<OutputSink>, place: Place, redactor: &Redactor) -> Self {
        let stream = Some(redactor.stream());
        Self { out, place, stream, bytes: Zeroizing::default(), shown: String::new() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let Some(end) = self.bytes.iter().rposition(|byte| *byte == b'\n') else { return };
        let whole = Zeroizing::new(self.bytes.drain(..=end).collect::<Vec<u8>>());
        self.push(&Zeroizing::new(String::from_utf8_lossy(&whole).into_owned()));
        if let Some(end) = self.shown.rfind('\n') {
            let rest = self.shown.split_off(end + 1);
            self.hand_on(rest);
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(stream) = &mut self.stream {
            self.shown.push_str(&stream.push(text));
        }
    }

    /// Hands on what is shown, and keeps the rest.
    fn hand_on(&mut self, rest: String) {
        let lines = std::mem::replace(&mut self.shown, rest);
        (self.out)(&self.place, Clean::lines(&lines));
    }
}

impl Drop for WholeLines {
    fn drop(&mut self) {
        let last = std::mem::take(&mut self.bytes);
        self.push(&Zeroizing::new(String::from_utf8_lossy(&last).into_owned()));
        if let Some(stream) = self.stream.take() {
            self.shown.push_str(&stream.finish());
        }
        if !self.shown.is_empty() {
            self.hand_on(String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use super::*;
    use crate::runbook::redact::MARK;

    #[test]
    fn secrets_give_way_before_lines_are_made_printable() {
        let secrets = ["grö\u{ad}be-key\u{200d}X9", "first part\nsecond part", "tab\there", "esc\u{1b}[0m"];
        let printed: String = secrets.iter().map(|s| format!("login with {s}\n")).collect();
        for piece in [1, 3, 7, 1000] {
            let redactor = Redactor::new();
            secrets.iter().for_each(|secret| redactor.add(secret).unwrap());
            let shown = Arc::new(Mutex::new(Vec::new()));
            let seen = shown.clone();
            let out: Arc<OutputSink> =
                Arc::new(move |_: &Place, lines: Vec<Clean>| seen.lock().unwrap().extend(lines));
            let mut lines = WholeLines::new(out, Place::Nowhere, &redactor);
            for bytes in format!("{printed}no line end").as_bytes().chunks(piece) {
                lines.take(bytes);
            }
            drop(lines);
            let shown: Vec<String> = shown.lock().unwrap().iter().map(ToString::to_string).collect();
            let mut expected = vec![format!("login with {MARK}"); secrets.len()];
            expected.push("no line end".to_owned());
            assert_eq!(shown, expected, "{piece}");
        }
    }

    #[test]
    fn a_line_is_shown_as_soon_as_it_ends() {
        let redactor = Redactor::new();
        redactor.add("hunter22").unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = shown.clone();
        let out: Arc<OutputSink> =
            Arc::new(move |_: &Place, lines: Vec<Clean>| seen.lock().unwrap().extend(lines));
        let mut lines = WholeLines::new(out, Place::Nowhere, &redactor);
        lines.take(b"password: hunter22\nha");
        assert_eq!(shown.lock().unwrap().len(), 1);
        lines.take(b"lf\n");
        assert_eq!(shown.lock().unwrap().len(), 2);
    }
}
