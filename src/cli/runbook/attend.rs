//! The person at a run, line by line: pictures of the run come in and are told, questions are asked, answers go to the
//! run's actor. The same door the console uses.

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use jumpdeck_fleet::maintenance::RunEntry;
use jumpdeck_fleet::run::{Prompt, Reply, RunCommand, RunView};
use jumpdeck_fleet::time::Moment;

use super::answer::{self, TypedAnswer};
use super::site::RunSite;
use super::story::Story;
use crate::cli::common::CliError;
use crate::cli::print;
use crate::cli::terminal::interrupts::Interrupt;
use crate::cli::terminal::keys::{AnswerKeys, Typed};
use crate::cli::terminal::paper::Paper;
use crate::operator::outcome::RunOutcome;
use crate::runbook::runner::RunHandle;

/// The exit code of a run, as docs/runbooks.md has it.
pub(super) fn exit_code(outcome: RunOutcome) -> u8 {
    match outcome {
        RunOutcome::Finished => 0,
        RunOutcome::Stopped => 3,
        RunOutcome::WouldStop => 1,
        RunOutcome::RolledBack => 4,
        RunOutcome::Unknown => 5,
        RunOutcome::Abandoned => 6,
        RunOutcome::Broken => 70,
    }
}

/// The run, and the person at it.
pub(super) struct Operator<K, P> {
    pub(super) keys: K,
    /// Prints.
    pub(super) print: P,
    pub(super) story: Story,
    pub(super) commands: mpsc::Sender<RunCommand>,
    pub(super) clock: Arc<dyn Fn() -> Moment + Send + Sync>,
    pub(super) interrupts: mpsc::Receiver<Interrupt>,
}

/// Stays with a run to its end.
pub(super) async fn stay(
    site: &RunSite,
    handle: RunHandle,
    interrupts: mpsc::Receiver<Interrupt>,
    tail: String,
    how: RunEntry,
) -> Result<ExitCode, CliError> {
    let RunHandle { commands, view, .. } = handle;
    let session = site.session();
    session.run(&view.borrow(), how);
    let last = view.clone();
    let operator = Operator {
        keys: site.terminal()?,
        // A terminal that is gone says so when it is read.
        print: |text: &str| drop(print::answer(text)),
        story: Story::new(Paper::of_stdout()).with_tail(tail),
        commands,
        clock: site.clock(),
        interrupts,
    };
    let outcome = operator.stay(view).await;
    session.run_left(&last.borrow());
    Ok(ExitCode::from(exit_code(outcome)))
}

/// What ended a wait.
enum Woken {
    /// There is a new picture.
    View,
    /// There will be none any more.
    Gone,
    Interrupt(Interrupt),
    Answered(Answered),
}

/// What came of a question.
enum Answered {
    Command(RunCommand),
    Stop,
    Again(String),
}

impl<K: AnswerKeys, P: FnMut(&str)> Operator<K, P> {
    /// Stays with the run until it is over or left.
    pub(super) async fn stay(mut self, mut views: watch::Receiver<Arc<RunView>>) -> RunOutcome {
        // Answered, but the run has not taken the answer yet; and asked in full, so that its mark alone is shown again.
        let (mut answered, mut asked) = (None, None);
        let mut stopping = false;
        loop {
            let view = views.borrow_and_update().clone();
            let text = self.story.tell(&view, (self.clock)());
            (self.print)(&text);
            if let Some(left) = RunOutcome::of(&view) {
                return self.leave(&view, left);
            }
            let prompt = view.prompt.as_ref().filter(|p| Some(p.number) != answered);
            if let Some(prompt) = prompt.filter(|p| asked.replace(p.number) != Some(p.number)) {
                let text = self.story.question(&view, prompt, (self.clock)());
                (self.print)(&text);
            }
            match self.wait(prompt, &mut views).await {
                Woken::View => {}
                Woken::Gone => return self.leave(&view, RunOutcome::broken(&view)),
                Woken::Answered(Answered::Again(why)) => (self.print)(&format!("  {why}\n")),
                Woken::Answered(Answered::Command(command)) => {
                    if let RunCommand::Answer { prompt, .. } = &command {
                        answered = Some(*prompt);
                    }
                    self.send(command).await;
                }
                Woken::Interrupt(Interrupt::Key) | Woken::Answered(Answered::Stop) if !stopping => {
                    stopping = true;
                    (self.print)("\nstopping before the next step; ^C once more leaves at once\n");
                    self.send(RunCommand::Stop).await;
                }
                Woken::Interrupt(_) | Woken::Answered(Answered::Stop) => {
                    let view = views.borrow().clone();
                    return self.leave(&view, RunOutcome::unfinished(&view));
                }
            }
        }
    }

    /// Waits until something is to be done. What comes while a question stands is told below it, and the question is
    /// put again: half an answer typed before it was known is none.
    async fn wait(&mut self, prompt: Option<&Prompt>, views: &mut watch::Receiver<Arc<RunView>>) -> Woken {
        let Self { keys, print, story, clock, interrupts, .. } = self;
        let mut answer = std::pin::pin!(ask(keys, prompt));
        loop {
            tokio::select! {
                biased;
                interrupt = interrupts.recv() => {
                    return Woken::Interrupt(interrupt.unwrap_or(Interrupt::End));
                }
                changed = views.changed() => {
                    let Some(prompt) = prompt.filter(|_| changed.is_ok()) else {
                        return if changed.is_ok() { Woken::View } else { Woken::Gone };
                    };
                    let view = views.borrow_and_update().clone();
                    if view.prompt.as_ref().map(|p| p.number) != Some(prompt.number) {
                        print("\n(question withdrawn)\n");
                        return Woken::View;
                    }
                    let text = story.tell(&view, clock());
                    if !text.is_empty() {
                        print(&format!("\n{text}"));
                        return Woken::View;
                    }
                }
                said = &mut answer => return Woken::Answered(said),
            }
        }
    }

    async fn send(&self, command: RunCommand) {
        // The run's end is seen in its pictures.
        let _ = self.commands.send(command).await;
    }

    fn leave(&mut self, view: &RunView, left: RunOutcome) -> RunOutcome {
        let text = self.story.ending(view, (self.clock)());
        (self.print)(&text);
        left
    }
}

/// Puts the question; for none, waits for ever.
async fn ask(keys: &mut impl AnswerKeys, prompt: Option<&Prompt>) -> Answered {
    let Some(prompt) = prompt else { return std::future::pending().await };
    let reply = |reply| Answered::Command(RunCommand::Answer { prompt: prompt.number, reply });
    let (mark, echo) = answer::mark(&prompt.kind);
    match answer::said(&prompt.kind, keys.line(&mark, echo).await) {
        TypedAnswer::Reply(said) => reply(said),
        TypedAnswer::Reason(key) => match text(keys, "why> ").await {
            Some(why) => reply(Reply::Chosen(key, Some(why))),
            None => Answered::Again("a reason is needed; nothing was chosen".to_owned()),
        },
        TypedAnswer::Note(Some(text)) => Answered::Command(RunCommand::Note(text)),
        TypedAnswer::Note(None) => match text(keys, "note> ").await {
            Some(text) => Answered::Command(RunCommand::Note(text)),
            None => Answered::Again("no note was made".to_owned()),
        },
        TypedAnswer::Rollback => Answered::Command(RunCommand::Rollback),
        TypedAnswer::Stop => Answered::Stop,
        TypedAnswer::Again(why) => Answered::Again(why),
    }
}

/// A line of text, typed or pasted.
async fn text(keys: &mut impl AnswerKeys, mark: &str) -> Option<String> {
    match keys.line(mark, true).await {
        Typed::Line(line) | Typed::Pasted(line) => {
            Some(line.trim().to_owned()).filter(|text| !text.is_empty())
        }
        Typed::Several | Typed::End => None,
    }
}

#[cfg(test)]
mod tests;
