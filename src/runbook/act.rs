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
use super::machine::Machine;
use super::reach::{Reach, Session};
use super::scope::Scope;
use super::spec::{Act, Check, Step};
use super::value::Value;

mod ask;
mod detached;
pub(super) mod edit;
mod elect;
pub(super) mod hold;
pub(super) mod host_key;
mod salt;
mod script;
mod sql;
mod ticket;

pub(super) use ask::{Asking, ask};
use ticket::{For, Manner};

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

/// What an act would do on each of its hosts, for eyes.
pub(super) fn shown(machine: &Machine, step: usize, act: &Act, hosts: &[String]) -> BTreeMap<String, String> {
    let one = |host: Option<&str>| {
        machine.at(step, host, |scope| match act {
            Act::Run(script) | Act::Fence(script) => {
                scope.script(script, true).unwrap_or_else(|e| e.to_string())
            }
            Act::Sql(sql) => scope.sql(&sql.text, true).unwrap_or_else(|e| e.to_string()),
            Act::Salt(call) => salt::shown(&scope, call, hosts),
            Act::Edit(edit) => edit::shown(&scope, edit),
            Act::HostKey(key) => host_key::shown(&scope, key),
            Act::Hold { sql, .. } => {
                let text = scope.sql(&sql.text, true).unwrap_or_else(|e| e.to_string());
                format!("{text}\n-- in a session that stays open")
            }
            Act::Check(ask) | Act::WaitUntil { ask, .. } => ask::shown(&scope, ask, hosts),
            Act::Note(text) | Act::Approve { text } | Act::Manual { text, .. } => scope.shown(text),
            Act::Challenge { value, .. } => scope.shown(value),
            _ => String::new(),
        })
    };
    let together = matches!(act, Act::Salt(_)) || hosts.is_empty();
    let places: Vec<Option<&str>> =
        if together { vec![None] } else { hosts.iter().map(|h| Some(h.as_str())).collect() };
    places
        .into_iter()
        .filter_map(|host| Some((host.unwrap_or_default().to_owned(), one(host)?)))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// Does what a step says on hosts. Never asks a person.
pub(super) async fn perform(site: &Site, machine: &Machine, index: usize, hosts: &[String]) -> Option<Done> {
    let planned = machine.plan().steps.get(index)?;
    let step = &planned.step;
    let what = if step.effect == Effect::Read { For::Asking } else { For::Change };
    let answers = match &step.act {
        Act::Check(question) => {
            let asking = Asking { question, hosts, limit: step.timeout, quiet: step.sensitive };
            let mut answers = ask(site, machine, index, &asking).await;
            for _ in 0..step.retries {
                if answers.values().all(Result::is_ok) {
                    break;
                }
                answers = ask(site, machine, index, &asking).await;
            }
            answers
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

/// Judges the answers of a step, keeps what it captures, and reads back what it changed.
pub(super) async fn conclude(
    site: &Site,
    machine: &Machine,
    index: usize,
    answers: BTreeMap<String, Result<Answer, Trouble>>,
) -> Done {
    let mut done = Done::default();
    let Some(planned) = machine.plan().steps.get(index) else { return done };
    let step = &planned.step;
    let facts = judged(machine, index, step, &answers);
    for (host, answer) in &answers {
        let fact = facts.iter().find(|f| f.host == *host);
        let mut outcome = outcome_of(step, answer, fact);
        if let (Ok(answer), Verdict::Done) = (answer, &outcome.verdict) {
            match judge::capture(&step.capture, answer) {
                Ok(values) => {
                    for (name, value) in values {
                        match value.is_secret() {
                            true => done.secrets.push((name, host.clone(), value)),
                            false => drop(outcome.values.insert(name, value.text().to_owned())),
                        }
                    }
                }
                Err(why) => outcome.verdict = Verdict::Failed(why),
            }
        }
        done.hosts.insert(host.clone(), outcome);
    }
    let good: Vec<String> =
        done.hosts.iter().filter(|(_, o)| o.verdict == Verdict::Done).map(|(h, _)| h.clone()).collect();
    if !good.is_empty() || step.effect != Effect::Read {
        read_back(site, machine, index, &step.read_back, &good, &mut done.hosts).await;
    }
    done
}

/// Judges what a step expects of its own answers.
fn judged(
    machine: &Machine,
    index: usize,
    step: &Step,
    answers: &BTreeMap<String, Result<Answer, Trouble>>,
) -> Vec<Fact> {
    let plain =
        answers.iter().map(|(h, a)| (h.clone(), a.clone().map_err(|t| t.words().to_owned()))).collect();
    let says = |scope: &Scope<'_>| scope.shown(&step.title);
    machine.at(index, None, |scope| judge::judge(&says, &step.expect, &plain, scope)).unwrap_or_default()
}

fn outcome_of(step: &Step, answer: &Result<Answer, Trouble>, fact: Option<&Fact>) -> HostOutcome {
    let verdict = match (answer, fact) {
        (Err(Trouble::Failed(why)), _) => Verdict::Failed(why.clone()),
        (Err(Trouble::Unknown(why)), _) if step.effect == Effect::Read => Verdict::Failed(why.clone()),
        (Err(Trouble::Unknown(why)), _) => Verdict::Unknown(why.clone()),
        (Ok(_), Some(fact)) if !fact.holds => Verdict::Failed(fact.seen.clone()),
        (Ok(_), _) => Verdict::Done,
    };
    let text = match answer {
        Ok(answer) if !step.sensitive => answer.text.as_str(),
        _ => "",
    };
    HostOutcome { verdict, values: BTreeMap::new(), output: kept(text), proof: Vec::new() }
}

/// As much of an output as the journal keeps: the last 16 KiB.
fn kept(text: &str) -> String {
    const KEPT: usize = 16 * 1024;
    let mut start = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default().to_owned()
}

/// Proves from the targets that a change is in effect. One that reported success and is not is a failure.
async fn read_back(
    site: &Site,
    machine: &Machine,
    index: usize,
    checks: &[Check],
    hosts: &[String],
    outcomes: &mut BTreeMap<String, HostOutcome>,
) {
    for Proof { fact, .. } in prove(site, machine, index, checks, hosts).await {
        // A proof that is asked elsewhere is about all of the step's hosts.
        let about: Vec<String> = match outcomes.contains_key(&fact.host) {
            true => vec![fact.host.clone()],
            false => outcomes.keys().cloned().collect(),
        };
        for host in about {
            let Some(outcome) = outcomes.get_mut(&host) else { continue };
            outcome.proof.push(fact.clone());
            if !fact.holds && outcome.verdict == Verdict::Done {
                let why = format!("it reported success, but {}: {}", fact.says, fact.seen);
                outcome.verdict = Verdict::Failed(why);
            }
        }
    }
}

/// A fact, and whether it could be asked at all.
pub(super) struct Proof {
    pub(super) fact: Fact,
    pub(super) asked: bool,
}

/// Asks checks, on the step's hosts or where they say, and judges the answers.
pub(super) async fn prove(
    site: &Site,
    machine: &Machine,
    index: usize,
    checks: &[Check],
    hosts: &[String],
) -> Vec<Proof> {
    let asked = checks.iter().map(|check| async move {
        let there = match &check.on {
            Some(on) => machine.at(index, None, |scope| scope.hosts(on)).flatten().unwrap_or_default(),
            None => hosts.to_vec(),
        };
        let asking = Asking { question: &check.ask, hosts: &there, limit: PROOF_LIMIT, quiet: true };
        let answers = ask(site, machine, index, &asking).await;
        let unasked: Vec<String> =
            answers.iter().filter(|(_, a)| a.is_err()).map(|(h, _)| h.clone()).collect();
        let plain = answers.into_iter().map(|(h, a)| (h, a.map_err(|t| t.words().to_owned()))).collect();
        let says = |scope: &Scope<'_>| scope.shown(&check.says);
        let facts = machine
            .at(index, None, |scope| judge::judge(&says, &check.expect, &plain, scope))
            .unwrap_or_default();
        facts.into_iter().map(|fact| Proof { asked: !unasked.contains(&fact.host), fact }).collect::<Vec<_>>()
    });
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

/// A proof that takes longer is none.
const PROOF_LIMIT: Duration = Duration::from_secs(15);

/// Asks again and again until what is expected holds, or the step's time is over.
async fn wait_until(
    site: &Site,
    machine: &Machine,
    index: usize,
    asking: &Asking<'_>,
    every: Duration,
) -> Done {
    let until = tokio::time::Instant::now() + asking.limit;
    let mut last = BTreeMap::new();
    loop {
        let one = tokio::time::timeout_at(until, async {
            let asking = Asking { limit: asking.limit.min(PROOF_LIMIT), ..*asking };
            ask(site, machine, index, &asking).await
        });
        let in_time = match one.await {
            Ok(answers) => {
                last = answers;
                true
            }
            Err(_) => false,
        };
        let done = match last.is_empty() {
            // Nothing came back in all that time.
            true => Done {
                hosts: asking.hosts.iter().map(|h| (h.clone(), failed("no answer in time"))).collect(),
                secrets: Vec::new(),
            },
            false => conclude(site, machine, index, last.clone()).await,
        };
        let good = done.hosts.values().all(|o| o.verdict == Verdict::Done);
        if good || !in_time || tokio::time::Instant::now() + every >= until {
            return done;
        }
        for (host, outcome) in &done.hosts {
            if let Verdict::Failed(why) = &outcome.verdict {
                (site.out)(host, vec![Clean::new(&format!("not yet: {why}"))]);
            }
        }
        tokio::time::sleep(every).await;
    }
}

/// An outcome that failed before anything came.
pub(super) fn failed(why: &str) -> HostOutcome {
    HostOutcome {
        verdict: Verdict::Failed(why.to_owned()),
        values: BTreeMap::new(),
        output: String::new(),
        proof: Vec::new(),
    }
}

/// Whether a step whose outcome nobody knows was done: asked of the targets when nothing of it is under way there any
/// more, never guessed. `undo`: what takes it back, and the proof of that, when it is asked whether it was taken back.
pub(super) async fn probe(
    site: &Site,
    machine: &Machine,
    index: usize,
    hosts: &[String],
    undo: Option<(&Act, &[Check])>,
) -> BTreeMap<String, HostOutcome> {
    let Some(planned) = machine.plan().steps.get(index) else { return BTreeMap::new() };
    let step = &planned.step;
    let (act, what) = undo.map_or((&step.act, For::Change), |(act, _)| (act, For::Undo));
    let open = ticket::settle(site, machine, index, act, hosts, what).await;
    let settled: Vec<String> = hosts.iter().filter(|h| !open.contains_key(*h)).cloned().collect();
    let mut outcomes = asked(site, machine, index, &settled, undo.map(|(_, checks)| checks)).await;
    outcomes.extend(open);
    outcomes
}

/// What the targets say of a change that is not under way any more.
async fn asked(
    site: &Site,
    machine: &Machine,
    index: usize,
    hosts: &[String],
    undo: Option<&[Check]>,
) -> BTreeMap<String, HostOutcome> {
    let Some(planned) = machine.plan().steps.get(index) else { return BTreeMap::new() };
    let step = &planned.step;
    let own = match (&step.act, undo) {
        (_, Some(_)) => None,
        (Act::Run(_) | Act::Fence(_), None) if step.detached => {
            Some(detached::find(site, machine, index, hosts, step).await)
        }
        (Act::Edit(edit), None) => Some(edit::find(site, machine, index, edit, hosts).await),
        (Act::HostKey(key), None) => Some(host_key::find(site, machine, index, key, hosts)),
        (Act::Salt(call), None) if call.job => {
            Some(salt::find(site, machine, index, call, hosts, step).await)
        }
        _ => None,
    };
    if let Some(answers) = own {
        return answers;
    }
    let checks = match undo {
        Some(checks) => checks,
        None if step.done_if.is_empty() => &step.read_back,
        None => &step.done_if,
    };
    let mut outcomes: BTreeMap<String, HostOutcome> = BTreeMap::new();
    let proofs = prove(site, machine, index, checks, hosts).await;
    for host in hosts {
        let about: Vec<&Proof> =
            proofs.iter().filter(|p| p.fact.host == *host || !hosts.contains(&p.fact.host)).collect();
        let verdict = match about.iter().find(|p| !p.fact.holds) {
            _ if about.is_empty() => Verdict::Unknown(format!("nothing tells whether {} was done", step.id)),
            None => Verdict::Done,
            Some(proof) if !proof.asked => {
                Verdict::Unknown(format!("it cannot be asked: {}", proof.fact.seen))
            }
            Some(_) => Verdict::NotDone,
        };
        let proof = about.into_iter().map(|p| p.fact.clone()).collect();
        let outcome = HostOutcome { verdict, values: BTreeMap::new(), output: String::new(), proof };
        outcomes.insert(host.clone(), outcome);
    }
    outcomes
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
