//! Runbooks, plans and runs to draw. Test code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use crate::app::model::runs::{PlanScreen, PlanState};
use crate::app::model::{Model, Screen};
use crate::domain::names::EnvName;
use crate::domain::run::*;
use crate::domain::text::Clean;
use crate::domain::time::Moment;

use super::fixtures::{NOW, healthy, name, settled};

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
            entry("failover-masterdb", "Replaces a dead masterdb", Danger::Data, 21, None),
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

fn step(id: &str, kind: &'static str, title: &str, effect: Effect, command: &[&str]) -> PlanStep {
    PlanStep {
        id: id.to_owned(),
        kind,
        title: title.into(),
        why: None,
        on: vec![name("db1-masterdb")],
        effect,
        command: command.iter().map(|c| Clean::new(c)).collect(),
        when: None,
        undo: None,
        point_of_no_return: false,
        depth: 0,
    }
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
        inputs: vec![("candidate".into(), "db2".into())],
        targets: vec![
            PlanTarget {
                name: "old".to_owned(),
                hosts: vec![host("db1-masterdb", "db masterdb", Ok("masterdb db"))],
                note: None,
            },
            PlanTarget {
                name: "siblings".to_owned(),
                hosts: vec![host("db2", "db", Ok("db memcache")), host("db3", "db", Err("no grains file"))],
                note: Some("but for candidate".into()),
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

const STEPS: [(&str, &str, Effect); 12] = [
    ("check", "Every database answers", Effect::Read),
    ("check", "Nobody may write through read_only", Effect::Read),
    ("wait_until", "The candidate has caught up", Effect::Read),
    ("hold", "Take the locks", Effect::Mutate),
    ("note", "Tell the editors", Effect::Read),
    ("sql", "Freeze the old masterdb", Effect::Mutate),
    ("wait_until", "The candidate has every transaction", Effect::Read),
    ("sql", "Open the new masterdb for writing", Effect::Mutate),
    ("edit", "Name the new masterdb in the pillar", Effect::Mutate),
    ("salt", "Applications use the new masterdb", Effect::Mutate),
    ("sql", "Point db3 at the new masterdb", Effect::Mutate),
    ("report", "Write the report", Effect::Read),
];

/// A run at its sixth step, which runs.
pub(crate) fn run() -> RunView {
    let steps = STEPS.iter().enumerate().map(|(i, (kind, title, effect))| StepView {
        id: format!("s{i}"),
        kind,
        asks: Asks::Nothing,
        title: (*title).into(),
        on: vec![name(if i > 6 { "db2" } else { "db1-masterdb" })],
        effect: *effect,
        point_of_no_return: i == 7,
        depth: usize::from(i == 10),
        captures: Vec::new(),
        state: match i {
            4 => StepState::Skipped("the editors know".into()),
            0..=4 => StepState::Done,
            5 => StepState::Running,
            _ => StepState::Waiting,
        },
        began: (i <= 5).then(|| ago(30 - 4 * i as u64)),
        took: (i < 5).then(|| Duration::from_millis(120 + 4100 * i as u64)),
        skipped_by_operator: false,
    });
    RunView {
        id: RUN.to_owned(),
        runbook: "promote-masterdb".to_owned(),
        title: "Makes a replica the masterdb".into(),
        env: production(),
        simulated: true,
        mode: Mode::Live,
        who: "anna@desk1".into(),
        why: "db1 gets new disks".into(),
        began: ago(95),
        state: RunState::Running,
        steps: steps.collect(),
        current: Some(5),
        doing: Some(doing()),
        past: Vec::new(),
        prompt: None,
        safety: Safety::Until { until: Moment(NOW.0 + 84_000), cost: "writes are refused meanwhile".into() },
        in_effect: Vec::new(),
        values: vec![("position".to_owned(), Some(name("db1-masterdb")), "0-1-4711".into())],
        notes: vec![("13:45:02".into(), "anna@desk1".into(), "editors told in the channel".into())],
        watching: false,
        trouble: None,
        report: Vec::new(),
    }
}

/// The same, writes being refused.
pub(crate) fn frozen() -> RunView {
    let freeze = InEffect {
        step: "s5".into(),
        says: "Writes are refused".into(),
        on: vec![name("db1-masterdb")],
        since: ago(40),
        since_clock: "13:45:02+01:00".into(),
        certain: true,
        stops_writes: true,
        found: false,
        ended_by: EndedBy::Rollback,
    };
    RunView { in_effect: vec![freeze], ..run() }
}

fn doing() -> Doing {
    Doing {
        why: Some("No write may be accepted that the new masterdb has not got.".into()),
        impact: Some("Saving a page is refused until the new masterdb is open.".into()),
        commands: vec![(
            Some(name("db1-masterdb")),
            vec![
                "SET STATEMENT max_statement_time=10 FOR SET GLOBAL read_only=1;".into(),
                "SELECT @@read_only;".into(),
            ],
        )],
        facts: vec![
            FactView {
                says: "db2 has caught up".into(),
                host: Some(name("db2")),
                seen: Ok("0-1-4711, lag 0s".into()),
                at: ago(2),
            },
            FactView {
                says: "no dump or backup runs".into(),
                host: Some(name("db1-masterdb")),
                seen: Ok("none".into()),
                at: ago(41),
            },
        ],
        output: vec![
            (Some(name("db1-masterdb")), "Query OK, 0 rows affected (0.004 sec)".into()),
            (Some(name("db1-masterdb")), "@@read_only".into()),
            (Some(name("db1-masterdb")), "1".into()),
        ],
        output_before: 0,
        next: Some("Wait until db2 has every transaction of db1-masterdb".into()),
        undo: Some("SET GLOBAL read_only=0 on db1-masterdb".into()),
    }
}

/// The same, asking something.
pub(crate) fn asking(title: &str, text: &[&str], kind: PromptKind) -> RunView {
    let mut run = run();
    run.state = RunState::Waiting;
    run.steps[5].state = StepState::Asked;
    run.doing.as_mut().unwrap().output.clear();
    run.prompt = Some(Prompt {
        number: 6,
        title: title.into(),
        text: text.iter().map(|t| Clean::new(t)).collect(),
        kind,
    });
    run
}

pub(crate) fn confirm() -> RunView {
    let text = ["From here on writes are refused, until the new masterdb is open."];
    asking("Freeze db1-masterdb?", &text, PromptKind::Confirm)
}

pub(crate) fn challenge() -> RunView {
    let mut run = asking(
        "Open db2 for writing?",
        &["After its first write there is no way back."],
        PromptKind::Challenge("db2".into()),
    );
    run.current = Some(7);
    run.steps[5].state = StepState::Done;
    run.steps[6].state = StepState::Done;
    run.steps[7].state = StepState::Asked;
    run
}

pub(crate) fn failed() -> RunView {
    let choice = |key, label: &str, reason| Choice {
        key,
        label: label.into(),
        reason,
        changes: matches!(key, 'b' | 'r'),
    };
    let kind = PromptKind::Choose(vec![
        choice('b', "roll back to the last safe point", false),
        choice('r', "try again", false),
        choice('k', "skip it: events stay enabled", true),
        choice('s', "stop here; the run may be resumed", false),
    ]);
    let mut run = asking("The step failed", &[], kind);
    let why = "ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction";
    run.steps[5].state = StepState::Failed(why.into());
    run.safety = Safety::Until { until: ago(12), cost: "writes are refused meanwhile".into() };
    run
}

pub(crate) fn unknown() -> RunView {
    let choice = |key, label: &str, reason| Choice {
        key,
        label: label.into(),
        reason,
        changes: matches!(key, 'b' | 'r'),
    };
    let kind = PromptKind::Choose(vec![
        choice('l', "look again", false),
        choice('d', "I looked: it was done", true),
        choice('n', "I looked: it was not done", true),
        choice('s', "stop here; the run may be resumed", false),
    ]);
    let mut run =
        asking("Nobody knows how the step went", &["The link was lost after the statement was sent."], kind);
    run.steps[5].state =
        StepState::Unknown("On db1-masterdb: SELECT @@read_only; 1 means that it was done.".into());
    run.trouble = Some("the link to db1-masterdb was lost; connecting again".into());
    run
}

/// Over: every step done but for what was left out.
pub(crate) fn finished() -> RunView {
    let mut run = run();
    for step in run.steps.iter_mut().skip(5) {
        step.state = StepState::Done;
        step.took = Some(Duration::from_millis(800));
    }
    (run.state, run.current, run.doing) = (RunState::Finished, None, None);
    let row = |label: &str, text: &str| (Clean::new(label), Clean::new(text));
    run.report = vec![
        ReportSection {
            title: "REPORT",
            rows: vec![
                row("took", "4 min 12 s: began 13:45:02, ended 13:49:14"),
                row("no writes", "2.8 s (freeze to writes-arrive)"),
            ],
        },
        ReportSection { title: "TIMELINE", rows: vec![row("13:45:02", "anna@desk began promote-masterdb")] },
    ];
    run
}

/// Standing, with a step of which nobody knows.
pub(crate) fn stopped() -> RunView {
    let mut run = unknown();
    (run.state, run.current, run.doing, run.prompt) =
        (RunState::Stopped("the operator left".into()), None, None, None);
    run.trouble = None;
    run
}

pub(crate) fn watching() -> RunView {
    RunView { watching: true, who: "ben@desk2".into(), ..confirm() }
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
