//! What is on screen, without secrets. Every field is named here, as for entries.

use std::sync::Arc;

use crate::runbook::redact::Redactor;
use jumpdeck_fleet::run::{
    Choice, Doing, EndedBy, FactView, InEffect, Past, Prompt, PromptKind, ReportSection, RunState, RunView,
    Safety, StepState, StepView,
};
use jumpdeck_fleet::text::Clean;

/// Makes secrets in what is shown unreadable. Ids, hosts, choices and a value that is to be typed as it stands stay. Steps
/// that are over are for [`hide_past`].
pub(in crate::runbook::runner) fn hide(view: &mut RunView, redactor: &Redactor) {
    if redactor.is_empty() {
        return;
    }
    let RunView {
        id: _,
        runbook: _,
        title,
        env: _,
        simulated: _,
        mode: _,
        who: _,
        why,
        began: _,
        state,
        steps,
        current: _,
        doing,
        past: _,
        earlier: _,
        prompt,
        safety,
        in_effect,
        values,
        notes,
        watching: _,
        trouble,
        report,
    } = view;
    let text = |clean: &mut Clean| hide_text(clean, redactor);
    [title, why].into_iter().chain(trouble).for_each(text);
    match state {
        RunState::Stopped(why) | RunState::Abandoned(why) => text(why),
        RunState::Running
        | RunState::Waiting
        | RunState::RollingBack
        | RunState::Finished
        | RunState::RolledBack => {}
    }
    steps.iter_mut().for_each(|step| hide_step(step, redactor));
    if let Some(doing) = doing {
        hide_doing(doing, redactor);
    }
    if let Some(prompt) = prompt {
        hide_prompt(prompt, redactor);
    }
    match safety {
        Safety::Safe => {}
        Safety::Meanwhile(says)
        | Safety::Until { until: _, cost: says }
        | Safety::NoWrites { since: _, says }
        | Safety::Unknown(says) => text(says),
    }
    in_effect.iter_mut().for_each(|lasting| hide_in_effect(lasting, redactor));
    values.iter_mut().for_each(|(_, _, value)| text(value));
    notes.iter_mut().for_each(|(_, _, note)| text(note));
    for ReportSection { title: _, rows } in report {
        rows.iter_mut().for_each(|(label, row)| [label, row].into_iter().for_each(text));
    }
}

fn hide_in_effect(lasting: &mut InEffect, redactor: &Redactor) {
    let InEffect {
        step: _,
        says,
        on: _,
        since: _,
        since_clock: _,
        certain: _,
        stops_writes: _,
        found: _,
        guards,
        ended_by,
    } = lasting;
    hide_text(says, redactor);
    guards.iter_mut().for_each(|guard| hide_text(guard, redactor));
    match ended_by {
        EndedBy::Rollback | EndedBy::GoingOn | EndedBy::NotThisRun => {}
        EndedBy::Hand(commands) => {
            commands.iter_mut().flat_map(|(_, lines)| lines).for_each(|line| hide_text(line, redactor));
        }
    }
}

fn hide_text(clean: &mut Clean, redactor: &Redactor) {
    if redactor.finds(clean.as_str()) {
        *clean = Clean::new(&redactor.text(clean.as_str()));
    }
}

fn hide_step(step: &mut StepView, redactor: &Redactor) {
    let StepView {
        id: _,
        kind: _,
        asks: _,
        title,
        on: _,
        effect: _,
        point_of_no_return: _,
        depth: _,
        captures: _,
        state,
        began: _,
        took: _,
        skipped_by_operator: _,
    } = step;
    hide_text(title, redactor);
    hide_state(state, redactor);
}

fn hide_state(state: &mut StepState, redactor: &Redactor) {
    match state {
        StepState::Failed(why) | StepState::Unknown(why) | StepState::Skipped(why) => {
            hide_text(why, redactor);
        }
        StepState::Waiting
        | StepState::Asked
        | StepState::Running
        | StepState::Done
        | StepState::Printed
        | StepState::Undone => {}
    }
}

/// The same in steps that are over. All pictures share them and they were hidden while they ran, so this is for secrets
/// that became known since.
pub(in crate::runbook::runner) fn hide_past(past: &mut [Arc<Past>], redactor: &Redactor) {
    for shared in past {
        let mut own = Past::clone(shared);
        let Past { step: _, doing, state, took: _ } = &mut own;
        hide_doing(doing, redactor);
        hide_state(state, redactor);
        *shared = Arc::new(own);
    }
}

fn hide_doing(doing: &mut Doing, redactor: &Redactor) {
    let Doing { why, impact, commands, facts, output, output_before: _, next, undo } = doing;
    let text = |clean: &mut Clean| hide_text(clean, redactor);
    [why, impact, next, undo].into_iter().flatten().for_each(text);
    commands.iter_mut().flat_map(|(_, lines)| lines).for_each(text);
    output.iter_mut().for_each(|(_, line)| text(line));
    for FactView { says, host: _, seen, at: _ } in facts {
        text(says);
        match seen {
            Ok(seen) | Err(seen) => text(seen),
        }
    }
}

fn hide_prompt(prompt: &mut Prompt, redactor: &Redactor) {
    let Prompt { number: _, title, text, kind } = prompt;
    hide_text(title, redactor);
    text.iter_mut().for_each(|line| hide_text(line, redactor));
    match kind {
        PromptKind::Choose(choices) => {
            choices
                .iter_mut()
                .for_each(|Choice { key: _, label, reason: _, changes: _ }| hide_text(label, redactor));
        }
        PromptKind::Confirm | PromptKind::Challenge(_) | PromptKind::Input(_) | PromptKind::Approve(_) => {}
    }
}
