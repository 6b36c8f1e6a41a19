//! A plan: the runbook with its inputs and frozen targets, its steps unrolled. Made before anything runs,
//! kept in the journal's first entry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::definition::{Runbook, Step};
use super::ids::StepId;
use super::kinds::Turn;
use super::value::Value;
use jumpdeck_fleet::names::NameError;

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
    /// The environment's internal domain; empty when it has none.
    pub domain: String,
    /// The jump box's name.
    pub jump: String,
    /// What writes its hosts' files.
    #[serde(default)]
    pub managed_by: ManagedBy,
    /// Inputs; sensitive ones are asked again.
    pub inputs: BTreeMap<String, String>,
    /// Targets: their hosts, in order.
    pub targets: BTreeMap<String, Vec<FrozenHost>>,
}

/// What writes the files of an environment's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagedBy {
    /// Salt, as everywhere before there was anything else.
    #[default]
    Salt,
    /// Nobody but runbooks and people, over SSH.
    Ssh,
}

impl ManagedBy {
    /// Its word in conditions.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Salt => "salt",
            Self::Ssh => "ssh",
        }
    }
}

fn ssh_port() -> u16 {
    22
}

/// A host as the plan froze it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenHost {
    /// Its name in the inventory.
    pub name: String,
    /// Its address.
    pub address: String,
    /// The TCP port of its sshd. Plans of before it was kept: 22.
    #[serde(default = "ssh_port")]
    pub port: u16,
    /// Its roles, by the inventory.
    pub roles: Vec<String>,
    /// Its files that name the database server, as a script reads them: lines `file`, `line` and `reload`, each with its text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub database_files: String,
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
    pub steps: Vec<Arc<PlannedStep>>,
}

/// A step of a plan.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Its id, with the batch of a `for_each`: `repoint[1/2]/start`. No other step of the plan has it.
    pub id: StepId,
    /// Its place among the plan's steps, from 0. The plan alone gives it.
    pub position: usize,
    /// What the runbook says. Never a `for_each` or a `branch`: those are unrolled.
    pub step: Arc<Step>,
    /// Conditions of the branches around it, each to hold (`true`) or not.
    pub under: Vec<(bool, Arc<Step>)>,
    /// The batch of each `for_each` around it: item name, host names.
    pub items: BTreeMap<String, Vec<String>>,
    /// How many hosts of its `for_each` may fail.
    pub max_failures: usize,
    /// How many groups are around it.
    pub depth: usize,
    /// The window that it is in.
    pub window: Option<Arc<Window>>,
}

/// Steps that run without anybody being asked, within a limit, and are undone at once when that fails.
#[derive(Debug)]
pub struct Window {
    /// Its id.
    pub id: StepId,
    /// From its first step to its point of no return, or to its end.
    pub limit: Duration,
    /// What the runbook says: its title, and the facts that are proved right before it.
    pub step: Step,
}

impl Plan {
    /// The steps of a runbook over frozen targets, unrolled.
    ///
    /// # Errors
    /// When a step's id cannot be one.
    pub fn new(
        runbook: Arc<Runbook>,
        frozen: Frozen,
        inputs: BTreeMap<String, Value>,
    ) -> Result<Self, NameError> {
        let mut unrolling = Unrolling { frozen: &frozen, steps: Vec::new() };
        unrolling.steps(&runbook.steps, &Around::default())?;
        let steps = unrolling.steps;
        Ok(Self { runbook, frozen, inputs, steps })
    }

    /// The step with that id, if there is one.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Arc<PlannedStep>> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// A host as it was frozen.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<&FrozenHost> {
        self.frozen.targets.values().flatten().find(|h| h.name == name)
    }
}

/// The branches and batches around a step.
#[derive(Debug, Clone, Default)]
struct Around {
    prefix: String,
    under: Vec<(bool, Arc<Step>)>,
    items: BTreeMap<String, Vec<String>>,
    max_failures: usize,
    depth: usize,
    window: Option<Arc<Window>>,
}

struct Unrolling<'f> {
    frozen: &'f Frozen,
    steps: Vec<Arc<PlannedStep>>,
}

impl Unrolling<'_> {
    fn steps(&mut self, steps: &[Step], around: &Around) -> Result<(), NameError> {
        for step in steps {
            match step.group() {
                Some(group) => {
                    let window = match group.limit() {
                        Some(limit) => {
                            let id = StepId::new(&format!("{}{}", around.prefix, step.id))?;
                            Some(Arc::new(Window { id, limit, step: step.clone() }))
                        }
                        None => around.window.clone(),
                    };
                    for turn in group.turns(&step.inside, self.frozen) {
                        self.steps(
                            turn.steps,
                            &Around { window: window.clone(), ..around.within(step, &turn) },
                        )?;
                    }
                }
                None => self.steps.push(Arc::new(PlannedStep {
                    id: StepId::new(&format!("{}{}", around.prefix, step.id))?,
                    position: self.steps.len(),
                    step: Arc::new(step.clone()),
                    under: around.under.clone(),
                    items: around.items.clone(),
                    max_failures: around.max_failures,
                    depth: around.depth,
                    window: around.window.clone(),
                })),
            }
        }
        Ok(())
    }
}

impl Around {
    /// What is around the steps of a turn of a group here.
    fn within(&self, group: &Step, turn: &Turn<'_>) -> Self {
        let mut inside = Self { depth: self.depth + 1, ..self.clone() };
        if !group.when.is_empty() || !turn.wanted {
            inside.under.push((turn.wanted, Arc::new(group.clone())));
        }
        if let Some(batch) = &turn.batch {
            inside.prefix = format!("{}{}{}/", self.prefix, group.id, batch.number);
            inside.items.insert(batch.item.clone(), batch.hosts.clone());
            inside.max_failures = batch.max_failures;
        }
        inside
    }
}
