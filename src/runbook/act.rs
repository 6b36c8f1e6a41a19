//! The means by which kinds of steps ask and change machines, one file each, and what came of it.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::ssh::error::{ErrorKind, SshError};
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::text::Clean;

use super::definition::{Ask, Check, Script, Sql, Step};
use super::event::{Fact, HostOutcome, Outcomes, Verdict};
use super::ids::StepId;
use super::judge::{self, Answer};
use super::kinds::{ByMachines, StepKind, TakesBack};
use super::machine::StepRef;
use super::place::{PerPlace, Place, Places};
use super::reach::{Reach, Session};
use super::redact::Redactor;
use super::runner::StillOurs;
use super::scope::Scope;
use super::value::Value;

pub(super) mod ask;
mod detached;
pub(super) mod edit;
pub(super) mod guard;
pub(super) mod hold;
mod live;
mod outcome;
mod own_folder;
mod proof;
pub(super) mod salt;
mod script;
pub(super) mod session;
pub(super) mod sql;
mod ticket;

use ask::{Asking, ask};
use hold::Holding;
pub(super) use outcome::failed;
use outcome::{as_kept, conclude, outcome_of};
pub(super) use proof::{probe, prove, read_back, settle};
pub(super) use session::Lost;
use session::Sessions;
use ticket::Manner;
pub(crate) use ticket::{For, Mark};

/// Takes output as it comes: where it is from, and printable lines.
pub(super) type Output = dyn Fn(&Place, Vec<Clean>) + Send + Sync;

/// Where acts happen.
pub(super) struct Site {
    /// The way to the hosts.
    pub(super) reach: Arc<dyn Reach>,
    /// The environment.
    pub(super) env: Arc<Environment>,
    /// Gets output as it comes: where it is from, and printable lines.
    pub(super) out: Arc<Output>,
    /// Knows the run's secrets.
    pub(super) redactor: Redactor,
    /// Tells whether the lease is still ours; none where nobody else can be.
    pub(super) lease: Option<StillOurs>,
    /// The SQL sessions that are open.
    pub(super) sessions: Sessions,
    /// Changes that another account began, whose marks on their hosts this one cannot see.
    pub(super) foreign: Foreign,
}

/// The account that began a change, by step, number of the attempt and of the undo, and host.
pub(super) type Foreign = BTreeMap<(StepId, u32, u32, HostName), String>;

/// Stands for what hosts print while a secret of the run is not known.
const NOT_SHOWN: &str = "(not shown: a secret of this run is not known any more)";

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It was refused, or ended with an error: nothing more happens there.
    Failed(String),
    /// Nobody knows whether, or how far, it ran.
    Unknown(String),
}

impl Trouble {
    fn lost(error: &SshError) -> Self {
        let told = format!("{}: {}", error.hop, error.describe());
        match error.kind {
            // No session was opened, or the other side runs no command: that is its answer.
            ErrorKind::Refused => Self::Failed(format!("{told}; nothing was begun")),
            ErrorKind::Unreachable
            | ErrorKind::Dropped
            | ErrorKind::TimedOut
            | ErrorKind::AuthFailed
            | ErrorKind::NoCredentials
            | ErrorKind::HostKeyUnknown
            | ErrorKind::HostKeyChanged
            | ErrorKind::HostKeyRevoked
            | ErrorKind::HostKeyUnreadable
            | ErrorKind::HostCertificate
            | ErrorKind::KnownHostsFile
            | ErrorKind::Algorithms
            | ErrorKind::Flooding
            | ErrorKind::Protocol => Self::Unknown(format!("{told}; it may have been done, or be done yet")),
        }
    }

    /// What is to be done on a host cannot be done on none.
    pub(super) fn nowhere() -> Self {
        Self::Failed("no host to do it on; nothing was done".to_owned())
    }

    pub(super) fn words(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unknown(why) => why,
        }
    }
}

/// What every place answers.
pub(crate) type Answers = PerPlace<Result<Answer, Trouble>>;

/// Does something on every host at once. On no host nothing can be done: that is a failure.
pub(super) async fn on_hosts<'p, F>(places: &'p Places, run: impl Fn(&'p HostName) -> F) -> Answers
where
    F: Future<Output = Result<Answer, Trouble>>,
{
    let at_place = |place: &'p Place| {
        let running = place.host().map(&run);
        async move {
            match running {
                Some(running) => running.await,
                None => Err(Trouble::nowhere()),
            }
        }
    };
    places.each_at_once(at_place).await
}

/// What became of an act: place by place, and the secrets it read.
pub(crate) struct Done {
    /// Place by place; at least one.
    pub(super) hosts: Outcomes,
    /// Name, place, value.
    pub(super) secrets: Vec<(String, Place, Value)>,
    /// The session that is kept open, when one is.
    pub(super) session: Option<Holding>,
}

impl Done {
    /// With nothing to keep.
    pub(super) fn of(hosts: Outcomes) -> Self {
        Self { hosts, secrets: Vec::new(), session: None }
    }
}

impl Site {
    /// A session with a host. An error here means that nothing was begun.
    pub(super) async fn session(&self, host: &HostName) -> Result<Arc<dyn Session>, Trouble> {
        let session = self.reach.host(host).await;
        session.map_err(|e| Trouble::Failed(format!("{}: {}; nothing was begun", e.hop, e.describe())))
    }

    /// Right before something is sent that changes a host: since the step began a host may have been logged in to, and
    /// Salt may have been busy. An error here means that nothing was begun.
    pub(super) async fn still_ours(&self) -> Result<(), Trouble> {
        let Some(lease) = &self.lease else { return Ok(()) };
        let lost = |why: String| Trouble::Failed(format!("the lease is lost: {why}; nothing was begun"));
        lease().await.map_err(lost)
    }

    /// Makes secrets in what hosts print unreadable; all of it while one is not known.
    fn hide(&self, at: StepRef<'_>) -> impl Fn(&str) -> String {
        let (redactor, lacks_one) = (self.redactor.clone(), at.machine().lacks_a_secret());
        move |text| match lacks_one && !text.trim().is_empty() {
            true => NOT_SHOWN.to_owned(),
            false => redactor.text(text),
        }
    }

    /// Whether the host's administrator works by `sudo -n`.
    fn sudo(&self, host: &HostName) -> bool {
        self.env.hosts.iter().any(|h| h.id.host == *host && h.sudo)
    }

    /// Hands output on as it comes, in whole lines.
    fn sink(&self, host: &HostName, quiet: bool) -> impl FnMut(&[u8]) + Send + use<> {
        let mut lines =
            (!quiet).then(|| live::Lines::new(self.out.clone(), Place::from(host), &self.redactor));
        move |bytes: &[u8]| {
            if let Some(lines) = &mut lines {
                lines.take(bytes);
            }
        }
    }
}

/// What a kind would do at each of its places, for eyes.
pub(super) fn shown(at: StepRef<'_>, kind: &dyn StepKind, places: &Places) -> BTreeMap<Place, String> {
    let together = if kind.is_one_command() { Places::nowhere() } else { places.clone() };
    let texts = together.each(|place| at.at(place.host(), |scope| kind.shown(&scope, places)));
    texts.into_map().into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// Does what a step says. Never asks a person. What only reads is tried again as often as the step says, until every
/// host answers as expected.
pub(super) async fn perform(work: Work<'_>, kind: &dyn ByMachines) -> Done {
    let step = work.at.step();
    let mut done = kind.perform(work).await;
    let tries = if step.effect == Effect::Read { step.retries } else { 0 };
    for left in (0..tries).rev() {
        if done.hosts.values().all(|outcome| outcome.verdict == Verdict::Done) || work.has_lost_its_session()
        {
            break;
        }
        for (place, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                let text = format!("tried again, {left} tries left after this: {why}");
                (work.site.out)(place, vec![Clean::new(&text)]);
            }
        }
        tokio::time::sleep(RETRY_AFTER).await;
        done = kind.perform(work).await;
    }
    done
}

/// Time between two tries.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Takes a step back.
pub(super) async fn undo(work: Work<'_>, kind: &dyn TakesBack, checks: &[Check]) -> Outcomes {
    let Work { site, at, .. } = work;
    let answers = kind.take_back(work).await;
    let hide = site.hide(at);
    let mut outcomes = answers.map(|_, answer| outcome_of(at.step(), answer, None, &hide));
    let good = done_at(&outcomes);
    read_back(site, at, checks, good.as_ref(), &mut outcomes).await;
    outcomes
}

/// A step that is to be done, and where.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w> {
    /// Where acts happen.
    pub(super) site: &'w Site,
    /// The step as it stands.
    pub(super) at: StepRef<'w>,
    /// Its places.
    pub(super) places: &'w Places,
}

impl Work<'_> {
    /// What its commands are sent for, when they do what the step says.
    pub(super) fn what(self) -> For {
        if self.at.step().effect == Effect::Read { For::Asking } else { For::Change }
    }

    /// How a command of it is sent.
    pub(super) fn manner(self, what: For) -> Manner {
        Manner::of(self.at, what)
    }

    /// Asks a question of its places.
    pub(super) async fn ask(self, question: &Ask, limit: Duration, quiet: bool) -> Answers {
        let lost = Lost::of_reads(self.at);
        ask(self.site, self.at, &Asking { question, places: self.places, limit, quiet, lost }).await
    }

    /// Whether the session that the step asks in has ended. Only the run opens it again, before its next step: asking once more
    /// brings no other answer.
    pub(super) fn has_lost_its_session(self) -> bool {
        let Some(Ask::Sql(Sql { session: Some(hold), .. })) = self.at.step().kind.answers_like() else {
            return false;
        };
        let opened = Lost::of_reads(self.at) == Lost::Fails;
        opened && self.places.hosts().any(|host| session::has_ended(self.site, self.at, &hold, host))
    }

    /// Whether a server could not be asked and will not answer later: its session has ended, or users wait in a window.
    pub(super) fn asks_in_vain(self, answers: &Answers) -> bool {
        let asks_servers = matches!(self.at.step().kind.answers_like(), Some(Ask::Sql(_)));
        let waits = self.at.planned().window.is_some() || self.has_lost_its_session();
        asks_servers && waits && answers.iter().any(|(_, answer)| answer.is_err())
    }

    /// Sends a script: so that it outlives the connection, where the step wants that.
    pub(super) async fn send_script(self, text: &Script, what: For) -> Answers {
        let Self { site, at, places } = self;
        match at.step().detached && what == For::Change {
            true => detached::run(site, at, text, places).await,
            false => script::on(site, at, text, places, self.manner(what)).await,
        }
    }

    /// Looks for a script that outlives the connection; `None` where this one does not.
    pub(super) async fn find_script(self, text: &Script) -> Option<Outcomes> {
        match self.at.step().detached {
            true => Some(detached::find(self.site, self.at, text, self.places).await),
            false => None,
        }
    }

    /// Judges the answers of the step, keeps what it captures, and reads back what it changed.
    pub(super) async fn conclude(self, answers: Answers) -> Done {
        conclude(self.site, self.at, answers).await
    }
}

/// The places where it was done; `None` when there is none.
fn done_at(outcomes: &Outcomes) -> Option<Places> {
    let done = |place: &Place| outcomes.get(place).is_some_and(|o| o.verdict == Verdict::Done);
    outcomes.each_place().only(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jumpdeck_fleet::hop::Hop;

    /// Case 13: a server with `MaxSessions 1` opens no second session.
    #[test]
    fn of_a_session_that_was_refused_it_is_known_that_nothing_was_begun() {
        let of = |kind| Trouble::lost(&SshError::new(&Hop::Here, kind, "no session: Connect failed"));
        assert!(matches!(of(ErrorKind::Refused), Trouble::Failed(why) if why.ends_with("nothing was begun")));
        assert!(
            matches!(of(ErrorKind::Dropped), Trouble::Unknown(why) if why.contains("may have been done"))
        );
    }
}
