//! The logs of one host: asked, read, and asked again when the connection was lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::reader::{AnswerReader, LogReply};
use super::request::{AskedLog, ask, logs, script};
use super::stamp::HostClock;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, HostSessions, advice};
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::log::{HostLog, LogEvent, LogRequest};
use jumpdeck_fleet::text::Clean;

mod answers;

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
    /// An answer was read to its end at least once.
    answered: bool,
    /// sudo was refused: the logs are read without it.
    without_sudo: bool,
}

impl HostReader {
    pub(super) fn new(
        sessions: Arc<dyn HostSessions>,
        host: Arc<Host>,
        request: Arc<LogRequest>,
        out: mpsc::Sender<LogEvent>,
    ) -> Self {
        let (logs, clock) = (logs(&host, &request), HostClock { offset: 0, now: now() });
        Self {
            sessions,
            host,
            request,
            out,
            logs,
            clock,
            skew_said: false,
            followed: false,
            answered: false,
            without_sudo: false,
        }
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
                Err(Left::Failed(error)) if self.is_refused_sudo(&error) => {
                    let text = format!(
                        "sudo -n is refused there ({}): only what this account may read is read, the rest needs sudo",
                        error.detail
                    );
                    // A journal may be read in part, and nothing says so.
                    if self.note(None, &text, true).await.is_err() {
                        return;
                    }
                    continue;
                }
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
        let sudo = self.host.sudo && !self.without_sudo;
        let shell = if sudo { "exec sudo -n /bin/sh" } else { "exec /bin/sh" };
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
            self.answered = true;
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

    /// Whether the shell that sudo was to start never was; from then on it is asked for without.
    fn is_refused_sudo(&mut self, error: &TransportError) -> bool {
        let never_answered = self.host.sudo && !self.without_sudo && !self.answered;
        let is_refused = never_answered && error.advice == Some(&advice::LOG_SHELL);
        self.without_sudo |= is_refused;
        is_refused
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
