//! A plan as it is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{HostIdentity, salt};
use crate::runbook::act;
use crate::runbook::definition::{Condition, Undo};
use crate::runbook::describe::{self, prose};
use crate::runbook::ids::RunId;
use crate::runbook::machine::{Machine, StepRef};
use crate::runbook::plan::{FrozenHost, Plan};
use crate::runbook::value::Value;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{NO_GRAIN, PlanHost, PlanInput, PlanStep, PlanTarget, PlanView, PlanWindow};
use jumpdeck_fleet::text::Clean;

pub(super) fn of(
    plan: &Plan,
    env: &Environment,
    simulated: bool,
    said: &BTreeMap<String, Result<HostIdentity, String>>,
    because: &BTreeMap<String, String>,
) -> PlanView {
    let mut problems = Vec::new();
    let mut targets = Vec::new();
    for (name, hosts) in &plan.frozen.targets {
        let target = plan.runbook.targets.iter().find(|t| &t.name == name);
        let hosts = hosts.iter().filter_map(|host| {
            let said = said.get(&host.name)?;
            let is_jump = host.name == plan.frozen.jump;
            let seen = seen(host, env, said)?;
            if let Ok(identity) = said {
                problems.extend(mismatches(host, env, identity, is_jump));
            }
            Some(seen)
        });
        let hosts = hosts.collect();
        let note = target
            .filter(|t| !t.except.is_empty())
            .map(|t| Clean::new(&format!("except {}", t.except.join(", "))));
        targets.push(PlanTarget { name: name.clone(), hosts, note });
    }
    problems.sort();
    problems.dedup();
    let steps = plan.runbook.every_step();
    let groups = steps.iter().filter_map(|step| step.group());
    problems.extend(groups.flat_map(|group| group.problems(env, &plan.frozen)).map(|text| Clean::new(&text)));
    let machine = Machine::new(Arc::new(plan.clone()), &RunId::to_come(), "", "{reason}", "YYYYMMDD", false);
    problems.extend(salt::problem(plan, &machine));
    let input = |(name, value): (&String, &Value)| PlanInput {
        name: Clean::new(name),
        value: Clean::new(value.shown()),
        because: because.get(name).map(|why| Clean::new(why)),
    };
    let inputs = plan.inputs.iter().map(input).collect();
    PlanView {
        runbook: plan.runbook.name.clone(),
        title: Clean::new(&plan.runbook.title),
        env: env.name.clone(),
        simulated,
        challenge: env.is_guarded(),
        hash: plan.frozen.hash.clone(),
        inputs,
        targets,
        steps: machine.steps().map(step).collect(),
        problems,
    }
}

fn seen(host: &FrozenHost, env: &Environment, said: &Result<HostIdentity, String>) -> Option<PlanHost> {
    let name = HostName::new(&host.name).ok()?;
    let silent = |what: &str| Clean::new(what);
    let (roles, level, hostname) = match said {
        Ok(said) => (
            said.roles.as_ref().map(|r| Clean::new(&r.join(", "))).ok_or_else(|| silent(NO_GRAIN)),
            said.level.as_ref().map(|l| Clean::new(l)).ok_or_else(|| silent(NO_GRAIN)),
            Ok(Clean::new(&said.hostname)),
        ),
        Err(why) => (Err(Clean::new(why)), Err(Clean::new(why)), Err(Clean::new(why))),
    };
    Some(PlanHost {
        name,
        address: host.address.clone(),
        roles: (Clean::new(&host.roles.join(", ")), roles),
        level: (Clean::new(&env.level), level),
        hostname,
    })
}

/// What a host says against the inventory. Silence is no contradiction: a dead master is asked for too.
fn mismatches(host: &FrozenHost, env: &Environment, said: &HostIdentity, is_jump: bool) -> Vec<Clean> {
    let mut all = Vec::new();
    let wanted = HostName::new(&host.name).ok().and_then(|n| env.host(&n).and_then(|h| h.hostname.clone()));
    let wanted = wanted.unwrap_or_else(|| host.name.clone());
    if said.hostname != wanted && !is_jump {
        all.push(Clean::new(&format!(
            "{} calls itself {}: another machine answers",
            host.name, said.hostname
        )));
    }
    if let Some(level) = said.level.as_ref().filter(|l| **l != env.level) {
        all.push(Clean::new(&format!("{} is of level {level}, not {}", host.name, env.level)));
    }
    if let Some(roles) = &said.roles {
        let lacks: Vec<&str> =
            host.roles.iter().map(String::as_str).filter(|r| !roles.iter().any(|s| s == r)).collect();
        if !lacks.is_empty() {
            let text = format!(
                "{} says its roles are {}: {} is missing",
                host.name,
                roles.join(", "),
                lacks.join(", ")
            );
            all.push(Clean::new(&text));
        }
    }
    all
}

fn step(at: StepRef<'_>) -> PlanStep {
    let (planned, step) = (at.planned(), at.step());
    let places = at.known_places();
    let shown = act::shown(at, step.kind.as_ref(), &places);
    let several = shown.len() > 1;
    let mut command = Vec::new();
    let alike = shown.values().all(|text| Some(text) == shown.values().next());
    for (host, text) in &shown {
        if several && !alike {
            command.push(Clean::new(&format!("{host}:")));
        }
        command.extend(Clean::lines(text));
        if alike {
            break;
        }
    }
    let text = |t: &crate::runbook::template::Template| prose(&at.shown(t));
    let undo = match &step.undo {
        Undo::Nothing | Undo::Impossible => None,
        Undo::NotNeeded(why) => Some(Clean::new(&format!("not needed ({})", text(why)))),
        Undo::By { kind, .. } => {
            let shown = act::shown(at, kind.as_ref(), &places);
            shown.values().next().map(|t| Clean::first_line(t, 200))
        }
    };
    let conditions = planned.under.iter().flat_map(|(wanted, branch)| match wanted {
        true => branch.when.iter().map(Condition::words).collect::<Vec<_>>(),
        false => describe::opposite(&branch.when).into_iter().collect(),
    });
    let conditions: Vec<String> = conditions.chain(step.when.iter().map(Condition::words)).collect();
    let when = match at.known_not_to_apply() {
        Some(why) => Some(Clean::new(&format!("not applicable here: {why}"))),
        None => (!conditions.is_empty()).then(|| Clean::new(&conditions.join(" and "))),
    };
    PlanStep {
        id: planned.id.to_string(),
        kind: step.word(),
        title: text(&step.title),
        why: step.why.as_ref().map(text),
        on: at.known_hosts(),
        effect: step.effect,
        asks: step.kind.entry().asks,
        command,
        when,
        undo,
        point_of_no_return: step.point_of_no_return,
        depth: planned.depth,
        window: planned.window.as_ref().map(|window| PlanWindow {
            id: window.id.to_string(),
            title: prose(&at.shown(&window.step.title)),
            why: window.step.why.as_ref().map(text),
            promise: Clean::new(&describe::limited(window.limit)),
            facts: window.step.pre.iter().map(|check| prose(&at.shown(&check.says))).collect(),
        }),
    }
}
