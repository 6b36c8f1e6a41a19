//! Runs in every state.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

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
        asks: asks(kind),
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
        earlier: 0,
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
        guards: Vec::new(),
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
