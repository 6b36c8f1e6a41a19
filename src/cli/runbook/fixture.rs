//! A small run for tests.

use std::time::Duration;

use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::{
    Asks, Doing, Effect, FactView, Mode, PlanHost, PlanInput, PlanStep, PlanTarget, PlanView, RunState,
    RunView, Safety, StepState, StepView,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn step(id: &str, kind: &'static str, title: &str, effect: Effect) -> StepView {
    StepView {
        id: id.to_owned(),
        kind,
        asks: if kind == "confirm" { Asks::Yes } else { Asks::Nothing },
        title: Clean::new(title),
        on: if effect == Effect::Read { Vec::new() } else { vec![host("db1")] },
        effect,
        point_of_no_return: false,
        depth: 0,
        captures: Vec::new(),
        state: StepState::Waiting,
        began: None,
        took: None,
        skipped_by_operator: false,
    }
}

/// A run of two steps that has just begun.
pub(super) fn run() -> RunView {
    RunView {
        id: "20261121-134502-freeze-a3f1".to_owned(),
        runbook: "freeze".to_owned(),
        title: Clean::new("Freeze the master"),
        env: EnvName::new("production").unwrap(),
        simulated: true,
        mode: Mode::Live,
        who: Clean::new("anna@desk"),
        why: Clean::new("a new disk"),
        began: Moment(1000),
        state: RunState::Running,
        steps: vec![
            step("ask", "confirm", "Shall db1 be frozen?", Effect::Read),
            step("freeze", "sql", "Freeze db1: no more writes", Effect::Mutate),
        ],
        current: None,
        doing: None,
        past: Vec::new(),
        earlier: 0,
        prompt: None,
        safety: Safety::Safe,
        in_effect: Vec::new(),
        values: Vec::new(),
        notes: Vec::new(),
        watching: false,
        trouble: None,
        report: Vec::new(),
    }
}

/// What the second step does.
pub(super) fn freezing() -> Doing {
    Doing {
        why: Some(Clean::new("nobody may write while the replica becomes master")),
        impact: Some(Clean::new("edits are refused for some seconds")),
        commands: vec![(Some(host("db1")), vec![Clean::new("SET GLOBAL read_only = 1")])],
        facts: vec![FactView {
            says: Clean::new("db1 is the only one that may be written to"),
            host: Some(host("db1")),
            seen: Ok(Clean::new("0")),
            at: Moment(4000),
        }],
        output: Vec::new(),
        output_before: 0,
        next: Some(Clean::new("wait until db2 has everything")),
        undo: Some(Clean::new("SET GLOBAL read_only = 0")),
    }
}

/// The second step, under way.
pub(super) fn at_freeze(mut view: RunView) -> RunView {
    view.steps[0].state = StepState::Done;
    view.steps[0].took = Some(Duration::from_millis(2300));
    view.steps[1].state = StepState::Running;
    view.current = Some(1);
    view.doing = Some(freezing());
    view
}

/// The plan of that run.
pub(super) fn plan() -> PlanView {
    let step = |id: &str, kind, title: &str, effect, command: &str| PlanStep {
        id: id.to_owned(),
        kind,
        title: Clean::new(title),
        why: None,
        on: if effect == Effect::Read { Vec::new() } else { vec![host("db1")] },
        effect,
        asks: if kind == "confirm" { Asks::Yes } else { Asks::Nothing },
        command: command.lines().map(Clean::new).collect(),
        when: None,
        undo: None,
        point_of_no_return: false,
        depth: 0,
        window: None,
    };
    let mut ask = step("ask", "confirm", "Shall db1 be frozen?", Effect::Read, "");
    ask.why =
        Some(Clean::new("what is written after this moment would be lost, so nobody may write any more"));
    let mut freeze =
        step("freeze", "sql", "Freeze db1: no more writes", Effect::Mutate, "SET GLOBAL read_only = 1");
    freeze.undo = Some(Clean::new("SET GLOBAL read_only = 0"));
    freeze.when = Some(Clean::new("mode is gtid"));
    let mut open = step("repoint[1/1]/open", "run", "Open db1", Effect::Destructive, "set -e\nopen db1");
    (open.point_of_no_return, open.depth) = (true, 1);
    PlanView {
        runbook: "freeze".to_owned(),
        title: Clean::new("Freeze the master"),
        env: EnvName::new("production").unwrap(),
        simulated: true,
        challenge: true,
        hash: "00112233445566778899aabbccddeeff".repeat(2),
        inputs: vec![PlanInput { name: "candidate".into(), value: "db2".into(), because: None }],
        targets: vec![PlanTarget {
            name: "old".to_owned(),
            hosts: vec![PlanHost {
                name: host("db1"),
                address: "10.10.10.11".to_owned(),
                roles: (Clean::new("db, masterdb"), Ok(Clean::new("db, masterdb"))),
                level: (Clean::new("production"), Ok(Clean::new("production"))),
                hostname: Ok(Clean::new("db1")),
            }],
            note: Some(Clean::new("except candidate")),
        }],
        steps: vec![ask, freeze, open],
        problems: Vec::new(),
    }
}
