//! Windows: nobody is asked inside, and unless all goes well in time everything done in it is undone, writes first.

use super::*;
use crate::runbook::event::Phase;
use crate::runbook::windows::stories;

/// One confirmation, then a freeze, a reading, a stop, the promotion, and what follows it.
pub(super) const WINDOW: &str = r#"
[[target]]
name = "two"
host = "app2"

[[step]]
id = "go"
kind = "challenge"
title = "Promote"
value = "{two}"
covers = ["freeze", "stop", "promote", "flip"]

[[step]]
id = "switch"
kind = "window"
title = "Writes move"
limit = "3s"
pre = [{ says = "nothing is wrong", on = "two", run = "get wrong", expect = [{ is = "0" }] }]

  [[step.step]]
  id = "freeze"
  kind = "run"
  title = "Freeze"
  on = "one"
  run = "set frozen"
  effect = "mutate"
  writes = "stop"
  read_back = [{ says = "it is frozen", run = "get frozen", expect = [{ is = "1" }] }]
  undo = { run = "unset frozen", read_back = [{ says = "it takes writes", run = "get frozen", expect = [{ is = "0" }] }] }

  [[step.step]]
  id = "where"
  kind = "check"
  title = "Where it ends"
  on = "one"
  run = "say 7"
  capture = [{ name = "pos", kind = "word" }]

  [[step.step]]
  id = "stop"
  kind = "run"
  title = "Stop replication"
  on = "two"
  run = "set stopped"
  effect = "mutate"
  read_back = [{ says = "it stands", run = "get stopped", expect = [{ is = "1" }] }]
  undo = { run = "unset stopped", read_back = [{ says = "it runs", run = "get stopped", expect = [{ is = "0" }] }] }

  [[step.step]]
  id = "promote"
  kind = "run"
  title = "Promote"
  on = "two"
  pre = [{ says = "it is level", run = "get behind", expect = [{ is = "0" }] }]
  run = "set writable"
  effect = "mutate"
  writes = "resume"
  point_of_no_return = true
  read_back = [{ says = "it takes writes", run = "get writable", expect = [{ is = "1" }] }]

  [[step.step]]
  id = "flip"
  kind = "run"
  title = "Applications"
  on = "apps"
  run = "set moved"
  effect = "mutate"
  read_back = [{ says = "they moved", run = "get moved", expect = [{ is = "1" }] }]
  undo = { not_needed = "it is behind the point of no return" }
"#;

fn key(host: &str, name: &str) -> (String, String) {
    (host.to_owned(), name.to_owned())
}

/// Runs it; at decisions it is stopped.
async fn run(world: &Arc<World>, paper: &Paper) -> (RunState, Vec<String>) {
    let handle = begin(machine_of(&book(WINDOW), false), needs(world, paper));
    drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => yes(prompt),
    })
    .await
}

fn done(world: &World) -> Vec<String> {
    world.done.lock().unwrap().clone()
}

const FORWARD: [&str; 5] =
    ["app1 set frozen", "app2 set stopped", "app2 set writable", "app1 set moved", "app2 set moved"];

#[tokio::test]
async fn one_question_before_it_is_the_only_one() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (state, asked) = run(&world, &paper).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Promote"]);
    assert_eq!(done(&world), FORWARD);
    let machine = machine_of(&book(WINDOW), false);
    let stories = stories(machine.plan(), &paper.entries.lock().unwrap());
    assert_eq!(stories.len(), 1);
    assert!(stories[0].closed.is_some() && stories[0].failed.is_none(), "{stories:?}");
}

#[tokio::test]
async fn facts_that_do_not_hold_right_before_it_keep_it_shut() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.set.lock().unwrap().insert(key("app2", "wrong"), 1);
    let (state, asked) = run(&world, &paper).await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert_eq!(asked, ["Promote", "Step 2 (freeze) failed"]);
    assert!(done(&world).is_empty());
}

#[tokio::test]
async fn a_fact_that_fails_inside_it_resumes_writes_before_anybody_is_asked() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.set.lock().unwrap().insert(key("app2", "behind"), 1);
    let handle = begin(machine_of(&book(WINDOW), false), needs(&world, &paper));
    let (watched, mut said) = (world.clone(), Vec::new());
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            assert_eq!(
                done(&watched),
                ["app1 set frozen", "app2 set stopped", "app1 unset frozen", "app2 unset stopped"]
            );
            said = prompt.text.iter().map(ToString::to_string).collect();
            assert_eq!(choices.iter().map(|c| c.key).collect::<String>(), "rsa");
            watched.set.lock().unwrap().remove(&key("app2", "behind"));
            Reply::Chosen('r', None)
        }
        _ => yes(prompt),
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Promote", "The window failed, and everything done in it is undone"]);
    let told = said.join("\n");
    assert!(told.contains("promote: app2: not done: \"it is level\" does not hold"), "{told}");
    assert!(told.contains("proved: app1: it takes writes: 0"), "{told}");
    assert_eq!(done(&world)[4..], FORWARD);
}

#[tokio::test]
async fn a_lost_link_at_the_freeze_is_undone_without_a_question() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set frozen".to_owned());
    let (_, asked) = run(&world, &paper).await;
    assert_eq!(asked[1..], ["The window failed, and everything done in it is undone"]);
    assert_eq!(done(&world), ["app1 set frozen", "app1 unset frozen"]);
}

#[tokio::test]
async fn a_lost_link_at_the_promotion_is_looked_for_and_the_run_goes_on() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set writable".to_owned());
    let (state, asked) = run(&world, &paper).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Promote"]);
    assert_eq!(done(&world), FORWARD);
}

#[tokio::test]
async fn an_undo_that_does_not_hold_is_tried_again_by_itself() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.set.lock().unwrap().insert(key("app2", "behind"), 1);
    world.idle.lock().unwrap().push("unset frozen".to_owned());
    let healer = world.clone();
    let heals = tokio::spawn(async move {
        while !done(&healer).iter().any(|d| d == "app1 unset frozen") {
            tokio::task::yield_now().await;
        }
        healer.idle.lock().unwrap().clear();
    });
    let (_, asked) = run(&world, &paper).await;
    heals.await.unwrap();
    assert_eq!(asked[1..], ["The window failed, and everything done in it is undone"]);
    assert!(!world.set.lock().unwrap().contains_key(&key("app1", "frozen")));
}

#[tokio::test]
async fn a_window_that_takes_too_long_is_undone() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    // The clock jumps by a second at every look at it.
    let ticks = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let needs = Needs {
        clock: Arc::new(move || Moment(ticks.fetch_add(1000, Ordering::SeqCst))),
        ..needs(&world, &paper)
    };
    let (_, asked) = drive(begin(machine_of(&book(WINDOW), false), needs), |prompt| match &prompt.kind {
        PromptKind::Choose(_) => {
            let told: String = prompt.text.iter().map(ToString::to_string).collect();
            assert!(told.contains("not done within 3.0 s"), "{told}");
            Reply::Chosen('s', None)
        }
        _ => yes(prompt),
    })
    .await;
    assert_eq!(asked[1..], ["The window failed, and everything done in it is undone"]);
    assert!(world.set.lock().unwrap().is_empty(), "{:?}", done(&world));
    assert!(!done(&world).contains(&"app2 set writable".to_owned()));
}

/// Read-only from the freeze on: the window is undone though nothing may be changed any more, and nobody is asked.
#[tokio::test]
async fn arming_that_ends_in_it_undoes_it_without_a_question() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    *world.ends_arming.lock().unwrap() = Some("set frozen".to_owned());
    let (_, asked) = run(&world, &paper).await;
    assert_eq!(asked[1..], ["The window failed, and everything done in it is undone"]);
    assert_eq!(done(&world), ["app1 set frozen", "app1 unset frozen"]);
}

#[tokio::test]
async fn a_stop_in_it_is_obeyed_when_writes_run_again() {
    for command in [RunCommand::Stop, RunCommand::Rollback] {
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        let handle = begin(machine_of(&book(WINDOW), false), needs(&world, &paper));
        let (commands, told) = (handle.commands.clone(), Mutex::new(Some(command)));
        *world.on_login.lock().unwrap() = Some(Box::new({
            let world = Arc::downgrade(&world);
            move |_| {
                let frozen = world
                    .upgrade()
                    .is_some_and(|world| world.set.lock().unwrap().contains_key(&key("app1", "frozen")));
                if frozen && let Some(command) = told.lock().unwrap().take() {
                    commands.try_send(command).unwrap();
                }
            }
        }));
        let (state, asked) = drive(handle, |prompt| match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ => yes(prompt),
        })
        .await;
        assert!(matches!(state, RunState::Stopped(_)), "{state:?} {asked:?}");
        assert!(world.set.lock().unwrap().is_empty(), "{:?}", done(&world));
        assert!(!done(&world).contains(&"app2 set writable".to_owned()), "{:?}", done(&world));
    }
}

#[tokio::test]
async fn killed_at_any_entry_writes_run_again_or_the_run_ends_and_each_statement_was_sent_once() {
    let whole = Paper::default();
    run(&Arc::new(World::default()), &whole).await;
    let entries = whole.entries.lock().unwrap().len();
    for at in 1..=entries {
        for written in [false, true] {
            let world = Arc::new(World::default());
            let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
            run(&world, &dying).await;
            let mut alive = Paper { dies_at: None, ..dying.clone() };
            let machine = resumed(machine_of(&book(WINDOW), false), &mut alive);
            let first_intent = |entry: &Entry| matches!(&entry.event, Event::Intent { step, phase: Phase::Run, .. } if *step != "go");
            let opened = alive.entries.lock().unwrap().iter().any(first_intent);
            let (state, asked) = drive(begin(machine, needs(&world, &alive)), yes).await;
            assert_eq!(state, RunState::Finished, "{at} {written}");
            let again: Vec<&String> = asked.iter().filter(|a| *a != "Promote").collect();
            assert!(again.iter().all(|a| a.starts_with("The window failed")), "{at} {written}: {asked:?}");
            assert!(!opened || !asked.contains(&"Promote".to_owned()), "{at} {written}: {asked:?}");
            let done = done(&world);
            let sent = |what: &str| done.iter().filter(|d| *d == what).count();
            assert_eq!(sent("app2 set writable"), 1, "{at} {written}: {done:?}");
            for (set, unset) in
                [("app1 set frozen", "app1 unset frozen"), ("app2 set stopped", "app2 unset stopped")]
            {
                assert!(sent(set) <= 1 + sent(unset), "{at} {written}: {done:?}");
            }
        }
    }
}
