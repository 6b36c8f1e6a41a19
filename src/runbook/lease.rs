//! One operator per runbook and target: a lease on the jump box. A small shell program there (`lease/holder.sh`) holds
//! file locks for as long as it hears from here each second; when it hears nothing for four seconds it ends, so that a
//! lease outlives neither a dead link nor a dead console. This side calls it lost after three seconds without an answer
//! in which it could listen; a machine that slept, or is busy, looks first. Before every change the lease is proved by a
//! round trip ([`Lease::prove`]): what the clocks say of it is never enough.
//!
//! Beside the locks is what others may know: who, which run, which step; the run's entries, for those who watch
//! ([`watch`]); and the yes of a second person ([`approve`]). All of it is in a folder that root makes for a group of
//! operators: other accounts can neither read nor write there. Who somebody is, is the owner of a file, a number.
//!
//! Where there is no such folder, accounts share nothing that they can both write and trust. They keep each other off all
//! the same: a run also locks the folder that the group's would be in (`/run/lock`), which every account can open and none
//! but root can remove. There is one such lock, so there is one changing run at a time on the jump box. Another account can
//! hold it and so block runs, but not end or fake a lease. See [`Lease::limits`].
//!
//! May import `journal`, `reach`, `domain`.

mod ask;
mod copy;
mod keep;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot, watch as latest};
use tokio::time::{sleep, timeout};

use super::approval::{Approved, Question};
use super::event::{Event, Phase};
use super::journal::Entry;
use super::reach::Session;
use super::wall;
use crate::domain::fleet::{Environment, LeaseScope};
use crate::domain::text::Clean;
use crate::ssh::dial::BoxFuture;
use crate::ssh::error::SshError;
use crate::ssh::listening::within;

pub use ask::{Seen, Watching, approve, approve_in, look, look_in, watch, watch_in};
pub use copy::{Copy, LeftRun, copy_in, left_in};
use keep::{Shared, Tell};

/// Whom a lease keeps off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Other runs of the same runbook or on the same hosts, of every operator.
    Group,
    /// Every other run that changes something through the jump box: the folder of the group is missing.
    JumpBox,
    /// Other runs of the same account only: the inventory says so, and the folder of the group is missing.
    Account,
}

/// Where leases and runs' entries are on a jump box.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of the operators' group, made by root. Where there is one, nobody uses another.
    shared: String,
    /// The folder of one account; empty for the one below its home.
    own: String,
    /// Without the group's folder, whether accounts do not keep each other off.
    apart: bool,
    /// The folder of the runs' entries, of the operators' group too; empty for beside the leases.
    journals: String,
}

impl Places {
    /// As an environment's inventory has it.
    #[must_use]
    pub fn of(env: &Environment) -> Self {
        Self {
            apart: env.lease == LeaseScope::OwnAccount,
            journals: env.journals.clone().unwrap_or_default(),
            ..Self::default()
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self {
            shared: "/run/lock/jumpdeck".to_owned(),
            own: String::new(),
            apart: false,
            journals: String::new(),
        }
    }
}

/// Between two beats.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Without an answer to a beat younger than this nothing may be changed before the lease is proved: the holder lets go a
/// second later. Without an answer for so long, counting only time in which we were able to listen, it is lost.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// For taking, asking and letting go.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A holder that did not beat for so long, by its own jump box's clock, is gone.
const GONE_AFTER: Duration = Duration::from_secs(6);

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who, by their own console: `account@machine`.
    pub who: Clean,
    /// The account on the jump box: the name of the owner of its file, for eyes.
    pub account: Clean,
    /// That account's number: who it is.
    pub uid: u32,
    /// The run.
    pub run: Clean,
    /// The runbook.
    pub runbook: Clean,
    /// The step in question; empty before the first.
    pub step: Clean,
    /// Since when: when that step began, by the operator's clock.
    pub since: Timestamp,
    /// When the lease was taken.
    pub taken: Timestamp,
    /// Time since its last sign of life, by the jump box's clock.
    pub silent: Duration,
    /// What it keeps others from: `production.promote-masterdb`, `production.host.db2`.
    pub keys: Vec<String>,
    /// What it asks a second person now.
    pub asks: Option<Question>,
}

impl Holder {
    /// Of a lease to be taken now.
    #[must_use]
    pub fn new(who: &str, run: &str, runbook: &str) -> Self {
        let now = Timestamp::now();
        Self {
            who: Clean::new(who),
            account: Clean::default(),
            uid: 0,
            run: Clean::new(run),
            runbook: Clean::new(runbook),
            step: Clean::default(),
            since: now,
            taken: now,
            silent: Duration::ZERO,
            keys: Vec::new(),
            asks: None,
        }
    }

    /// Whether it gave a sign of life lately.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.silent <= GONE_AFTER
    }
}

impl std::fmt::Display for Holder {
    /// `anna@desk (as ops) runs promote-masterdb (RUN), at freeze since 13:45:02+01:00`, in local time.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let local = |at: Timestamp| wall::since(at, Timestamp::now(), &TimeZone::system());
        write!(f, "{} (as {}) runs {} ({})", self.who, self.account, self.runbook, self.run)?;
        match self.step.is_empty() {
            true => write!(f, ", before its first step, since {}", local(self.taken)),
            false => write!(f, ", at {} since {}", self.step, local(self.since)),
        }
    }
}

/// Why there is no lease, no approval, nothing to watch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else has it.
    #[error("{}", told(.0))]
    Held(Vec<Holder>),
    /// Somebody changes something through the same jump box, where the group's folder is missing.
    #[error("{}", busy(.0))]
    Busy(Vec<Holder>),
    /// Not a key, run or step that can be asked for.
    #[error("{0:?} is no name for a lease")]
    Name(String),
    /// The jump box cannot keep one.
    #[error("the jump box cannot keep a lease: {0}")]
    Refused(Clean),
    /// The way there.
    #[error(transparent)]
    Ssh(#[from] SshError),
    /// It did not answer in time.
    #[error("the jump box did not answer within {} s", ANSWER_LIMIT.as_secs())]
    Late,
    /// No such run is under way in that environment.
    #[error("no run of that name is under way")]
    NoRun,
    /// Leases there are an account's own.
    #[error("nobody can approve as a second person: /run/lock/jumpdeck is missing; {MAKE_FOLDER}")]
    Alone,
    /// The run asks nobody for anything, or no longer what was seen.
    #[error("the run asks for no approval now, or for another one than you saw: look again")]
    NotAsked,
    /// The run is at another step.
    #[error("the run does not ask for that: it is at {0}")]
    OtherStep(Clean),
    /// Who runs it cannot approve it.
    #[error("a second person is wanted: {0} runs it")]
    SamePerson(Clean),
    /// What is there to watch is not what was written.
    #[error("the run's entries on the jump box are damaged: {0}")]
    Damaged(Clean),
}

fn told(holders: &[Holder]) -> String {
    let all: Vec<String> = holders.iter().map(ToString::to_string).collect();
    match all.is_empty() {
        true => "somebody holds it who left no name".to_owned(),
        false => all.join("; "),
    }
}

fn busy(holders: &[Holder]) -> String {
    let who = match holders.is_empty() {
        true => {
            "another account of the jump box, whose name only root sees there (fuser -v /run/lock)".to_owned()
        }
        false => told(holders),
    };
    format!(
        "another run makes changes through this jump box: {who}. Without /run/lock/jumpdeck there is one at a time: \
         {MAKE_FOLDER}; or, if all operators use one account there, write lease = \"own-account\" into the environment"
    )
}

/// Why a change waits.
const NOT_STORED: &str = "the jump box cannot write the run's entries (no space? df /run/lock, or the folder that journals = in \
                          the inventory names)";

/// What makes the group's folder.
const MAKE_FOLDER: &str = "as root on the jump box: groupadd jumpdeck; \
                           install -d -o root -g jumpdeck -m 2770 /run/lock/jumpdeck (docs/security.md)";

/// Whether a lease is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseState {
    /// It is ours.
    Held,
    /// It is not, or nobody knows: why. It never comes back; a new one must be taken.
    Lost(Clean),
}

/// A lease. Copies are the same lease; it is let go when the last is dropped.
#[derive(Debug, Clone)]
pub struct Lease {
    tell: mpsc::UnboundedSender<Tell>,
    state: latest::Receiver<LeaseState>,
    shared: Arc<Shared>,
}

impl Lease {
    /// Takes the lease of all of `keys`, or of none. A holder of the same run is waited for, as long as it may outlive its
    /// link.
    ///
    /// # Errors
    /// [`LeaseError::Held`] with who has it; or why it cannot be had.
    pub async fn take(session: &dyn Session, keys: &[String], holder: &Holder) -> Result<Self, LeaseError> {
        Self::take_in(&Places::default(), session, keys, holder).await
    }

    /// The same, in those places.
    ///
    /// # Errors
    /// As [`Lease::take`].
    pub async fn take_in(
        places: &Places,
        session: &dyn Session,
        keys: &[String],
        holder: &Holder,
    ) -> Result<Self, LeaseError> {
        let mut keys = keys.to_vec();
        keys.sort();
        keys.dedup();
        let mut tries = 0;
        loop {
            let mut holder = Holder { keys: keys.clone(), ..holder.clone() };
            holder.taken = Timestamp::now();
            let taken = within(ANSWER_LIMIT, keep::take(places, session, holder.clone())).await;
            match taken.unwrap_or(Err(LeaseError::Late)) {
                Err(LeaseError::Held(others) | LeaseError::Busy(others))
                    if tries < 12 && others.iter().all(|other| other.run == holder.run) =>
                {
                    tries += 1;
                    sleep(Duration::from_millis(500)).await;
                }
                taken => return taken,
            }
        }
    }

    /// What differs where the group's folder is missing.
    #[must_use]
    pub fn limits(&self) -> Option<String> {
        let limit = match self.shared.scope() {
            Scope::Group => return None,
            Scope::JumpBox => {
                "one run at a time makes changes through this jump box, whatever its hosts".to_owned()
            }
            Scope::Account => format!(
                "the lease keeps off other runs of the account {} on the jump box only, not those of other accounts \
                 (lease = \"own-account\" in the inventory)",
                self.shared.account()
            ),
        };
        Some(format!(
            "/run/lock/jumpdeck is missing: {limit}, and nobody can approve as a second person; {MAKE_FOLDER}"
        ))
    }

    /// Tells the step to whoever looks, at once.
    pub fn step(&self, step: &str) {
        self.shared.at_step(step);
        // When nobody listens the lease is lost, and says so.
        let _ = self.tell.send(Tell::Beat(None));
    }

    /// Puts a question to a second person, or takes it back. Nothing that was approved before counts for it.
    pub fn ask(&self, question: Option<Question>) {
        self.shared.ask(question);
        let _ = self.tell.send(Tell::Beat(None));
    }

    /// Asks the jump box whether the lease is ours: one round trip.
    ///
    /// # Errors
    /// Why it is not, or why nobody knows.
    pub async fn prove(&self) -> Result<(), Clean> {
        let (tell, proved) = oneshot::channel();
        let _ = self.tell.send(Tell::Beat(Some(tell)));
        // The keeper answers, or says that the lease is lost and ends.
        match proved.await {
            Ok(()) => Ok(()),
            Err(_) => {
                let mut state = self.state.clone();
                let lost = state.wait_for(|state| matches!(state, LeaseState::Lost(_))).await;
                Err(match lost.as_deref() {
                    Ok(LeaseState::Lost(why)) => why.clone(),
                    Ok(LeaseState::Held) | Err(_) => Clean::new("it was let go"),
                })
            }
        }
    }

    /// Why it is lost, when that is known.
    #[must_use]
    pub fn lost(&self) -> Option<Clean> {
        match &*self.state.borrow() {
            LeaseState::Lost(why) => Some(why.clone()),
            LeaseState::Held => None,
        }
    }

    /// Whether it was proved so lately that nobody else can have it by now: by a clock that counts this machine's sleep.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.lost().is_none() && self.shared.is_fresh()
    }

    /// How it stands, now and later.
    #[must_use]
    pub fn state(&self) -> latest::Receiver<LeaseState> {
        self.state.clone()
    }

    /// Who approved the question that is put, if anybody: never who runs it, nor their account on the jump box.
    #[must_use]
    pub fn approved(&self) -> Option<Approved> {
        self.shared.approved()
    }

    /// Lets those who watch see an entry, and whoever takes the run over go on from it. A run that goes on must say all of
    /// its entries again, from the first ([`Lease::say_all`]).
    pub fn say(&self, entry: &Entry) {
        let _ = self.tell.send(Tell::Say(entry.line.clone()));
        // What may be in effect from now on keeps the entries from being swept.
        match &entry.event {
            Event::Started { dry_run: true, .. } => self.shared.is_dry(),
            Event::Intent { phase: Phase::Run | Phase::Undo, .. } if !self.shared.opened() => {
                let _ = self.tell.send(Tell::Open);
            }
            Event::Ended { .. } => {
                let _ = self.tell.send(Tell::Over);
            }
            Event::Started { .. }
            | Event::Resumed { .. }
            | Event::Answered { .. }
            | Event::Intent { .. }
            | Event::Outcome { .. }
            | Event::Skipped { .. }
            | Event::Excluded { .. }
            | Event::RollingBack { .. }
            | Event::Abandoning { .. }
            | Event::WindowFailed { .. }
            | Event::Note { .. }
            | Event::HoldLost { .. }
            | Event::Trouble { .. }
            | Event::Stopped { .. } => {}
        }
    }

    /// Says the entries of a run that goes on, all of them. They take the place of the older ones when all have come there.
    pub fn say_all(&self, entries: &[Entry]) {
        let _ = self.tell.send(Tell::Anew);
        entries.iter().for_each(|entry| self.say(entry));
        let _ = self.tell.send(Tell::Store(None));
    }

    /// Waits until all entries that were said are on the jump box's disk: one round trip.
    ///
    /// # Errors
    /// When they are not, or nobody knows.
    pub async fn store(&self) -> Result<(), Clean> {
        let (tell, stored) = oneshot::channel();
        let _ = self.tell.send(Tell::Store(Some(tell)));
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Clean::new(NOT_STORED)),
            Err(_) => Err(self.lost().unwrap_or_else(|| Clean::new("the lease was let go"))),
        }
    }

    /// Lets go, and waits until it is. Who watches can still read for an hour.
    pub async fn release(self) {
        let (tell, ended) = oneshot::channel();
        let _ = self.tell.send(Tell::End(tell));
        let _ = timeout(ANSWER_LIMIT, ended).await;
    }
}

impl super::runner::Guarded for Lease {
    fn step(&mut self, step: &str) {
        Lease::step(self, step);
    }

    fn say(&mut self, entry: &Entry) {
        Lease::say(self, entry);
    }

    fn say_all(&mut self, entries: &[Entry]) {
        Lease::say_all(self, entries);
    }

    fn store(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Lease::store(self).await.map_err(|why| why.to_string()) })
    }

    fn lost(&self) -> Option<String> {
        Lease::lost(self).map(|why| why.to_string())
    }

    fn limits(&self) -> Option<String> {
        Lease::limits(self)
    }

    fn is_fresh(&self) -> bool {
        Lease::is_fresh(self)
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Lease::prove(self).await.map_err(|why| why.to_string()) })
    }

    fn still_ours(&self) -> super::runner::StillOurs {
        let lease = self.clone();
        Arc::new(move || {
            let lease = lease.clone();
            Box::pin(async move {
                match lease.is_fresh() {
                    true => Ok(()),
                    false => lease.prove().await.map_err(|why| why.to_string()),
                }
            })
        })
    }

    fn ask(&mut self, question: Option<Question>) {
        Lease::ask(self, question);
    }

    fn approved(&self) -> Option<Approved> {
        Lease::approved(self)
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.release())
    }
}
