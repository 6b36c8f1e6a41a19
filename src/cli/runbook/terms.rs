//! What several texts say alike: risks, effects and states of steps, hosts, inputs.

use crate::cli::terminal::paper::{Ink, Paper};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Asks, Danger, Effect, InputView, StepState, StepView};

/// The word for a step after which no earlier change can be undone.
pub(super) const NO_RETURN: &str = "POINT OF NO RETURN: nothing before it can be rolled back afterwards";
/// How deep what belongs to an input stands.
const INSIDE: usize = 2;

/// What may be lost, in words.
pub(super) fn danger(danger: Danger) -> (Ink, &'static str) {
    match danger {
        Danger::Reads => (Ink::Good, "read-only: it changes nothing"),
        Danger::Changes => (Ink::Warn, "reversible: what it changes can be undone"),
        Danger::Data => (Ink::Bad, "irreversible: data or a service may be lost"),
    }
}

/// What a step may change or asks of people, set off from what is before it; nothing for reading.
pub(super) fn effect(asks: Asks, effect: Effect) -> String {
    match (asks, effect) {
        (Asks::Nothing, Effect::Read) => String::new(),
        (Asks::Nothing | Asks::Yes | Asks::Value | Asks::Work | Asks::ToRead, _) => {
            format!("  {}", asks.says(effect))
        }
    }
}

/// The sign and word of a state; nothing for what is still to come.
pub(super) fn state_words(step: &StepView) -> Option<(Ink, String)> {
    Some(match &step.state {
        StepState::Waiting | StepState::Asked | StepState::Running => return None,
        StepState::Done => (Ink::Good, "+ done".to_owned()),
        StepState::Failed(why) => (Ink::Bad, format!("x FAILED: {why}")),
        StepState::Unknown(what) => (Ink::Bad, format!("? OUTCOME UNKNOWN; look at: {what}")),
        StepState::Skipped(why) if step.skipped_by_operator => (Ink::Warn, format!("- skipped: {why}")),
        StepState::Skipped(why) => (Ink::Dim, format!("- not applicable: {why}")),
        StepState::Printed => {
            let people = match step.asks {
                Asks::Yes | Asks::Value | Asks::Work => true,
                Asks::Nothing | Asks::ToRead => false,
            };
            let looked = !people && step.effect == Effect::Read;
            let word = match (people, looked) {
                (true, _) => "= not asked in a dry run",
                (_, true) => "= read, not judged: changes before it were only printed",
                _ => "= printed, not done",
            };
            (Ink::Plain, word.to_owned())
        }
        StepState::Undone => (Ink::Warn, "< undone".to_owned()),
    })
}

/// Hosts, in a row.
pub(super) fn names(hosts: &[HostName]) -> String {
    hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(", ")
}

/// What fits an input, on paper.
pub(super) fn input_help(paper: &mut Paper, input: &InputView) {
    if let Some(help) = &input.help {
        paper.words(INSIDE, Ink::Plain, help.as_str());
    }
    match (&input.default, &input.because) {
        (Some(default), Some(why)) => paper.words(INSIDE, Ink::Plain, &format!("default {default}: {why}")),
        (None, Some(why)) => paper.words(INSIDE, Ink::Dim, why.as_str()),
        (Some(_) | None, None) => {}
    }
    if input.choices.is_empty() {
        let hidden = if input.sensitive { "; it is not shown while typed" } else { "" };
        paper.words(INSIDE, Ink::Dim, &format!("wanted: {}{hidden}", input.wanted));
    }
    for (i, choice) in input.choices.iter().enumerate() {
        paper.words(INSIDE, Ink::Plain, &format!("{}  {choice}", i + 1));
    }
}
