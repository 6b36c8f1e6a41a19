//! Everything the console shows and remembers. The event loop owns it; drawing borrows it.

use std::collections::HashMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::keymap::Keymap;
use crate::domain::event::Question;
use crate::domain::fleet::{Environment, Fleet};
use crate::domain::history::Ring;
use crate::domain::judge::roles::RoleStanding;
use crate::domain::names::HostName;
use crate::domain::problem::Problem;
use crate::domain::snapshot::{HostSnapshot, JumpSnapshot};
use crate::domain::time::Moment;

/// The console's whole state.
#[derive(Debug)]
pub struct Model {
    /// The fleet as the inventory has it.
    pub fleet: Arc<Fleet>,
    /// Which keys do what.
    pub keymap: Arc<Keymap>,
    /// Names of the themes there are; `theme` is an index into it.
    pub themes: Vec<String>,
    /// The theme in use.
    pub theme: usize,
    /// The moment of the last tick.
    pub now: Moment,
    /// Terminal size, columns and rows.
    pub size: (u16, u16),
    /// One state an environment, in the fleet's order.
    pub environments: Vec<EnvironmentState>,
    /// Which environment is shown.
    pub active: usize,
    /// The screens a person came through; the last is shown. Never empty.
    pub screens: Vec<Screen>,
    /// Whether help lies over the screen, and how far it is scrolled.
    pub help: Option<usize>,
    /// The filter of the rows; it applies to fleet, problems and roles.
    pub filter: Filter,
    /// How the fleet table is sorted.
    pub sort: Sort,
    /// While held, the screen shows what was known at that moment; news keeps arriving underneath.
    pub paused: Option<Paused>,
    /// Questions that wait for a person, oldest first; the first is shown.
    pub questions: Vec<Question>,
    /// What is typed so far in answer to the first question.
    pub answer: Zeroizing<String>,
    /// A short line for what was just done (`asked 25 hosts`), and until when it shows.
    pub notice: Option<(String, Moment)>,
}

/// One environment's live state.
#[derive(Debug, Clone)]
pub struct EnvironmentState {
    /// What the inventory says.
    pub spec: Arc<Environment>,
    /// The jump box.
    pub jump: Arc<JumpSnapshot>,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<Arc<HostSnapshot>>,
    /// Judged problems, worst first.
    pub problems: Vec<Problem>,
    /// Roles against their requirements.
    pub roles: Vec<RoleStanding>,
    /// Histories, by host.
    pub history: HashMap<HostName, History>,
    /// What is selected on each screen.
    pub selection: Selection,
}

/// A host's figures over the last hour.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// One-minute load.
    pub load: Ring,
    /// Memory in use, percent.
    pub memory: Ring,
    /// Worst replication lag, seconds.
    pub lag: Ring,
}

/// What is selected, by identity, so that it stays on its host when rows move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The host selected on the fleet and replication screens.
    pub host: Option<HostName>,
    /// The problem selected: kind, host and message start tell it apart.
    pub problem: Option<(crate::domain::problem::ProblemKind, Option<HostName>)>,
    /// The role selected.
    pub role: Option<crate::domain::names::RoleName>,
    /// First line shown of a host's detail.
    pub detail_scroll: usize,
}

/// A screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// Every host of the environment.
    Fleet,
    /// One host in full.
    Host(HostName),
    /// Masters and their replicas.
    Replication,
    /// Requirements against what is there.
    Roles,
    /// What is wrong, worst first.
    Problems,
}

/// The row filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its text; empty shows everything.
    pub text: String,
    /// Whether it is being typed.
    pub editing: bool,
}

/// How the fleet table is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The column.
    pub by: SortColumn,
    /// Turned round.
    pub reversed: bool,
}

/// A column the fleet table can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortColumn {
    /// As the inventory lists them.
    Inventory,
    /// By name.
    Host,
    /// Worst problem first.
    Severity,
    /// One-minute load per CPU, highest first.
    Load,
    /// Fullest disk first.
    Disk,
    /// Longest lag first, unknown before known.
    Lag,
    /// Oldest report first.
    Age,
}

/// What a held screen shows.
#[derive(Debug, Clone)]
pub struct Paused {
    /// Since when.
    pub since: Moment,
    /// The environments as they were then.
    pub environments: Vec<EnvironmentState>,
}

impl Model {
    /// The environment shown: as it was when the screen was held, if it is.
    #[must_use]
    pub fn shown(&self) -> Option<&EnvironmentState> {
        match &self.paused {
            Some(paused) => paused.environments.get(self.active),
            None => self.environments.get(self.active),
        }
    }

    /// The screen on top.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::Fleet)
    }
}
