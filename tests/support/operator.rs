//! A scripted operator: answers a run's prompts through its command channel, the door a person's answers come by.

use std::sync::Arc;
use std::time::Duration;

use jumpdeck::runbook::runner::RunHandle;
use jumpdeck_fleet::run::{Prompt, Reply, RunCommand, RunState, RunView};

/// Answers every prompt as `answer` says, until the run stands.
pub(crate) async fn drive(
    mut handle: RunHandle,
    mut answer: impl FnMut(&Prompt) -> Reply,
) -> (Arc<RunView>, Vec<Prompt>) {
    let mut seen: Vec<Prompt> = Vec::new();
    let all = async {
        loop {
            let view = handle.view.borrow_and_update().clone();
            if !matches!(view.state, RunState::Running | RunState::Waiting | RunState::RollingBack) {
                return view;
            }
            if let Some(prompt) = &view.prompt
                && seen.last().is_none_or(|last| last.number != prompt.number)
            {
                seen.push(prompt.clone());
                let reply = answer(prompt);
                let command = RunCommand::Answer { prompt: prompt.number, reply };
                if handle.commands.send(command).await.is_err() {
                    return handle.view.borrow().clone();
                }
            }
            if handle.view.changed().await.is_err() {
                return handle.view.borrow().clone();
            }
        }
    };
    // Fifteen seconds for every answer, on a machine with other fleets: four minutes and more.
    let view = tokio::time::timeout(Duration::from_secs(900), all).await;
    (view.unwrap_or_else(|_| panic!("the run does not end")), seen)
}

/// How a run ended, told for a failing test: every step with its state, and what was asked.
pub(crate) fn story(view: &RunView, prompts: &[Prompt]) -> String {
    let steps: Vec<String> =
        view.steps.iter().map(|s| format!("{:<28} {:?} {:?}", s.id, s.state, s.took)).collect();
    let asked: Vec<String> = prompts.iter().map(|p| format!("{}: {:?}", p.title, p.text)).collect();
    format!("{:?}\n{}\nasked:\n{}", view.state, steps.join("\n"), asked.join("\n"))
}
