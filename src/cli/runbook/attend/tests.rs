#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Mutex;

use zeroize::Zeroizing;

use super::*;
use crate::cli::runbook::fixture::{at_freeze, run};
use crate::cli::terminal::paper::Paper;
use jumpdeck_fleet::run::{PromptKind, RunState, StepState};
use jumpdeck_fleet::text::Clean;

/// A person whose lines come through a channel, and what was asked of them.
struct Scripted {
    lines: mpsc::UnboundedReceiver<Typed>,
    marks: mpsc::UnboundedSender<String>,
}

impl AnswerKeys for Scripted {
    async fn line(&mut self, mark: &str, _echo: bool) -> Typed {
        let _ = self.marks.send(mark.to_owned());
        self.lines.recv().await.unwrap_or(Typed::End)
    }
}

/// Both sides of an operator.
struct Bench {
    view: watch::Sender<Arc<RunView>>,
    commands: mpsc::Receiver<RunCommand>,
    lines: mpsc::UnboundedSender<Typed>,
    marks: mpsc::UnboundedReceiver<String>,
    interrupts: mpsc::Sender<Interrupt>,
    printed: Arc<Mutex<String>>,
    left: tokio::task::JoinHandle<RunOutcome>,
}

impl Bench {
    fn start(view: RunView) -> Self {
        let (view, views) = watch::channel(Arc::new(view));
        let (command, commands) = mpsc::channel(8);
        let (line, lines) = mpsc::unbounded_channel();
        let (mark, marks) = mpsc::unbounded_channel();
        let (interrupt, interrupts) = mpsc::channel(4);
        let printed = Arc::new(Mutex::new(String::new()));
        let out = printed.clone();
        let operator = Operator {
            keys: Scripted { lines, marks: mark },
            print: move |text: &str| out.lock().unwrap().push_str(text),
            story: Story::new(Paper::new(80, false)),
            commands: command,
            clock: Arc::new(|| Moment(5000)),
            interrupts,
        };
        let left = tokio::spawn(operator.stay(views));
        Self { view, commands, lines: line, marks, interrupts: interrupt, printed, left }
    }

    fn now(&self, change: impl FnOnce(&mut RunView)) {
        self.view.send_modify(|view| change(Arc::make_mut(view)));
    }

    fn types(&self, line: &str) {
        self.lines.send(Typed::Line(Zeroizing::new(line.to_owned()))).unwrap();
    }

    async fn mark(&mut self) -> String {
        self.marks.recv().await.unwrap()
    }

    async fn command(&mut self) -> RunCommand {
        self.commands.recv().await.unwrap()
    }

    fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }
}

fn asks(view: &mut RunView, number: u64, kind: PromptKind) {
    view.state = RunState::Waiting;
    view.prompt = Some(Prompt { number, title: Clean::new("Shall it be done?"), text: Vec::new(), kind });
}

fn answer(prompt: u64, reply: Reply) -> RunCommand {
    RunCommand::Answer { prompt, reply }
}

#[tokio::test]
async fn a_run_is_confirmed_and_told_to_its_end() {
    let mut bench = Bench::start(at_freeze(run()));
    bench.now(|view| asks(view, 1, PromptKind::Confirm));
    assert_eq!(bench.mark().await, "type yes to do it> ");
    bench.types("yes");
    assert_eq!(bench.command().await, answer(1, Reply::Yes));
    bench.now(|view| {
        view.prompt = None;
        view.steps[1].state = StepState::Done;
        view.state = RunState::Finished;
    });
    assert_eq!(bench.left.await.unwrap(), RunOutcome::Finished);
    let text = bench.printed.lock().unwrap().clone();
    for part in
        ["SIMULATED", "SET GLOBAL read_only = 1", "1s ago", "+ done", "FINISHED", "runbook report 2026"]
    {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[tokio::test]
async fn what_is_typed_to_one_question_never_answers_the_next() {
    let mut view = at_freeze(run());
    asks(&mut view, 1, PromptKind::Confirm);
    let mut bench = Bench::start(view);
    bench.mark().await;
    // The question is taken back and another one comes: the answer goes to that one, by its number.
    bench.now(|view| asks(view, 2, PromptKind::Challenge(Clean::new("db2"))));
    assert_eq!(bench.mark().await, "type db2 to do it> ");
    bench.types("yes");
    // No answer; asked again, not the whole question.
    assert_eq!(bench.mark().await, "type db2 to do it> ");
    bench.types("db2");
    assert_eq!(bench.command().await, answer(2, Reply::Text(Zeroizing::new("db2".to_owned()))));
    assert!(bench.printed().contains("question withdrawn"));
    assert!(bench.printed().contains("that is not db2"));
}

#[tokio::test]
async fn an_answered_question_is_not_put_again_while_the_run_takes_the_answer() {
    let mut view = at_freeze(run());
    asks(&mut view, 1, PromptKind::Confirm);
    let mut bench = Bench::start(view);
    bench.mark().await;
    bench.types("yes");
    bench.command().await;
    bench.now(|view| view.trouble = Some(Clean::new("the link to the jump box was lost")));
    bench.now(|view| asks(view, 2, PromptKind::Confirm));
    assert_eq!(bench.mark().await, "type yes to do it> ");
    assert!(bench.marks.try_recv().is_err(), "one question, one mark");
}

#[tokio::test]
async fn notes_and_reasons_are_asked_for() {
    let mut view = at_freeze(run());
    let skip = jumpdeck_fleet::run::Choice {
        key: 'k',
        label: Clean::new("leave it out"),
        reason: true,
        changes: false,
    };
    asks(&mut view, 1, PromptKind::Choose(vec![skip]));
    let mut bench = Bench::start(view);
    assert_eq!(bench.mark().await, "k> ");
    bench.types("n");
    assert_eq!(bench.mark().await, "note> ");
    bench.types("the disk is slow");
    assert_eq!(bench.command().await, RunCommand::Note("the disk is slow".to_owned()));
    bench.mark().await;
    bench.types("k");
    assert_eq!(bench.mark().await, "why> ");
    bench.types("");
    assert_eq!(bench.mark().await, "k> ");
    bench.types("k");
    bench.mark().await;
    bench.types("not needed here");
    let reply = Reply::Chosen('k', Some("not needed here".to_owned()));
    assert_eq!(bench.command().await, answer(1, reply));
}

#[tokio::test]
async fn one_interrupt_stops_before_the_next_step_and_two_leave() {
    let mut bench = Bench::start(RunView { simulated: false, ..at_freeze(run()) });
    bench.interrupts.send(Interrupt::Key).await.unwrap();
    assert_eq!(bench.command().await, RunCommand::Stop);
    bench.interrupts.send(Interrupt::Key).await.unwrap();
    // A change was under way: what became of it, nobody here knows.
    assert_eq!(bench.left.await.unwrap(), RunOutcome::Unknown);
    assert!(bench.printed.lock().unwrap().contains("runbook resume 20261121-134502-freeze-a3f1"));
}

#[tokio::test]
async fn a_run_that_stops_says_how_to_go_on_and_what_to_look_at() {
    let bench = Bench::start(RunView { simulated: false, ..at_freeze(run()) });
    bench.now(|view| {
        view.steps[1].state = StepState::Unknown(Clean::new("SELECT @@read_only on db1"));
        view.state = RunState::Stopped(Clean::new("the link was lost"));
    });
    assert_eq!(bench.left.await.unwrap(), RunOutcome::Unknown);
    let text = bench.printed.lock().unwrap().clone();
    assert!(text.contains("look at: SELECT @@read_only on db1"), "{text}");
    assert!(text.contains("runbook resume"), "{text}");
}

#[tokio::test]
async fn an_actor_that_is_gone_is_no_good_end() {
    let mut view = run();
    view.current = Some(0);
    let bench = Bench::start(view);
    drop(bench.view);
    assert_eq!(bench.left.await.unwrap(), RunOutcome::Broken);
}
