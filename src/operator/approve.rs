//! The yes of a second person to a step of a run that somebody else has under way. The run's question is read and checked
//! against its entries, an operator agrees to it, what they agreed to is signed, and only that can be sent: [`ApprovalAsked`],
//! [`ApprovalAgreed`], [`ApprovalSigned`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::access::{EnvAccess, NoJumpBox};
use super::following::{FollowError, Following};
use crate::openssh::sshsig::NotSigned;
use crate::runbook::approval::{self, Approval, ApprovalQuestion};
use crate::runbook::event::Event;
use crate::runbook::evidence::NAMESPACE;
use crate::runbook::journal::Entry;
use crate::runbook::lease::{self, LeaseError, LeasePlaces};
use crate::runbook::library::Library;
use crate::runbook::machine::Machine;
use crate::runbook::replay::{self, StartError};
use crate::transport::Session;
use jumpdeck_fleet::fleet::Signatures;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::RunView;
use jumpdeck_fleet::text::Clean;

/// An operator may take so long to touch their key.
const TOUCH: Duration = Duration::from_secs(60);

/// Why nothing was approved.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// The run cannot be seen.
    #[error("{0}")]
    Follow(#[from] FollowError),
    /// It has no entries.
    #[error("the jump box has no entries of that run")]
    NoEntry,
    /// Its entries do not fit together.
    #[error("{0}")]
    Replay(#[from] StartError),
    /// The run has no such step.
    #[error("this run has no step {0:?}")]
    NoStep(String),
    /// Nothing is asked.
    #[error("the run asks for no approval now; its console shows when it does")]
    NotAsked,
    /// Something else is asked.
    #[error("the run asks for an approval of {asked}, not of {step}")]
    OtherStep {
        /// What the run asks to approve.
        asked: String,
        /// What the operator named.
        step: String,
    },
    /// The question is not about what the entries say.
    #[error(
        "the run asks to approve something else than its entries say: do not approve it; check that both consoles have the same version of jumpdeck"
    )]
    OtherCommands,
    /// The jump box cannot be reached.
    #[error("{0}")]
    NoJumpBox(#[from] NoJumpBox),
    /// A signature is demanded, and cannot be made.
    #[error("not approved: {env} demands signatures, but there is no signing key ({why})")]
    Unsigned {
        /// The environment.
        env: EnvName,
        /// Why there is none.
        why: NotSigned,
    },
    /// The yes did not reach the run.
    #[error("{0}")]
    Lease(#[from] LeaseError),
}

/// Where the runbook of a run is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunbookOrigin {
    /// It comes with this program.
    BuiltIn,
    /// One of that name comes with this program, and it is another.
    OtherThanBuiltIn,
    /// It is the operator's own.
    Own,
}

/// A run with its question to a second person.
pub struct ApprovalAsked {
    view: RunView,
    trouble: Option<Clean>,
    machine: Machine,
    question: ApprovalQuestion,
}

impl ApprovalAsked {
    /// Reads a run, and what it asks of a step.
    ///
    /// # Errors
    /// When the run cannot be seen, asks something else or nothing, or asks about other commands than its entries tell.
    pub async fn read(access: &EnvAccess, run: &str, step: &str) -> Result<Self, ApproveError> {
        let mut watched = Following::open(&*access.reach, &access.env, run).await?;
        let mut view = None;
        // Entries come in pieces.
        while let Some(Some(newer)) = watched.look(access.clock.now()).await? {
            view = Some(newer);
        }
        let view = view.ok_or(ApproveError::NoEntry)?;
        let machine = replay::machine(watched.entries())?;
        let question = question(watched.asks(), &machine, step)?.clone();
        let trouble = trouble(&view, watched.entries());
        Ok(Self { view, trouble, machine, question })
    }

    /// The run.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// What went wrong last, since the run is in its operator's hands: whoever approves must know it.
    #[must_use]
    pub fn trouble(&self) -> Option<&Clean> {
        self.trouble.as_ref()
    }

    /// Name, hash and origin of the run's runbook, by its sources as the entries have them, not by what is said of them.
    #[must_use]
    pub fn runbook(&self) -> (&str, &str, RunbookOrigin) {
        let runbook = &self.machine.plan().runbook;
        (&runbook.name, &runbook.hash, origin(&runbook.name, &runbook.hash))
    }

    /// What is approved, line by line: what could not be proved, and every command until the next question.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        approval::shown(&self.machine, &self.question.step, &self.question.doubts).unwrap_or_default()
    }

    /// The operator says yes.
    ///
    /// # Errors
    /// When the jump box cannot be reached.
    pub async fn agree(self, access: &EnvAccess) -> Result<ApprovalAgreed, NoJumpBox> {
        let jump = access.jump().await?;
        Ok(ApprovalAgreed { approval: Approval::to(&self.question, &access.who), jump })
    }
}

/// A yes that is not signed yet.
pub struct ApprovalAgreed {
    approval: Approval,
    jump: Arc<dyn Session>,
}

impl ApprovalAgreed {
    /// Signs it with the operator's key; `waits` is called when the key wants to be touched, or the agent to be answered. Without
    /// a key they approve unsigned: the second value says why. Where signatures are demanded that is an error.
    ///
    /// # Errors
    /// When a signature is demanded, and cannot be made.
    pub async fn sign(
        mut self,
        access: &EnvAccess,
        waits: impl FnOnce() + Send,
    ) -> Result<(ApprovalSigned, Option<NotSigned>), ApproveError> {
        let made = match access.keys.signing().await.signer {
            Ok(signer) => signer.sign(NAMESPACE, self.approval.text().as_bytes(), TOUCH, waits).await,
            Err(why) => Err(NotSigned(why)),
        };
        let why = match made {
            Ok(signature) => {
                self.approval.sig = signature.to_base64();
                None
            }
            Err(why) if access.env.signatures == Signatures::Required => {
                return Err(ApproveError::Unsigned { env: access.env.name.clone(), why });
            }
            Err(why) => Some(why),
        };
        Ok((ApprovalSigned(self), why))
    }
}

/// A yes that is signed, or that an environment accepts without.
pub struct ApprovalSigned(ApprovalAgreed);

impl ApprovalSigned {
    /// Hands it to the run.
    ///
    /// # Errors
    /// When the run does not ask for it any more, or the jump box does not keep it.
    pub async fn send(self, access: &EnvAccess) -> Result<(), LeaseError> {
        let Self(ApprovalAgreed { approval, jump }) = self;
        lease::approve_in(&LeasePlaces::of(&access.env), &*jump, &approval).await
    }
}

/// The question that is put, when it is the step's and about what the run's entries say.
fn question<'q>(
    asks: Option<&'q ApprovalQuestion>,
    machine: &Machine,
    step: &str,
) -> Result<&'q ApprovalQuestion, ApproveError> {
    if machine.steps().all(|at| *at.id() != step) {
        return Err(ApproveError::NoStep(step.to_owned()));
    }
    let question = asks.ok_or(ApproveError::NotAsked)?;
    if question.step != step {
        return Err(ApproveError::OtherStep { asked: question.step.clone(), step: step.to_owned() });
    }
    if !question.is_about(machine) {
        return Err(ApproveError::OtherCommands);
    }
    Ok(question)
}

fn trouble(view: &RunView, entries: &[Entry]) -> Option<Clean> {
    let since = entries.iter().rev().take_while(|entry| !matches!(entry.event, Event::Resumed { .. }));
    let mut troubles = since.filter_map(|entry| {
        let Event::Trouble { text } = &entry.event else { return None };
        Some(Clean::new(text))
    });
    view.trouble.clone().or_else(|| troubles.next())
}

/// Whether a runbook is the one that comes with this program: an own one of the same name replaces it.
fn origin(name: &str, hash: &str) -> RunbookOrigin {
    let (built_in, _) = Library::load(Path::new(""));
    match built_in.get(name) {
        Some(runbook) if runbook.hash == hash => RunbookOrigin::BuiltIn,
        Some(_) => RunbookOrigin::OtherThanBuiltIn,
        None => RunbookOrigin::Own,
    }
}
