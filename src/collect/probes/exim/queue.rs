//! What the section `exim` printed: `@process`, `@status`, `@count` with the answer of `-bpc`, the list of `-bp`, and behind `@why` the
//! logs of some messages.

use crate::collect::probe::{ServiceProcess, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;

/// At most this many characters of what Exim says.
const MAX_SAID: usize = 160;
/// As many of a reason: servers answer in whole sentences.
const MAX_REASON: usize = 160;

#[derive(Debug)]
pub(super) struct EximMessage {
    /// Seconds since it arrived, as exact as Exim says it: minutes, hours or days.
    pub(super) age: u64,
    pub(super) frozen: bool,
}

#[derive(Debug)]
pub(super) struct EximQueue {
    pub(super) process: ServiceProcess,
    /// How many messages there are.
    pub(super) number: Option<u64>,
    /// Only the oldest of them were read.
    pub(super) cut: bool,
    pub(super) messages: Vec<EximMessage>,
    /// Why some of the oldest wait.
    pub(super) reasons: Vec<Clean>,
    pub(super) status: u8,
    /// A line that is none of a queue.
    said: Option<Clean>,
}

impl EximQueue {
    pub(super) fn read(text: &str) -> Result<Self, Gap> {
        let mut lines = text.lines();
        let process = ServiceProcess::read(lines.next().unwrap_or_default())?;
        let head = lines.next().unwrap_or_default();
        let mut words = head.strip_prefix("@status ").unwrap_or_default().split(' ');
        let status = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| unreadable(head))?;
        let cut = words.next() == Some("yes");
        let rest: Vec<&str> = lines.collect();
        let why = rest.iter().position(|line| *line == "@why").unwrap_or(rest.len());
        let (listed, logs) = rest.split_at(why);
        let mut queue = Self {
            process,
            number: None,
            cut,
            messages: Vec::new(),
            reasons: Vec::new(),
            status,
            said: None,
        };
        // The last line is not whole.
        let whole = if cut { listed.len().saturating_sub(1) } else { listed.len() };
        listed.iter().take(whole).for_each(|line| queue.take(line));
        queue.reasons = logs.split(|line| *line == "@next").filter_map(reason).collect();
        Ok(queue)
    }

    fn take(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("@count ") {
            self.number = count.trim().parse().ok();
            if self.number.is_some() {
                return;
            }
        }
        // A recipient, or that the rest of a message cannot be read.
        if line.trim().is_empty() || line.starts_with("    ") {
            return;
        }
        match message(line) {
            Some(message) => self.messages.push(message),
            None => {
                self.said.get_or_insert_with(|| Clean::first_line(line, MAX_SAID));
            }
        }
    }

    /// Whether the queue was read, or why not.
    pub(super) fn messages(&self) -> Result<(), Gap> {
        let said = self.said.clone().unwrap_or_default();
        let denied = said.as_str().to_lowercase().contains("permission denied");
        match (self.status, self.number) {
            (0, Some(_)) if self.said.is_none() => Ok(()),
            (124, _) => Err(Gap::TimedOut),
            (127, _) => Err(Gap::NoTool("exim".into())),
            _ if denied || said.as_str().starts_with("sudo: ") => Err(Gap::NotPermitted(Clean::first_line(
                &format!(
                    "{said}: ask as root, or with sudo = true in the inventory; or write services.exim = false there"
                ),
                MAX_SAID,
            ))),
            (0, _) if self.said.is_none() => Err(unreadable("it printed nothing")),
            (0, _) => Err(unreadable(said.as_str())),
            (status, _) => Err(Gap::Failed(format!("exim ended with status {status}: {said}").into())),
        }
    }
}

/// ` 2h   317 1xXrac-00004p-1V <root@db1.example.org> *** frozen ***`; a message that is just arriving has no size yet.
fn message(line: &str) -> Option<EximMessage> {
    let mut words = line.split_ascii_whitespace();
    let age = words.next()?;
    let (number, unit) = age.split_at_checked(age.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    words.next()?;
    let frozen = line.ends_with(" *** frozen ***");
    Some(EximMessage { age: number.parse::<u64>().ok()?.checked_mul(seconds)?, frozen })
}

/// Why a message waits, of its log: the last reason that is one. That its time has not come yet says nothing.
fn reason(log: &[&str]) -> Option<Clean> {
    let deferred =
        |line: &&str| line.split_once(" defer").and_then(|(_, why)| Some(why.split_once(": ")?.1.to_owned()));
    let reasons: Vec<String> = log.iter().filter_map(deferred).collect();
    let known = reasons.iter().rev().find(|why| !why.starts_with("retry time not reached"));
    known.or(reasons.last()).map(|why| Clean::first_line(why, MAX_REASON))
}
