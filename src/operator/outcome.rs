//! How a run was left, as what is shown of it says.

use jumpdeck_fleet::run::{Effect, Mode, RunState, RunView, StepState, StepView};

/// How a run was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything was done.
    Finished,
    /// A dry run to its end; a live one would stop somewhere.
    WouldStop,
    /// It may be resumed.
    Stopped,
    /// Everything was undone.
    RolledBack,
    /// Nobody knows whether a step was done.
    Unknown,
    /// Aborted.
    Abandoned,
    /// Its actor ended without saying how.
    Broken,
}

impl RunOutcome {
    /// How a run ended, if it has.
    #[must_use]
    pub fn of(view: &RunView) -> Option<Self> {
        match &view.state {
            RunState::Running | RunState::Waiting | RunState::RollingBack => None,
            RunState::Finished if !would_stop_at(view).is_empty() => Some(Self::WouldStop),
            RunState::Finished => Some(Self::Finished),
            RunState::RolledBack => Some(Self::RolledBack),
            RunState::Abandoned(_) if !has_unknown(view) => Some(Self::Abandoned),
            RunState::Stopped(_) if !has_unknown(view) => Some(Self::Stopped),
            RunState::Abandoned(_) | RunState::Stopped(_) => Some(Self::Unknown),
        }
    }

    /// How a run is left that has not ended: what a changing step did that runs now, nobody knows.
    #[must_use]
    pub fn unfinished(view: &RunView) -> Self {
        if is_changing(view) || has_unknown(view) { Self::Unknown } else { Self::Stopped }
    }

    /// How a run is left whose actor has ended without saying how.
    #[must_use]
    pub fn broken(view: &RunView) -> Self {
        if is_changing(view) || has_unknown(view) { Self::Unknown } else { Self::Broken }
    }
}

/// The steps of a dry run that a live one would stop at.
#[must_use]
pub fn would_stop_at(view: &RunView) -> Vec<&str> {
    let failed = view.steps.iter().filter(|step| matches!(step.state, StepState::Failed(_)));
    match view.mode {
        Mode::DryRun => failed.map(|step| step.id.as_str()).collect(),
        Mode::Live => Vec::new(),
    }
}

fn is_changing(view: &RunView) -> bool {
    let changes = |step: &StepView| step.state == StepState::Running && step.effect != Effect::Read;
    view.state == RunState::RollingBack || view.steps.iter().any(changes)
}

fn has_unknown(view: &RunView) -> bool {
    view.steps.iter().any(|step| matches!(step.state, StepState::Unknown(_)))
}
