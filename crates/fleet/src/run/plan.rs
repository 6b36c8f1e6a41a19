//! A plan as it is shown before anything runs, and what its two sources, the inventory and the hosts, do not agree on.

use super::{Asks, Effect};
use crate::names::{EnvName, HostName};
use crate::text::Clean;

/// A plan as it is shown, before anything runs.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanView {
    /// The runbook.
    pub runbook: String,
    /// Its title.
    pub title: Clean,
    /// The environment.
    pub env: EnvName,
    /// Whether the fleet is simulated.
    pub simulated: bool,
    /// How changes are confirmed here: a value must be typed.
    pub challenge: bool,
    /// SHA-256 of the runbook's text, hexadecimal.
    pub hash: String,
    /// Inputs and their values.
    pub inputs: Vec<PlanInput>,
    /// Targets with their hosts.
    pub targets: Vec<PlanTarget>,
    /// Steps, unrolled.
    pub steps: Vec<PlanStep>,
    /// What keeps it from running; empty when nothing does.
    pub problems: Vec<Clean>,
}

/// An input of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanInput {
    /// The variable.
    pub name: Clean,
    /// Its value; a secret as dots.
    pub value: Clean,
    /// Why it is this, when nobody gave it.
    pub because: Option<Clean>,
}

/// A target of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanTarget {
    /// Its name.
    pub name: String,
    /// Its hosts.
    pub hosts: Vec<PlanHost>,
    /// What is left out later: `except candidate`.
    pub note: Option<Clean>,
}

/// A host of a plan, from two sources: the inventory, and the host itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanHost {
    /// Its name.
    pub name: HostName,
    /// Its address.
    pub address: String,
    /// Roles by the inventory, and as the host says them.
    pub roles: (Clean, Result<Clean, Clean>),
    /// The level the environment has, and as the host says it.
    pub level: (Clean, Result<Clean, Clean>),
    /// What the machine calls itself.
    pub hostname: Result<Clean, Clean>,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanStep {
    /// Its id, with the batch of a `for_each`: `repoint[1/2]/start`.
    pub id: String,
    /// Its kind's word: `sql`, `confirm`, …
    pub kind: &'static str,
    /// One line, variables that are not known yet as they are written.
    pub title: Clean,
    /// Why.
    pub why: Option<Clean>,
    /// Where.
    pub on: Vec<HostName>,
    /// What it may change.
    pub effect: Effect,
    /// What its kind asks of people.
    pub asks: Asks,
    /// What it does, line by line, as far as known.
    pub command: Vec<Clean>,
    /// The condition it is under, in words.
    pub when: Option<Clean>,
    /// How it is taken back, in words.
    pub undo: Option<Clean>,
    /// After it no earlier change can be undone.
    pub point_of_no_return: bool,
    /// How deep it stands in branches and batches.
    pub depth: usize,
    /// The window that it is in.
    pub window: Option<PlanWindow>,
}

/// Steps that run without anybody being asked, and are undone at once when one fails.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanWindow {
    /// Its id.
    pub id: String,
    /// One line.
    pub title: Clean,
    /// Why.
    pub why: Option<Clean>,
    /// How long it may take, and what happens otherwise.
    pub promise: Clean,
    /// The facts that are proved right before it.
    pub facts: Vec<Clean>,
}

/// What the inventory and a host do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How they do not.
    pub how: Differs,
    /// In words.
    pub text: String,
}

/// Why a host does not say its roles or its level: it has no such grain.
pub const NO_GRAIN: &str = "no such grain";

/// How two sources do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// The host says more: it has roles that the inventory does not name.
    More,
    /// The host does not say, so nobody knows.
    Silent,
    /// The host has no such grain: it says nothing against the inventory.
    Unsaid,
    /// The host says something else.
    Other,
}

impl PlanStep {
    /// The window that begins with this step, when the one before it is not in it.
    #[must_use]
    pub fn begins(&self, before: Option<&Self>) -> Option<&PlanWindow> {
        let id = |step: &Self| step.window.as_ref().map(|window| window.id.clone());
        self.window.as_ref().filter(|window| before.and_then(id).as_ref() != Some(&window.id))
    }
}

impl PlanView {
    /// Its hosts, each once, in the order the targets name them.
    #[must_use]
    pub fn hosts(&self) -> Vec<&PlanHost> {
        let mut hosts: Vec<&PlanHost> = Vec::new();
        for host in self.targets.iter().flat_map(|target| &target.hosts) {
            if !hosts.iter().any(|known| known.name == host.name) {
                hosts.push(host);
            }
        }
        hosts
    }
}

impl PlanHost {
    /// What the inventory and the host do not agree on; a host that does not answer says so once.
    #[must_use]
    pub fn differences(&self) -> Vec<Difference> {
        let name = match &self.hostname {
            Err(why) => return vec![Difference { how: Differs::Silent, text: format!("no answer: {why}") }],
            Ok(name) => name.as_str(),
        };
        let mut found = Vec::new();
        let mut other = |text: String| found.push(Difference { how: Differs::Other, text });
        if name.split('.').next() != Some(self.name.as_str()) {
            other(format!("it calls itself {name}"));
        }
        match &self.level.1 {
            Ok(said) if *said != self.level.0 => other(format!("its level is {said}")),
            _ => {}
        }
        match &self.roles.1 {
            Ok(said) if !missing(&self.roles.0, said).is_empty() => other(format!("its roles are {said}")),
            Ok(said) => {
                let more = missing(said, &self.roles.0).join(", ");
                if !more.is_empty() {
                    found
                        .push(Difference { how: Differs::More, text: format!("it has the role {more} too") });
                }
            }
            Err(_) => {}
        }
        for (what, said) in [("level", &self.level.1), ("roles", &self.roles.1)] {
            if let Err(why) = said {
                if why.as_str() == NO_GRAIN {
                    found.push(Difference { how: Differs::Unsaid, text: format!("no {what:?} grain") });
                    continue;
                }
                found.push(Difference { how: Differs::Silent, text: format!("{what} unknown: {why}") });
            }
        }
        found
    }
}

/// The words of one that the other lacks.
fn missing<'w>(wanted: &'w Clean, said: &Clean) -> Vec<&'w str> {
    words(wanted.as_str()).filter(|role| !words(said.as_str()).any(|has| has == *role)).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}
