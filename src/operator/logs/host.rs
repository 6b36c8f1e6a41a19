//! The logs of one host: asked, read, and asked again when the connection was lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::lines::{LineOrigin, since};
use super::reader::{AnswerReader, LogReply, Missed, journal};
use super::request::{AskedLog, LogKind, Wanted, ask, logs, script};
use super::stamp::HostClock;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, HostSessions, advice};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::log::{HostLog, LogEvent, LogLine, LogName, LogNote, LogRequest, NotShown, grouped};
use jumpdeck_fleet::text::Clean;

/// Between two requests.
const TICK: Duration = Duration::from_secs(1);
/// An answer takes no longer, with all of what a host counts in it.
const ANSWER: Duration = Duration::from_secs(30);
/// Before a lost connection is opened anew: the first time, and at most.
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(30);
/// Clocks that differ by more are named, in milliseconds.
const SKEW: i64 = 5_000;

/// Why reading a host ended.
enum Left {
    /// Nobody listens any more.
    Unwanted,
    /// It failed there.
    Failed(TransportError),
}

impl From<TransportError> for Left {
    fn from(error: TransportError) -> Self {
        Self::Failed(error)
    }
}

/// Reads the logs of a host.
pub(super) struct HostReader {
    sessions: Arc<dyn HostSessions>,
    host: Arc<Host>,
    request: Arc<LogRequest>,
    out: mpsc::Sender<LogEvent>,
    logs: Vec<AskedLog>,
    clock: HostClock,
    /// A difference of clocks was said.
    skew_said: bool,
    /// What there was at first is read.
    followed: bool,
}

impl HostReader {
    pub(super) fn new(
        sessions: Arc<dyn HostSessions>,
        host: Arc<Host>,
        request: Arc<LogRequest>,
        out: mpsc::Sender<LogEvent>,
    ) -> Self {
        let (logs, clock) = (logs(&host, &request), HostClock { offset: 0, now: now() });
        Self { sessions, host, request, out, logs, clock, skew_said: false, followed: false }
    }

    /// Until all is read, nobody listens, or it cannot be read and nothing is to be tried again.
    pub(super) async fn run(mut self) {
        let mut pause = SOONEST;
        let mut lost = None;
        let failed = loop {
            let begun = self.followed;
            match self.connected(&mut lost).await {
                Ok(()) => break None,
                Err(Left::Unwanted) => return,
                Err(Left::Failed(error)) => {
                    let again = self.request.follow && error.passes();
                    let (hop, why) = (error.hop.clone(), error.describe());
                    if !again {
                        break Some((hop, why));
                    }
                    if lost.is_none() {
                        lost = Some(now());
                        if begun || self.followed {
                            let text = format!("connection lost at {}: {hop}: {why}", time_of_day(now()));
                            if self.note(None, &text, false).await.is_err() {
                                return;
                            }
                        }
                        pause = SOONEST;
                    }
                    if self.state(HostLog::Lost { hop, why }).await.is_err() {
                        return;
                    }
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.out.closed() => return,
            }
            pause = (pause * 2).min(LATEST);
        };
        // Nobody listens: nothing is to be told.
        let _ = self.state(HostLog::Ended { failed }).await;
    }

    /// Over one connection. `lost`: since when there was none.
    async fn connected(&mut self, lost: &mut Option<i64>) -> Result<(), Left> {
        self.state(HostLog::Connecting).await?;
        let session = self.sessions.host(&self.host.id.host).await?;
        let shell = if self.host.sudo { "exec sudo -n /bin/sh" } else { "exec /bin/sh" };
        let mut shell = session.start(shell).await?;
        let mark = format!("jd{:032x}", rand::random::<u128>());
        let mut reader = AnswerReader::new(&mark);
        self.write(shell.as_mut(), &script(&mark, &self.request)).await?;
        let mut number = 0;
        loop {
            let begun = Instant::now();
            number += 1;
            let last = self.followed && !self.request.follow;
            self.write(shell.as_mut(), &ask(&self.logs, &self.request, number, last)).await?;
            let again = self.answer(shell.as_mut(), &mut reader, number).await?;
            if let Some(since) = lost.take() {
                let text = format!(
                    "connection back at {} (lost at {}): what was written meanwhile is read now",
                    time_of_day(now()),
                    time_of_day(since)
                );
                self.note(None, &text, false).await?;
                self.state(HostLog::Following).await?;
            }
            if again {
                continue;
            }
            if !self.followed {
                self.followed = true;
                self.nothing_found().await?;
                self.state(HostLog::Following).await?;
                if !self.request.follow {
                    // Once more: a last line without a line end is one now.
                    continue;
                }
            }
            if last {
                return Ok(());
            }
            tokio::select! {
                () = sleep_until(begun + TICK) => {}
                () = self.out.closed() => return Err(Left::Unwanted),
            }
        }
    }

    async fn write(&self, shell: &mut dyn Held, text: &str) -> Result<(), Left> {
        match shell.write(text.as_bytes()).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.why(shell, error).await.into()),
        }
    }

    /// Reads an answer to its end; whether logs were found to be asked for that were not.
    async fn answer(
        &mut self,
        shell: &mut dyn Held,
        reader: &mut AnswerReader,
        number: u64,
    ) -> Result<bool, Left> {
        let until = Instant::now() + ANSWER;
        let hop = Hop::Host(self.host.id.host.clone());
        let mut replies = Vec::new();
        let mut again = false;
        loop {
            let read = tokio::select! {
                read = timeout_at(until, shell.read()) => read,
                () = self.out.closed() => return Err(Left::Unwanted),
            };
            let Ok(read) = read else {
                let detail = format!("no answer within {} s while logs are read", ANSWER.as_secs());
                return Err(TransportError::new(&hop, ErrorKind::TimedOut, detail).into());
            };
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.why(shell, error).await.into()),
            };
            if reader.push(&bytes, &mut replies).is_err() {
                let detail = "it sends more than was asked for; logs of this host are not read";
                return Err(TransportError::new(&hop, ErrorKind::Flooding, detail).by_operator().into());
            }
            for reply in replies.drain(..) {
                if matches!(reply, LogReply::Done { number: done } if done == number) {
                    return Ok(again);
                }
                again |= self.take(reply).await?;
            }
        }
    }

    /// Why a shell is gone: it ended, or the connection did.
    async fn why(&self, shell: &mut dyn Held, error: TransportError) -> TransportError {
        let Ok(ran) = shell.ended().await else { return error };
        let hop = Hop::Host(self.host.id.host.clone());
        let said = String::from_utf8_lossy(&ran.stderr);
        let said = Clean::first_line(&said, 200);
        let status = ran.status.map_or_else(String::new, |status| format!(" with exit status {status}"));
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let detail = format!("the shell that reads the logs ended{status}{said}");
        TransportError::new(&hop, ErrorKind::Refused, detail).advising(&advice::LOG_SHELL)
    }

    /// Takes one part of an answer; whether more logs are to be asked for at once.
    async fn take(&mut self, reply: LogReply) -> Result<bool, Left> {
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
                self.trouble(log, "access denied: this account may not read it").await?
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
    async fn nothing_found(&mut self) -> Result<(), Left> {
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

    async fn note(&self, source: Option<LogName>, text: &str, gap: bool) -> Result<(), Left> {
        let host = self.host.id.host.clone();
        self.tell(LogEvent::Note(LogNote { host, source, text: Clean::new(text), at: now(), gap })).await
    }

    async fn state(&self, state: HostLog) -> Result<(), Left> {
        self.tell(LogEvent::State(self.host.id.host.clone(), state)).await
    }

    async fn tell(&self, event: LogEvent) -> Result<(), Left> {
        self.out.send(event).await.map_err(|_| Left::Unwanted)
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn time_of_day(at: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(at)
        .map(|at| at.to_zoned(zone).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
