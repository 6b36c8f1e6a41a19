//! What an action finds on the screen as it is now: whether it does anything, and what it is called meanwhile.

use std::sync::Arc;

use super::Model;
use super::look::LookState;
use crate::config::action::{Action, Need};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::RunView;

/// A folded row is selected.
const FOLDED: &str = "this row is several hosts that are alike: unfold the rows, or mark it";

impl Model {
    /// Why an action that needs this does nothing now; `None` when it does something.
    #[must_use]
    pub fn obstacle(&self, need: Need) -> Option<&'static str> {
        let why = self.plain_obstacle(need)?;
        let of_one_host = match need {
            Need::Selected
            | Need::CommandHost
            | Need::LogHosts
            | Need::RowHost
            | Need::Pair
            | Need::Retry => true,
            Need::Nothing
            | Need::Moves
            | Need::WayBack
            | Need::Filter
            | Need::Order
            | Need::Host
            | Need::Hosts
            | Need::Marks
            | Need::Answers
            | Need::Folds
            | Need::Columns
            | Need::Table
            | Need::Environments
            | Need::OtherEnvironment
            | Need::OwnRun
            | Need::Pause
            | Need::Themes
            | Need::View
            | Need::SavedView
            | Need::Logs
            | Need::Charts
            | Need::Events
            | Need::Problem
            | Need::Session
            | Need::SecondJump => false,
        };
        Some(if of_one_host && !self.folded_row().is_empty() { FOLDED } else { why })
    }

    fn plain_obstacle(&self, need: Need) -> Option<&'static str> {
        let kind = self.screen().kind();
        let unless = |is_there: bool, why: &'static str| (!is_there).then_some(why);
        match need {
            Need::Nothing => None,
            Need::Moves => unless(kind.is_text() || kind.count(self) > 0, "this screen has no rows"),
            Need::Selected => unless(kind.opens(self), "nothing to open is selected"),
            Need::WayBack => unless(
                self.help.is_some() || self.screens.len() > 1 || !self.filter().text.is_empty(),
                "this is the first screen",
            ),
            Need::Filter => unless(kind.filter().is_some(), "this screen has no filter"),
            Need::Order => {
                unless(kind.sorts() || kind.has_own_order(), "the rows of this screen cannot be sorted")
            }
            Need::Host => unless(!self.markables().is_empty(), "select a host first"),
            Need::Table => {
                unless(kind.is_table() && kind.count(self) > 0, "this screen has no table with rows")
            }
            Need::Columns => unless(kind.sorts(), "only the fleet table has columns to choose"),
            Need::Folds => unless(kind.folds(), "only the rows of the fleet can be folded"),
            Need::Hosts => {
                unless(kind.rows_are_hosts() && kind.count(self) > 0, "this screen lists no hosts")
            }
            Need::Marks => unless(!self.marked().is_empty(), "no host is marked"),
            Need::CommandHost => {
                unless(!self.command_hosts().is_empty(), "select a host first, or mark hosts")
            }
            Need::Answers => unless(self.last_command().is_some(), "no command was run in this environment"),
            Need::Pair => self.pair().err(),
            Need::Environments => unless(self.environments.len() > 1, "this is the only environment"),
            Need::OtherEnvironment => self.environment_pair().err(),
            Need::OwnRun if self.is_command_shown_under_way() => None,
            Need::OwnRun => self.own_run().err(),
            Need::Retry => unless(
                self.environments.get(self.active).is_some_and(|env| !env.jump.link.is_up())
                    || kind.host(self).is_some(),
                "select a host first: it is then tried again",
            ),
            Need::SecondJump => unless(
                self.environments.get(self.active).is_some_and(|env| env.jump.second.is_some()),
                "the second jump box is not in use",
            ),
            Need::RowHost => unless(self.row_host().is_some(), "select a host first"),
            Need::Pause => {
                unless(kind.may_pause(), "this screen cannot be paused: a question of the run must be seen")
            }
            Need::LogHosts => {
                unless(!self.log_hosts().is_empty(), "select or mark a host first: its logs are followed")
            }
            Need::Logs => unless(self.shown_logs().is_some(), "no logs are on screen"),
            Need::Problem => unless(
                kind.acknowledges() && kind.problem(self).is_some(),
                "select a problem first: it is then acknowledged",
            ),
            Need::Events => unless(kind.shows_events(), "this is for the screen of events"),
            Need::Session => unless(
                self.own_session().is_some(),
                "you take part in no maintenance session of this environment: its screen starts or joins one",
            ),
            Need::Charts => unless(self.charted().is_some(), "no charts are on screen"),
            Need::Themes => unless(self.themes.len() > 1, "this is the only theme"),
            Need::View if self.views.refused.is_some() => {
                Some("the file of saved views has a mistake: mend it first")
            }
            Need::View => unless(kind.is_view(), "the list of views cannot be saved as a view"),
            Need::SavedView => unless(kind.view(self).is_some(), "no saved view is selected"),
        }
    }

    /// The host that the selected row is of, or about: one that is seen.
    pub(in crate::app) fn row_host(&self) -> Option<HostName> {
        let kind = self.screen().kind();
        kind.host(self).filter(|_| kind.is_of_one_host() || kind.selected(self).is_some())
    }

    /// Why no run is begun or resumed in the environment shown, and what to do; `None` where nothing is in the way.
    #[must_use]
    pub fn no_runs(&self) -> Option<String> {
        let jump = &self.environments.get(self.active)?.jump;
        let second = jump.second.as_ref()?;
        let (name, key) = (&jump.name, self.keys_of(Action::FirstJump).next());
        let back =
            key.map_or_else(String::new, |key| format!(" When {name} is back, {key} goes back to it."));
        Some(format!(
            "No runs through {}: leases and journals are on {name}, which is not connected ({}).{back} If it is lost for good, agree with \
             the other operators, then make another machine jump in everybody's inventory.",
            second.name,
            second.first.state.label(),
        ))
    }

    /// The run on screen, when it goes on and is this console's.
    ///
    /// # Errors
    /// What is in the way.
    pub(in crate::app) fn own_run(&self) -> Result<&Arc<RunView>, &'static str> {
        match self.shown_run() {
            Some(run) if run.watching => Err("this run is another operator's: you are watching"),
            Some(run) if !run.state.is_under_way() => Err("this run is not under way"),
            Some(run) => Ok(run),
            None => Err("no run is on screen"),
        }
    }

    /// What an action does on the screen as it is, in a few words.
    #[must_use]
    pub fn words_of(&self, action: Action) -> &'static str {
        let hints = self.screen().kind().hints(self);
        // What opening does, a screen of runs says: it starts or resumes one.
        let opens =
            hints.iter().find(|(one, word)| *one == action && action == Action::Open && *word != "open");
        self.reverse_of(action).or(opens.map(|(_, word)| *word)).unwrap_or(action.help())
    }

    /// What an action is called while it undoes what it did before.
    #[must_use]
    pub fn reverse_of(&self, action: Action) -> Option<&'static str> {
        if action == Action::Arm && self.runs.armed.is_some() {
            Some("disarm")
        } else if action == Action::Pause
            && (self.paused.is_some()
                || self.shown_logs().is_some_and(|logs| !logs.follows())
                || self.shown_look().is_some_and(|look| look.state == LookState::Paused))
        {
            Some("resume")
        } else if action == Action::StopRun && self.is_command_shown_under_way() {
            Some("ask no more hosts")
        } else if action == Action::Mark && self.are_all_marked(&self.markables()) {
            Some("unmark")
        } else if action == Action::Acknowledge && self.selected_acknowledgement().is_some() {
            Some("open again")
        } else if action == Action::Fold && self.folded {
            Some("unfold")
        } else {
            None
        }
    }
}
