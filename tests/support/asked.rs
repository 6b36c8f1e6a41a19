//! What a run asks on the screen of a console.

use std::time::{Duration, Instant};

use super::terminal::Terminal;

/// The title of the box with a question, when it is drawn to its end.
pub(crate) fn title(shown: &str) -> Option<&str> {
    let mut lines = shown.lines().skip_while(|line| !line.starts_with("┌ ◆ "));
    let title = lines.next()?.split_once("┌ ◆ ")?.1.split_once(" ─")?.0;
    lines.any(|line| line.starts_with('└')).then_some(title)
}

/// The value that it wants typed.
pub(crate) fn wanted(shown: &str) -> Option<&str> {
    shown.lines().find_map(|line| line.split_once("To go on, type  "))?.1.split_whitespace().next()
}

/// A question is read: an answer within its first moment is none.
pub(crate) fn read(console: &mut Terminal) {
    let end = Instant::now() + Duration::from_millis(600);
    while Instant::now() < end {
        console.pump();
    }
}
