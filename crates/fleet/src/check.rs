//! Checks of the inventory's own: a command that a host is asked with, and how its answer is judged: as a monitoring plugin
//! (Nagios, Icinga, Checkmk, Naemon), by its exit status, or as one number, by limits of the inventory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::names::RoleName;
use crate::problem::Severity;

mod perfdata;
mod range;

pub use perfdata::{PERFDATA_SHOWN, PerfDatum, perfdata};
pub use range::{CheckNumber, CheckRange};

/// A check that the inventory names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCheck {
    /// Its name in problems, on screens and in the JSON: `check` and the name of the inventory. The blank keeps it apart from all
    /// services.
    pub name: String,
    /// Hosts of these roles are asked; a host that names it for itself needs none.
    pub roles: Vec<RoleName>,
    /// What runs there.
    pub command: CheckCommand,
    /// How often.
    pub every: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
    /// What its answer means.
    pub rule: CheckRule,
    /// What to do when it is bad, in one sentence, where the inventory says it.
    pub when_bad: Option<String>,
}

impl DeclaredCheck {
    /// The whole name of a check that the inventory calls so.
    #[must_use]
    pub fn name_of(key: &str) -> String {
        format!("check {key}")
    }

    /// What the inventory calls it.
    #[must_use]
    pub fn key(&self) -> &str {
        self.name.strip_prefix("check ").unwrap_or(&self.name)
    }
}

/// Those of the checks that a host of these roles is asked for.
#[must_use]
pub fn checks_of_roles(checks: &[DeclaredCheck], roles: &[RoleName]) -> Vec<Arc<DeclaredCheck>> {
    let here = checks.iter().filter(|check| check.roles.iter().any(|role| roles.contains(role)));
    here.cloned().map(Arc::new).collect()
}

/// A command line for a shell: one line, that is not too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckCommand(String);

impl CheckCommand {
    /// Bytes.
    pub const LONGEST: usize = 2000;

    /// Takes a line.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence.
    pub fn new(line: &str) -> Result<Self, &'static str> {
        if line.trim().is_empty() {
            return Err("is empty");
        }
        if line.len() > Self::LONGEST {
            return Err("is longer than 2000 bytes");
        }
        if line.chars().any(char::is_control) {
            return Err("has a line end or another control character");
        }
        Ok(Self(line.to_owned()))
    }

    /// The line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the answer of a check means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckRule {
    /// As that of a monitoring plugin: exit status 0 is well, 1 a warning, 2 critical, anything else unknown; figures behind a `|`.
    Plugin,
    /// It is one number, and these are its limits.
    Number(CheckLimits),
}

/// What the answer of a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckVerdict {
    /// How bad it is; `None`: it is well.
    pub severity: Option<Severity>,
    /// Its figures.
    pub figures: Box<[PerfDatum]>,
}

/// When a number is bad.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckLimits {
    /// When it is a warning.
    pub warning: Option<CheckRange>,
    /// When it is critical.
    pub critical: Option<CheckRange>,
}

impl CheckLimits {
    /// How bad a number is.
    #[must_use]
    pub fn severity(&self, number: CheckNumber) -> Option<Severity> {
        let is = |range: &Option<CheckRange>| range.as_ref().is_some_and(|range| range.alerts(number));
        match (is(&self.critical), is(&self.warning)) {
            (true, _) => Some(Severity::Critical),
            (false, true) => Some(Severity::Warning),
            (false, false) => None,
        }
    }
}

impl fmt::Display for CheckLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [("warning", &self.warning), ("critical", &self.critical)];
        let mut said = said.into_iter().filter_map(|(word, range)| Some((word, range.as_ref()?)));
        if let Some((word, range)) = said.next() {
            write!(f, "{word} {range}")?;
        }
        said.try_for_each(|(word, range)| write!(f, ", {word} {range}"))
    }
}

#[cfg(test)]
mod tests;
