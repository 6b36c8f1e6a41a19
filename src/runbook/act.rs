//! What steps do to machines. A kind of act is one file here; what people do (confirm, type, approve) is the runner's.
//! Imports `reach`, `scope`, `judge`, `spec`, `domain`.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::fleet::Environment;
use crate::domain::names::HostName;
use crate::domain::run::Effect;
use crate::domain::text::Clean;
use crate::ssh::error::SshError;

use super::event::{Fact, HostOutcome, Outcomes, Verdict};
use super::judge::{self, Answer};
use super::kinds::StepKind;
use super::machine::{Impossible, StepRef};
use super::place::{PerPlace, Place, Places};
use super::reach::{Reach, Session};
use super::redact::Redactor;
use super::scope::Scope;
use super::spec::{Act, Check, Step};
use super::value::Value;

pub(super) mod ask;
mod detached;
pub(super) mod edit;
mod elect;
pub(super) mod hold;
pub(super) mod host_key;
mod live;
mod outcome;
mod own_folder;
mod proof;
pub(super) mod salt;
mod script;
mod sql;
mod ticket;
mod wait;

pub(super) use ask::{Asking, ask};
use outcome::conclude;
use outcome::outcome_of;
pub(super) use outcome::{conclude_one, failed};
use proof::PROOF_LIMIT;
pub(super) use proof::{probe, prove, read_back};
use ticket::{For, Manner};
use wait::wait_until;

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
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was refused, or ended with an error: nothing more happens there.
    Failed(String),
    /// Nobody knows whether, or how far, it ran.
    Unknown(String),
}

impl Trouble {
    fn lost(error: &SshError) -> Self {
        Self::Unknown(format!("{}: {}; it may have been done, or be done yet", error.hop, error.describe()))
    }

    /// What is to be done on a host cannot be done on none.
    fn nowhere() -> Self {
        Self::Failed("there is no host to do it on; nothing was done".to_owned())
    }

    pub(super) fn words(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unknown(why) => why,
        }
    }
}

/// What every place answers.
type Answers = PerPlace<Result<Answer, Trouble>>;

/// Does something on every host at once. On no host nothing can be done: that is a failure.
async fn on_hosts<'p, F>(places: &'p Places, run: impl Fn(&'p HostName) -> F) -> Answers
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
#[derive(Debug)]
pub(super) struct Done {
    /// Place by place; at least one.
    pub(super) hosts: Outcomes,
    /// Name, place, value.
    pub(super) secrets: Vec<(String, Place, Value)>,
}

impl Site {
    /// A session with a host. An error here means that nothing was begun.
    async fn session(&self, host: &HostName) -> Result<Arc<dyn Session>, Trouble> {
        let session = self.reach.host(host).await;
        session.map_err(|e| Trouble::Failed(format!("{}: {}; nothing was begun", e.hop, e.describe())))
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
pub(super) async fn perform(site: &Site, at: StepRef<'_>, places: &Places) -> Result<Done, Impossible> {
    let step = at.step();
    let mut done = once(site, at, places).await?;
    let tries = if step.effect == Effect::Read { step.retries } else { 0 };
    for left in (0..tries).rev() {
        if done.hosts.values().all(|outcome| outcome.verdict == Verdict::Done) {
            break;
        }
        for (place, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                let text = format!("tried again, {left} tries left after this: {why}");
                (site.out)(place, vec![Clean::new(&text)]);
            }
        }
        tokio::time::sleep(RETRY_AFTER).await;
        done = once(site, at, places).await?;
    }
    Ok(done)
}

/// Time between two tries.
const RETRY_AFTER: Duration = Duration::from_millis(200);

async fn once(site: &Site, at: StepRef<'_>, places: &Places) -> Result<Done, Impossible> {
    let step = at.step();
    let what = if step.effect == Effect::Read { For::Asking } else { For::Change };
    let answers = match &step.act {
        Act::Check(question) => {
            let asking = Asking { question, places, limit: step.timeout, quiet: step.sensitive };
            ask(site, at, &asking).await
        }
        // What it would wait for may rest on a change that was only printed: it is asked once.
        Act::WaitUntil { ask: question, .. } if at.machine().dry_run && at.machine().has_printed() => {
            let limit = step.timeout.min(PROOF_LIMIT);
            ask(site, at, &Asking { question, places, limit, quiet: step.sensitive }).await
        }
        Act::WaitUntil { ask: question, every } => {
            let asking = Asking { question, places, limit: step.timeout, quiet: true };
            return Ok(wait_until(site, at, &asking, *every).await);
        }
        Act::Run(script) | Act::Fence(script) if step.detached => {
            detached::run(site, at, script, places).await
        }
        Act::Run(script) | Act::Fence(script) => {
            script::on(site, at, script, places, Manner::of(step, what)).await
        }
        Act::Sql(sql) => sql::on(site, at, sql, places, Manner::of(step, what)).await,
        Act::Salt(call) => salt::on(site, at, call, places, what).await,
        Act::Edit(edit) => edit::on(site, at, edit, places, what).await,
        Act::HostKey(key) => host_key::on(site, at, key, places).await,
        Act::Elect { by, into } => return Ok(elect::best(at, by, into)),
        // These are for people, for a session that is kept, or unrolled by the plan.
        Act::Note(_)
        | Act::Input(_)
        | Act::Manual { .. }
        | Act::Confirm { .. }
        | Act::Challenge { .. }
        | Act::Approve { .. }
        | Act::Hold { .. }
        | Act::Group
        | Act::Report => {
            return Err(at.impossible(&format!("nothing performs a step of kind {}", step.word())));
        }
    };
    Ok(conclude(site, at, answers).await)
}

/// Takes a step back.
pub(super) async fn undo(
    site: &Site,
    at: StepRef<'_>,
    act: &Act,
    checks: &[Check],
    places: &Places,
) -> Result<Outcomes, Impossible> {
    let (step, what) = (at.step(), For::Undo);
    let answers = match act {
        Act::Run(text) | Act::Fence(text) => script::on(site, at, text, places, Manner::of(step, what)).await,
        Act::Sql(sql) => sql::on(site, at, sql, places, Manner::of(step, what)).await,
        Act::Salt(call) => salt::on(site, at, call, places, what).await,
        Act::Edit(edit) => edit::on(site, at, edit, places, what).await,
        Act::Note(_)
        | Act::Input(_)
        | Act::Check(_)
        | Act::WaitUntil { .. }
        | Act::HostKey(_)
        | Act::Manual { .. }
        | Act::Confirm { .. }
        | Act::Challenge { .. }
        | Act::Approve { .. }
        | Act::Hold { .. }
        | Act::Elect { .. }
        | Act::Group
        | Act::Report => {
            return Err(at.impossible("nothing performs its undo"));
        }
    };
    let hide = |text: &str| site.redactor.text(text);
    let mut outcomes = answers.map(|_, answer| outcome_of(step, answer, None, &hide));
    let good = done_at(&outcomes);
    read_back(site, at, checks, good.as_ref(), &mut outcomes).await;
    Ok(outcomes)
}

/// The places where it was done; `None` when there is none.
fn done_at(outcomes: &Outcomes) -> Option<Places> {
    let done = |place: &Place| outcomes.get(place).is_some_and(|o| o.verdict == Verdict::Done);
    outcomes.each_place().only(done)
}
