//! Facts proved from the targets: before a change, after it, and when nobody knows whether it was done.

use std::collections::BTreeMap;

use super::ask::{PlacedAsk, ask};
use super::done::as_kept;
use super::manner::{For, Lost, Mark};
use super::marks;
use super::site::Site;
use super::work::Work;
use crate::runbook::definition::Check;
use crate::runbook::event::{HostOutcome, Outcomes, ProvedFact, Verdict};
use crate::runbook::judge;
use crate::runbook::kinds::ByMachines;
use crate::runbook::machine::StepRef;
use crate::runbook::place::{Place, Places};
use crate::runbook::scope::Scope;

/// Proves from the targets that a change is in effect. One that reported success and is not, or of which no check tells,
/// is a failure. `good`: the places where it is said to be.
pub(in crate::runbook) async fn read_back(
    site: &Site,
    at: StepRef<'_>,
    checks: &[Check],
    good: Option<&Places>,
    outcomes: &mut Outcomes,
) {
    for Proof { fact, .. } in proofs(site, at, checks, good, Lost::NewClient).await {
        // A proof that is asked elsewhere is about all of the step's hosts.
        let elsewhere = outcomes.get(&fact.host).is_none();
        for (place, outcome) in &mut *outcomes {
            if !elsewhere && *place != fact.host {
                continue;
            }
            outcome.proof.push(fact.clone());
            if !fact.holds && outcome.verdict == Verdict::Done {
                let why =
                    format!("it reported success, but this does not hold: {}: {}", fact.says, fact.seen);
                outcome.verdict = Verdict::Failed(why);
            }
        }
    }
    for outcome in outcomes.values_mut() {
        if outcome.verdict == Verdict::Done && outcome.proof.is_empty() && !checks.is_empty() {
            outcome.verdict =
                Verdict::Failed("it reported success, but no check proves it on this host".to_owned());
        }
    }
}

/// A fact, and whether it could be asked at all.
pub(in crate::runbook) struct Proof {
    pub(in crate::runbook) fact: ProvedFact,
    pub(in crate::runbook) asked: bool,
}

/// Asks what a step rests on, at these places or where it says, and judges the answers. A check for a session that is not
/// open does not hold.
pub(in crate::runbook) async fn prove(
    site: &Site,
    at: StepRef<'_>,
    checks: &[Check],
    places: Option<&Places>,
) -> Vec<Proof> {
    proofs(site, at, checks, places, Lost::of_reads(at)).await
}

async fn proofs(
    site: &Site,
    at: StepRef<'_>,
    checks: &[Check],
    places: Option<&Places>,
    lost: Lost,
) -> Vec<Proof> {
    let asked = checks.iter().map(|check| async move {
        let not_asked = |seen: String| {
            let fact = ProvedFact { says: at.shown(&check.says), host: Place::Nowhere, seen, holds: false };
            vec![Proof { fact, asked: false }]
        };
        let there = match (&check.on, places) {
            (None, Some(places)) => places.clone(),
            // It was done nowhere: there is nothing to prove.
            (None, None) => return Vec::new(),
            (Some(on), _) => match at.at(None, |scope| scope.hosts(on)) {
                Ok(None) => Places::nowhere(),
                // Of no host nothing is proved.
                Ok(Some(hosts)) => match Places::hosts_of(hosts) {
                    Some(places) => places,
                    None => return not_asked("there is no host to ask".to_owned()),
                },
                Err(error) => return not_asked(error.to_string()),
            },
        };
        let asking =
            PlacedAsk { question: &check.ask, places: &there, limit: check.longest(), quiet: true, lost };
        let answers = ask(site, at, &asking).await;
        let unasked: Vec<Place> =
            answers.iter().filter(|(_, a)| a.is_err()).map(|(p, _)| p.clone()).collect();
        let plain = answers.map(|_, a| a.clone().map_err(|t| t.words().to_owned())).into_map();
        let says = |scope: &Scope<'_>| scope.shown(&check.says);
        let facts = at.at(None, |scope| judge::judge(&says, &check.expect, &plain, scope, &site.hide(at)));
        facts.into_iter().map(|fact| Proof { asked: !unasked.contains(&fact.host), fact }).collect::<Vec<_>>()
    });
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

/// Whether a step whose outcome nobody knows was done: asked of the targets when nothing of it is under way there any
/// more, never guessed. `by`: what does it on machines, if they do; `undo`: the proof of its undo, when it is asked
/// whether that was done.
pub(in crate::runbook) async fn probe(
    work: Work<'_>,
    by: Option<&dyn ByMachines>,
    undo: Option<&[Check]>,
) -> Outcomes {
    let Work { site, at, places } = work;
    let what = if undo.is_some() { For::Undo } else { For::Change };
    let mark = by.map_or(Mark::None, |by| by.mark(at.step(), what));
    let open = marks::settle(site, at, mark, places, what).await;
    let mut outcomes =
        places.each(|_| HostOutcome::of(Verdict::Unknown("whether it was done was not checked".to_owned())));
    if let Some(settled) = places.only(|place| !open.contains_key(place)) {
        let work = Work { places: &settled, ..work };
        let found = match (by, undo) {
            (Some(by), None) => by.find(work).await,
            (None, _) | (_, Some(_)) => None,
        };
        let outcome = match found {
            Some(outcomes) => as_kept(site, at, outcomes),
            None => asked(work, undo).await,
        };
        outcomes.extend(outcome.into_map());
    }
    outcomes.extend(open);
    outcomes
}

/// Waits until nothing of a step is under way any more where it was begun, and lets nothing of it begin. What comes back is
/// still under way, or cannot be asked.
pub(in crate::runbook) async fn settle(work: Work<'_>, by: &dyn ByMachines) -> BTreeMap<Place, HostOutcome> {
    let mark = by.mark(work.at.step(), For::Change);
    marks::settle(work.site, work.at, mark, work.places, For::Change).await
}

/// What the proofs say of a change that is not under way any more.
async fn asked(work: Work<'_>, undo: Option<&[Check]>) -> Outcomes {
    let Work { site, at, places } = work;
    let step = at.step();
    let checks = match undo {
        Some(checks) => checks,
        None if step.done_if.is_empty() => &step.read_back,
        None => &step.done_if,
    };
    let proofs = proofs(site, at, checks, Some(places), Lost::NewClient).await;
    places.each(|place| {
        let about: Vec<&Proof> =
            proofs.iter().filter(|p| p.fact.host == *place || !places.contains(&p.fact.host)).collect();
        let verdict = match about.iter().find(|p| !p.fact.holds) {
            _ if about.is_empty() => Verdict::Unknown(format!("no check tells whether {} was done", step.id)),
            None => Verdict::Done,
            Some(proof) if !proof.asked => {
                Verdict::Unknown(format!("cannot check whether it was done: {}", proof.fact.seen))
            }
            Some(_) => Verdict::NotDone,
        };
        HostOutcome { proof: about.into_iter().map(|p| p.fact.clone()).collect(), ..HostOutcome::of(verdict) }
    })
}
