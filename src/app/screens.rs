//! The screens: what each is, in one file of this folder, and the list of them. How a screen looks is in the file of the
//! same name in `view::screens`. Keys, footer, help and rows ask the screen on top; none of them knows which it is.

use super::message::AppEffect;
use super::model::look::LookPlace;
use super::model::{EnvironmentState, Model};
use super::rows::Words;
use super::rows::selection::{select, selected};
use crate::config::action::{Action, Destination};
use crate::config::keymap::Layer;
use crate::config::views::SavedView;
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::problem::Problem;

macro_rules! screens {
    ($($file:ident => $name:ident $(($of:ty))?, $doc:literal;)*) => {
        $(pub mod $file;)*

        /// A screen.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Screen {
            $(#[doc = $doc] $name $(($of))?,)*
        }

        /// Every screen, in the order in which the footer has those with a key.
        static KINDS: &[&dyn ScreenKind] = &[$(&$file::Kind,)*];

        impl Screen {
            /// What it is.
            #[must_use]
            pub fn kind(&self) -> &'static dyn ScreenKind {
                match self { $(Self::$name { .. } => &$file::Kind,)* }
            }

            /// The layer of the keymap that its keys may have.
            #[must_use]
            pub fn layer(&self) -> Layer {
                match self { $(Self::$name { .. } => Layer::$name,)* }
            }
        }
    };
}

screens! {
    fleet => Fleet, "Every host of the environment.";
    host => Host(HostName), "One host in full.";
    replication => Replication, "Masters and their replicas.";
    roles => Roles, "Requirements against what is found.";
    problems => Problems, "What is wrong, worst first.";
    services => Services, "Every service, and how it is on each of its hosts.";
    events => Events, "What changed, the newest first.";
    session => Session, "The maintenance session of the environment.";
    runbooks => Runbooks, "Unfinished runs, and the runbooks.";
    plan => Plan, "A plan, before anything runs.";
    run => Run(String), "A run, by its id.";
    compare => Compare(compare::HostPair), "Two hosts side by side.";
    compare_environments => CompareEnvironments(compare_environments::EnvironmentPair), "Two environments side by side.";
    answers => Answers, "The answers to the last command of the environment.";
    past => PastRuns, "The past runs of this machine.";
    past_run => PastRun(String), "The report of a past run, by its id.";
    charts => Charts(HostName), "Figures of a host over time.";
    look => Look(LookPlace), "Processes, listening ports or mounts of a host.";
    views => Views, "The saved views.";
    logs => Logs, "Logs of hosts, followed.";
    power => Power(HostName), "What the cloud says of a host.";
}

/// How a screen is reached from everywhere.
#[derive(Debug, Clone)]
pub struct Door {
    /// What a keymap binds.
    pub key: Destination,
    /// What it leads to.
    pub screen: Screen,
    /// The short name in the footer of a main screen; `None` for a page behind one.
    pub tab: Option<&'static str>,
}

/// A run that a screen shows, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownRun<'a> {
    /// Under way, or stopped.
    Live(&'a str),
    /// A past one of this machine.
    Past(&'a str),
}

/// What a screen is. Only what differs from a plain page is written.
pub trait ScreenKind: Sync {
    /// The title of its keys in help.
    fn title(&self) -> &'static str;

    /// What it shows, in a few words: `problems`, `host db2`.
    fn name(&self, screen: &Screen) -> String {
        let _ = screen;
        self.title().trim_start_matches("ON ").to_lowercase()
    }

    /// The run that it shows, if it shows one.
    fn run_of<'a>(&self, screen: &'a Screen) -> Option<ShownRun<'a>> {
        let _ = screen;
        None
    }

    /// What one does on it, for help.
    fn keys(&self) -> &'static [Action];

    /// The keys of the footer; those that one needs most come first. One that does nothing here is skipped.
    fn hints(&self, model: &Model) -> &'static [(Action, &'static str)] {
        let _ = model;
        &[
            (Action::Help, "help"),
            (Action::Quit, "quit"),
            (Action::Filter, "filter"),
            (Action::NextEnvironment, "env"),
            (Action::Palette, "find"),
            (Action::SortNext, "sort"),
            (Action::Open, "open"),
            (Action::Refresh, "refresh"),
            (Action::Pause, "pause"),
        ]
    }

    /// The main screen that it belongs to, by the key of that one.
    fn tab(&self) -> Destination;

    /// The key that leads to it from everywhere, if one does.
    fn door(&self) -> Option<Door> {
        None
    }

    /// The screen that it lies behind, when it is reached by its own key.
    fn behind(&self) -> Option<Screen> {
        None
    }

    /// Whether what it shows can be saved as a view.
    fn is_view(&self) -> bool {
        true
    }

    /// Whether the footer has it among the main screens, where that is wide, although it is a page.
    fn is_in_a_wide_footer(&self) -> bool {
        false
    }

    /// Whether it is a page behind another screen, not one of the main screens.
    fn is_page(&self) -> bool {
        self.door().is_none_or(|door| door.tab.is_none())
    }

    /// Whether it shows one thing in full, as text that scrolls. It is left when another environment is shown.
    fn is_text(&self) -> bool {
        false
    }

    /// What a filter of its rows may name; `None` where no row may be hidden.
    fn filter(&self) -> Option<&'static Words> {
        None
    }

    /// Whether its rows come with the best match of the filter first.
    fn best_match_first(&self) -> bool {
        false
    }

    /// Whether its rows can be sorted by a column.
    fn sorts(&self) -> bool {
        false
    }

    /// Whether its rows have an order of their own, which the keys of sorting change.
    fn has_own_order(&self) -> bool {
        false
    }

    /// Whether all of it is of one host: what acts on a host acts on that one.
    fn is_of_one_host(&self) -> bool {
        self.is_text()
    }

    /// Whether it may be held. What a run asks must not be missed, nor its age be a held one.
    fn may_pause(&self) -> bool {
        true
    }

    /// Whether each of its rows is a host: one choice of a host holds for all such screens.
    fn rows_are_hosts(&self) -> bool {
        false
    }

    /// The hosts that its rows are of, from the top; none where rows are something else.
    fn hosts<'a>(&self, model: &'a Model) -> Vec<&'a HostName> {
        let _ = model;
        Vec::new()
    }

    /// How many rows it has.
    fn count(&self, model: &Model) -> usize {
        let _ = model;
        0
    }

    /// The place of the selected row; `None` when it is not among them.
    fn selected(&self, model: &Model) -> Option<usize> {
        let _ = model;
        None
    }

    /// Selects the row at that place by what it is. Says whether there was one.
    fn select(&self, model: &mut Model, at: usize) -> bool {
        let _ = (model, at);
        false
    }

    /// The host that is selected, or shown in full, or that the selected row is about.
    fn host(&self, model: &Model) -> Option<HostName> {
        let _ = model;
        None
    }

    /// Whether its rows are a table that can be exported.
    fn is_table(&self) -> bool {
        false
    }

    /// Whether its rows can be folded.
    fn folds(&self) -> bool {
        false
    }

    /// The hosts of the folded row that is selected; none where one host is.
    fn folded_row(&self, model: &Model) -> Vec<HostName> {
        let _ = model;
        Vec::new()
    }

    /// The problem that is selected, or the worst of what is: what a runbook may be for.
    fn problem<'a>(&self, model: &'a Model) -> Option<&'a Problem> {
        let _ = model;
        None
    }

    /// The saved view that is selected: opening it may show another environment.
    fn view(&self, model: &Model) -> Option<SavedView> {
        let _ = model;
        None
    }

    /// Its key was pressed on the screen that is still on top. Whether the way back leads there.
    fn arrive(&self, model: &mut Model) -> bool {
        let _ = model;
        false
    }

    /// How far its text is scrolled.
    fn scroll<'a>(&self, model: &'a mut Model) -> Option<&'a mut usize> {
        let _ = model;
        None
    }

    /// Up, down, a page, the ends: of its text, or of its rows.
    fn go(&self, model: &mut Model, action: Action) {
        let page = model.page;
        if self.is_text() {
            if let Some(at) = self.scroll(model) {
                *at = step(action, *at, page, usize::from(u16::MAX));
            }
            return;
        }
        let last = self.count(model).saturating_sub(1);
        let at = selected(model).unwrap_or(0);
        if select(model, step(action, at, page, last))
            && self.rows_are_hosts()
            && let Some(env) = model.shown_mut()
        {
            env.selection.chosen = true;
        }
    }

    /// Its text was drawn: it can be scrolled no further than this.
    fn limit(&self, model: &mut Model, limit: usize) {
        if let Some(at) = self.scroll(model) {
            *at = (*at).min(limit);
        }
    }

    /// Whether there is something to open.
    fn opens(&self, model: &Model) -> bool {
        self.selected(model).is_some()
    }

    /// The host that opening leads to, where it may be one of another environment.
    fn leads_to(&self, model: &Model) -> Option<HostId> {
        let _ = model;
        None
    }

    /// Whether its problem can be acknowledged: it is seen there.
    fn acknowledges(&self) -> bool {
        false
    }

    /// Whether its rows are events, of this environment or of all.
    fn shows_events(&self) -> bool {
        false
    }

    /// Opens what is selected.
    fn open(&self, model: &mut Model) -> Vec<AppEffect> {
        let _ = model;
        Vec::new()
    }

    /// What to ask of the world when it is shown, or shown again.
    fn asks(&self, model: &Model) -> Vec<AppEffect> {
        let _ = model;
        Vec::new()
    }

    /// Whether what it shows is still in the environment, which has changed.
    fn still_holds(&self, screen: &Screen, env: &EnvironmentState) -> bool {
        let _ = (screen, env);
        true
    }
}

impl Screen {
    /// The first screen: the way back ends there.
    pub const ROOT: Self = Screen::Fleet;

    /// The screen that a key leads to.
    #[must_use]
    pub fn at(key: Destination) -> Option<Self> {
        KINDS.iter().filter_map(|kind| kind.door()).find(|door| door.key == key).map(|door| door.screen)
    }

    /// The main screens, in order: key and short name. A wide footer has room for more.
    pub fn tabs(wide: bool) -> impl Iterator<Item = (Destination, &'static str)> {
        KINDS.iter().filter_map(move |kind| {
            let door = kind.door()?;
            let more = (wide && kind.is_in_a_wide_footer()).then(|| door.key.title());
            Some((door.key, door.tab.or(more)?))
        })
    }
}

/// Where a move leads from a place among places up to `last`.
pub(super) fn step(action: Action, at: usize, page: usize, last: usize) -> usize {
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at.saturating_add(1),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::First => 0,
        Action::Last => last,
        _ => at,
    };
    to.min(last)
}

/// Selects a host, on every screen whose rows are hosts.
fn select_host(model: &mut Model, host: Option<HostName>) -> bool {
    let Some(host) = host else { return false };
    let Some(env) = model.shown_mut() else { return false };
    env.selection.host = Some(host);
    env.selection.alike.clear();
    true
}

/// Opens the host that is selected, when it is among the rows.
fn open_selected(model: &mut Model) -> Vec<AppEffect> {
    if selected(model).is_some()
        && let Some(host) = model.shown().and_then(|env| env.selection.host.clone())
    {
        model.open_host(host);
    }
    Vec::new()
}

/// The place of what is wanted among rows.
fn place<'a, T: PartialEq + 'a>(mut rows: impl Iterator<Item = &'a T>, wanted: &T) -> Option<usize> {
    rows.position(|row| row == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_screen_leads_to_one() {
        for key in Destination::ALL {
            assert!(Screen::at(*key).is_some(), "{key:?} leads nowhere");
        }
        let doors = KINDS.iter().filter_map(|kind| kind.door());
        for door in doors {
            assert_eq!(Screen::at(door.key), Some(door.screen), "two screens have one key");
        }
        for kind in KINDS {
            assert!(Screen::tabs(false).any(|(key, _)| key == kind.tab()), "{} has no tab", kind.title());
        }
    }
}
