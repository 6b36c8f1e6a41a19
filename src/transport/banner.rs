//! What a server says before it lets anybody in: its banner, and why it does not let us in.

use std::sync::{Mutex, PoisonError};

use jumpdeck_fleet::text::Clean;

/// More lines than these are not kept.
const KEPT: usize = 60;
/// A message of a server has some lines; a banner of more is about the law, not about this login.
const MESSAGE_LINES: usize = 6;
/// So many characters of it stand in an error.
const QUOTED: usize = 400;

/// Every message the server sent before the login was over, each line by line.
#[derive(Default)]
pub(super) struct Banner(Mutex<Vec<Vec<Clean>>>);

impl Banner {
    /// Keeps a message.
    pub(super) fn add(&self, message: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(all.iter().map(Vec::len).sum());
        let lines: Vec<Clean> = Clean::lines(message).into_iter().take(room).collect();
        if !lines.is_empty() {
            all.push(lines);
        }
    }

    /// Every line.
    pub(super) fn lines(&self) -> Vec<Clean> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).concat()
    }

    /// The last message, for an error: the one that is about this login. A long first one is the usual banner.
    pub(super) fn last_message(&self) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = all.last().filter(|last| all.len() > 1 || last.len() <= MESSAGE_LINES)?;
        quoted(last)
    }
}

/// Lines that a server or a host printed, in quotes for an error: the first ones, on one line. `None` when they are blank.
pub(crate) fn quoted(lines: &[Clean]) -> Option<String> {
    let lines = lines.iter().map(|l| l.as_str().trim()).filter(|l| !l.is_empty()).take(MESSAGE_LINES);
    let text = lines.collect::<Vec<_>>().join(" / ");
    if text.is_empty() {
        return None;
    }
    let cut: String = text.chars().take(QUOTED).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    Some(format!("\"{cut}{more}\""))
}
