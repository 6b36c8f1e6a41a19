//! What cannot be stops the run and says so: it never counts as done, undone or finished.

use super::*;
use crate::runbook::definition::{On, Step};
use crate::runbook::event::{HostOutcome, Outcomes, Phase};
use crate::runbook::ids::StepId;
use crate::runbook::kinds::StepKind;
use crate::runbook::machine::Impossible;
use crate::runbook::place::Place;

/// A step that is done by hand on a host, with an undo that is a command; and one that fails.
fn hand() -> String {
    book(&format!("{HAND}{FAILS}"))
}

const HAND: &str = r#"
[[step]]
id = "hand"
kind = "manual"
title = "By hand"
on = "one"
text = "Set it."
effect = "mutate"
read_back = [{ says = "it is set", on = "one", run = "get it", expect = [{ is = "1" }] }]
undo = { run = "unset it", read_back = [{ says = "it is gone", on = "one", run = "get it", expect = [{ is = "0" }] }] }
"#;

/// The run of a runbook whose step was changed after it was read, past every check of the reader.
fn changed(book: &str, id: &str, change: impl FnOnce(&mut Step)) -> Machine {
    let mut plan = (**machine_of(book, false).plan()).clone();
    let at = plan.steps.iter().position(|planned| planned.id == id).unwrap();
    let mut planned = (*plan.steps[at]).clone();
    let mut step = (*planned.step).clone();
    change(&mut step);
    planned.step = Arc::new(step);
    plan.steps[at] = Arc::new(planned);
    Machine::new(Arc::new(plan), &RunId::new("run").unwrap(), "me@here", "because", "20261121", false)
}

fn refused(book: &str) -> String {
    let errors = Runbook::read("book.toml", book, &|_| None).unwrap_err();
    errors.iter().map(|e| e.render(false)).collect()
}

/// The last entry says that the run stopped, and why.
fn stopped(paper: &Paper) -> String {
    match &paper.entries.lock().unwrap().last().unwrap().event {
        Event::Stopped { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_undo_on_no_host_is_refused() {
    let book = hand().replace("on = \"one\"\ntext", "text");
    let said = refused(&book);
    assert!(said.contains("there is no host to undo this on"), "{said}");
    let edit = r#"undo = { file = "/x", changes = [{ key = "a", value = "b" }], message = "m" }"#;
    let salt = r#"undo = { salt = "state.sls", args = ["x"], read_back = [] }"#;
    for undo in [edit, salt] {
        let start = book.find("undo = ").unwrap();
        let end = start + book[start..].find('\n').unwrap();
        let said = refused(&format!("{}{undo}{}", &book[..start], &book[end..]));
        assert!(said.contains("there is no host to undo this on"), "{said}");
    }
    let none = book.find("undo = ").unwrap();
    let end = none + book[none..].find('\n').unwrap();
    let fine = format!("{}undo = {{ not_needed = \"it goes by itself\" }}{}", &book[..none], &book[end..]);
    assert!(Runbook::read("book.toml", &fine, &|_| None).is_ok());
}

#[tokio::test]
async fn nothing_is_undone_on_no_host() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let key = ("app1".to_owned(), "it".to_owned());
    world.set.lock().unwrap().insert(key.clone(), 1);
    let machine = changed(&hand(), "hand", |step| step.on = On::Nowhere);
    let mut asked_to_undo = 0;
    let (state, asked) = drive(launch_unseen(machine, needs(&world, &paper)), |prompt| match &prompt.kind {
        PromptKind::Choose(_) if prompt.title.to_string().contains("fails") => Reply::Chosen('b', None),
        PromptKind::Choose(_) => {
            asked_to_undo += 1;
            assert!(
                prompt.text.iter().any(|line| line.to_string().contains("no host is left to do it on")),
                "{prompt:?}"
            );
            Reply::Chosen('s', None)
        }
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(&state, RunState::Stopped(_)), "{state:?} {asked:?}");
    assert_eq!(asked_to_undo, 1, "{asked:?}");
    assert!(world.set.lock().unwrap().contains_key(&key), "nothing ran");
    let entries = paper.entries.lock().unwrap();
    let undone = entries.iter().find_map(|entry| match &entry.event {
        Event::Outcome { phase: Phase::Undo, hosts, .. } => Some(hosts.clone()),
        _ => None,
    });
    let verdicts: Vec<Verdict> = undone.unwrap().values().map(|o| o.verdict.clone()).collect();
    assert!(matches!(verdicts.as_slice(), [Verdict::Failed(_)]), "{verdicts:?}");
}

/// The kind of a step that holds others.
fn group() -> Arc<dyn StepKind> {
    let branch = r#"
[[step]]
id = "either"
kind = "branch"
when = [{ value = "{level}", is = "test" }]
[[step.step]]
id = "text"
kind = "note"
title = "A note"
text = "…"
"#;
    let book = format!("{}{branch}", hand());
    let runbook = Runbook::read("book.toml", &book, &|_| None).unwrap();
    runbook.steps.last().unwrap().kind.clone()
}

/// Every other kind says by its type who does it; what holds steps is left for a plan that did not unroll it.
#[tokio::test]
async fn a_kind_that_nobody_does_stops_the_run() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let machine = changed(&whole_book(), "first", |step| step.kind = group());
    let (state, _) = drive(launch_unseen(machine, needs(&world, &paper)), yes).await;
    let wanted =
        "internal error at step first: a step of kind branch is not run: the plan lists the steps inside it";
    assert!(matches!(&state, RunState::Stopped(why) if why.to_string().contains(wanted)), "{state:?}");
    assert!(stopped(&paper).contains(wanted) && stopped(&paper).contains("nothing more is done"));
    assert!(world.done.lock().unwrap().is_empty(), "nothing after it was done either");
}

#[test]
fn a_journal_of_another_plan_is_not_applied() {
    let other = StepId::new("other").unwrap();
    let outcome = |step: &StepId| Event::Outcome {
        step: step.clone(),
        phase: Phase::Run,
        attempt: 1,
        hosts: Outcomes::one(Place::Nowhere, HostOutcome::of(Verdict::Done)),
        withheld: Vec::new(),
        took_ms: 1,
    };
    let events = [
        outcome(&other),
        Event::Intent {
            step: other.clone(),
            phase: Phase::Run,
            attempt: 1,
            commands: BTreeMap::new(),
            facts: Vec::new(),
        },
        Event::Skipped { step: other.clone(), reason: String::new() },
        Event::HoldLost { step: other.clone(), reason: String::new() },
        Event::Excluded { host: HostName::new("app1").unwrap(), step: other.clone(), reason: String::new() },
    ];
    for event in events {
        assert_eq!(machine().apply(&event), Err(Impossible::UnknownStep(other.clone())), "{event:?}");
    }
    let mut machine = machine();
    let mut foreign = (**machine.plan().find("last").unwrap()).clone();
    foreign.position = 9999;
    assert!(machine.step(&foreign).is_err());
    let value = HostOutcome {
        values: BTreeMap::from([("nobody".to_owned(), "1".to_owned())]),
        ..HostOutcome::of(Verdict::Done)
    };
    let event = Event::Outcome {
        step: StepId::new("look").unwrap(),
        phase: Phase::Run,
        attempt: 1,
        hosts: Outcomes::one(Place::Nowhere, value),
        withheld: Vec::new(),
        took_ms: 1,
    };
    assert!(matches!(machine.apply(&event), Err(Impossible::At { .. })));
}

#[test]
fn an_outcome_of_no_host_in_an_old_journal_is_no_success() {
    let text = r#"{"event":"outcome","step":"first","phase":"undo","attempt":1,"hosts":{},"took_ms":3}"#;
    let event: Event = serde_json::from_str(text).unwrap();
    let Event::Outcome { hosts, .. } = event else { panic!("{event:?}") };
    assert!(hosts.values().all(|o| matches!(o.verdict, Verdict::Unknown(_))), "{hosts:?}");
}

/// A host that a batch may lose was changed before it was lost: a rollback does not pass it over.
#[tokio::test]
async fn what_was_done_on_a_host_that_was_left_out_since_is_undone_too() {
    let book = whole_book().replace("max_failures = 0", "max_failures = 1").replace(
        "[[step]]\nid = \"last\"",
        "  [[step.step]]\n  id = \"third\"\n  kind = \"check\"\n  title = \"Third\"\n  on = \"app\"\n  \
         run = \"get second\"\n  expect = [{ is = \"0\" }]\n\n[[step]]\nid = \"last\"",
    );
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch_unseen(machine_of(&book, false), needs(&world, &paper));
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::RolledBack, "{asked:?}");
    assert!(world.set.lock().unwrap().is_empty(), "{:?}", world.done.lock().unwrap());
}
