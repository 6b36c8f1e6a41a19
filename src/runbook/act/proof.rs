//! Facts proved from the targets: before a change, after it, and when nobody knows whether it was done.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Act, Asking, Check, Fact, For, HostOutcome, Machine, Scope, Site, Verdict, ask, detached, edit, host_key,
    judge, salt, ticket,
};

/// Proves from the targets that a change is in effect. One that reported success and is not is a failure.
pub(in crate::runbook) async fn read_back(
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
pub(in crate::runbook) struct Proof {
    pub(in crate::runbook) fact: Fact,
    pub(in crate::runbook) asked: bool,
}

/// Asks checks, on the step's hosts or where they say, and judges the answers.
pub(in crate::runbook) async fn prove(
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
pub(super) const PROOF_LIMIT: Duration = Duration::from_secs(15);

/// Whether a step whose outcome nobody knows was done: asked of the targets when nothing of it is under way there any
/// more, never guessed. `undo`: what takes it back, and the proof of that, when it is asked whether it was taken back.
pub(in crate::runbook) async fn probe(
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
    let nowhere = [String::new()];
    let places = if hosts.is_empty() { &nowhere } else { hosts };
    for host in places {
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
