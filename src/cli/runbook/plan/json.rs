//! A plan as JSON, schema 1; docs/runbooks.md has its fields.

use serde::Serialize;

use jumpdeck_fleet::run::{Effect, PlanHost, PlanStep, PlanView};
use jumpdeck_fleet::text::Clean;

/// One plan.
#[derive(Debug, Serialize)]
pub(super) struct PlanJson<'p> {
    schema: u32,
    runbook: &'p str,
    title: &'p str,
    environment: &'p str,
    simulated: bool,
    confirmed_by: &'static str,
    hash: &'p str,
    inputs: Vec<InputJson<'p>>,
    targets: Vec<TargetJson<'p>>,
    steps: Vec<StepJson<'p>>,
    problems: Vec<&'p str>,
}

#[derive(Debug, Serialize)]
struct InputJson<'p> {
    name: &'p str,
    value: &'p str,
    because: Option<&'p str>,
}

#[derive(Debug, Serialize)]
struct TargetJson<'p> {
    name: &'p str,
    note: Option<&'p str>,
    hosts: Vec<HostJson<'p>>,
}

#[derive(Debug, Serialize)]
struct HostJson<'p> {
    name: &'p str,
    address: &'p str,
    roles: &'p str,
    level: &'p str,
    /// What the host itself says; `null` with the reason in `silence`.
    says_roles: Option<&'p str>,
    says_level: Option<&'p str>,
    says_hostname: Option<&'p str>,
    silence: Option<&'p str>,
}

#[derive(Debug, Serialize)]
struct StepJson<'p> {
    id: &'p str,
    kind: &'static str,
    title: &'p str,
    why: Option<&'p str>,
    on: Vec<&'p str>,
    effect: &'static str,
    /// What it asks of people; `null` for nothing.
    asks: Option<&'static str>,
    command: Vec<&'p str>,
    when: Option<&'p str>,
    undo: Option<&'p str>,
    point_of_no_return: bool,
    depth: usize,
    window: Option<&'p str>,
}

impl<'p> PlanJson<'p> {
    /// The same plan.
    pub(super) fn new(plan: &'p PlanView) -> Self {
        Self {
            schema: 1,
            runbook: &plan.runbook,
            title: plan.title.as_str(),
            environment: plan.env.as_str(),
            simulated: plan.simulated,
            confirmed_by: if plan.challenge { "challenge" } else { "yes" },
            hash: &plan.hash,
            inputs: plan
                .inputs
                .iter()
                .map(|input| InputJson {
                    name: input.name.as_str(),
                    value: input.value.as_str(),
                    because: input.because.as_ref().map(Clean::as_str),
                })
                .collect(),
            targets: plan
                .targets
                .iter()
                .map(|target| TargetJson {
                    name: &target.name,
                    note: text(target.note.as_ref()),
                    hosts: target.hosts.iter().map(host).collect(),
                })
                .collect(),
            steps: plan.steps.iter().map(step).collect(),
            problems: plan.problems.iter().map(Clean::as_str).collect(),
        }
    }
}

fn host(host: &PlanHost) -> HostJson<'_> {
    let silence = [&host.hostname, &host.level.1, &host.roles.1].into_iter().find_map(|v| v.as_ref().err());
    HostJson {
        name: host.name.as_str(),
        address: &host.address,
        roles: host.roles.0.as_str(),
        level: host.level.0.as_str(),
        says_roles: text(host.roles.1.as_ref().ok()),
        says_level: text(host.level.1.as_ref().ok()),
        says_hostname: text(host.hostname.as_ref().ok()),
        silence: text(silence),
    }
}

fn step(step: &PlanStep) -> StepJson<'_> {
    StepJson {
        id: &step.id,
        kind: step.kind,
        title: step.title.as_str(),
        why: text(step.why.as_ref()),
        on: step.on.iter().map(|h| h.as_str()).collect(),
        effect: match step.effect {
            Effect::Read => "read",
            Effect::Mutate => "mutate",
            Effect::Destructive => "destructive",
        },
        asks: step.asks.word(),
        command: step.command.iter().map(Clean::as_str).collect(),
        when: text(step.when.as_ref()),
        undo: text(step.undo.as_ref()),
        point_of_no_return: step.point_of_no_return,
        depth: step.depth,
        window: step.window.as_ref().map(|window| window.id.as_str()),
    }
}

fn text(value: Option<&Clean>) -> Option<&str> {
    value.map(Clean::as_str)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::runbook::fixture::plan;

    #[test]
    fn every_field_is_there() {
        let plan = plan();
        insta::assert_snapshot!(serde_json::to_string_pretty(&PlanJson::new(&plan)).unwrap());
    }
}
