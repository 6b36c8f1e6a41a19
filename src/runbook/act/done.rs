//! What became of a step on its hosts, and how much of it is kept.

use super::hold::Holding;
use super::site::Site;
use super::trouble::Trouble;
use crate::runbook::definition::Step;
use crate::runbook::event::{HostOutcome, Outcomes, ProvedFact, Verdict};
use crate::runbook::judge::{Hide, HostAnswer};
use crate::runbook::machine::StepRef;
use crate::runbook::place::{Place, Places};
use crate::runbook::value::Value;
use jumpdeck_fleet::run::Effect;

/// What became of an act: place by place, and the secrets it read.
pub(crate) struct Done {
    /// Place by place; at least one.
    pub(in crate::runbook) hosts: Outcomes,
    /// Name, place, value.
    pub(in crate::runbook) secrets: Vec<(String, Place, Value)>,
    /// The session that is kept open, when one is.
    pub(in crate::runbook) session: Option<Holding>,
}

impl Done {
    /// With nothing to keep.
    pub(in crate::runbook) fn of(hosts: Outcomes) -> Self {
        Self { hosts, secrets: Vec::new(), session: None }
    }
}

/// The places where it was done; `None` when there is none.
pub(super) fn done_at(outcomes: &Outcomes) -> Option<Places> {
    let done = |place: &Place| outcomes.get(place).is_some_and(|o| o.verdict == Verdict::Done);
    outcomes.each_place().only(done)
}

pub(super) fn outcome_of(
    step: &Step,
    answer: &Result<HostAnswer, Trouble>,
    fact: Option<&ProvedFact>,
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
