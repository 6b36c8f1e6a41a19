//! What happened in a run: the journal's entries. The machine knows nothing else, so that what it knew before
//! a crash it knows again after reading them. Secrets are no part of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::ids::{RunId, StepId};
use super::place::{PerPlace, Place};
use super::plan::Frozen;
use jumpdeck_fleet::names::HostName;

mod answer;

pub use answer::{Asked, OperatorAnswer, Way};

/// The form of the journals that are written. Journals of every form from 1 on are read.
pub const SCHEMA: u32 = 2;

fn first_schema() -> u32 {
    1
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    Started {
        /// The form of the journal: [`SCHEMA`]. Journals of schema 1 do not say it.
        #[serde(default = "first_schema")]
        schema: u32,
        /// Its id.
        run: RunId,
        /// Who: `account@machine`.
        who: String,
        /// Why.
        why: String,
        /// Whether changes are only printed.
        dry_run: bool,
        /// Whether the fleet is simulated.
        simulated: bool,
        /// The plan.
        plan: Box<Frozen>,
        /// The account on each host, except root: marks of changes under way can be seen by the account that made them.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        accounts: BTreeMap<String, String>,
    },
    /// It goes on in another process.
    Resumed {
        /// Who.
        who: String,
        /// Whether it goes on from its entries on the jump box, as the one who ran it before is gone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken_over: bool,
        /// The account on each host, except root.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        accounts: BTreeMap<String, String>,
    },
    /// A person answered.
    Answered {
        /// The step asked for.
        step: StepId,
        /// What was asked, and the answer.
        #[serde(flatten)]
        answer: OperatorAnswer,
        /// Who.
        who: String,
        /// Why, when a reason was asked for.
        reason: Option<String>,
    },
    /// What is about to be done; nothing was yet. Written and flushed before.
    Intent {
        /// The step.
        step: StepId,
        /// What for.
        phase: Phase,
        /// From 1.
        attempt: u32,
        /// What exactly, by place; secrets as dots.
        commands: BTreeMap<Place, String>,
        /// The facts it rests on, as they were proved right before.
        facts: Vec<ProvedFact>,
    },
    /// How it went.
    Outcome {
        /// The step.
        step: StepId,
        /// What for.
        phase: Phase,
        /// From 1.
        attempt: u32,
        /// By place; at least one.
        hosts: Outcomes,
        /// Values that hold a secret, by name: not kept, and read or asked for again when the run goes on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<String>,
        /// Milliseconds it took.
        took_ms: u64,
    },
    /// A step was left out.
    Skipped {
        /// The step.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// A host is left out of the rest.
    Excluded {
        /// The host.
        #[serde(with = "host_name")]
        host: HostName,
        /// The step that failed on it.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// A rollback began.
    RollingBack {
        /// Why.
        reason: String,
    },
    /// It is given up as it is; closing steps are still done.
    Abandoning {
        /// Why.
        reason: String,
    },
    /// A window failed: what was done in it is undone, without asking anybody.
    WindowFailed {
        /// The window.
        window: StepId,
        /// Why.
        reason: String,
    },
    /// A note.
    Note {
        /// Who.
        who: String,
        /// The text.
        text: String,
    },
    /// A session that was kept open is lost, and what it held with it; it must be opened again.
    HoldLost {
        /// The step that opened it.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// Something of the way to the fleet: link lost, lease lost, lease back.
    Trouble {
        /// What.
        text: String,
    },
    /// The process that ran it let go; it may be resumed.
    Stopped {
        /// Why.
        reason: String,
    },
    /// The run is over.
    Ended {
        /// How.
        how: Ending,
    },
}

/// What something is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The step itself.
    Run,
    /// Asking whether it was done, after an outcome that nobody knows.
    Probe,
    /// Taking it back.
    Undo,
    /// Asking whether it was taken back.
    UndoProbe,
}

/// A fact that was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedFact {
    /// What it says.
    pub says: String,
    /// The host asked, if one was.
    pub host: Place,
    /// What was seen.
    pub seen: String,
    /// Whether it holds.
    pub holds: bool,
}

/// How it went on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostOutcome {
    /// How.
    pub verdict: Verdict,
    /// Values kept; a sensitive one is not here.
    pub values: BTreeMap<String, String>,
    /// The end of what it printed, redacted; nothing of a sensitive step.
    pub output: String,
    /// What was proved afterwards.
    pub proof: Vec<ProvedFact>,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// Done, and read back; for a probe: it was done.
    Done,
    /// For a probe: it was not done.
    NotDone,
    /// It failed; nothing of it is in effect as far as was seen.
    Failed(String),
    /// Nobody knows: what to look at.
    Unknown(String),
    /// Printed, not done (dry run).
    Printed,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending", content = "reason")]
pub enum Ending {
    /// Everything was done.
    Finished,
    /// Taken back to the last safe point.
    RolledBack,
    /// Given up by a person.
    Abandoned(String),
}

/// How it went, place by place: at least one. Nothing that went nowhere can have gone well.
pub type Outcomes = PerPlace<HostOutcome>;

impl HostOutcome {
    /// This verdict, and nothing more.
    #[must_use]
    pub fn of(verdict: Verdict) -> Self {
        Self { verdict, values: BTreeMap::new(), output: String::new(), proof: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Outcomes {
    /// Journals of schema 1 could have an outcome without any place, which counted as a success. Nothing is known of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<Place, HostOutcome>::deserialize(deserializer)?;
        Ok(Self::of(map).unwrap_or_else(|| {
            let why = "the journal has no host for it: check by hand whether it was done".to_owned();
            Self::one(Place::Nowhere, HostOutcome::of(Verdict::Unknown(why)))
        }))
    }
}

/// A host's name as text.
mod host_name {
    use serde::{Deserialize, Deserializer, Serializer};

    use jumpdeck_fleet::names::HostName;

    pub(super) fn serialize<S: Serializer>(host: &HostName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(host.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HostName, D::Error> {
        let name = String::deserialize(deserializer)?;
        HostName::new(&name).map_err(serde::de::Error::custom)
    }
}
