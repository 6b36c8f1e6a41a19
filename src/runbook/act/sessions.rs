//! The sessions that are open, and the way into one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::trouble::Trouble;
use crate::runbook::ids::StepId;
use jumpdeck_fleet::names::HostName;

/// The sessions that are open in this process.
#[derive(Clone, Default)]
pub(in crate::runbook) struct Sessions(Arc<Mutex<BTreeMap<StepId, OpenSession>>>);

impl Sessions {
    /// A session was opened.
    pub(super) fn open(&self, line: &OpenSession) {
        self.all().insert(line.id.clone(), line.clone());
    }

    /// A session was closed.
    pub(super) fn close(&self, line: &OpenSession) {
        let mut all = self.all();
        if all.get(&line.id).is_some_and(|open| open.asks.same_channel(&line.asks)) {
            all.remove(&line.id);
        }
    }

    /// The session that a step opened on a host, unless it has ended.
    pub(super) fn find(&self, id: &StepId, host: &HostName) -> Option<OpenSession> {
        self.opened(id, host).filter(|line| line.lost().is_none())
    }

    /// The same, also one that has ended and was not opened again: it tells why.
    pub(super) fn opened(&self, id: &StepId, host: &HostName) -> Option<OpenSession> {
        self.all().get(id).filter(|line| line.host == *host).cloned()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<StepId, OpenSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way into a session that is open.
#[derive(Clone)]
pub(super) struct OpenSession {
    id: StepId,
    host: HostName,
    asks: mpsc::Sender<AskedSession>,
    lost: watch::Receiver<Option<String>>,
}

/// Statements for a session.
pub(super) struct AskedSession {
    /// The statements.
    pub(super) text: Zeroizing<String>,
    /// Whether what they print is secret.
    pub(super) secret: bool,
    /// When an answer is too late.
    pub(super) until: Instant,
    /// Whether they were sent, or may have been.
    begun: Arc<AtomicBool>,
    reply: oneshot::Sender<SessionSent>,
}

impl AskedSession {
    /// From now on they may have been sent.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    /// Says what came of them.
    pub(super) fn answer(self, sent: SessionSent) {
        // Nobody listens any more when the run has ended.
        let _ = self.reply.send(sent);
    }
}

/// What came of statements.
pub(super) enum SessionSent {
    /// What they printed.
    Answered(String),
    /// They failed, or nobody knows, and the session has ended.
    Ended(Trouble),
    /// They were not sent: why.
    Not(String),
}

impl OpenSession {
    pub(super) fn new(
        id: StepId,
        host: HostName,
        asks: mpsc::Sender<AskedSession>,
        lost: watch::Receiver<Option<String>>,
    ) -> Self {
        Self { id, host, asks, lost }
    }

    /// Why the session has ended, when it has.
    pub(super) fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }

    /// Waits until the session has ended.
    async fn end(&self) {
        // An error is an end, too: who tells of it is gone.
        let _ = self.lost.clone().wait_for(Option::is_some).await;
    }

    /// Runs statements in it.
    pub(super) async fn send(&self, text: &str, limit: Duration, secret: bool) -> SessionSent {
        let not = || SessionSent::Not(self.lost().unwrap_or_else(|| "its session has ended".to_owned()));
        let (reply, mut answer) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let (text, until) = (Zeroizing::new(text.to_owned()), Instant::now() + limit);
        let asked = AskedSession { text, secret, until, begun: begun.clone(), reply };
        if self.asks.send(asked).await.is_err() {
            return not();
        }
        // What comes between the session's last look and its end stays in the channel, unanswered, for as long as this line is
        // there. Nothing is begun after the end; what was begun is answered.
        let answered = tokio::select! {
            biased;
            answered = &mut answer => answered,
            () = self.end() => match begun.load(Ordering::SeqCst) {
                true => answer.await,
                false => return not(),
            },
        };
        match answered {
            Ok(sent) => sent,
            Err(_) if begun.load(Ordering::SeqCst) => {
                SessionSent::Ended(Trouble::Unknown("its session was closed in the middle".to_owned()))
            }
            Err(_) => not(),
        }
    }
}
