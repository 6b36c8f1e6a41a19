//! Runbooks, plans and runs to draw. Test code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use crate::app::model::runs::{PlanScreen, PlanState};
use crate::app::model::{Model, Screen};
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::run::*;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

use super::fixtures::{NOW, healthy, name, settled};

mod runs;

pub(crate) use runs::*;

pub(crate) const RUN: &str = "20261121-134502-promote-masterdb-a3f1";

fn production() -> EnvName {
    EnvName::new("production").unwrap()
}

fn ago(seconds: u64) -> Moment {
    Moment(NOW.0 - seconds * 1000)
}

pub(crate) fn input(name: &str, label: &str, choices: &[&str]) -> InputView {
    InputView {
        name: name.to_owned(),
        label: label.into(),
        help: Some("The most advanced replica is the best: it has the least to catch up.".into()),
        wanted: "a host with the role db".into(),
        choices: choices.iter().map(|c| Clean::new(c)).collect(),
        default: None,
        finds: false,
        because: None,
        sensitive: false,
        not: Vec::new(),
    }
}

fn entry(name: &str, title: &str, danger: Danger, steps: usize, last: Option<&str>) -> RunbookEntry {
    RunbookEntry {
        name: name.to_owned(),
        title: title.into(),
        summary: format!("{title}. For a planned change, while both are up and replication runs; not when the old one is dead.").into(),
        danger,
        own: name == "prune-notes",
        steps,
        inputs: vec![input("candidate", "The new masterdb", &["db2", "db3"])],
        remedies: Vec::new(),
        last_run: last.map(Clean::new),
    }
}

pub(crate) fn listing() -> Arc<Listing> {
    let brief = |id: &str, runbook: &str, held, who: &str, says: &str| RunBrief {
        id: id.to_owned(),
        runbook: runbook.to_owned(),
        mode: Mode::Live,
        who: who.into(),
        held,
        says: says.into(),
    };
    Arc::new(Listing {
        env: production(),
        runs: vec![
            brief(
                "20261121-120101-replace-vm-77aa",
                "replace-vm",
                false,
                "anna@desk1",
                "at \"Wait for the new key\" for 2h: the link to the jump box was lost",
            ),
            brief(
                "20261121-133000-deploy-code-12ab",
                "deploy-code",
                true,
                "ben@desk2",
                "at \"Canary\" for 40s",
            ),
        ],
        runbooks: vec![
            entry(
                "promote-masterdb",
                "Makes a replica the masterdb",
                Danger::Data,
                27,
                Some("finished 3d ago by anna"),
            ),
            RunbookEntry {
                remedies: vec![Remedy {
                    kind: ProblemKind::HostDown,
                    services: Vec::new(),
                    roles: Vec::new(),
                    not_roles: Vec::new(),
                    input: Some("candidate".to_owned()),
                }],
                ..entry("failover-masterdb", "Replaces a dead masterdb", Danger::Data, 21, None)
            },
            entry(
                "setup-replica",
                "Sets up a replica over TLS",
                Danger::Changes,
                14,
                Some("rolled back 9d ago by ben"),
            ),
            entry("mail-queue", "Looks at the mail queue", Danger::Reads, 4, Some("finished 1h ago by ben")),
            entry("prune-notes", "Prunes old notes", Danger::Changes, 3, None),
        ],
        troubles: vec!["runbooks/own.toml line 12: unknown step kind \"shel\"".into()],
    })
}

/// The list, with a run of this console.
pub(crate) fn list() -> Model {
    let mut model = with(run());
    model.screens = vec![Screen::Fleet, Screen::Runbooks];
    settled(model)
}

/// The list, from a problem.
pub(crate) fn list_for() -> Model {
    let mut model = with(run());
    model.screens = vec![Screen::Fleet, Screen::Problems, Screen::Runbooks];
    model.runs.about = Some(Problem {
        severity: Severity::Critical,
        env: production(),
        host: Some(name("db1-masterdb")),
        named: Vec::new(),
        kind: ProblemKind::HostDown,
        service: None,
        subject: None,
        message: "timed out: no answer within 10 s after the TCP connection".to_owned(),
    });
    settled(model)
}

fn host(host: &str, roles: &str, says: Result<&str, &str>) -> PlanHost {
    let says = says.map(Clean::new).map_err(Clean::new);
    PlanHost {
        name: name(host),
        address: "10.0.0.17".to_owned(),
        roles: (roles.into(), says),
        level: ("production".into(), Ok("production".into())),
        hostname: Ok(format!("{host}.production.example").into()),
    }
}

/// What the kinds in these plans ask of people.
fn asks(kind: &str) -> Asks {
    match kind {
        "confirm" | "challenge" => Asks::Yes,
        "input" => Asks::Value,
        "manual" => Asks::Work,
        "note" | "report" => Asks::ToRead,
        _ => Asks::Nothing,
    }
}

fn step(id: &str, kind: &'static str, title: &str, effect: Effect, command: &[&str]) -> PlanStep {
    PlanStep {
        id: id.to_owned(),
        kind,
        title: title.into(),
        why: None,
        on: vec![name("db1-masterdb")],
        effect,
        asks: asks(kind),
        command: command.iter().map(|c| Clean::new(c)).collect(),
        when: None,
        undo: None,
        point_of_no_return: false,
        depth: 0,
        window: None,
    }
}

/// An input that facts answered.
pub(crate) fn found(name: &str, value: &str) -> InputView {
    let because = Some("the only replica whose threads run without an error".into());
    InputView { finds: true, default: Some(value.into()), because, ..input(name, "The new masterdb", &[]) }
}

pub(crate) fn plan() -> PlanView {
    let mut freeze = step(
        "freeze",
        "sql",
        "Freeze the old masterdb",
        Effect::Mutate,
        &["SET STATEMENT max_statement_time=10 FOR SET GLOBAL read_only=1"],
    );
    freeze.why = Some("No write may be accepted that the new masterdb has not got.".into());
    freeze.undo = Some("SET GLOBAL read_only=0 on db1-masterdb".into());
    let mut open =
        step("open", "sql", "Open the new masterdb for writing", Effect::Mutate, &["SET GLOBAL read_only=0"]);
    open.on = vec![name("db2")];
    open.point_of_no_return = true;
    let mut repoint = step(
        "repoint[1/1]/change",
        "sql",
        "Point the sibling at the new masterdb",
        Effect::Mutate,
        &[
            "CHANGE MASTER TO MASTER_HOST='10.0.0.18', MASTER_PORT=3306, MASTER_USER='repl', MASTER_PASSWORD='•••', MASTER_SSL=1, MASTER_USE_GTID=slave_pos",
            "START SLAVE",
        ],
    );
    repoint.on = vec![name("db3")];
    repoint.depth = 1;
    repoint.when = Some("gtid_mode is slave_pos".into());
    PlanView {
        runbook: "promote-masterdb".to_owned(),
        title: "Makes a replica the masterdb".into(),
        env: production(),
        simulated: true,
        challenge: true,
        hash: "3f2a9c51d0be77".to_owned(),
        inputs: vec![PlanInput { name: "candidate".into(), value: "db2".into(), because: None }],
        targets: vec![
            PlanTarget {
                name: "old".to_owned(),
                hosts: vec![host("db1-masterdb", "db masterdb", Ok("masterdb db"))],
                note: None,
            },
            PlanTarget {
                name: "siblings".to_owned(),
                hosts: vec![host("db2", "db", Ok("db memcache")), host("db3", "db", Err("no grains file"))],
                note: Some("except candidate".into()),
            },
        ],
        steps: vec![
            step(
                "facts",
                "check",
                "Every database answers and is as the inventory says",
                Effect::Read,
                &["SELECT @@read_only, @@server_id"],
            ),
            freeze,
            open,
            repoint,
        ],
        problems: vec![],
    }
}

/// The plan screen.
pub(crate) fn planned(plan: PlanView) -> Model {
    let mut model = healthy();
    model.runs.plan = Some(PlanScreen {
        env: production(),
        runbook: plan.runbook.clone(),
        state: PlanState::Made(Arc::new(plan)),
        refused: Vec::new(),
        scroll: 0,
    });
    model.screens = vec![Screen::Fleet, Screen::Runbooks, Screen::Plan];
    settled(model)
}

/// A healthy fleet and this run.
pub(crate) fn with(run: RunView) -> Model {
    let mut model = healthy();
    model.runs.listings.insert(production(), listing());
    model.screens = vec![Screen::Fleet, Screen::Runbooks, Screen::Run(run.id.clone())];
    model.runs.known.push(Arc::new(run));
    settled(model)
}

/// Armed for so many seconds more.
pub(crate) fn armed(mut model: Model, seconds: u64) -> Model {
    model.runs.armed = Some(Arming {
        env: production(),
        reason: "db1 gets new disks".into(),
        until: Moment(NOW.0 + seconds * 1000),
    });
    model
}
