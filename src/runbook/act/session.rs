//! Statements in the sessions that `hold` steps keep open: no client is started for them, and nobody logs in.
//!
//! Such a session is found on its server by a lock of its own (`mark`), which it takes before it is used. While somebody has
//! that lock, the session is there and what was sent in it may come yet; when nobody has it, the session has ended, and
//! nothing that was sent in it comes later: the client does not connect again. So a statement needs no folder on the host.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::{Answer, For, Manner, Site, StepRef, Trouble, sql};
use crate::runbook::definition::Pick;
use crate::runbook::ids::{RunId, StepId};
use jumpdeck_fleet::names::HostName;

/// Time between two looks at a session that is to end.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A look that takes longer is none.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// What becomes of a statement whose session is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runbook) enum Lost {
    /// It fails: nothing was begun.
    Fails,
    /// A client is started for it.
    NewClient,
}

impl Lost {
    /// Of what a step asks. A dry run opens no session.
    pub(in crate::runbook) fn of_reads(at: StepRef<'_>) -> Self {
        if at.machine().dry_run { Self::NewClient } else { Self::Fails }
    }
}

/// The sessions that are open in this process.
#[derive(Clone, Default)]
pub(in crate::runbook) struct Sessions(Arc<Mutex<BTreeMap<StepId, Line>>>);

impl Sessions {
    /// A session was opened.
    pub(super) fn open(&self, line: &Line) {
        self.all().insert(line.id.clone(), line.clone());
    }

    /// A session was closed.
    pub(super) fn close(&self, line: &Line) {
        let mut all = self.all();
        if all.get(&line.id).is_some_and(|open| open.asks.same_channel(&line.asks)) {
            all.remove(&line.id);
        }
    }

    /// The session that a step opened on a host, unless it has ended.
    pub(super) fn find(&self, id: &StepId, host: &HostName) -> Option<Line> {
        self.opened(id, host).filter(|line| line.lost().is_none())
    }

    /// The same, also one that has ended and was not opened again: it tells why.
    fn opened(&self, id: &StepId, host: &HostName) -> Option<Line> {
        self.all().get(id).filter(|line| line.host == *host).cloned()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<StepId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way into a session that is open.
#[derive(Clone)]
pub(super) struct Line {
    id: StepId,
    host: HostName,
    asks: mpsc::Sender<Asked>,
    lost: watch::Receiver<Option<String>>,
}

/// Statements for a session.
pub(super) struct Asked {
    /// The statements.
    pub(super) text: Zeroizing<String>,
    /// Whether what they print is secret.
    pub(super) secret: bool,
    /// When an answer is too late.
    pub(super) until: Instant,
    /// Whether they were sent, or may have been.
    begun: Arc<AtomicBool>,
    reply: oneshot::Sender<Sent>,
}

impl Asked {
    /// From now on they may have been sent.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    /// Says what came of them.
    pub(super) fn answer(self, sent: Sent) {
        // Nobody listens any more when the run has ended.
        let _ = self.reply.send(sent);
    }
}

/// What came of statements.
pub(super) enum Sent {
    /// What they printed.
    Answered(String),
    /// They failed, or nobody knows, and the session has ended.
    Ended(Trouble),
    /// They were not sent: why.
    Not(String),
}

impl Line {
    pub(super) fn new(
        id: StepId,
        host: HostName,
        asks: mpsc::Sender<Asked>,
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
    pub(super) async fn send(&self, text: &str, limit: Duration, secret: bool) -> Sent {
        let not = || Sent::Not(self.lost().unwrap_or_else(|| "its session has ended".to_owned()));
        let (reply, mut answer) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let (text, until) = (Zeroizing::new(text.to_owned()), Instant::now() + limit);
        let asked = Asked { text, secret, until, begun: begun.clone(), reply };
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
                Sent::Ended(Trouble::Unknown("its session was closed in the middle".to_owned()))
            }
            Err(_) => not(),
        }
    }
}

/// Runs statements in the session of a hold. `None`: that is not open, and a client is to be started for them.
pub(super) async fn run(
    site: &Site,
    at: StepRef<'_>,
    hold: &str,
    host: &HostName,
    text: &str,
    manner: Manner,
) -> Option<Result<Answer, Trouble>> {
    match manner.what {
        For::Asking => {}
        For::Change | For::Undo => {
            if let Err(lost) = site.still_ours().await {
                return Some(Err(lost));
            }
        }
    }
    let id = match id_of(at, hold) {
        Ok(id) => id,
        Err(why) => return Some(Err(Trouble::Failed(why))),
    };
    let sent = match site.sessions.opened(&id, host) {
        Some(line) => line.send(text, manner.limit, at.is_quiet()).await,
        None => Sent::Not(format!("the session of {hold} is not open")),
    };
    let why = match sent {
        Sent::Answered(said) => {
            sql::show(site, host, manner, &said);
            return Some(Ok(Answer::of_sql(&said)));
        }
        Sent::Ended(trouble) => return Some(Err(trouble)),
        Sent::Not(why) => why,
    };
    match (manner.lost, manner.what) {
        (Lost::Fails, _) => Some(Err(Trouble::Failed(format!("{host}: {why}; nothing was begun")))),
        (Lost::NewClient, For::Asking) => None,
        // What was sent in the lost session must not come after this.
        (Lost::NewClient, For::Change | For::Undo) => {
            let ended = end(site, host, &mark(&at.machine().run, &id), manner.limit).await;
            ended.err().map(|why| Err(Trouble::Failed(format!("{why}; nothing was begun"))))
        }
    }
}

/// Whether the session of a hold is not open any more: nothing that is asked in it is answered until the run opens it again.
pub(super) fn has_ended(site: &Site, at: StepRef<'_>, hold: &str, host: &HostName) -> bool {
    id_of(at, hold).is_ok_and(|id| site.sessions.find(&id, host).is_none())
}

/// Whether nothing that was sent in the session of a hold can come any more. A session that does not end by itself is ended
/// on its server; an error says what is to be looked at.
pub(super) async fn over(
    site: &Site,
    at: StepRef<'_>,
    hold: &str,
    host: &HostName,
    limit: Duration,
) -> Result<(), String> {
    let id = id_of(at, hold)?;
    // One that is open has ended those before it, and answers in the order in which it was asked.
    if let Some(line) = site.sessions.find(&id, host)
        && let Sent::Answered(_) = line.send("SELECT 1", limit, false).await
    {
        return Ok(());
    }
    end(site, host, &mark(&at.machine().run, &id), limit).await
}

/// Ends the session that has this lock, and waits until nobody has it.
pub(super) async fn end(site: &Site, host: &HostName, mark: &str, limit: Duration) -> Result<(), String> {
    let until = Instant::now() + limit;
    let whose = format!("SELECT IFNULL(IS_USED_LOCK('{mark}'), 0) AS whose");
    loop {
        let asked = sql::once(site, host, &whose, LOOK_LIMIT).await;
        let asked = asked.and_then(|answer| answer.pick(&Pick::Whole).map_err(Trouble::Unknown));
        let whose = asked.map_err(|trouble| format!("it cannot be asked: {}", trouble.words()))?;
        let Ok(connection) = whose.parse::<u64>() else {
            return Err(format!("it cannot be asked who has the lock {mark}: {whose}"));
        };
        if connection == 0 {
            return Ok(());
        }
        let killed = sql::once(site, host, &format!("KILL {connection}"), LOOK_LIMIT).await;
        if Instant::now() + LOOK_EVERY >= until {
            let why = killed.err().map(|trouble| format!(" ({})", trouble.words())).unwrap_or_default();
            return Err(format!("its session, connection {connection}, is still open on {host}{why}"));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The lock by which the session of a step is found on its server.
pub(in crate::runbook) fn mark(run: &RunId, step: &StepId) -> String {
    let sum = Sha256::digest(format!("{run}\n{step}"));
    let sum: String = sum.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("jumpdeck_{sum}")
}

/// The step of a hold as it is in the plan: in the same batch, or outside of all batches.
fn id_of(at: StepRef<'_>, hold: &str) -> Result<StepId, String> {
    let near = format!("{}{hold}", at.id().prefix());
    let steps = || at.machine().steps();
    let found = steps().find(|step| *step.id() == near.as_str());
    let found = found.or_else(|| steps().find(|step| *step.id() == hold));
    found
        .map(|step| step.id().clone())
        .ok_or_else(|| format!("the plan has no step {hold}; nothing was begun"))
}
