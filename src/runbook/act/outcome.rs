//! What became of a step: its answers judged, what it captures kept, what it changed read back.

use super::{
    Answer, Answers, Done, Effect, Fact, HostOutcome, Outcomes, Scope, Site, Step, StepRef, Trouble, Verdict,
    done_at, judge, read_back,
};
use crate::runbook::judge::Hide;

/// Judges the answers of a step, keeps what it captures, and reads back what it changed.
pub(super) async fn conclude(site: &Site, at: StepRef<'_>, answers: Answers) -> Done {
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
fn judged(at: StepRef<'_>, answers: &Answers, hide: Hide<'_>) -> Vec<Fact> {
    let plain = answers.map(|_, a| a.clone().map_err(|t| t.words().to_owned())).into_map();
    let says = |scope: &Scope<'_>| scope.shown(&at.step().title);
    at.at(None, |scope| judge::judge(&says, &at.step().expect, &plain, scope, hide))
}

pub(super) fn outcome_of(
    step: &Step,
    answer: &Result<Answer, Trouble>,
    fact: Option<&Fact>,
    hide: Hide<'_>,
) -> HostOutcome {
    let verdict = match (answer, fact) {
        (Err(Trouble::Failed(why)), _) => Verdict::Failed(why.clone()),
        (Err(Trouble::Unknown(why)), _) if step.effect == Effect::Read => Verdict::Failed(why.clone()),
        (Err(Trouble::Unknown(why)), _) => Verdict::Unknown(why.clone()),
        // What a sensitive step printed is not shown, not as a reason either: it may be the secret, and is not known yet.
        (Ok(_), Some(fact)) if !fact.holds && step.sensitive => Verdict::Failed(
            "the answer is not the expected one; it is not shown, as the step is sensitive".to_owned(),
        ),
        (Ok(_), Some(fact)) if !fact.holds => Verdict::Failed(fact.seen.clone()),
        (Ok(_), Some(_) | None) => Verdict::Done,
    };
    let text = match answer {
        Ok(answer) if !step.sensitive => answer.text.as_str(),
        Ok(_) | Err(_) => "",
    };
    HostOutcome { output: kept(&hide(text)), ..HostOutcome::of(verdict) }
}

/// What was found of a step that an earlier process began, with as much of its output as is kept of one that was just done.
pub(super) fn as_kept(site: &Site, at: StepRef<'_>, found: Outcomes) -> Outcomes {
    let hide = site.hide(at);
    found.map(|_, outcome| {
        let output = if at.step().sensitive { String::new() } else { kept(&hide(&outcome.output)) };
        HostOutcome { output, ..outcome.clone() }
    })
}

/// As much of an output as the journal keeps: the last 16 KiB. Secrets gave way before: of one that is cut, nobody would
/// find the rest.
fn kept(text: &str) -> String {
    const KEPT: usize = 16 * 1024;
    let mut start = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default().to_owned()
}

/// An outcome that failed before anything came.
pub(in crate::runbook) fn failed(why: &str) -> HostOutcome {
    HostOutcome::of(Verdict::Failed(why.to_owned()))
}
