//! A database session that is kept open: what it holds (`GET_LOCK`) dies with it. Asked every two seconds whether it
//! still holds; when not, the run stops before its next step. Between two of those questions it runs statements
//! ([`super::session`]).

use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::sessions::{AskedSession, OpenSession, SessionSent, Sessions};
use super::site::Site;
use super::trouble::Trouble;
use super::{client, session};
use crate::runbook::definition::Pick;
use crate::runbook::ids::StepId;
use crate::runbook::judge::HostAnswer;
use jumpdeck_fleet::names::HostName;

mod talk;

use talk::{Cut, Talk};

/// Time between two heartbeats.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// An answer within this, or it is lost.
const BEAT_LIMIT: Duration = Duration::from_secs(5);
/// Seconds without a statement after which the server ends the session: whoever sent it heartbeats is gone, even if the link
/// between only went silent. What the session held is free then, and nothing that was sent in it comes later.
const SILENT_FOR: u32 = 8;
/// Statements that may wait for the session at once.
const WAITING: usize = 16;

/// What is kept open for later steps: a session that holds, or a guard. Dropping it ends it; a guard acts then.
pub(in crate::runbook) struct Holding {
    lost: watch::Receiver<Option<String>>,
    what: HeldSession,
    keeping: tokio::task::JoinHandle<()>,
}

enum HeldSession {
    Session {
        line: OpenSession,
        sessions: Sessions,
    },
    /// Tells it to stand down.
    Guard(Option<oneshot::Sender<()>>),
}

impl Drop for Holding {
    fn drop(&mut self) {
        match &self.what {
            HeldSession::Session { line, sessions } => {
                sessions.close(line);
                self.keeping.abort();
            }
            // One that was not told to stand down sees its input end.
            HeldSession::Guard(_) => {}
        }
    }
}

impl Holding {
    /// A guard.
    pub(super) fn guard(
        lost: watch::Receiver<Option<String>>,
        stand_down: oneshot::Sender<()>,
        keeping: tokio::task::JoinHandle<()>,
    ) -> Self {
        Self { lost, what: HeldSession::Guard(Some(stand_down)), keeping }
    }

    /// Whether it is a guard.
    pub(in crate::runbook) fn is_guard(&self) -> bool {
        match &self.what {
            HeldSession::Session { .. } => false,
            HeldSession::Guard(_) => true,
        }
    }

    /// Why it no longer holds, when it does not.
    pub(in crate::runbook) fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// Waits until it no longer holds, and says why.
    pub(in crate::runbook) fn until_lost(&self) -> impl Future<Output = String> + Send + use<> {
        let mut lost = self.lost.clone();
        async move {
            match lost.wait_for(Option::is_some).await.ok().and_then(|why| why.clone()) {
                Some(why) => why,
                // It was ended because it is not needed any more.
                None => std::future::pending().await,
            }
        }
    }

    /// Ends it because it is not needed any more: a guard stands down.
    pub(in crate::runbook) fn let_go(mut self) {
        match &mut self.what {
            HeldSession::Session { .. } => {}
            // One that has ended listens no more.
            HeldSession::Guard(stand_down) => drop(stand_down.take().map(|tell| tell.send(()))),
        }
    }
}

/// A session to be opened.
pub(in crate::runbook) struct Opening<'a> {
    /// The step that opens it.
    pub(in crate::runbook) id: &'a StepId,
    /// The lock by which the session itself is found on its server.
    pub(in crate::runbook) mark: String,
    /// What is done in it first.
    pub(in crate::runbook) open: String,
    /// Asked in it every two seconds: the answer must be `1`.
    pub(in crate::runbook) heartbeat: String,
    /// How long opening it may take.
    pub(in crate::runbook) limit: Duration,
}

/// Opens a session on a host, and does in it what is to be done first. An earlier session of the same step is ended before.
pub(in crate::runbook) async fn open(
    site: &Site,
    host: &HostName,
    opening: Opening<'_>,
) -> Result<(Holding, HostAnswer), Trouble> {
    let Opening { id, mark, open, heartbeat, limit } = opening;
    let session = site.session(host).await?;
    let client = client::client(site, host);
    site.still_ours().await?;
    let started = session.start(&client).await;
    let held = started.map_err(|e| Trouble::Failed(format!("{}: {}", e.hop, e.describe())))?;
    let first = async {
        let mut talk = Talk::new(held);
        let mine = format!("SET SESSION wait_timeout = {SILENT_FOR}; SELECT GET_LOCK('{mark}', 0) AS mine");
        if !is_one(&said(talk.begin(&mine).await)?) {
            session::end(site, host, &mark, limit).await.map_err(Trouble::Failed)?;
            let mine = format!("SELECT GET_LOCK('{mark}', 5) AS mine");
            if !is_one(&said(talk.ask(&mine).await)?) {
                let why = format!("an earlier session of {id} is still open on {host}");
                return Err(Trouble::Failed(why));
            }
        }
        let answer = said(talk.ask(&open).await)?;
        Ok((talk, HostAnswer::of_sql(&answer)))
    };
    let late = || Trouble::Failed("the session did not answer in time and was closed".to_owned());
    let (talk, answer) = timeout(limit, first).await.map_err(|_| late())??;
    let (tell, lost) = watch::channel(None);
    let (asks, asked) = mpsc::channel(WAITING);
    let line = OpenSession::new(id.clone(), host.clone(), asks, lost.clone());
    let keeping = Keeping { talk, heartbeat, asked, tell, host: host.clone() };
    let keeping = tokio::spawn(keeping.keep());
    site.sessions.open(&line);
    let what = HeldSession::Session { line, sessions: site.sessions.clone() };
    Ok((Holding { lost, what, keeping }, answer))
}

/// What a session said while it was opened; one that ends then is not held.
fn said(said: Result<String, Cut>) -> Result<String, Trouble> {
    said.map_err(|cut| Trouble::Failed(cut.trouble(false).words().to_owned()))
}

fn is_one(said: &str) -> bool {
    HostAnswer::of_sql(said).pick(&Pick::Whole).as_deref() == Ok("1")
}

/// What keeps a session: it alone speaks in it, so no answer is taken for another one's.
struct Keeping {
    talk: Talk,
    heartbeat: String,
    asked: mpsc::Receiver<AskedSession>,
    tell: watch::Sender<Option<String>>,
    host: HostName,
}

impl Keeping {
    async fn keep(mut self) {
        let mut beat = Instant::now() + BEAT_EVERY;
        let (why, last) = loop {
            tokio::select! {
                biased;
                asked = self.asked.recv() => {
                    // Nobody can ask any more when the run has ended.
                    let Some(asked) = asked else { return };
                    match self.run(&asked).await {
                        (sent, None) => asked.answer(sent),
                        (sent, Some(why)) => break (why, Some((asked, sent))),
                    }
                }
                why = self.talk.until_it_ends() => break (why, None),
                () = sleep_until(beat) => {
                    if let Some(why) = self.beat().await {
                        break (why, None);
                    }
                    beat = Instant::now() + BEAT_EVERY;
                }
            }
        };
        let Self { talk, asked, tell, host, .. } = self;
        // It is closed and known to be lost before anybody hears of it: whoever asks from now on is told that nothing was
        // begun. Nobody listens any more when the run has ended.
        drop(talk);
        let _ = tell.send(Some(format!("{host}: {why}")));
        drop(asked);
        if let Some((asked, sent)) = last {
            asked.answer(sent);
        }
    }

    /// Runs statements, and says why the session has ended, when it has.
    async fn run(&mut self, asked: &AskedSession) -> (SessionSent, Option<String>) {
        if Instant::now() >= asked.until {
            return (SessionSent::Not("its session was busy for too long".to_owned()), None);
        }
        asked.begin();
        match timeout_at(asked.until, self.talk.ask(&asked.text)).await {
            Ok(Ok(said)) => (SessionSent::Answered(said), None),
            Ok(Err(cut)) => {
                let trouble = cut.trouble(asked.secret);
                let why = format!("the session ended during a statement: {}", trouble.words());
                (SessionSent::Ended(trouble), Some(why))
            }
            Err(_) => {
                let why = "the statement did not finish in time, and its session was closed".to_owned();
                let unknown = format!("{why}; the server may still be working on it");
                (SessionSent::Ended(Trouble::Unknown(unknown)), Some(why))
            }
        }
    }

    /// Why it holds no longer, when it does not.
    async fn beat(&mut self) -> Option<String> {
        match timeout(BEAT_LIMIT, self.talk.ask(&self.heartbeat)).await {
            Ok(Ok(said)) if is_one(&said) => None,
            Ok(Ok(_)) => Some("the session no longer holds its lock".to_owned()),
            Ok(Err(cut)) => Some(cut.trouble(false).words().to_owned()),
            Err(_) => Some("the session does not answer".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
