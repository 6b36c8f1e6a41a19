//! Why there is no lease, and what to do about it.

use super::{ANSWER_LIMIT, Holder};
use crate::transport::error::TransportError;
use jumpdeck_fleet::text::Clean;

/// Why there is no lease, no approval, nothing to watch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else has it.
    #[error("{}", told(.0))]
    Held(Vec<Holder>),
    /// Somebody changes something through the same jump box, where the group's folder is missing.
    #[error("{}", busy(.0))]
    Busy(Vec<Holder>),
    /// Not a key, run or step that can be asked for.
    #[error("{0:?} cannot be the name of a lease")]
    Name(String),
    /// The jump box cannot keep one.
    #[error("the jump box cannot keep a lease: {0}")]
    Refused(Clean),
    /// The way there.
    #[error(transparent)]
    Ssh(#[from] TransportError),
    /// It did not answer in time.
    #[error("the jump box did not answer within {} s", ANSWER_LIMIT.as_secs())]
    Late,
    /// No such run is under way in that environment.
    #[error("no run of that name is under way")]
    NoRun,
    /// Leases there are an account's own.
    #[error("nobody can approve as a second person: /run/lock/jumpdeck is missing; {MAKE_FOLDER}")]
    Alone,
    /// The run asks nobody for anything, or no longer what was seen.
    #[error("the run asks for no approval now, or for another one than you saw: look at the run again")]
    NotAsked,
    /// The run is at another step.
    #[error("the run does not ask for approval of that step: it is at {0}")]
    OtherStep(Clean),
    /// Who runs it cannot approve it.
    #[error("a second operator must approve: {0} runs this run")]
    SamePerson(Clean),
    /// The entries on the jump box are not those that were written.
    #[error("the run's entries on the jump box are damaged: {0}")]
    Damaged(Clean),
}

fn told(holders: &[Holder]) -> String {
    let all: Vec<String> = holders.iter().map(ToString::to_string).collect();
    match all.is_empty() {
        true => "its holder left no name".to_owned(),
        false => all.join("; "),
    }
}

fn busy(holders: &[Holder]) -> String {
    let who = match holders.is_empty() {
        true => {
            "another account of the jump box, whose name only root sees there (fuser -v /run/lock)".to_owned()
        }
        false => told(holders),
    };
    format!(
        "another run makes changes through this jump box: {who}. Without /run/lock/jumpdeck only one run at a time is possible: \
         {MAKE_FOLDER}; or, if all operators use one account there, write lease = \"own-account\" into the environment"
    )
}

/// What makes the group's folder.
pub(super) const MAKE_FOLDER: &str = "as root on the jump box: groupadd jumpdeck; \
                           install -d -o root -g jumpdeck -m 2770 /run/lock/jumpdeck (docs/security.md)";
