//! What became of a step: its answers judged, what it captures kept, what it changed read back.

use std::collections::BTreeMap;

use super::{
    Answer, Done, Effect, Fact, HostOutcome, Machine, Scope, Site, Step, Trouble, Verdict, judge, read_back,
};

/// Judges the answers of a step, keeps what it captures, and reads back what it changed.
pub(in crate::runbook) async fn conclude(
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

pub(super) fn outcome_of(step: &Step, answer: &Result<Answer, Trouble>, fact: Option<&Fact>) -> HostOutcome {
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

/// An outcome that failed before anything came.
pub(in crate::runbook) fn failed(why: &str) -> HostOutcome {
    HostOutcome {
        verdict: Verdict::Failed(why.to_owned()),
        values: BTreeMap::new(),
        output: String::new(),
        proof: Vec::new(),
    }
}
