//! Commands on hosts: the one being given, and the last one of each environment with its answers.

use std::collections::HashMap;
use std::sync::Arc;

use super::Model;
use super::editor::Editor;
use jumpdeck_fleet::command::{CommandView, SameAnswers};
use jumpdeck_fleet::fleet::Guard;
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::text::Clean;

/// Columns that a command may have: all of it is on screen when it is agreed to.
pub const LONGEST_COMMAND: usize = 350;

/// Commands on hosts.
#[derive(Debug, Default)]
pub struct Commands {
    /// The id of the last order.
    pub(in crate::app) orders: u64,
    /// The last command of each environment.
    last: HashMap<EnvName, LastCommand>,
}

/// A command whose answers can be looked at.
#[derive(Debug)]
pub struct LastCommand {
    /// How far it is.
    pub view: Arc<CommandView>,
    /// The number of the group that is looked at; none: hosts that have not answered.
    pub chosen: Option<usize>,
    /// The first line shown of the group.
    pub scroll: usize,
}

/// A command being given.
#[derive(Debug)]
pub struct CommandForm {
    /// The id of its order.
    pub id: u64,
    /// The environment.
    pub env: EnvName,
    /// What a yes is there.
    pub guard: Guard,
    /// The hosts, in the inventory's order.
    pub hosts: Vec<HostName>,
    /// Why these: `marked`, `selected`.
    pub chosen_as: &'static str,
    /// How many of them the screen does not list.
    pub unlisted: usize,
    /// The command.
    pub text: Editor,
    /// How far it is.
    pub stage: CommandStage,
    /// What is wrong with what is typed.
    pub wrong: Option<&'static str>,
    /// The first line shown of the list of hosts.
    pub scroll: usize,
}

/// How far a command being given is.
#[derive(Debug)]
pub enum CommandStage {
    /// It is typed.
    Typing,
    /// The jump box is asked what is to be said before.
    Looking,
    /// It is shown with what is to be said; the yes may have to be typed.
    Asking {
        /// What is to be said before.
        said: Vec<Clean>,
        /// What is typed of the environment's name.
        typed: Editor,
    },
    /// It cannot be run: why.
    Refused(Clean),
}

impl CommandForm {
    /// Whether the yes is the environment's typed name.
    #[must_use]
    pub fn is_challenge(&self) -> bool {
        match self.guard {
            Guard::Challenge => self.hosts.len() > 1,
            Guard::Confirm => false,
        }
    }
}

impl LastCommand {
    /// The group that is looked at.
    #[must_use]
    pub fn group(&self) -> Option<&SameAnswers> {
        self.view.groups.iter().find(|group| Some(group.number) == self.chosen)
    }

    /// How many rows its list has: a group each, and one for hosts that have not answered.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.view.groups.len() + usize::from(!self.view.waiting.is_empty())
    }

    /// The place of the row that is looked at.
    #[must_use]
    pub fn place(&self) -> usize {
        let at = self.view.groups.iter().position(|group| Some(group.number) == self.chosen);
        at.unwrap_or(self.view.groups.len())
    }

    pub(in crate::app) fn choose(&mut self, at: usize) {
        self.chosen = self.view.groups.get(at).map(|group| group.number);
        self.scroll = 0;
    }

    /// News: what is looked at stays. Whoever looks at hosts without an answer sees the first answers.
    fn follow(&mut self, view: Arc<CommandView>) {
        let first = self.view.groups.is_empty() || view.waiting.is_empty();
        self.view = view;
        if self.chosen.is_none() && first {
            self.choose(0);
        }
    }
}

impl Model {
    /// The hosts that a command given now is for: the host shown in full, else those that are marked, else the selected one.
    #[must_use]
    pub fn command_hosts(&self) -> Vec<HostName> {
        let known =
            |host: &HostName| self.environments.get(self.active).is_some_and(|e| e.place(host).is_some());
        let here = || self.markable().into_iter().filter(known).collect();
        if self.screen().kind().is_of_one_host() && self.markable().is_some() {
            return here();
        }
        let marked = self.marked();
        if marked.is_empty() { here() } else { marked.into_iter().cloned().collect() }
    }

    /// The last command of the environment shown.
    #[must_use]
    pub fn last_command(&self) -> Option<&LastCommand> {
        self.commands.last.get(&self.environments.get(self.active)?.spec.name)
    }

    pub(in crate::app) fn last_command_mut(&mut self) -> Option<&mut LastCommand> {
        let env = self.shown_name()?;
        self.commands.last.get_mut(&env)
    }

    /// Commands that hosts are being asked for.
    pub fn commands_under_way(&self) -> impl Iterator<Item = &CommandView> {
        self.commands.last.values().map(|last| &*last.view).filter(|view| view.is_under_way())
    }

    /// Keeps a command as the last one of its environment.
    pub(in crate::app) fn command_began(&mut self, view: Arc<CommandView>) {
        let env = view.order.env.clone();
        self.commands.last.insert(env, LastCommand { view, chosen: None, scroll: 0 });
    }

    /// Takes news of a command; says whether it is over with them.
    pub(in crate::app) fn command_went_on(&mut self, view: Arc<CommandView>) -> bool {
        let Some(last) = self.commands.last.get_mut(&view.order.env) else { return false };
        let is_it = last.view.order.id == view.order.id && last.view.is_under_way();
        let over = is_it && !view.is_under_way();
        if is_it {
            last.follow(view);
        }
        over
    }
}
