//! What people are asked, what is proved of what they say, and what a dry run leaves out.

use super::*;
use crate::runbook::approval::Approved;

fn of_steps(world: &Arc<World>, paper: &Paper, steps: &str, dry_run: bool) -> RunHandle {
    begin(machine_of(&book(steps), dry_run), needs(world, paper))
}

/// How a step went, the last time.
fn outcome(paper: &Paper, id: &str) -> BTreeMap<String, Verdict> {
    let entries = paper.entries.lock().unwrap();
    let found = entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Outcome { step, hosts, .. } if step == id => Some(hosts.clone()),
        _ => None,
    });
    found.iter().flatten().map(|(place, outcome)| (place.to_string(), outcome.verdict.clone())).collect()
}

fn left_out(paper: &Paper, id: &str) -> Option<String> {
    paper.entries.lock().unwrap().iter().find_map(|entry| match &entry.event {
        Event::Skipped { step, reason } if step == id => Some(reason.clone()),
        _ => None,
    })
}

const LOOKS_TWICE: &str = r#"
[[step]]
id = "read"
kind = "run"
title = "Read"
on = "one"
run = "get it"
effect = "read"
retries = 2
expect = [{ is = "0" }]
"#;

#[tokio::test(start_paused = true)]
async fn what_reads_is_tried_again() {
    for (cuts, ends) in [(2, true), (3, false)] {
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        world.cut.lock().unwrap().extend(vec!["get it".to_owned(); cuts]);
        let (state, asked) = drive(of_steps(&world, &paper, LOOKS_TWICE, false), |_| Reply::No).await;
        assert_eq!(state == RunState::Finished, ends, "{cuts}: {state:?}");
        assert_eq!(asked.is_empty(), ends, "{cuts}: {asked:?}");
    }
}

const BY_HAND: &str = r#"
[[step]]
id = "hand"
kind = "manual"
title = "By hand"
text = "Do it."
on = "one"
effect = "mutate"
read_back = [{ says = "it is set", run = "get it", expect = [{ is = "1" }] }]
undo = { run = "unset it", read_back = [{ says = "it is gone", run = "get it", expect = [{ is = "0" }] }] }
"#;

fn set(world: &World, name: &str) {
    world.set.lock().unwrap().insert(("app1".to_owned(), name.to_owned()), 1);
}

#[tokio::test]
async fn what_is_done_by_hand_is_proved() {
    for stated in ["", "state = { name = \"seen\", kind = \"int\" }\n"] {
        let steps = BY_HAND.replace("on = \"one\"\n", &format!("on = \"one\"\n{stated}"));
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        let mut says = 0;
        let (state, asked) = drive(of_steps(&world, &paper, &steps, false), |prompt| match &prompt.kind {
            PromptKind::Choose(_) => {
                set(&world, "it");
                Reply::Chosen('r', None)
            }
            _ => {
                says += 1;
                if stated.is_empty() { Reply::Yes } else { Reply::Text("7".to_owned().into()) }
            }
        })
        .await;
        assert_eq!(state, RunState::Finished, "{stated}");
        assert_eq!(asked, ["By hand", "Step 1 (hand) failed", "By hand"], "{stated}");
        assert_eq!(says, 2);
    }
}

#[tokio::test]
async fn what_was_begun_by_hand_is_looked_for_when_a_run_goes_on() {
    for done in [true, false] {
        let world = Arc::new(World::default());
        // Killed while the person is asked: the intent is written, the answer is not.
        let dying = Paper { dies_at: Some((2, false)), ..Paper::default() };
        drive(of_steps(&world, &dying, BY_HAND, false), |_| Reply::Yes).await;
        if done {
            set(&world, "it");
        }
        let mut paper = Paper { dies_at: None, ..dying };
        let machine = resumed(machine_of(&book(BY_HAND), false), &mut paper);
        let (state, asked) =
            drive(launch(machine, needs(&world, &paper)), |_| Reply::Chosen('s', None)).await;
        match done {
            true => assert_eq!((state, asked), (RunState::Finished, Vec::new())),
            false => assert_eq!(asked, ["Step 1 (hand) failed"]),
        }
    }
}

const DRY: &str = r#"
[[step]]
id = "sure"
kind = "confirm"
title = "Sure?"
covers = ["first"]

[[step]]
id = "wrong"
kind = "check"
title = "Wrong"
on = "one"
run = "get it"
expect = [{ is = "1" }]

[[step]]
id = "first"
kind = "run"
title = "First"
on = "one"
run = "set first"
effect = "mutate"
read_back = [{ says = "it is set", run = "get first", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }

[[step]]
id = "hand"
kind = "manual"
title = "By hand"
text = "Look."
state = { name = "seen", kind = "int" }

[[step]]
id = "typed"
kind = "challenge"
title = "Type it"
value = "{seen}"
covers = ["last"]

[[step]]
id = "rests"
kind = "check"
title = "Rests on it"
value = "{seen}"
expect = [{ is = "7" }]

[[step]]
id = "waits"
kind = "wait_until"
title = "Waits"
on = "one"
run = "get first"
timeout = "1h"
expect = [{ is = "1" }]

[[step]]
id = "unneeded"
kind = "input"
title = "Unneeded"
name = "unneeded"
label = "Which?"
value_kind = "int"

[[step]]
id = "needed"
kind = "input"
title = "Needed"
name = "needed"
label = "Which?"
value_kind = "int"

[[step]]
id = "uses"
kind = "check"
title = "Uses it"
value = "{needed}"
expect = [{ is = "7" }]

[[step]]
id = "second"
kind = "approve"
title = "Two"
text = "Look."

[[step]]
id = "last"
kind = "run"
title = "Last"
on = "one"
run = "set $unneeded"
with = ["unneeded"]
effect = "destructive"
point_of_no_return = true
read_back = [{ says = "it is set", run = "get last", expect = [{ is = "1" }] }]
"#;

#[tokio::test]
async fn a_dry_run_asks_only_what_reading_needs() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = of_steps(&world, &paper, DRY, true);
    let (state, asked) = drive(handle, |_| Reply::Text("7".to_owned().into())).await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked, ["Needed"]);
    assert!(world.done.lock().unwrap().is_empty());
    let all = |id| outcome(&paper, id).into_values().next();
    for id in ["sure", "first", "hand", "typed", "waits", "unneeded", "second"] {
        assert_eq!(all(id), Some(Verdict::Printed), "{id}");
    }
    assert!(matches!(all("wrong"), Some(Verdict::Failed(_))));
    assert_eq!(all("uses"), Some(Verdict::Done));
    assert_eq!(left_out(&paper, "rests").unwrap(), "it depends on {seen}, which step hand did not read");
    assert_eq!(
        left_out(&paper, "last").unwrap(),
        "it depends on {unneeded}, which step unneeded did not read"
    );
}

const FENCE: &str = r#"
[[step]]
id = "fence"
kind = "fence"
title = "Cut it off"
on = "one"
run = "set cut"
read_back = [{ says = "it is cut off", run = "get cut", expect = [{ is = "1" }] }]
undo = { run = "unset cut", read_back = [{ says = "it is back", run = "get cut", expect = [{ is = "0" }] }] }
"#;

/// A second person who says yes to the questions of one step.
fn agreeing_to(step: &'static str) -> Arc<Lent> {
    Lent::with_second(move |question| {
        let approval = Approval::to(question, "ben@there");
        (question.step == step).then(|| Approved { approval, uid: 1001, account: Clean::new("ben") })
    })
}

#[tokio::test]
async fn a_fence_that_is_not_proved_wants_a_second_person() {
    for (idle, cut) in [(true, false), (false, true)] {
        for second in [true, false] {
            let (world, paper) = (Arc::new(World::default()), Paper::default());
            if idle {
                world.idle.lock().unwrap().push("set cut".to_owned());
            }
            if cut {
                world.cut.lock().unwrap().push("set cut".to_owned());
            }
            let lease = agreeing_to(if second { "fence" } else { "other" }).lease();
            let needs = Needs { lease, ..needs(&world, &paper) };
            let handle = begin(machine_of(&book(FENCE), false), needs);
            let (state, asked) = drive(handle, |prompt| match &prompt.kind {
                PromptKind::Approve(_) => Reply::No,
                PromptKind::Choose(_) => Reply::Chosen('s', None),
                _ => yes(prompt),
            })
            .await;
            if second {
                assert_eq!(state, RunState::Finished, "{asked:?}");
                let entries = paper.entries.lock().unwrap();
                assert!(
                    entries.iter().any(|e| matches!(&e.event,
                    Event::Answered { answer, who, .. } if answer.asked() == "approve" && who == "ben@there (as ben)"))
                );
            } else {
                assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
                assert!(asked.iter().any(|a| a == "Is the host cut off? Cut it off"), "{asked:?}");
            }
        }
    }
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (state, asked) = drive(of_steps(&world, &paper, FENCE, false), yes).await;
    assert_eq!((state, asked), (RunState::Finished, vec!["Cut it off".to_owned()]));
}

#[tokio::test]
async fn who_says_alone_that_a_fence_holds_is_not_believed() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set cut".to_owned());
    let mut decided = 0;
    let (state, asked) = drive(of_steps(&world, &paper, FENCE, false), |prompt| match &prompt.kind {
        PromptKind::Approve(_) => Reply::No,
        PromptKind::Choose(_) => {
            decided += 1;
            Reply::Chosen(if decided == 1 { 'd' } else { 's' }, Some("I looked".to_owned()))
        }
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert_eq!(asked.iter().filter(|a| a.starts_with("Is the host cut off?")).count(), 2, "{asked:?}");
}

const APPROVED: &str = r#"
[[step]]
id = "two"
kind = "approve"
title = "Two"
text = "Look."
"#;

/// A second person sees the run by its entries. Where those do not begin with its plan, nobody is asked.
#[tokio::test]
async fn nobody_is_asked_to_approve_what_nobody_can_read() {
    let (world, paper, lent) = (Arc::new(World::default()), Paper::default(), agreeing_to("two"));
    let book = book(&format!("{APPROVED}{}", sets_for_good("it")));
    let needs = Needs { lease: lent.lease(), ..needs(&world, &paper) };
    let (state, asked) = drive(launch_unseen(machine_of(&book, false), needs), yes).await;
    assert!(
        matches!(&state, RunState::Stopped(why) if why.to_string().contains("nobody can approve two")),
        "{state:?}"
    );
    assert!(asked.is_empty() && lent.questions.lock().unwrap().is_empty(), "{asked:?}");
    assert!(world.done.lock().unwrap().is_empty());
}

const NO_HOSTS: &str = "\n[[target]]\nname = \"ghosts\"\nrole = \"ghost\"\n";

/// What is asked of no host proves nothing, and what is asked of one host proves nothing of another.
#[tokio::test]
async fn a_check_that_asks_no_host_proves_nothing() {
    let on = |hosts: &str| sets_for_good("it").replace("says =", &format!("on = \"{hosts}\", says ="));
    let pre = "pre = [{ says = \"it is ready\", on = \"ghosts\", run = \"get nothing\", expect = [{ is = \"0\" }] }]\nundo";
    let cases = [
        (on("ghosts"), "there is no host to ask", 1),
        (sets_for_good("it").replace("undo", pre), "there is no host to ask", 0),
        (on("one").replace("on = \"one\"\nrun", "on = \"apps\"\nrun"), "no check proves it on this host", 2),
        (on("one"), "", 1),
    ];
    for (step, wanted, sent) in cases {
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        let steps = format!("{NO_HOSTS}{step}");
        let (state, _) = drive(of_steps(&world, &paper, &steps, false), |prompt| match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ => yes(prompt),
        })
        .await;
        match (wanted, &state) {
            ("", state) => assert_eq!(*state, RunState::Finished, "{step}"),
            (wanted, RunState::Stopped(why)) => assert!(why.to_string().contains(wanted), "{step}: {why}"),
            (_, state) => panic!("{step}: {state:?}"),
        }
        assert_eq!(world.done.lock().unwrap().len(), sent, "{step}");
    }
}

fn approvals(paper: &Paper) -> Vec<usize> {
    let entries = paper.entries.lock().unwrap();
    let counted =
        |entry: &Entry| matches!(&entry.event, Event::Answered { answer, .. } if answer.asked() == "approve");
    entries.iter().enumerate().filter(|(_, entry)| counted(entry)).map(|(at, _)| at + 1).collect()
}

fn nonces(lent: &Lent) -> Vec<String> {
    lent.questions.lock().unwrap().iter().map(|question| question.nonce.clone()).collect()
}

/// Killed right after an approval was written and before its step was done: the run that goes on puts another question, and
/// the approval that is in the journal does not answer it.
#[tokio::test]
async fn an_approval_of_before_does_not_count_when_a_run_goes_on() {
    let book = book(&format!("{APPROVED}{}", sets_for_good("it")));
    let begun = async |paper: &Paper| {
        let (world, lent) = (Arc::new(World::default()), agreeing_to("two"));
        let needs = Needs { lease: lent.lease(), ..needs(&world, paper) };
        drive(begin(machine_of(&book, false), needs), yes).await;
        let done = world.done.lock().unwrap().clone();
        (nonces(&lent), done)
    };
    let whole = Paper::default();
    assert_eq!(begun(&whole).await.1, ["app1 set it"]);
    let [at] = approvals(&whole)[..] else { panic!("one approval") };
    for agrees in [true, false] {
        let mut paper = Paper { dies_at: Some((at, true)), ..Paper::default() };
        let (before, done) = begun(&paper).await;
        assert_eq!((before.len(), done.len(), approvals(&paper)), (1, 0, vec![at]));
        let machine = resumed(machine_of(&book, false), &mut paper);
        let (world, lent) = (Arc::new(World::default()), agreeing_to(if agrees { "two" } else { "other" }));
        let needs = Needs { lease: lent.lease(), ..needs(&world, &paper) };
        let (state, asked) = drive(begin(machine, needs), |prompt| match &prompt.kind {
            PromptKind::Approve(_) => Reply::No,
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ => yes(prompt),
        })
        .await;
        let after = nonces(&lent);
        assert!(after.len() == 1 && !before.contains(&after[0]), "{before:?} {after:?}");
        let done = world.done.lock().unwrap().clone();
        if agrees {
            assert_eq!((state, approvals(&paper).len(), done.len()), (RunState::Finished, 2, 1), "{asked:?}");
        } else {
            assert!(matches!(state, RunState::Stopped(_)) && done.is_empty(), "{state:?} {asked:?} {done:?}");
        }
    }
}
