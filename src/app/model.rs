//! Everything the console shows and remembers. The event loop owns it; drawing borrows it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::message::AppEffect;
use super::rows::order::{self, Order};
use super::rows::term::Words;

use crate::config::keymap::Keymap;
use jumpdeck_fleet::event::{Question, QuestionId};
use jumpdeck_fleet::fleet::Fleet;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::snapshot::LinkState;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;
use jumpdeck_fleet::timeline::WallTime;

mod abilities;
pub mod charts;
pub mod columns;
pub mod commands;
pub mod editor;
mod environment;
pub mod export;
mod folding;
pub mod logs;
pub mod look;
mod marks;
pub mod note;
pub mod palette;
pub mod pending;
pub mod picker;
pub mod power;
mod remedies;
pub mod runs;
pub mod session;
pub mod shell;
pub mod timeline;
pub mod views;
mod way;

pub use super::screens::Screen;
use editor::Editor;
pub use environment::{EnvironmentState, History, LibraryRow, Paused, Selection};
pub use runs::{Runs, SMALLEST};

/// Keys pressed sooner than this after a question was drawn were meant for what lay under it. Also the silence wanted
/// before a `y`: who is typing a word when the question comes up does not accept a key with a letter of it.
const ANSWER_AFTER: Duration = Duration::from_millis(400);
/// Lines of the screen that are not rows of a table (header, head, footer), until a frame has told.
const FURNITURE: u16 = 6;
/// How long a notice shows.
const NOTICE_FOR: Duration = Duration::from_secs(3);

/// The console's whole state.
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
    /// The command palette, and what was taken from it.
    pub palette: palette::Palette,
    /// The saved views.
    pub views: views::SavedViews,
    /// The keys of a sequence that is under way.
    pub pending: Option<pending::PendingKeys>,
    /// The filters of rows: each belongs to one screen of one environment, by its place.
    filters: HashMap<(usize, &'static str), Filter>,
    /// The marked hosts.
    pub(in crate::app) marks: marks::HostMarks,
    /// Commands on hosts.
    pub commands: commands::Commands,
    /// The columns that the fleet table may have, from left to right; the first says which host a row is of.
    pub all_columns: Vec<columns::NamedColumn>,
    /// Those that are chosen, by their titles, from left to right; without a choice all are shown that fit.
    pub columns: Option<Vec<&'static str>>,
    /// How the fleet table is sorted.
    pub sort: Sort,
    /// Whether hosts that are alike are one row of the fleet.
    pub folded: bool,
    /// While held, the screen shows what was known at that moment; news keeps arriving underneath.
    pub paused: Option<Paused>,
    /// Questions that wait for a person, oldest first; the first is shown.
    pub questions: Vec<Question>,
    /// What is typed so far in answer to the first question.
    pub answer: Editor,
    /// A short line for what was just done (`asked 25 hosts`), and until when it shows.
    pub notice: Option<(String, Moment)>,
    /// Why the inventory on disk is not the one in use: where in the file, what is wrong, what to do. Shown until it is.
    pub inventory_refused: Option<Clean>,
    /// Why the person's own keymap is not in use: where in the file, what is wrong, what to do.
    pub keymap_refused: Option<Clean>,
    /// Why an own theme of the person is not in use: the same.
    pub theme_refused: Option<Clean>,
    /// Something that is on screen may have changed since the last frame.
    pub changed: bool,
    /// Rows a page up or down moves by: what the last frame had room for.
    pub page: usize,
    /// A question or prompt that was being answered went without an answer, and when a key was last pressed since: keys
    /// that were meant for it do nothing, until there is a moment of silence.
    pub(in crate::app) vanished: Option<Moment>,
    /// The question that was last drawn, and when it first was (or, where a single letter answers, when the last other
    /// key was pressed): nothing typed before or too soon after answers it.
    pub asked: Option<(QuestionId, Moment)>,
    /// Runbooks and runs.
    pub runs: Runs,
    /// Logs that are followed.
    pub logs: Option<logs::LogView>,
    /// How often logs were begun to be followed.
    pub(in crate::app) log_number: u64,
    /// Charts of a host.
    pub charts: charts::HostCharts,
    /// The host that is looked at.
    pub look: Option<look::LookView>,
    /// How often a look was begun.
    pub(in crate::app) looks: u64,
    /// How far east of UTC times of day are shown, in seconds.
    pub zone: i32,
    /// The shell that was asked for, until it has ended or what became of it was read.
    pub shell: Option<shell::ShellBox>,
    /// How many shells were asked for.
    pub(in crate::app) shells: u64,
    /// The time of clocks, and the moment at which it was so.
    pub clock: (WallTime, Moment),
    /// What the cloud was last asked about.
    pub power: Option<power::PowerLook>,
    /// How often the cloud was asked.
    pub(in crate::app) power_orders: u64,
    /// Who uses this console: `account@machine`.
    pub who: Clean,
    /// Whether events are kept on disk.
    pub keeps_events: bool,
    /// Whether the events of all environments are shown together.
    pub all_events: bool,
    /// What is known of maintenance sessions, by environment.
    pub sessions: Vec<jumpdeck_fleet::maintenance::SessionNews>,
}

impl fmt::Debug for Model {
    /// Without the answer being typed: it may be a passphrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("now", &self.now)
            .field("active", &self.active)
            .field("screens", &self.screens)
            .field("filters", &self.filters)
            .field("questions", &self.questions)
            .finish_non_exhaustive()
    }
}

/// What the last frame had room for, where drawing knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Rows of the list or the page on it.
    pub page: Option<usize>,
    /// The furthest the text on screen (a host's detail, a plan, what a step does) can be scrolled, when one is shown.
    pub detail_limit: Option<usize>,
    /// The furthest help can be scrolled, when it is shown.
    pub help_limit: Option<usize>,
}

/// No filter.
static NO_FILTER: LazyLock<Filter> = LazyLock::new(Filter::default);

/// The row filter.
#[derive(Debug, Default)]
pub struct Filter {
    /// Its text; empty shows everything.
    pub text: Editor,
    /// Whether it is being typed.
    pub editing: bool,
}

/// How the fleet table is sorted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sort {
    /// The order.
    pub by: &'static Order,
    /// Turned round.
    pub reversed: bool,
}

impl Model {
    /// A console that shows the first environment of a fleet of which nothing is known yet.
    ///
    /// `themes` are the names of the themes there are, the first being in use; `columns` those that the
    /// fleet table may have; `size` is columns and rows.
    #[must_use]
    pub fn new(
        fleet: Arc<Fleet>,
        keymap: Arc<Keymap>,
        themes: Vec<String>,
        columns: Vec<columns::NamedColumn>,
        now: Moment,
        size: (u16, u16),
    ) -> Self {
        let environments = fleet.environments.iter().map(|e| EnvironmentState::new(e.clone(), now)).collect();
        Self {
            fleet,
            keymap,
            themes,
            theme: 0,
            now,
            size,
            environments,
            active: 0,
            screens: vec![Screen::ROOT],
            help: None,
            palette: palette::Palette::default(),
            views: views::SavedViews::default(),
            pending: None,
            filters: HashMap::new(),
            marks: marks::HostMarks::default(),
            commands: commands::Commands::default(),
            all_columns: columns,
            columns: None,
            sort: Sort { by: &order::SEVERITY, reversed: false },
            folded: false,
            paused: None,
            questions: Vec::new(),
            answer: Editor::secret(),
            notice: None,
            inventory_refused: None,
            keymap_refused: None,
            theme_refused: None,
            changed: true,
            page: usize::from(size.1.saturating_sub(FURNITURE)).max(1),
            vanished: None,
            asked: None,
            runs: Runs { touched: now, ..Runs::default() },
            logs: None,
            log_number: 0,
            charts: charts::HostCharts::default(),
            look: None,
            looks: 0,
            zone: 0,
            shell: None,
            shells: 0,
            clock: (WallTime::default(), now),
            power: None,
            power_orders: 0,
            who: Clean::default(),
            keeps_events: false,
            all_events: false,
            sessions: Vec::new(),
        }
    }

    /// What to ask of the world when the console starts.
    #[must_use]
    pub fn start(&self) -> Vec<AppEffect> {
        self.environments
            .get(self.active)
            .map(|e| AppEffect::Activate(e.spec.name.clone()))
            .into_iter()
            .collect()
    }

    /// The name of the environment shown.
    pub(super) fn shown_name(&self) -> Option<EnvName> {
        Some(self.environments.get(self.active)?.spec.name.clone())
    }

    /// The environment shown: as it was when the screen was held, if it is.
    #[must_use]
    pub fn shown(&self) -> Option<&EnvironmentState> {
        match &self.paused {
            Some(paused) => paused.environments.get(self.active),
            None => self.environments.get(self.active),
        }
    }

    pub(super) fn shown_mut(&mut self) -> Option<&mut EnvironmentState> {
        match &mut self.paused {
            Some(paused) => paused.environments.get_mut(self.active),
            None => self.environments.get_mut(self.active),
        }
    }

    /// The filter of the screen on top; one that lets everything through where rows are not filtered.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        self.screen().kind().filter().map_or(&NO_FILTER, |words| self.filter_of(words))
    }

    /// The filter of a screen in the environment shown.
    #[must_use]
    pub fn filter_of(&self, words: &Words) -> &Filter {
        self.filters.get(&(self.active, words.screen)).unwrap_or(&NO_FILTER)
    }

    /// The same to be changed; `None` where rows are not filtered.
    pub fn filter_mut(&mut self) -> Option<&mut Filter> {
        let words = self.screen().kind().filter()?;
        Some(self.filters.entry((self.active, words.screen)).or_default())
    }

    /// Keeps each filter with its environment when environments come and go.
    pub(super) fn move_filters(&mut self, before: &[EnvName], after: &[EnvName]) {
        for ((at, rows), filter) in std::mem::take(&mut self.filters) {
            let place = before.get(at).and_then(|name| after.iter().position(|new| new == name));
            if let Some(place) = place {
                self.filters.insert((place, rows), filter);
            }
        }
    }

    /// The screen on top.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        self.screens.last().unwrap_or(&Screen::ROOT)
    }

    /// Whether something on screen changes by time alone, so that it wants a tick a second.
    #[must_use]
    pub fn ages(&self) -> bool {
        let live = |e: &EnvironmentState| {
            e.jump.link.state != LinkState::Pending || e.hosts.iter().any(|h| h.reported_at.is_some())
        };
        self.paused.is_some()
            || self.notice.is_some()
            || self.session().is_some()
            || self.runs_age()
            || self.commands_under_way().next().is_some()
            || self.look.is_some()
            || self.environments.iter().any(live)
    }

    /// Notes that a frame was drawn, with what it had room for: from now on the question on it may be answered.
    pub fn drawn(&mut self, room: Room) {
        self.changed = false;
        self.page = room.page.unwrap_or_else(|| usize::from(self.size.1.saturating_sub(FURNITURE))).max(1);
        let shown = self.questions.first().map(|q| q.id);
        if self.asked.map(|(id, _)| id) != shown {
            self.asked = shown.map(|id| (id, self.now));
        }
        self.prompt_drawn();
        if let (Some(help), Some(limit)) = (&mut self.help, room.help_limit) {
            *help = (*help).min(limit);
        }
        let Some(limit) = room.detail_limit else { return };
        self.screen().kind().limit(self, limit);
    }

    /// Whether the first question has been on screen long enough for a key to be meant for it.
    #[must_use]
    pub fn may_answer(&self) -> bool {
        match (self.questions.first(), self.asked) {
            (Some(question), Some((id, at))) => question.id == id && self.now.since(at) >= ANSWER_AFTER,
            (None, _) | (_, None) => false,
        }
    }

    /// Whether a key comes from somebody who is still typing an answer to a question that has ended meanwhile. Each such
    /// key starts the silence over.
    pub(super) fn is_meant_for_what_vanished(&mut self) -> bool {
        match self.vanished {
            Some(at) if self.now.since(at) < ANSWER_AFTER => {
                self.vanished = Some(self.now);
                true
            }
            Some(_) | None => {
                self.vanished = None;
                false
            }
        }
    }

    /// Starts the silence over.
    pub(super) fn disturbed(&mut self) {
        if let Some((_, since)) = &mut self.asked {
            *since = self.now;
        }
    }

    pub(super) fn say(&mut self, notice: String) {
        self.notice = Some((notice, self.now.plus(NOTICE_FOR)));
        self.changed = true;
    }
}
