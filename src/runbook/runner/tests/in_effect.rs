//! What a run began and has not ended is told on every way out of it.

use super::*;
use crate::runbook::in_effect::{Marks, in_effect};
use crate::runbook::replay;
use crate::runbook::watched;
use jumpdeck_fleet::run::{EndedBy, InEffect, RunView};

/// Holds something, stops writes, changes for good, resumes writes, ends what it held.
fn frozen_book() -> String {
    let hold = sets("hold") + "lasts = { says = \"Highstate is disabled\", until = [\"allow\"] }\n";
    let freeze = sets("freeze") + "writes = \"stop\"\nmax_dwell = \"30s\"\nimpact = \"Nobody can write.\"\n";
    let no_return = sets_for_good("promote")
        .replace("undo = { not_needed = \"a test\" }", "point_of_no_return = true\nwrites = \"resume\"");
    let moved = sets_for_good("moved") + "writes = \"resume\"\n";
    let steps = [hold, freeze, sets("between"), no_return, moved, sets_for_good("allow")];
    book(&steps.concat())
}

fn told(view: &RunView) -> Vec<(&str, bool, &str, bool)> {
    let word = |by: &EndedBy| match by {
        EndedBy::Rollback => "rollback",
        EndedBy::GoingOn => "going on",
        EndedBy::NotThisRun => "not this run",
        EndedBy::Hand(_) => "hand",
    };
    let line = |one: &'_ InEffect| (one.certain, word(&one.ended_by), one.stops_writes);
    view.in_effect
        .iter()
        .map(|one| {
            let (certain, by, writes) = line(one);
            (one.step.as_str(), certain, by, writes)
        })
        .collect()
}

const HELD: (&str, bool, &str, bool) = ("hold", true, "rollback", false);
const FROZEN: (&str, bool, &str, bool) = ("freeze", true, "rollback", true);

/// Runs to the question of that title, and answers it so; yes to everything before.
async fn left_at(world: &Arc<World>, paper: &Paper, at: &str, reply: fn(&Prompt) -> Reply) -> Arc<RunView> {
    let handle = begin(machine_of(&frozen_book(), false), needs(world, paper));
    let mut views = handle.view.clone();
    drive(handle, |prompt| if prompt.title.as_str().starts_with(at) { reply(prompt) } else { yes(prompt) })
        .await;
    views.borrow_and_update().clone()
}

fn stop(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => Reply::No,
    }
}

#[tokio::test]
async fn a_run_that_stops_while_writes_are_refused_says_so() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = begin(machine_of(&frozen_book(), false), needs(&world, &paper));
    let (mut views, commands) = (handle.view.clone(), handle.commands.clone());
    let (state, _) = drive(handle, |prompt| {
        if prompt.title.as_str() == "Between" {
            commands.try_send(RunCommand::Stop).unwrap();
        }
        yes(prompt)
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    let view = views.borrow_and_update().clone();
    assert_eq!(told(&view), [HELD, FROZEN]);
    let freeze = &view.in_effect[1];
    assert_eq!((freeze.says.as_str(), freeze.on.len()), ("Writes are refused", 1));
    let line = freeze.line();
    assert!(line.starts_with("Writes are refused on app1 since 1970-01-01 "), "{line}");
    assert_eq!(view.in_effect[0].says.as_str(), "Highstate is disabled");
}

#[tokio::test]
async fn nothing_is_in_effect_after_the_end_nor_after_a_rollback_nor_in_a_dry_run() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let view = left_at(&world, &paper, "nothing", yes).await;
    assert_eq!((&view.state, told(&view)), (&RunState::Finished, vec![]));

    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set between".to_owned());
    let back: fn(&Prompt) -> Reply = |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => Reply::Yes,
    };
    let view = left_at(&world, &paper, "Step 3 (between)", back).await;
    assert_eq!((&view.state, told(&view)), (&RunState::RolledBack, vec![]));

    let handle = begin(machine_of(&frozen_book(), true), needs(&world, &Paper::default()));
    let mut views = handle.view.clone();
    drive(handle, yes).await;
    assert_eq!(told(&views.borrow_and_update().clone()), []);
}

#[tokio::test]
async fn behind_the_point_of_no_return_only_going_on_ends_it() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set moved".to_owned());
    let view = left_at(&world, &paper, "Step 5 (moved)", stop).await;
    assert!(matches!(view.state, RunState::Stopped(_)), "{:?}", view.state);
    // The new server takes writes, and nobody writes to it yet.
    assert_eq!(told(&view), [("hold", true, "going on", false), ("freeze", true, "going on", true)]);
}

#[tokio::test]
async fn of_a_run_that_was_aborted_the_commands_that_end_it_are_told() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.idle.lock().unwrap().push("set between".to_owned());
    let abort: fn(&Prompt) -> Reply = |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('a', Some("enough".to_owned())),
        _ => Reply::Yes,
    };
    let view = left_at(&world, &paper, "Step 3 (between)", abort).await;
    assert!(matches!(view.state, RunState::Abandoned(_)), "{:?}", view.state);
    let EndedBy::Hand(commands) = &view.in_effect[1].ended_by else { panic!("{:?}", view.in_effect) };
    let lines: Vec<_> = commands.iter().flat_map(|(_, lines)| lines).map(Clean::as_str).collect();
    assert_eq!(lines, ["unset freeze"]);
}

#[tokio::test]
async fn a_freeze_that_was_cut_off_may_be_in_effect() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set freeze".to_owned());
    let view = left_at(&world, &paper, "Step 2 (freeze): outcome unknown", stop).await;
    assert_eq!(told(&view)[1], ("freeze", false, "rollback", true));
    assert!(view.in_effect[1].line().contains("unknown"), "{}", view.in_effect[1].line());
}

#[tokio::test]
async fn a_journal_tells_the_same_whatever_entry_it_was_cut_off_at() {
    let (world, whole) = (Arc::new(World::default()), Paper::default());
    left_at(&world, &whole, "nothing", yes).await;
    let mut entries = vec![Paper::default().append(&started(&machine_of(&frozen_book(), false))).unwrap()];
    entries.extend(whole.entries.lock().unwrap().iter().cloned());
    let mut frozen_at = 0;
    let now = (Moment(5), Timestamp::UNIX_EPOCH);
    let mut kept = watched::Watch::begin(entries[0].clone(), now).unwrap();
    for count in 1..=entries.len() {
        let entries = &entries[..count];
        let view = watched::view(entries, now).unwrap();
        if count > 1 {
            kept.take(entries[count - 1].clone(), now).unwrap();
        }
        // Entry by entry or all at once.
        assert_eq!(kept.look(now, None), view);
        let machine = replay::machine(entries).unwrap();
        assert_eq!(view.in_effect, in_effect(&machine, &Marks::of(entries), now));
        let done = |id: &str| {
            machine.find(&crate::runbook::ids::StepId::new(id).unwrap()).unwrap().record().status.clone()
        };
        use crate::runbook::machine::StepStatus;
        let begun = done("freeze") != StepStatus::Waiting;
        let over = done("moved") == StepStatus::Done;
        let frozen = told(&view).iter().any(|(step, ..)| *step == "freeze");
        assert_eq!(frozen, begun && !over, "after {count} entries");
        frozen_at += usize::from(frozen);
    }
    assert!(frozen_at > 5, "{frozen_at}");
}
