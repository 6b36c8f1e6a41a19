//! Read-only until armed: nothing is sent that changes a host while the environment is not armed, whatever was answered.

use super::{Halt, Runner};
use crate::runbook::event::{Asked, OperatorAnswer, Phase};
use crate::runbook::machine::Task;
use jumpdeck_fleet::run::{PromptKind, Reply};
use jumpdeck_fleet::text::Clean;

/// Whether a change may be sent.
pub(super) enum Armed {
    /// It may.
    Yes,
    /// It was asked about: what it rests on is looked at again first.
    Asked,
    /// It may not: why.
    No(String),
}

impl Runner {
    /// Whether changes may be made now. A dry run makes none.
    pub(super) fn is_armed(&self) -> bool {
        self.machine.dry_run || (self.needs.armed)()
    }

    /// Before a change that nobody is asked about: while the environment is read-only, the run waits here for a yes. The
    /// console takes a yes only once it is armed.
    pub(super) async fn wait_until_armed(&mut self, task: &Task) -> Result<Armed, Halt> {
        if self.is_armed() {
            return Ok(Armed::Yes);
        }
        let title = self.text(task, &task.step.step.title);
        let env = self.needs.env.name.clone();
        let asked = match task.phase {
            Phase::Undo => format!("{env} is read-only. Undo: {title}?"),
            Phase::Run | Phase::Probe | Phase::UndoProbe => format!("{env} is read-only. {title}?"),
        };
        let text = vec![Clean::new("Nothing more is changed until the environment is armed.")];
        match self.ask(asked, text, PromptKind::Confirm).await? {
            Some(Reply::No) => {
                self.answered(task, OperatorAnswer::Declined(Asked::Confirm)).await?;
                Ok(Armed::No(format!("{env} is read-only; nothing was done")))
            }
            // A yes while it is still read-only agrees to nothing.
            Some(Reply::Yes) if self.is_armed() => {
                self.answered(task, OperatorAnswer::Confirmed(Asked::Confirm)).await?;
                Ok(Armed::Asked)
            }
            Some(Reply::Yes | Reply::Text(_) | Reply::Chosen(..)) | None => Ok(Armed::Asked),
        }
    }
}
