//! Windows, the machine alone: every step failing in every way, the journal cut after every entry. Never are two servers writable,
//! and writes resume without a question unless the promotion may have happened.

use super::window::WINDOW;
use super::*;
use crate::runbook::event::{HostOutcome, OperatorAnswer, Outcomes, Phase, Verdict, Way};
use crate::runbook::machine::{Decision, Next, Task};
use crate::runbook::place::Place;

/// What goes wrong with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A fact it rests on does not hold: it is not begun.
    Refused,
    /// It fails, and is not done.
    Failed,
    /// It is done, and reports a failure.
    FailedAndDone,
    /// Nobody knows; it was not done.
    LostNotDone,
    /// Nobody knows; it was done.
    LostDone,
}

const FAULTS: [Fault; 5] =
    [Fault::Refused, Fault::Failed, Fault::FailedAndDone, Fault::LostNotDone, Fault::LostDone];

/// Two servers, and what was sent to them.
#[derive(Debug, Clone)]
struct Servers {
    old_writable: bool,
    new_writable: bool,
    replicates: bool,
    moved: bool,
    /// Statements by step, since it was last proved that none of it is in effect.
    sent: BTreeMap<String, u32>,
}

impl Servers {
    fn new() -> Self {
        Self {
            old_writable: true,
            new_writable: false,
            replicates: true,
            moved: false,
            sent: BTreeMap::new(),
        }
    }

    fn apply(&mut self, step: &str, undo: bool) {
        match (step, undo) {
            ("freeze", undo) => self.old_writable = undo,
            ("stop", undo) => self.replicates = undo,
            ("promote", false) => self.new_writable = true,
            ("flip", false) => {
                assert!(self.new_writable, "applications move before the promotion");
                self.moved = true;
            }
            _ => {}
        }
        assert!(!(self.old_writable && self.new_writable), "two writable servers after {step}, undo: {undo}");
    }

    fn is_done(&self, step: &str) -> bool {
        match step {
            "freeze" => !self.old_writable,
            "stop" => !self.replicates,
            "promote" => self.new_writable,
            "flip" => self.moved,
            _ => panic!("{step} is not looked for"),
        }
    }
}

struct Story {
    machine: Machine,
    servers: Servers,
    events: Vec<Event>,
    /// The next time that this step is done, it goes wrong.
    fault: Option<(&'static str, Fault)>,
    /// So many looks and undos find no host.
    silent: u32,
    left: Option<usize>,
}

/// Why a story ended.
#[derive(Debug, PartialEq)]
enum End {
    Cut,
    Finished,
    /// A person is asked to decide about the window, which is undone.
    Undone,
    /// A person is asked what to do about an undo that nobody can prove.
    Silent,
    /// A person is asked whether the promotion was done.
    WhoKnows,
}

impl Story {
    fn new(fault: Option<(&'static str, Fault)>, silent: u32, left: Option<usize>) -> Self {
        let machine = machine_of(&book(WINDOW), false);
        Self { machine, servers: Servers::new(), events: Vec::new(), fault, silent, left }
    }

    /// Writes an entry; `false` when the process is killed right after.
    fn write(&mut self, event: Event) -> bool {
        self.machine.apply(&event).unwrap();
        self.events.push(event);
        match &mut self.left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn tell(&self) -> String {
        self.events.iter().map(|event| format!("{event:?}\n")).collect()
    }

    fn goes_on(&mut self) {
        self.left = None;
        let mut machine = machine_of(&book(WINDOW), false);
        self.events.iter().for_each(|event| machine.apply(event).unwrap());
        self.machine = machine;
        assert!(self.write(Event::Resumed {
            who: "me@here".to_owned(),
            taken_over: false,
            accounts: Default::default()
        }));
    }

    fn goes(&mut self) -> End {
        for _ in 0..500 {
            let next = self.machine.next().unwrap();
            let on = match next {
                Next::Record(event) => self.write(event),
                Next::Do(task) => self.task(&task),
                Next::Ended(_) => return End::Finished,
                Next::Decide(decision) => return self.asks(&decision),
            };
            if !on {
                return End::Cut;
            }
        }
        panic!("it does not end:\n{}", self.tell());
    }

    fn asks(&mut self, decision: &Decision) -> End {
        assert!(self.machine.open_window().is_none() || decision.unknown, "{decision:?}\n{}", self.tell());
        if self.machine.backing_out().is_some() {
            return End::Silent;
        }
        match (&decision.window, decision.step.id.as_str()) {
            (Some(_), _) => {
                assert!(self.servers.old_writable, "asked while writes are refused:\n{}", self.tell());
                assert!(self.servers.replicates && !self.servers.new_writable, "{}", self.tell());
                End::Undone
            }
            (None, "promote") if decision.unknown => End::WhoKnows,
            // Nothing was begun in the window: its first facts did not hold.
            (None, "freeze") => {
                assert!(self.servers.old_writable, "{}", self.tell());
                End::Undone
            }
            (None, _) => panic!("{decision:?}\n{}", self.tell()),
        }
    }

    fn outcome(&mut self, task: &Task, verdict: Verdict) -> bool {
        let step = task.step.id.clone();
        let place = task.places.hosts().next().map_or(Place::Nowhere, Place::from);
        let mut outcome = HostOutcome::of(verdict);
        if step == "where" {
            outcome.values = BTreeMap::from([("pos".to_owned(), "7".to_owned())]);
        }
        let hosts = Outcomes::one(place, outcome);
        let (phase, attempt, withheld, took_ms) = (task.phase, task.attempt, Vec::new(), 0);
        self.write(Event::Outcome { step, phase, attempt, hosts, withheld, took_ms })
    }

    fn task(&mut self, task: &Task) -> bool {
        let id = task.step.id.as_str().to_owned();
        assert!(!task.confirm, "{id} asks:\n{}", self.tell());
        let fault =
            self.fault.filter(|(step, _)| *step == id && task.phase == Phase::Run).map(|(_, fault)| fault);
        if fault.is_some() {
            self.fault = None;
        }
        if id == "go" {
            return self.outcome(task, Verdict::Done);
        }
        if fault == Some(Fault::Refused) {
            return self.outcome(task, Verdict::Failed("a fact does not hold".to_owned()));
        }
        let (step, phase, attempt) = (task.step.id.clone(), task.phase, task.attempt);
        let (commands, facts) = Default::default();
        if !self.write(Event::Intent { step, phase, attempt, commands, facts }) {
            return false;
        }
        let silent = self.silent > 0 && task.phase != Phase::Run;
        if silent {
            self.silent -= 1;
            return self.outcome(task, Verdict::Unknown("no answer".to_owned()));
        }
        let verdict = match task.phase {
            Phase::Run => {
                let sends = !matches!(fault, Some(Fault::Failed | Fault::LostNotDone));
                if sends && id != "where" {
                    let sent = self.servers.sent.entry(id.clone()).or_default();
                    *sent += 1;
                    let sent = *sent;
                    assert_eq!(sent, 1, "{id} is sent twice:\n{}", self.tell());
                    self.servers.apply(&id, false);
                }
                match fault {
                    None => Verdict::Done,
                    Some(Fault::LostDone | Fault::LostNotDone) => {
                        Verdict::Unknown("the link is cut".to_owned())
                    }
                    Some(_) => Verdict::Failed("it failed".to_owned()),
                }
            }
            Phase::Probe => match self.servers.is_done(&id) {
                true => Verdict::Done,
                false => Verdict::NotDone,
            },
            Phase::Undo => {
                self.servers.apply(&id, true);
                self.servers.sent.remove(&id);
                Verdict::Done
            }
            Phase::UndoProbe => match self.servers.is_done(&id) {
                true => Verdict::NotDone,
                false => Verdict::Done,
            },
        };
        self.outcome(task, verdict)
    }

    /// A person tries the window again.
    fn again(&mut self) {
        self.answers("freeze", Way::Retry);
    }

    fn answers(&mut self, step: &str, way: Way) {
        let step = StepId::new(step).unwrap();
        let answer = OperatorAnswer::Chosen(way);
        assert!(self.write(Event::Answered { step, answer, who: "me@here".to_owned(), reason: None }));
    }
}

const STEPS: [&str; 5] = ["freeze", "where", "stop", "promote", "flip"];

#[test]
fn whatever_fails_in_a_window_writes_resume_or_it_goes_on() {
    for step in STEPS {
        for fault in FAULTS {
            for silent in [0, 2, 40] {
                let mut story = Story::new(Some((step, fault)), silent, None);
                if step == "flip" {
                    // Behind the promotion a step fails as steps do.
                    continue;
                }
                let told = format!("{step} {fault:?} {silent}");
                let mut end = story.goes();
                if end == End::Silent {
                    assert!(silent > 30, "{told}\n{}", story.tell());
                    let step = story.machine.backing_out().map(|(window, _)| window.id.clone()).unwrap();
                    assert_eq!(step, "switch");
                    story.silent = 0;
                    story.answers("freeze", Way::Look);
                    end = story.goes();
                }
                let promoted = story.servers.new_writable;
                match (step, end) {
                    ("promote", End::WhoKnows) => assert!(silent > 2, "{told}"),
                    ("promote", End::Finished) => {
                        assert!(promoted && matches!(fault, Fault::FailedAndDone | Fault::LostDone), "{told}")
                    }
                    (_, End::Undone) => {
                        assert!(!promoted, "{told}");
                        story.again();
                        assert_eq!(story.goes(), End::Finished, "{told}\n{}", story.tell());
                    }
                    (_, end) => panic!("{told}: {end:?}\n{}", story.tell()),
                }
            }
        }
    }
}

#[test]
fn a_window_that_is_cut_after_any_entry_ends_without_a_question() {
    let mut faults: Vec<Option<(&str, Fault)>> = vec![None];
    for step in STEPS.into_iter().filter(|step| *step != "flip") {
        faults.extend(FAULTS.map(|fault| Some((step, fault))));
    }
    let mut cuts = 0;
    for fault in faults {
        for at in 0.. {
            let mut story = Story::new(fault, 0, Some(at));
            if story.goes() != End::Cut {
                break;
            }
            cuts += 1;
            // The fault was in the process that was killed.
            story.fault = None;
            story.goes_on();
            let end = story.goes();
            let told = format!("{fault:?}, cut after entry {at}: {end:?}\n{}", story.tell());
            match end {
                End::Undone => {
                    assert!(!story.servers.new_writable && story.servers.old_writable, "{told}");
                    story.again();
                    assert_eq!(story.goes(), End::Finished, "{told}");
                }
                End::Finished => assert!(story.servers.new_writable && !story.servers.old_writable, "{told}"),
                End::WhoKnows => panic!("the host answers: {told}"),
                End::Cut | End::Silent => panic!("{told}"),
            }
        }
    }
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn cut_again_on_the_way_back_it_goes_back_all_the_same() {
    for at in 0.. {
        let mut story = Story::new(None, 0, Some(at));
        if story.goes() != End::Cut {
            break;
        }
        for again in 0..12 {
            let mut second = Story {
                machine: story.machine.clone(),
                servers: story.servers.clone(),
                events: story.events.clone(),
                fault: None,
                silent: 0,
                left: None,
            };
            second.goes_on();
            second.left = Some(again);
            if second.goes() == End::Cut {
                second.goes_on();
                let end = second.goes();
                assert!(
                    matches!(end, End::Undone | End::Finished),
                    "{at} {again}: {end:?}\n{}",
                    second.tell()
                );
            }
            assert!(
                second.servers.old_writable != second.servers.new_writable,
                "{at} {again}:\n{}",
                second.tell()
            );
        }
    }
}
