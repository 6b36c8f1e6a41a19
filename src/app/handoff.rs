//! A view to hand over: a summary as plain text, and the command that opens the view again.

use std::fmt::Write as _;
use std::time::Duration;

use super::message::CopyOutcome;
use super::model::Model;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::short_age;

/// How long the line shows that says where the copy went: there is a path to read.
const NOTICE_FOR: Duration = Duration::from_secs(15);
/// Columns of the footer that a notice cannot use.
const MARGIN: usize = 2;

/// The screen as lines of text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlainScreen {
    /// The environment, how it is reached, how old its figures are, and what is wrong with it as a whole.
    pub head: Vec<String>,
    /// The rows, with their titles, or the text.
    pub body: Vec<String>,
    /// Rows or lines before those.
    pub before: usize,
    /// Rows or lines after those.
    pub after: usize,
    /// Rows that the filter hides.
    pub hidden: usize,
}

/// What is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handoff {
    summary: String,
    command: String,
}

impl Handoff {
    /// The screen, as it is `now` (date and time in UTC), and `command`, which opens it again.
    #[must_use]
    pub fn new(model: &Model, screen: &PlainScreen, now: &str, command: String) -> Self {
        let mut text = String::new();
        let env = model.shown().map_or("no environment", |env| env.spec.name.as_str());
        let what = model.screen().kind().name(model.screen());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "jumpdeck  {env}  {what}  {now}");
        if model.fleet.simulated {
            text.push_str("SIMULATED: these hosts do not exist.\n");
        }
        if let Some(paused) = &model.paused {
            let since = short_age(model.now.since(paused.since));
            let _ = writeln!(text, "PAUSED for {since}: newer reports are not shown.");
        }
        for line in &screen.head {
            let _ = writeln!(text, "{line}");
        }
        let filter = model.filter().text.as_str();
        if !filter.is_empty() {
            let _ = writeln!(text, "FILTER /{} ({} hidden)", Clean::new(filter), screen.hidden);
        }
        text.push('\n');
        if screen.before > 0 {
            let _ = writeln!(text, "({} more before these)", screen.before);
        }
        for line in &screen.body {
            let _ = writeln!(text, "{line}");
        }
        if screen.after > 0 {
            let _ = writeln!(text, "and {} more", screen.after);
        }
        Self { summary: text, command: format!("\nThis view: {command}\n") }
    }

    /// All of it, in at most `most` bytes: what is longer is cut at a line of the summary, and says so.
    #[must_use]
    pub fn within(&self, most: usize) -> String {
        const CUT: &str = "(cut here: too long for a clipboard)\n";
        if self.summary.len() + self.command.len() <= most {
            return format!("{}{}", self.summary, self.command);
        }
        let room = most.saturating_sub(self.command.len() + CUT.len());
        let mut kept = String::new();
        for line in self.summary.split_inclusive('\n') {
            if kept.len() + line.len() > room {
                break;
            }
            kept.push_str(line);
        }
        format!("{kept}{CUT}{}", self.command)
    }
}

impl CopyOutcome {
    /// The notice for the operator, in at most that many columns where possible: a path is shown to its end.
    fn notice(&self, columns: usize) -> String {
        match (&self.terminal, &self.file) {
            (Ok(()), Ok(file)) => {
                let long = format!("copied (if your terminal allows OSC 52), also in {file}");
                let fits = long.chars().count() <= columns;
                if fits { long } else { format!("sent by OSC 52, also in {file}") }
            }
            (Ok(()), Err(why)) => format!("copied (if your terminal allows OSC 52); no file: {why}"),
            (Err(why), Ok(file)) => format!("in {file}; not copied: {why}"),
            (Err(why), Err(also)) => format!("not copied: {why}; no file: {also}"),
        }
    }
}

impl Model {
    /// A copy was made, or not.
    pub(in crate::app) fn copied(&mut self, copied: &CopyOutcome) {
        let columns = usize::from(self.size.0).saturating_sub(MARGIN);
        self.notice = Some((copied.notice(columns), self.now.plus(NOTICE_FOR)));
        self.changed = true;
    }

    /// A table was exported, or not.
    pub(in crate::app) fn exported(&mut self, exported: Result<String, String>) {
        let text = match exported {
            Ok(said) => said,
            Err(why) => format!("not exported: {why}"),
        };
        self.notice = Some((text, self.now.plus(NOTICE_FOR)));
        self.changed = true;
    }
}

#[cfg(test)]
mod tests;
