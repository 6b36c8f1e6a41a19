//! Entries without secrets, field by field.
//!
//! Free text (commands, output, what was seen, reasons, notes, typed answers) is made unreadable where it holds a secret.
//! Ids, tags, host names, names of variables, accounts and the runbook itself stay: a run is read by them, and they are
//! public without the run. A value that holds a secret is kept in memory and not written. Every field is named here: a
//! new one does not compile until somebody decides what it is.

use std::collections::BTreeMap;

use crate::runbook::event::{Ending, Event, HostOutcome, OperatorAnswer, Outcomes, ProvedFact, Verdict};
use crate::runbook::ids::StepId;
use crate::runbook::place::Place;
use crate::runbook::plan::{Frozen, Plan};
use crate::runbook::redact::Redactor;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;

mod view;

pub(super) use view::{hide, hide_past};

/// Whether a secret is also a word of what is public without the run: the runbook, the inventory. Such a word is not
/// hidden there, and who sees it may guess the secret.
pub(super) fn is_public(secret: &str, plan: &Plan, env: &Environment) -> bool {
    let sources = plan.frozen.sources.iter().map(|(_, text)| text.as_str());
    let hosts = env.hosts.iter().map(|host| host.id.host.as_str());
    let names = [env.name.as_str(), env.jump.name().as_str()];
    sources.chain(hosts).chain(names).any(|text| text.contains(secret))
        || plan.steps.iter().any(|planned| planned.id.as_str().contains(secret))
}

/// An entry that cannot be written without a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value of {name} contains a secret and would be written to the journal")]
pub(super) struct HoldsSecret {
    name: String,
}

/// A value that is used and not written.
pub(super) struct KeptBack {
    pub(super) step: StepId,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) text: String,
    /// As it is shown.
    pub(super) shown: String,
}

/// Takes the values that hold a secret out of an outcome, and leaves their names there.
pub(super) fn keep_back(event: &mut Event, redactor: &Redactor, env: &Environment) -> Vec<KeptBack> {
    let Event::Outcome { step, hosts, withheld, .. } = event else { return Vec::new() };
    let mut kept = Vec::new();
    for (place, outcome) in hosts {
        let holding = outcome.values.iter().filter(|(_, text)| !may_be_written(text, redactor, env));
        let names: Vec<String> = holding.map(|(name, _)| name.clone()).collect();
        for name in names {
            let Some(text) = outcome.values.remove(&name) else { continue };
            let shown = redactor.text(&text);
            withheld.push(name.clone());
            kept.push(KeptBack { step: step.clone(), name, place: place.clone(), text, shown });
        }
    }
    withheld.sort();
    withheld.dedup();
    kept
}

/// Whether a value holds no secret. The name of a host of the inventory is public, whatever it spells; and which host a
/// run chose must be known again when it goes on.
fn may_be_written(text: &str, redactor: &Redactor, env: &Environment) -> bool {
    !redactor.finds(text)
        || HostName::new(text).is_ok_and(|name| env.host(&name).is_some() || *env.jump.name() == name)
}

/// The entry as it is written and handed on.
///
/// # Errors
/// When a value holds a secret: it cannot be changed without changing what the run does when it goes on.
pub(super) fn redacted(event: &Event, redactor: &Redactor, env: &Environment) -> Result<Event, HoldsSecret> {
    let text = |text: &String| redactor.text(text);
    Ok(match event {
        Event::Started { schema, run, who, why, dry_run, simulated, plan, accounts } => {
            plan_holds_none(plan, redactor, env)?;
            Event::Started {
                schema: *schema,
                run: run.clone(),
                who: who.clone(),
                why: text(why),
                dry_run: *dry_run,
                simulated: *simulated,
                plan: plan.clone(),
                accounts: accounts.clone(),
            }
        }
        Event::Resumed { who, taken_over, accounts } => {
            Event::Resumed { who: who.clone(), taken_over: *taken_over, accounts: accounts.clone() }
        }
        Event::Answered { step, answer, who, reason } => Event::Answered {
            step: step.clone(),
            answer: match answer {
                OperatorAnswer::Confirmed(asked) => OperatorAnswer::Confirmed(*asked),
                OperatorAnswer::Declined(asked) => OperatorAnswer::Declined(*asked),
                OperatorAnswer::Typed(asked, typed) => OperatorAnswer::Typed(*asked, text(typed)),
                OperatorAnswer::Hidden(asked) => OperatorAnswer::Hidden(*asked),
                OperatorAnswer::Chosen(way) => OperatorAnswer::Chosen(*way),
            },
            who: who.clone(),
            reason: reason.as_ref().map(text),
        },
        Event::Intent { step, phase, attempt, commands, facts } => Event::Intent {
            step: step.clone(),
            phase: *phase,
            attempt: *attempt,
            commands: commands.iter().map(|(host, command)| (host.clone(), text(command))).collect(),
            facts: all_facts(facts, redactor),
        },
        Event::Outcome { step, phase, attempt, hosts, withheld, took_ms } => Event::Outcome {
            step: step.clone(),
            phase: *phase,
            attempt: *attempt,
            hosts: outcomes(hosts, redactor, env)?,
            withheld: withheld.clone(),
            took_ms: *took_ms,
        },
        Event::Skipped { step, reason } => Event::Skipped { step: step.clone(), reason: text(reason) },
        Event::Excluded { host, step, reason } => {
            Event::Excluded { host: host.clone(), step: step.clone(), reason: text(reason) }
        }
        Event::RollingBack { reason } => Event::RollingBack { reason: text(reason) },
        Event::Abandoning { reason } => Event::Abandoning { reason: text(reason) },
        Event::WindowFailed { window, reason } => {
            Event::WindowFailed { window: window.clone(), reason: text(reason) }
        }
        Event::Note { who, text: note } => Event::Note { who: who.clone(), text: text(note) },
        Event::HoldLost { step, reason } => Event::HoldLost { step: step.clone(), reason: text(reason) },
        Event::Trouble { text: trouble } => Event::Trouble { text: text(trouble) },
        Event::Stopped { reason } => Event::Stopped { reason: text(reason) },
        Event::Ended { how } => Event::Ended {
            how: match how {
                Ending::Finished => Ending::Finished,
                Ending::RolledBack => Ending::RolledBack,
                Ending::Abandoned(why) => Ending::Abandoned(text(why)),
            },
        },
    })
}

fn outcomes(hosts: &Outcomes, redactor: &Redactor, env: &Environment) -> Result<Outcomes, HoldsSecret> {
    let one = |outcome: &HostOutcome| {
        let HostOutcome { verdict, values, output, proof } = outcome;
        values_hold_none(values, redactor, env)?;
        Ok(HostOutcome {
            verdict: match verdict {
                Verdict::Done => Verdict::Done,
                Verdict::NotDone => Verdict::NotDone,
                Verdict::Failed(why) => Verdict::Failed(redactor.text(why)),
                Verdict::Unknown(why) => Verdict::Unknown(redactor.text(why)),
                Verdict::Printed => Verdict::Printed,
            },
            values: values.clone(),
            output: redactor.text(output),
            proof: all_facts(proof, redactor),
        })
    };
    hosts.try_map(|_, outcome| one(outcome))
}

fn all_facts(facts: &[ProvedFact], redactor: &Redactor) -> Vec<ProvedFact> {
    let one = |ProvedFact { says, host, seen, holds }: &ProvedFact| ProvedFact {
        says: redactor.text(says),
        host: host.clone(),
        seen: redactor.text(seen),
        holds: *holds,
    };
    facts.iter().map(one).collect()
}

/// The runbook's text, the inventory's names and addresses are public without the run; what was given for it is not.
pub(super) fn plan_holds_none(
    plan: &Frozen,
    redactor: &Redactor,
    env: &Environment,
) -> Result<(), HoldsSecret> {
    let Frozen {
        runbook: _,
        sources: _,
        hash: _,
        environment: _,
        level: _,
        domain: _,
        jump: _,
        managed_by: _,
        inputs,
        targets: _,
    } = plan;
    values_hold_none(inputs, redactor, env)
}

fn values_hold_none(
    values: &BTreeMap<String, String>,
    redactor: &Redactor,
    env: &Environment,
) -> Result<(), HoldsSecret> {
    match values.iter().find(|(_, text)| !may_be_written(text, redactor, env)) {
        None => Ok(()),
        Some((name, _)) => Err(HoldsSecret { name: name.clone() }),
    }
}
