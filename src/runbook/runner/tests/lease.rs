//! Nothing is changed without the lease: lost while a question stands, before the answer is heard, while the disk takes
//! its time, on the way back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

/// A lease that is lost at one of its proofs, or when a test says so.
#[derive(Default)]
struct Lent {
    proofs: AtomicUsize,
    /// Lost at this proof, from 1; never at 0.
    lost_at: usize,
    /// Known to be lost, as when its session has ended.
    known: AtomicBool,
    /// Lost, and nobody knows yet: this program was stopped.
    unknown: AtomicBool,
    /// Too long ago, each time it is looked at.
    stale: AtomicBool,
    /// What the world had done when it was lost.
    world: Arc<World>,
    done: Mutex<Option<Vec<String>>>,
}

impl Lent {
    fn lose(&self) {
        self.done.lock().unwrap().get_or_insert(self.world.done.lock().unwrap().clone());
    }

    /// Nothing was done since it was lost.
    fn nothing_done_since(&self) {
        let at_loss = self.done.lock().unwrap().clone().expect("it was never lost");
        assert_eq!(*self.world.done.lock().unwrap(), at_loss, "done without the lease");
    }
}

struct OfLent(Arc<Lent>);

impl Guarded for OfLent {
    fn step(&mut self, _step: &str) {}

    fn say(&mut self, _entry: &Entry) {}

    fn lost(&self) -> Option<String> {
        self.0.known.load(Ordering::SeqCst).then(|| "the session has ended".to_owned())
    }

    fn is_fresh(&self) -> bool {
        !self.0.stale.load(Ordering::SeqCst)
    }

    fn prove(&self) -> BoxFuture<'_, Result<(), String>> {
        let number = self.0.proofs.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            if number == self.0.lost_at || self.0.unknown.load(Ordering::SeqCst) {
                self.0.lose();
            }
            match self.0.done.lock().unwrap().is_some() {
                true => Err("somebody else has it".to_owned()),
                false => Ok(()),
            }
        })
    }

    fn ask(&mut self, _question: Option<Question>) {}

    fn approved(&self) -> Option<Approved> {
        None
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

fn lent(lost_at: usize) -> (Arc<World>, Arc<Lent>) {
    let world = Arc::new(World::default());
    (world.clone(), Arc::new(Lent { lost_at, world, ..Lent::default() }))
}

fn with(world: &Arc<World>, paper: &Paper, lent: &Arc<Lent>) -> Needs {
    Needs { lease: Some(Box::new(OfLent(lent.clone()))), ..needs(world, paper) }
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
            let book = BOOK.replace("point_of_no_return = true\n", undo);
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
    assert!(stopped(&view.state).contains("the question \"First\" was taken back"), "{:?}", view.state);
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
    assert_eq!(outcome, Some(Verdict::Failed("the lease was lost before it was begun".to_owned())));
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
