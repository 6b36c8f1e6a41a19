//! What the section `postfix` printed: `@process`, `@status` of `postqueue`, `@cut` with the last line of `postqueue -p`, `@now`, then what `postqueue` said.

use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;

use crate::collect::probe::{ServiceProcess, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;

/// At most this many characters of a message of `postqueue`.
const MAX_SAID: usize = 160;
/// As many of a reason.
const MAX_REASON: usize = 100;
/// A name of a month, as `postqueue -p` writes it.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueuePlace {
    /// Being delivered, or about to be.
    Active,
    /// Waiting for another attempt.
    Deferred,
    /// Kept until an operator releases it.
    Hold,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) place: QueuePlace,
    /// Seconds since it arrived.
    pub(super) age: Option<u64>,
    reason: Option<Clean>,
}

#[derive(Debug, Default)]
pub(super) struct QueueWords {
    /// Whether Postfix's master process runs.
    pub(super) process: ServiceProcess,
    /// The exit status of `postqueue`.
    pub(super) status: u8,
    /// Only the beginning of the queue was read.
    pub(super) cut: bool,
    /// How many messages there are, when the queue was cut and it could be counted.
    pub(super) total: Option<u64>,
    /// `postqueue` says that Postfix is down.
    pub(super) down: Option<Clean>,
    /// `postqueue` failed.
    pub(super) fatal: Option<Clean>,
    pub(super) messages: Vec<Message>,
}

impl QueueWords {
    pub(super) fn number(&self) -> u64 {
        let listed = u64::try_from(self.messages.len()).unwrap_or(u64::MAX);
        self.total.map_or(listed, |total| total.max(listed))
    }

    /// What to write before the number.
    pub(super) fn at_least(&self) -> &'static str {
        if self.cut && self.total.is_none() { "at least " } else { "" }
    }

    /// Why messages were deferred.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().filter_map(|message| message.reason.as_ref()).map(Clean::as_str)
    }
}

/// The host's time: seconds since 1970, and what its clock shows.
type Now = (Option<i64>, Option<DateTime>);

pub(super) fn said(text: &str) -> Result<QueueWords, Gap> {
    let mut lines = text.lines().peekable();
    let process = ServiceProcess::read(lines.next().unwrap_or_default())?;
    let head = lines.next().unwrap_or_default();
    let status = head.strip_prefix("@status ").and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| unreadable(head))?;
    let mut said = QueueWords { process, status, ..QueueWords::default() };
    if let Some(count) = lines.next_if(|line| line.starts_with("@cut")) {
        said.cut = true;
        said.total = total(count.strip_prefix("@cut ").unwrap_or_default());
    }
    let now = match lines.next_if(|line| line.starts_with("@now ")) {
        Some(line) => clock(line),
        None => (None, None),
    };
    let mut lines: Vec<&str> = lines.collect();
    if said.cut {
        // The last line is not whole.
        lines.pop();
    }
    for line in lines {
        said.take(line, &now)?;
    }
    Ok(said)
}

/// The last line of `postqueue -p`: `-- 12 Kbytes in 3 Requests.`
fn total(line: &str) -> Option<u64> {
    let words = line.strip_prefix("-- ")?.split_once(" in ")?.1;
    words.split(' ').next()?.parse().ok()
}

/// `@now 1795996410 2026-11-29 23:53:30`
fn clock(line: &str) -> Now {
    let mut words = line.split(' ').skip(1);
    let seconds = words.next().and_then(|word| word.parse().ok());
    let date: Option<Date> = words.next().and_then(|word| word.parse().ok());
    let time: Option<Time> = words.next().and_then(|word| word.parse().ok());
    (seconds, date.zip(time).map(|(date, time)| DateTime::from_parts(date, time)))
}

impl QueueWords {
    /// One line of what `postqueue` said.
    fn take(&mut self, line: &str, now: &Now) -> Result<(), Gap> {
        if let Some(what) = line.strip_prefix("postqueue: ") {
            let clean = Clean::first_line(what, MAX_SAID);
            if what.contains("ail system is down") {
                self.down = Some(clean);
            } else if what.starts_with("fatal: ") || what.starts_with("error: ") {
                self.fatal = Some(clean);
            }
            return Ok(());
        }
        if line.starts_with('{') {
            let entry: QueueEntry = serde_json::from_str(line).map_err(|_| unreadable(line))?;
            self.messages.push(entry.message(now.0));
            return Ok(());
        }
        let trimmed = line.trim_start();
        if trimmed.is_empty() || line == "Mail queue is empty" || line.starts_with('-') {
            return Ok(());
        }
        if let Some(reason) = trimmed.strip_prefix('(') {
            // A reason is printed before its recipients; the first is the message's.
            if let Some(last) = self.messages.last_mut()
                && last.reason.is_none()
            {
                last.defer(reason.strip_suffix(')').unwrap_or(reason));
            }
            return Ok(());
        }
        // A recipient.
        if line.starts_with(' ') && !self.messages.is_empty() {
            return Ok(());
        }
        self.messages.push(row(line, now.1.as_ref()).ok_or_else(|| unreadable(line))?);
        Ok(())
    }
}

impl Message {
    fn defer(&mut self, reason: &str) {
        self.reason = Some(Clean::first_line(reason, MAX_REASON));
        if self.place == QueuePlace::Active {
            self.place = QueuePlace::Deferred;
        }
    }
}

/// A line of `postqueue -j`.
#[derive(Deserialize)]
struct QueueEntry<'t> {
    #[serde(borrow)]
    queue_name: std::borrow::Cow<'t, str>,
    arrival_time: Option<i64>,
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
struct Recipient {
    delay_reason: Option<String>,
}

impl QueueEntry<'_> {
    fn message(self, now: Option<i64>) -> Message {
        let place = match self.queue_name.as_ref() {
            "hold" => QueuePlace::Hold,
            "deferred" => QueuePlace::Deferred,
            _ => QueuePlace::Active,
        };
        let age =
            now.zip(self.arrival_time).map(|(now, at)| u64::try_from(now.saturating_sub(at)).unwrap_or(0));
        let mut message = Message { place, age, reason: None };
        if let Some(reason) = self.recipients.into_iter().find_map(|recipient| recipient.delay_reason) {
            message.defer(&reason);
        }
        message
    }
}

/// A message of `postqueue -p`: `3E2FB277*       260 Sun Nov 29 23:53:30  notes@example.org`, in the host's local time.
fn row(line: &str, now: Option<&DateTime>) -> Option<Message> {
    let mut words = line.split_ascii_whitespace();
    let id = words.next()?;
    let _size: u64 = words.next()?.parse().ok()?;
    let _day = words.next()?;
    let month = words.next()?;
    let month = i8::try_from(MONTHS.iter().position(|name| *name == month)? + 1).ok()?;
    let day = words.next()?.parse().ok()?;
    let time: Time = words.next()?.parse().ok()?;
    let place = if id.ends_with('!') { QueuePlace::Hold } else { QueuePlace::Active };
    let age = now.and_then(|now| age(now, month, day, time));
    Some(Message { place, age, reason: None })
}

/// The year is not printed: the last one in which that is not in the future, except for what a clock may be set back.
fn age(now: &DateTime, month: i8, day: i8, time: Time) -> Option<u64> {
    [now.year(), now.year().checked_sub(1)?].into_iter().find_map(|year| {
        let at = DateTime::from_parts(Date::new(year, month, day).ok()?, time);
        let seconds = now.duration_since(at).as_secs();
        (seconds > -86_400).then(|| u64::try_from(seconds).unwrap_or(0))
    })
}
