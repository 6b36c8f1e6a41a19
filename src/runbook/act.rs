//! What steps do to machines. A kind of act is one file here; what people do (confirm, type, approve) is the runner's.
//! Imports `reach`, `scope`, `judge`, `spec`, `domain`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::fleet::Environment;
use crate::domain::names::HostName;
use crate::domain::run::Effect;
use crate::domain::text::Clean;
use crate::ssh::error::SshError;

use super::event::{Fact, HostOutcome, Verdict};
use super::judge::{self, Answer};
use super::kinds::StepKind;
use super::machine::Machine;
use super::reach::{Reach, Session};
use super::scope::Scope;
use super::spec::{Act, Check, Step};
use super::value::Value;

pub(super) mod ask;
mod detached;
pub(super) mod edit;
mod elect;
pub(super) mod hold;
pub(super) mod host_key;
mod outcome;
mod own_folder;
mod proof;
pub(super) mod salt;
mod script;
mod sql;
mod ticket;
mod wait;

pub(super) use ask::{Asking, ask};
use outcome::outcome_of;
pub(super) use outcome::{conclude, failed};
use proof::PROOF_LIMIT;
pub(super) use proof::{probe, prove, read_back};
use ticket::{For, Manner};
use wait::wait_until;

/// Takes output as it comes: host and printable lines.
pub(super) type Output = dyn Fn(&str, Vec<Clean>) + Send + Sync;

/// Where acts happen.
pub(super) struct Site {
    /// The way to the hosts.
    pub(super) reach: Arc<dyn Reach>,
    /// The environment.
    pub(super) env: Arc<Environment>,
    /// Gets output as it comes: host and printable lines.
    pub(super) out: Arc<Output>,
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

    pub(super) fn words(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unknown(why) => why,
        }
    }
}

/// What became of an act: by host, and the secrets it read.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// By host (`""` for none).
    pub(super) hosts: BTreeMap<String, HostOutcome>,
    /// Name, host, value.
    pub(super) secrets: Vec<(String, String, Value)>,
}

impl Site {
    /// A session with a host. An error here means that nothing was begun.
    async fn session(&self, host: &str) -> Result<Arc<dyn Session>, Trouble> {
        let name = HostName::new(host).map_err(|e| Trouble::Failed(e.to_string()))?;
        let session = self.reach.host(&name).await;
        session.map_err(|e| Trouble::Failed(format!("{}: {}; nothing was begun", e.hop, e.describe())))
    }

    /// Whether the host's administrator works by `sudo -n`.
    fn sudo(&self, host: &str) -> bool {
        self.env.hosts.iter().any(|h| h.id.host.as_str() == host && h.sudo)
    }

    /// Hands output on as it comes, in whole lines.
    fn sink(&self, host: &str, quiet: bool) -> impl FnMut(&[u8]) + Send + use<> {
        let (out, host) = (self.out.clone(), host.to_owned());
        let mut rest = Vec::new();
        move |bytes: &[u8]| {
            if quiet {
                return;
            }
            rest.extend_from_slice(bytes);
            let Some(end) = rest.iter().rposition(|b| *b == b'\n') else { return };
            let whole: Vec<u8> = rest.drain(..=end).collect();
            out(&host, Clean::lines(&String::from_utf8_lossy(&whole)));
        }
    }
}

/// What a kind would do on each of its hosts, for eyes.
pub(super) fn shown(
    machine: &Machine,
    step: usize,
    kind: &dyn StepKind,
    hosts: &[String],
) -> BTreeMap<String, String> {
    let one = |host: Option<&str>| machine.at(step, host, |scope| kind.shown(&scope, hosts));
    let together = kind.is_one_command() || hosts.is_empty();
    let places: Vec<Option<&str>> =
        if together { vec![None] } else { hosts.iter().map(|h| Some(h.as_str())).collect() };
    places
        .into_iter()
        .filter_map(|host| Some((host.unwrap_or_default().to_owned(), one(host)?)))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// Does what a step says on hosts. Never asks a person. What only reads is tried again as often as the step says,
/// until every host answers as expected.
pub(super) async fn perform(site: &Site, machine: &Machine, index: usize, hosts: &[String]) -> Option<Done> {
    let step = &machine.plan().steps.get(index)?.step;
    let mut done = once(site, machine, index, hosts).await?;
    let tries = if step.effect == Effect::Read { step.retries } else { 0 };
    for left in (0..tries).rev() {
        if done.hosts.values().all(|outcome| outcome.verdict == Verdict::Done) {
            break;
        }
        for (host, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                let text = format!("tried again, {left} tries left after this: {why}");
                (site.out)(host, vec![Clean::new(&text)]);
            }
        }
        tokio::time::sleep(RETRY_AFTER).await;
        done = once(site, machine, index, hosts).await?;
    }
    Some(done)
}

/// Time between two tries.
const RETRY_AFTER: Duration = Duration::from_millis(200);

async fn once(site: &Site, machine: &Machine, index: usize, hosts: &[String]) -> Option<Done> {
    let planned = machine.plan().steps.get(index)?;
    let step = &planned.step;
    let what = if step.effect == Effect::Read { For::Asking } else { For::Change };
    let answers = match &step.act {
        Act::Check(question) => {
            let asking = Asking { question, hosts, limit: step.timeout, quiet: step.sensitive };
            ask(site, machine, index, &asking).await
        }
        // What it would wait for may rest on a change that was only printed: it is asked once.
        Act::WaitUntil { ask: question, .. } if machine.dry_run && machine.has_printed() => {
            let limit = step.timeout.min(PROOF_LIMIT);
            ask(site, machine, index, &Asking { question, hosts, limit, quiet: step.sensitive }).await
        }
        Act::WaitUntil { ask: question, every } => {
            let asking = Asking { question, hosts, limit: step.timeout, quiet: true };
            return Some(wait_until(site, machine, index, &asking, *every).await);
        }
        Act::Run(script) | Act::Fence(script) if step.detached => {
            detached::run(site, machine, index, script, hosts, step).await
        }
        Act::Run(script) | Act::Fence(script) => {
            script::on(site, machine, index, script, hosts, Manner::of(step, what)).await
        }
        Act::Sql(sql) => sql::on(site, machine, index, sql, hosts, Manner::of(step, what)).await,
        Act::Salt(call) => salt::on(site, machine, index, call, hosts, step, what).await,
        Act::Edit(edit) => edit::on(site, machine, index, edit, hosts, step.timeout, what).await,
        Act::HostKey(key) => host_key::on(site, machine, index, key, hosts).await,
        Act::Elect { by, into } => return Some(elect::best(machine, index, by, into)),
        _ => return None,
    };
    Some(conclude(site, machine, index, answers).await)
}

/// Takes a step back.
pub(super) async fn undo(
    site: &Site,
    machine: &Machine,
    index: usize,
    act: &Act,
    checks: &[Check],
    hosts: &[String],
) -> BTreeMap<String, HostOutcome> {
    let Some(planned) = machine.plan().steps.get(index) else { return BTreeMap::new() };
    let (step, what) = (&planned.step, For::Undo);
    let answers = match act {
        Act::Run(text) | Act::Fence(text) => {
            script::on(site, machine, index, text, hosts, Manner::of(step, what)).await
        }
        Act::Sql(sql) => sql::on(site, machine, index, sql, hosts, Manner::of(step, what)).await,
        Act::Salt(call) => salt::on(site, machine, index, call, hosts, step, what).await,
        Act::Edit(edit) => edit::on(site, machine, index, edit, hosts, step.timeout, what).await,
        _ => BTreeMap::new(),
    };
    let mut outcomes: BTreeMap<String, HostOutcome> =
        answers.iter().map(|(host, answer)| (host.clone(), outcome_of(step, answer, None))).collect();
    let good: Vec<String> =
        outcomes.iter().filter(|(_, o)| o.verdict == Verdict::Done).map(|(h, _)| h.clone()).collect();
    read_back(site, machine, index, checks, &good, &mut outcomes).await;
    outcomes
}
