//! A plan: the runbook with its inputs and frozen targets, its steps unrolled. Made before anything runs, kept in the
//! journal's first entry. May import `domain`, `spec`, `value`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::spec::{Runbook, Step};
use super::value::Value;

/// What the journal keeps of a plan: enough to make the same plan again, whatever became of the files since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The runbook's name.
    pub runbook: String,
    /// Its files: name and text.
    pub sources: Vec<(String, String)>,
    /// SHA-256 of the sources, hexadecimal.
    pub hash: String,
    /// The environment.
    pub environment: String,
    /// The environment's level.
    pub level: String,
    /// Inputs; sensitive ones are asked again.
    pub inputs: BTreeMap<String, String>,
    /// Targets: their hosts, in order.
    pub targets: BTreeMap<String, Vec<FrozenHost>>,
}

/// A host as the plan froze it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenHost {
    /// Its name in the inventory.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its roles, by the inventory.
    pub roles: Vec<String>,
    /// The machine's own id (`/etc/machine-id`), as it said it when the plan was made; a later mismatch stops the run.
    pub machine_id: Option<String>,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The runbook.
    pub runbook: Arc<Runbook>,
    /// What the journal keeps.
    pub frozen: Frozen,
    /// The inputs' values.
    pub inputs: BTreeMap<String, Value>,
    /// The steps, unrolled.
    pub steps: Vec<PlannedStep>,
}

/// A step of a plan.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Its id, with the batch of a `for_each`: `repoint[1/2]/start`.
    pub id: String,
    /// What the runbook says. Never a `for_each` or a `branch`: those are unrolled.
    pub step: Arc<Step>,
    /// Conditions of the branches around it, each to hold (`true`) or not.
    pub under: Vec<(bool, Arc<Step>)>,
    /// The batch of each `for_each` around it: item name, host names.
    pub items: BTreeMap<String, Vec<String>>,
    /// How many hosts of its `for_each` may fail.
    pub max_failures: usize,
    /// How deep it stands.
    pub depth: usize,
}
