//! Nothing is changed without the lease: lost while a question stands, before the answer is heard, while the disk takes
//! its time, on the way back.

use super::*;

fn lent(lost_at: usize) -> (Arc<World>, Arc<Lent>) {
    let world = Arc::new(World::default());
    (world.clone(), Arc::new(Lent { lost_at, world, ..Lent::default() }))
}

fn with(world: &Arc<World>, paper: &Paper, lent: &Arc<Lent>) -> Needs {
    Needs { lease: lent.lease(), ..needs(world, paper) }
}

fn stopped(state: &RunState) -> &str {
    match state {
        RunState::Stopped(why) => why.as_str(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn lost_at_any_proof_nothing_more_is_done() {
    for back in [false, true] {
        let answer = |prompt: &Prompt| match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('b', None),
            _ => yes(prompt),
        };
        let mut lost_at = 0;
        loop {
            let (world, lent) = lent(lost_at);
            if back {
                world.idle.lock().unwrap().push("set last".to_owned());
            }
            let undo = "undo = { run = \"unset last\", read_back = [{ says = \"it is gone\", run = \"get last\", \
                        expect = [{ is = \"0\" }] }] }\n";
            let book = whole_book().replace("point_of_no_return = true\n", undo);
            let paper = Paper::default();
            let (state, _) =
                drive(launch(machine_of(&book, false), with(&world, &paper, &lent)), answer).await;
            let proofs = lent.proofs.load(Ordering::SeqCst);
            if lost_at == 0 {
                let changes = world.done.lock().unwrap().len();
                assert!(proofs >= changes && changes >= 4, "{proofs} proofs, {changes} changes");
                assert_eq!(back, state == RunState::RolledBack, "{state:?}");
            } else if lost_at <= proofs {
                lent.nothing_done_since();
                assert!(stopped(&state).contains("the lease on the jump box is lost"), "{state:?}");
            } else {
                break;
            }
            lost_at += 1;
        }
        assert!(lost_at > 8, "{lost_at}");
    }
}

#[tokio::test]
async fn a_question_is_taken_back_when_the_lease_is_lost_meanwhile() {
    let ((world, lent), paper) = (lent(0), Paper::default());
    let mut handle = launch(machine(), with(&world, &paper, &lent));
    handle.view.wait_for(|view| view.prompt.is_some()).await.unwrap();
    lent.known.store(true, Ordering::SeqCst);
    lent.lose();
    let gone = handle.view.wait_for(|view| view.prompt.is_none() && !view.state.is_under_way());
    let view = tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap().unwrap().clone();
    assert!(stopped(&view.state).contains("the question \"First\" was withdrawn"), "{:?}", view.state);
    lent.nothing_done_since();
}

#[tokio::test]
async fn an_answer_that_comes_before_anybody_knows_of_the_loss_does_not_count() {
    let ((world, lent), paper) = (lent(0), Paper::default());
    let handle = launch(machine(), with(&world, &paper, &lent));
    let (state, asked) = drive(handle, |prompt| {
        lent.unknown.store(true, Ordering::SeqCst);
        yes(prompt)
    })
    .await;
    assert_eq!(asked, ["First"]);
    assert!(stopped(&state).contains("the answer to \"First\" does not count"), "{state:?}");
    let entries = paper.entries.lock().unwrap();
    assert!(!entries.iter().any(|e| matches!(e.event, Event::Answered { .. })));
    assert!(world.done.lock().unwrap().is_empty());
}

/// A disk on which an intent takes so long that the lease is lost meanwhile.
#[derive(Clone)]
struct SlowPaper(Paper, Arc<Lent>);

impl Record for SlowPaper {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        if matches!(event, Event::Intent { step, .. } if step == "first") {
            self.1.stale.store(true, Ordering::SeqCst);
            self.1.unknown.store(true, Ordering::SeqCst);
        }
        self.0.append(event)
    }
}

#[tokio::test]
async fn while_the_disk_takes_its_time_the_lease_may_be_lost() {
    let ((world, lent), paper) = (lent(0), Paper::default());
    let record = Recorder::new(SlowPaper(paper.clone(), lent.clone()));
    let handle = launch(machine(), Needs { record, ..with(&world, &paper, &lent) });
    let (state, _) = drive(handle, yes).await;
    assert!(stopped(&state).contains("nothing was done"), "{state:?}");
    lent.nothing_done_since();
    let entries = paper.entries.lock().unwrap();
    let outcome = entries.iter().find_map(|e| match &e.event {
        Event::Outcome { step, hosts, .. } if step == "first" => {
            hosts.values().next().map(|h| h.verdict.clone())
        }
        _ => None,
    });
    assert_eq!(outcome, Some(Verdict::Failed("the lease was lost before the step was started".to_owned())));
}

/// A disk that holds its caller up.
#[derive(Clone)]
struct StuckPaper(Paper, Arc<(Mutex<bool>, std::sync::Condvar)>);

impl Record for StuckPaper {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        let (free, changed) = &*self.1;
        let free = free.lock().unwrap();
        drop(changed.wait_while(free, |free| !*free).unwrap());
        self.0.append(event)
    }
}

#[tokio::test]
async fn a_disk_that_stalls_holds_no_other_task_up() {
    // One worker: whatever blocks it, blocks everything.
    let ((world, lent), paper) = (lent(0), Paper::default());
    let gate = Arc::new((Mutex::new(false), std::sync::Condvar::new()));
    let record = Recorder::new(StuckPaper(paper.clone(), gate.clone()));
    let handle = launch(machine(), Needs { record, ..with(&world, &paper, &lent) });
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(paper.entries.lock().unwrap().is_empty(), "it is written only when the disk goes on");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    let (state, _) = drive(handle, yes).await;
    assert_eq!(state, RunState::Finished);
}

/// The lease was ours when the step began, and is lost while its second host is logged in to.
#[tokio::test]
async fn lost_between_two_hosts_of_a_step_nothing_is_sent_to_the_second() {
    let (world, lent) = lent(0);
    let loses = lent.clone();
    let hook = move |host: &HostName| {
        if host.as_str() == "app2" {
            loses.stale.store(true, Ordering::SeqCst);
            loses.unknown.store(true, Ordering::SeqCst);
        }
    };
    *world.on_login.lock().unwrap() = Some(Box::new(hook));
    let paper = Paper::default();
    let book = book(&sets_for_good("both").replace("on = \"one\"", "on = \"apps\""));
    let (state, _) = drive(launch(machine_of(&book, false), with(&world, &paper, &lent)), yes).await;
    assert!(stopped(&state).contains("the lease on the jump box is lost"), "{state:?}");
    assert_eq!(*world.done.lock().unwrap(), ["app1 set both"]);
    let entries = paper.entries.lock().unwrap();
    let second = entries.iter().find_map(|entry| match &entry.event {
        Event::Outcome { hosts, .. } => hosts
            .iter()
            .find_map(|(place, outcome)| (place.host()?.as_str() == "app2").then(|| outcome.clone())),
        _ => None,
    });
    let verdict = second.unwrap().verdict;
    assert!(
        matches!(&verdict, Verdict::Failed(why) if why.contains("the lease is lost") && why.contains("nothing was started")),
        "{verdict:?}"
    );
}

/// An undo that nobody is asked about is proved like a change: by a round trip, however fresh the last proof is.
#[tokio::test]
async fn lost_between_two_undos_the_second_is_not_made() {
    let (world, lent) = lent(0);
    let (loses, seen) = (lent.clone(), world.clone());
    let hook = move |_: &HostName| {
        if seen.done.lock().unwrap().iter().any(|done| done == "app1 unset second") {
            loses.unknown.store(true, Ordering::SeqCst);
        }
    };
    *world.on_login.lock().unwrap() = Some(Box::new(hook));
    let book = book(&[&sets("first"), &sets("second"), FAILS].concat());
    let needs = with(&world, &Paper::default(), &lent);
    let (state, _) = drive(launch(machine_of(&book, false), needs), |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('b', None),
        _ => yes(prompt),
    })
    .await;
    assert!(stopped(&state).contains("the lease on the jump box is lost"), "{state:?}");
    assert_eq!(*world.done.lock().unwrap(), ["app1 set first", "app1 set second", "app1 unset second"]);
}
