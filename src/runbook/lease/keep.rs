//! Keeping a lease: beats, answers, and the moment it is lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::time::{MissedTickBehavior, interval};

use super::words::{self, Lines, Word};
use super::{BEAT_EVERY, Holder, LOST_AFTER, Lease, LeaseError, LeaseState, Places, Scope};
use crate::domain::text::Clean;
use crate::runbook::approval::{Approved, Question};
use crate::runbook::reach::{Held, Session};
use crate::ssh::listening::{Listening, within};

/// Said to the task that keeps a lease.
#[derive(Debug)]
pub(super) enum Tell {
    /// Beat now; told when it was answered.
    Beat(Option<oneshot::Sender<()>>),
    /// An entry's line.
    Say(String),
    /// The entries are said again, from the first.
    Anew,
    /// From now on the run may change something.
    Open,
    /// It is over.
    Over,
    /// Told when everything that was said is on the jump box's disk, or is not.
    Store(Option<oneshot::Sender<bool>>),
    /// Let go; told when it is.
    End(oneshot::Sender<()>),
}

/// What the task and its owner both look at.
#[derive(Debug)]
pub(super) struct Shared {
    /// When the newest answered beat was sent, in milliseconds of the clock that counts sleep.
    proved: AtomicU64,
    holder: Mutex<Holder>,
    approved: Mutex<Option<Approved>>,
    scope: Scope,
    /// It is a dry run.
    dry: AtomicBool,
    /// The jump box knows that the run may change something.
    open: AtomicBool,
}

/// Milliseconds since this machine started, its sleep included: the jump box does not sleep with it.
fn clock() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1000 + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Whether the holder cannot have let go by now.
    pub(super) fn is_fresh(&self) -> bool {
        let silent = clock().saturating_sub(self.proved.load(Ordering::Acquire));
        Duration::from_millis(silent) < LOST_AFTER
    }

    pub(super) fn at_step(&self, step: &str) {
        let mut holder = locked(&self.holder);
        holder.step = Clean::new(step);
        holder.since = Timestamp::now();
    }

    pub(super) fn ask(&self, question: Option<Question>) {
        locked(&self.holder).asks = question;
        *locked(&self.approved) = None;
    }

    pub(super) fn approved(&self) -> Option<Approved> {
        locked(&self.approved).clone()
    }

    pub(super) fn is_dry(&self) {
        self.dry.store(true, Ordering::Release);
    }

    /// Whether the jump box knows that the run may change something, or it never will; it does from now on.
    pub(super) fn opened(&self) -> bool {
        self.dry.load(Ordering::Acquire) || self.open.swap(true, Ordering::AcqRel)
    }

    /// Whom it keeps off.
    pub(super) fn scope(&self) -> Scope {
        self.scope
    }

    /// The account on the jump box.
    pub(super) fn account(&self) -> Clean {
        locked(&self.holder).account.clone()
    }

    fn approve(&self, approved: Approved) {
        let holder = locked(&self.holder);
        let who = Clean::new(&approved.approval.who);
        // One account is one person, whatever it calls itself.
        let ours = approved.uid == holder.uid || who == holder.who || who.is_empty();
        let asked = holder.asks.as_ref().is_some_and(|question| approved.approval.answers(question));
        if ours || !asked {
            tracing::warn!(uid = approved.uid, account = %approved.account, %who, "an approval that does not count");
            return;
        }
        *locked(&self.approved) = Some(approved);
    }
}

/// Takes it once.
pub(super) async fn take(
    places: &Places,
    session: &dyn Session,
    mut holder: Holder,
) -> Result<Lease, LeaseError> {
    words::name(holder.run.as_str())?;
    for key in &holder.keys {
        words::name(key)?;
    }
    if holder.keys.is_empty() {
        return Err(LeaseError::Name(String::new()));
    }
    let first = words::known(&holder);
    let variables = [("FIRST", first.as_str())];
    let main = format!("main {}", holder.keys.join(" "));
    let script = words::script(places, holder.run.as_str(), &variables, include_str!("holder.sh"), &main)?;
    let mut held = session.open().await?;
    let sent = clock();
    held.write(script.as_bytes()).await?;
    let mut lines = Lines::default();
    let mut others = Vec::new();
    loop {
        for line in lines.take(&held.read().await?) {
            match words::word(&line) {
                Some(Word::Taken { scope, uid, account }) => {
                    (holder.uid, holder.account) = (uid, account);
                    return Ok(keep(held, lines, holder, scope, sent));
                }
                Some(Word::Holder(other)) => others.push(*other),
                Some(Word::Held) => {
                    others.retain(|other| {
                        other.is_alive() && other.keys.iter().any(|k| holder.keys.contains(k))
                    });
                    return Err(LeaseError::Held(others));
                }
                Some(Word::Busy) => {
                    others.retain(Holder::is_alive);
                    return Err(LeaseError::Busy(others));
                }
                Some(Word::Refused(why) | Word::Lost(why)) => return Err(LeaseError::Refused(why)),
                Some(Word::Ended) => {
                    return Err(LeaseError::Refused(Clean::new("its file of a lock cannot be opened")));
                }
                Some(Word::Beat(_) | Word::Approved(_) | Word::Safe(_) | Word::Deaf(_)) | None => {}
            }
        }
    }
}

fn keep(held: Box<dyn Held>, lines: Lines, holder: Holder, scope: Scope, sent: u64) -> Lease {
    let (tell, told) = mpsc::unbounded_channel();
    let (say, state) = latest::channel(LeaseState::Held);
    let shared = Arc::new(Shared {
        proved: AtomicU64::new(sent),
        holder: Mutex::new(holder),
        approved: Mutex::default(),
        scope,
        dry: AtomicBool::new(false),
        open: AtomicBool::new(false),
    });
    let keeper = Keeper {
        held,
        lines,
        told,
        shared: shared.clone(),
        number: 0,
        sent: BTreeMap::new(),
        stores: BTreeMap::new(),
        listening: Listening::default(),
        answered: Duration::ZERO,
        end: None,
    };
    tokio::spawn(async move {
        let why = keeper.run().await;
        // Nobody may be listening any more.
        let _ = say.send(LeaseState::Lost(why));
    });
    Lease { tell, state, shared }
}

struct Keeper {
    held: Box<dyn Held>,
    lines: Lines,
    told: mpsc::UnboundedReceiver<Tell>,
    shared: Arc<Shared>,
    number: u64,
    /// Beats without an answer.
    sent: BTreeMap<u64, Sent>,
    /// Who waits for entries to be stored.
    stores: BTreeMap<u64, Option<oneshot::Sender<bool>>>,
    /// Time in which an answer could have been heard.
    listening: Listening,
    /// How much of it was counted when the newest answered beat was sent.
    answered: Duration,
    end: Option<oneshot::Sender<()>>,
}

/// A beat without an answer.
struct Sent {
    /// When, by the clock that counts sleep.
    at: u64,
    /// How much time to listen was counted then.
    counted: Duration,
    /// Who wants to know.
    tell: Option<oneshot::Sender<()>>,
}

impl Keeper {
    /// Until the lease is gone: why it is.
    async fn run(mut self) -> Clean {
        let mut beats = interval(BEAT_EVERY);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.left().is_zero() {
                return Clean::new(&format!("the jump box did not answer for {} s", LOST_AFTER.as_secs()));
            }
            let went = tokio::select! {
                bytes = self.held.read() => match bytes {
                    Ok(bytes) => self.heard(&bytes),
                    Err(_) if self.end.is_some() => Err(Clean::new("let go")),
                    Err(error) => Err(error.describe().as_str().into()),
                },
                told = self.told.recv() => match told {
                    Some(Tell::Beat(tell)) => self.beat(tell).await,
                    Some(Tell::Say(line)) => self.write(&format!("say {line}\n")).await,
                    Some(Tell::Anew) => self.write("anew\n").await,
                    Some(Tell::Open) => self.write("open\n").await,
                    Some(Tell::Over) => self.write("over\n").await,
                    Some(Tell::Store(tell)) => {
                        self.number += 1;
                        self.stores.insert(self.number, tell);
                        self.write(&format!("safe {}\n", self.number)).await
                    }
                    Some(Tell::End(tell)) => {
                        self.end = Some(tell);
                        self.write("end\n").await
                    }
                    None => Err(Clean::new("let go")),
                },
                _ = beats.tick() => self.beat(None).await,
                () = self.listening.goes_on() => Ok(()),
            };
            if let Err(why) = went {
                return why;
            }
        }
    }

    /// Time to listen until the lease counts as lost.
    fn left(&self) -> Duration {
        LOST_AFTER.saturating_sub(self.listening.counted().saturating_sub(self.answered))
    }

    async fn beat(&mut self, tell: Option<oneshot::Sender<()>>) -> Result<(), Clean> {
        self.number += 1;
        let sent = Sent { at: clock(), counted: self.listening.counted(), tell };
        self.sent.insert(self.number, sent);
        let line = {
            let holder = locked(&self.shared.holder);
            let nonce = holder.asks.as_ref().map_or("-", |question| question.nonce.as_str());
            format!("beat {} {nonce} {}\n", self.number, words::known(&holder))
        };
        self.write(&line).await
    }

    async fn write(&mut self, text: &str) -> Result<(), Clean> {
        match within(self.left(), self.held.write(text.as_bytes())).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(error.describe().as_str().into()),
            None => Err(Clean::new(&format!("the jump box took nothing for {} s", LOST_AFTER.as_secs()))),
        }
    }

    fn stored(&mut self, number: u64, stored: bool) {
        if !stored {
            tracing::warn!("the jump box cannot keep the copy of the journal");
        }
        // Who asked may have given up.
        let _ = self.stores.remove(&number).flatten().map(|tell| tell.send(stored));
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), Clean> {
        for line in self.lines.take(bytes) {
            match words::word(&line) {
                Some(Word::Beat(number)) => {
                    let later = self.sent.split_off(&(number + 1));
                    for sent in std::mem::replace(&mut self.sent, later).into_values() {
                        self.shared.proved.fetch_max(sent.at, Ordering::AcqRel);
                        self.answered = self.answered.max(sent.counted);
                        // Who asked may have given up.
                        let _ = sent.tell.map(|tell| tell.send(()));
                    }
                }
                Some(Word::Approved(approved)) => self.shared.approve(*approved),
                Some(Word::Lost(why) | Word::Refused(why)) => return Err(why),
                Some(Word::Ended) => return Err(Clean::new("let go")),
                Some(Word::Safe(number)) => self.stored(number, true),
                Some(Word::Deaf(number)) => self.stored(number, false),
                Some(Word::Taken { .. } | Word::Holder(_) | Word::Held | Word::Busy) | None => {}
            }
        }
        Ok(())
    }
}
