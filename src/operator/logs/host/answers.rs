//! What a host answered: lines are sent on, and what is to be said of its logs is said.

use super::super::lines::{LineOrigin, since};
use super::super::reader::{LogReply, Missed, journal};
use super::super::request::{AskedLog, LogKind, Wanted};
use super::super::stamp::HostClock;
use super::{HostReader, Left, SKEW, now};
use crate::transport::advice;
use crate::transport::error::{ErrorKind, TransportError};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::log::{HostLog, LogEvent, LogLine, LogName, LogNote, NotShown, grouped};
use jumpdeck_fleet::text::Clean;

impl HostReader {
    /// Takes one part of an answer; whether more logs are to be asked for at once.
    pub(super) async fn take(&mut self, reply: LogReply) -> Result<bool, Left> {
        match reply {
            LogReply::BadPattern(said) => {
                let detail = format!("the pattern cannot be read there: {said}");
                let hop = Hop::Host(self.host.id.host.clone());
                let error = TransportError::new(&hop, ErrorKind::Refused, detail);
                return Err(error.by_operator().advising(&advice::LOG_PATTERN).into());
            }
            LogReply::Lacks(tool) => {
                let detail = format!("logs cannot be read: {tool} is missing there");
                let hop = Hop::Host(self.host.id.host.clone());
                let error = TransportError::new(&hop, ErrorKind::Refused, detail);
                return Err(error.by_operator().advising(&advice::LOG_TOOL).into());
            }
            LogReply::Clock { seconds, offset } => self.clock_is(seconds, offset).await?,
            LogReply::Missing { log } => return self.missing(log).await,
            LogReply::Closed { log } => {
                let what = if self.without_sudo {
                    "access denied: it needs sudo, which is refused there"
                } else {
                    "access denied: this account may not read it"
                };
                self.trouble(log, what).await?;
            }
            LogReply::NoFile { log } => self.trouble(log, "is no file; not read").await?,
            LogReply::Failed { log } => self.trouble(log, "cannot be looked at; not read").await?,
            LogReply::Said { log, text } => {
                self.note_of(log, &format!("journalctl says: {text}"), true).await?
            }
            LogReply::Turned { log, found: true } => {
                self.note_of(log, "rotated: the end of the old file is read, then the new one", false)
                    .await?;
            }
            LogReply::Turned { log, found: false } => {
                let text = "replaced, and the old file is gone: its last lines may be missing here";
                self.note_of(log, text, true).await?;
            }
            LogReply::Cut { log } => {
                let text = "cut shorter: read from its beginning; lines before that may be missing here";
                self.note_of(log, text, true).await?;
            }
            LogReply::There { log, place } => {
                if let Some(AskedLog { kind: LogKind::File { place: read }, trouble, .. }) =
                    self.logs.get_mut(log)
                {
                    (*read, *trouble) = (place, None);
                }
            }
            LogReply::First { log, place, before, body } => {
                if let Some(AskedLog { kind: LogKind::File { place: read }, found, trouble, .. }) =
                    self.logs.get_mut(log)
                {
                    (*read, *found, *trouble) = (place, true, None);
                }
                if before > 0 && (self.request.pattern.is_some() || self.request.since.is_some()) {
                    let text =
                        format!("begins here: {} bytes before this were not searched", grouped(before));
                    self.note_of(log, &text, false).await?;
                }
                self.send(log, &body, 0, true).await?;
            }
            LogReply::Data { log, place, missed, body } => {
                if let Some(AskedLog { kind: LogKind::File { place: read }, unended, .. }) =
                    self.logs.get_mut(log)
                {
                    *unended = if place == *read { *unended + 1 } else { 0 };
                    *read = place;
                }
                self.data(log, missed, &body).await?;
            }
            LogReply::Journal { log, body, rest } => {
                let (body, ended, behind) = journal(body, &rest);
                let mut first = false;
                if let Some(AskedLog { kind: LogKind::Journal { cursor }, found, trouble, .. }) =
                    self.logs.get_mut(log)
                {
                    first = !*found;
                    (*found, *trouble) = (true, None);
                    if ended.is_some() {
                        *cursor = ended;
                    }
                }
                self.send(log, &body, 0, first).await?;
                self.not_shown(log, behind, 0).await?;
            }
            LogReply::Done { .. } => {}
        }
        Ok(false)
    }

    async fn clock_is(&mut self, seconds: i64, offset: i32) -> Result<(), Left> {
        self.clock = HostClock { offset, now: seconds * 1000 };
        let apart = seconds * 1000 - now();
        if apart.abs() > SKEW && !self.skew_said {
            self.skew_said = true;
            let word = if apart > 0 { "ahead of" } else { "behind" };
            let text = format!(
                "its clock is {} s {word} ours; times of its lines are its own",
                grouped(apart.unsigned_abs() / 1000)
            );
            self.note(None, &text, false).await?;
        }
        Ok(())
    }

    /// A log is not there; where it is the journal, what the system writes instead is asked for.
    async fn missing(&mut self, log: usize) -> Result<bool, Left> {
        let Some(asked) = self.logs.get_mut(log) else { return Ok(false) };
        let journal = asked.is_journal();
        match asked.wanted {
            Wanted::System if journal => {
                asked.active = false;
                let mut again = false;
                for log in
                    self.logs.iter_mut().filter(|log| log.wanted == Wanted::System && !log.is_journal())
                {
                    again |= !log.active;
                    log.active = true;
                }
                Ok(again)
            }
            Wanted::Named if journal => {
                self.trouble(log, "there is no journal here: the unit's lines are in a file").await?;
                Ok(false)
            }
            // One that was read before is between two names while it rotates.
            Wanted::Named => {
                self.trouble(log, "not there; read as soon as it is").await?;
                Ok(false)
            }
            Wanted::Usual | Wanted::System => Ok(false),
        }
    }

    /// Says that nothing at all is read here.
    pub(super) async fn nothing_found(&mut self) -> Result<(), Left> {
        if self.logs.iter().any(|log| log.found || log.trouble.is_some()) {
            return Ok(());
        }
        let tried: Vec<&str> =
            self.logs.iter().filter(|log| log.active).map(|log| log.name.as_ref()).collect();
        let text = format!(
            "no log found: no journal, and none of {}; name its files in the inventory (logs) or with --file",
            tried.join(", ")
        );
        self.note(None, &text, true).await
    }

    async fn data(&mut self, log: usize, missed: Missed, body: &[u8]) -> Result<(), Left> {
        let Missed { lines, bytes, of_line, of_line_before } = missed;
        if of_line_before > 0 {
            let text = format!("the line above goes on: {} bytes of it not shown", grouped(of_line_before));
            self.note_of(log, &text, false).await?;
        }
        self.send(log, body, of_line, false).await?;
        self.not_shown(log, lines, bytes).await
    }

    async fn send(&self, log: usize, body: &[u8], cut: u64, first: bool) -> Result<(), Left> {
        let Some(asked) = self.logs.get(log) else { return Ok(()) };
        let (host, source, arrived) = (&self.host.id.host, &asked.name, now());
        let mut lines = LineOrigin { host, source, clock: self.clock, arrived, cut }.lines(body);
        if first {
            lines = self.wanted_at_first(lines);
        }
        if lines.is_empty() { Ok(()) } else { self.tell(LogEvent::Lines(lines)).await }
    }

    /// Of what there is at first: what is young enough, and the last of it.
    fn wanted_at_first(&self, mut lines: Vec<LogLine>) -> Vec<LogLine> {
        if let Some(age) = self.request.since {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            lines = since(lines, self.clock.now.saturating_sub(age));
        }
        let most = usize::try_from(self.request.lines).unwrap_or(usize::MAX);
        lines.split_off(lines.len().saturating_sub(most))
    }

    async fn not_shown(&self, log: usize, lines: u64, bytes: u64) -> Result<(), Left> {
        let Some(asked) = self.logs.get(log).filter(|_| lines > 0 || bytes > 0) else { return Ok(()) };
        let (host, source) = (self.host.id.host.clone(), asked.name.clone());
        self.tell(LogEvent::NotShown(NotShown { host, source, lines, bytes })).await
    }

    /// Says what is wrong with a log, once.
    async fn trouble(&mut self, log: usize, what: &'static str) -> Result<(), Left> {
        let Some(asked) = self.logs.get_mut(log).filter(|asked| asked.trouble != Some(what)) else {
            return Ok(());
        };
        asked.trouble = Some(what);
        self.note_of(log, what, true).await
    }

    async fn note_of(&self, log: usize, text: &str, gap: bool) -> Result<(), Left> {
        let source = self.logs.get(log).map(|asked| asked.name.clone());
        self.note(source, text, gap).await
    }

    pub(super) async fn note(&self, source: Option<LogName>, text: &str, gap: bool) -> Result<(), Left> {
        let host = self.host.id.host.clone();
        self.tell(LogEvent::Note(LogNote { host, source, text: Clean::new(text), at: now(), gap })).await
    }

    pub(super) async fn state(&self, state: HostLog) -> Result<(), Left> {
        self.tell(LogEvent::State(self.host.id.host.clone(), state)).await
    }

    async fn tell(&self, event: LogEvent) -> Result<(), Left> {
        self.out.send(event).await.map_err(|_| Left::Unwanted)
    }
}
