//! Steps done and undone: sent, judged, read back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::done::{Done, done_at, outcome_of};
use super::proof::read_back;
use super::site::Site;
use super::trouble::PlaceAnswers;
use super::work::Work;
use crate::runbook::definition::Check;
use crate::runbook::event::{Outcomes, ProvedFact, Verdict};
use crate::runbook::judge::{self, Hide};
use crate::runbook::kinds::{ByMachines, StepKind, TakesBack};
use crate::runbook::machine::StepRef;
use crate::runbook::place::{Place, Places};
use crate::runbook::scope::Scope;
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::text::Clean;

/// What a kind would do at each of its places, for eyes.
pub(in crate::runbook) fn shown(
    at: StepRef<'_>,
    kind: &dyn StepKind,
    places: &Places,
) -> BTreeMap<Place, String> {
    let together = if kind.is_one_command() { Places::nowhere() } else { places.clone() };
    let texts = together.each(|place| at.at(place.host(), |scope| kind.shown(&scope, places)));
    texts.into_map().into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

/// Does what a step says. Never asks a person. What only reads is tried again as often as the step says, until every
/// host answers as expected.
pub(in crate::runbook) async fn perform(work: Work<'_>, kind: &dyn ByMachines) -> Done {
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
                let text = format!("trying again, {left} tries left after this one: {why}");
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
pub(in crate::runbook) async fn undo(work: Work<'_>, kind: &dyn TakesBack, checks: &[Check]) -> Outcomes {
    let Work { site, at, .. } = work;
    let answers = kind.take_back(work).await;
    let hide = site.hide(at);
    let mut outcomes = answers.map(|_, answer| outcome_of(at.step(), answer, None, &hide));
    let good = done_at(&outcomes);
    read_back(site, at, checks, good.as_ref(), &mut outcomes).await;
    outcomes
}

impl Work<'_> {
    /// Judges the answers of the step, keeps what it captures, and reads back what it changed.
    pub(in crate::runbook) async fn conclude(self, answers: PlaceAnswers) -> Done {
        conclude(self.site, self.at, answers).await
    }
}

/// Judges the answers of a step, keeps what it captures, and reads back what it changed.
async fn conclude(site: &Site, at: StepRef<'_>, answers: PlaceAnswers) -> Done {
    let step = at.step();
    let hide = site.hide(at);
    let facts = judged(at, &answers, &hide);
    let mut secrets = Vec::new();
    let mut hosts = answers.map(|place, answer| {
        let fact = facts.iter().find(|f| f.host == *place);
        let mut outcome = outcome_of(step, answer, fact, &hide);
        if let (Ok(answer), Verdict::Done) = (answer, &outcome.verdict) {
            match judge::capture(&step.capture, answer, &hide) {
                Ok(values) => {
                    for (name, value) in values {
                        match value.is_secret() {
                            true => secrets.push((name, place.clone(), value)),
                            false => drop(outcome.values.insert(name, value.text().to_owned())),
                        }
                    }
                }
                Err(why) => outcome.verdict = Verdict::Failed(why),
            }
        }
        outcome
    });
    // What proves the change may print what was just read. One that cannot be hidden is refused where it is kept.
    for (_, _, value) in &secrets {
        let _kept_by_the_runner = site.redactor.add(value.text());
    }
    let good = done_at(&hosts);
    if good.is_some() || step.effect != Effect::Read {
        read_back(site, at, &step.read_back, good.as_ref(), &mut hosts).await;
    }
    Done { hosts, secrets, session: None }
}

/// Judges what a step expects of its own answers.
fn judged(at: StepRef<'_>, answers: &PlaceAnswers, hide: Hide<'_>) -> Vec<ProvedFact> {
    let plain = answers.map(|_, a| a.clone().map_err(|t| t.words().to_owned())).into_map();
    let says = |scope: &Scope<'_>| scope.shown(&at.step().title);
    at.at(None, |scope| judge::judge(&says, &at.step().expect, &plain, scope, hide))
}
