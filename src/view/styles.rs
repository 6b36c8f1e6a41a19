//! The style tree: a theme's few colours by meaning, made into the styles screens use, for what the terminal can show.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::config::theme::{Color, Colors, Theme};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::time::Freshness;

use super::signs::{Progress, Status};

mod color;

#[cfg(test)]
pub(crate) use color::contrast;

/// The least contrast of text (WCAG 2.1, level AA).
const READABLE: f64 = 4.5;

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorSupport {
    /// None is wanted or possible (`NO_COLOR`, `TERM=dumb`): bold, dim, underlined and reversed only.
    None,
    /// The 16 of the terminal's own palette, taken by meaning: what they look like is the terminal's affair.
    Ansi16,
    /// The same, where nobody knows whether its ground is light or dark.
    Ansi16OnAnyGround,
    /// The 256 of xterm: the nearest to the theme's.
    Ansi256,
    /// As the theme has them.
    TrueColor,
}

/// Every style a screen uses. Made once a theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Styles {
    /// Behind everything, and what is read.
    pub base: Style,
    /// What is looked for first: names, keys.
    pub strong: Style,
    /// Labels, hints, what is secondary.
    pub muted: Style,
    /// Titles of tables and sections.
    pub title: Style,
    /// The program's name, the sorted column.
    pub accent: Style,
    /// As it should be.
    pub ok: Style,
    /// A warning.
    pub warning: Style,
    /// Critical.
    pub critical: Style,
    /// Not known.
    pub unknown: Style,
    /// An old value.
    pub stale: Style,
    /// Empty parts of bars, branches of trees.
    pub line: Style,
    /// Behind the selected row.
    pub selected: Style,
    /// Text on it whose own colour cannot be read there.
    pub selected_text: Style,
    /// The row of tabs, and the last row.
    pub surface: Style,
    /// The tab of the environment shown.
    pub tab: Style,
    /// The band of a guarded environment.
    pub guarded: Style,
    /// The band of any other environment.
    pub unguarded: Style,
    /// ARMED.
    pub armed: Style,
    /// SIMULATED.
    pub simulated: Style,
    /// PAUSED.
    pub paused: Style,
    /// The first line of the banner of a jump box that is down.
    pub banner: Style,
    /// A dialog's ground.
    pub dialog: Style,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
}

impl Default for Styles {
    fn default() -> Self {
        Self::without_colors()
    }
}

impl Styles {
    /// The styles of a theme on a terminal with these colours.
    #[must_use]
    pub fn new(theme: &Theme, support: ColorSupport) -> Self {
        match support {
            ColorSupport::None => Self::without_colors(),
            // Whoever asks for a light theme has a light ground.
            ColorSupport::Ansi16OnAnyGround if theme.dark => Self::of(&color::on_any_ground(), color::exact),
            ColorSupport::Ansi16 | ColorSupport::Ansi16OnAnyGround => {
                Self::of(&color::by_meaning(theme.dark), color::exact)
            }
            ColorSupport::Ansi256 => Self::of(&theme.colors, color::nearest),
            ColorSupport::TrueColor => Self::of(&theme.colors, color::exact),
        }
    }

    /// The same with signs and bars in ASCII only.
    #[must_use]
    pub fn in_ascii(self, ascii: bool) -> Self {
        Self { ascii, ..self }
    }

    /// Lays the selection over cells already drawn. A colour that can be read on it stays; any other gives way.
    pub(crate) fn select(&self, buf: &mut Buffer, area: Rect) {
        buf.set_style(area, self.selected);
        for position in area.positions() {
            let Some(cell) = buf.cell_mut(position) else { continue };
            cell.modifier.remove(Modifier::DIM);
            if color::contrast(cell.fg, cell.bg).is_none_or(|ratio| ratio < READABLE) {
                cell.set_style(self.selected_text);
            }
        }
    }

    /// The style of a state's sign.
    #[must_use]
    pub fn status(&self, status: Status) -> Style {
        match status {
            Status::Ok => self.ok,
            Status::Stale => self.stale,
            Status::NotWatched | Status::Pending => self.muted,
            Status::Warning => self.warning,
            Status::Unknown => self.unknown,
            Status::Critical => self.critical,
        }
    }

    /// The style of a step's or run's sign.
    #[must_use]
    pub fn progress(&self, progress: Progress) -> Style {
        match progress {
            Progress::Ahead | Progress::Skipped => self.muted,
            Progress::Asks | Progress::Stands => self.warning,
            Progress::Runs => self.accent,
            Progress::Done => self.ok,
            Progress::Failed => self.critical,
            Progress::Unknown => self.unknown,
            Progress::Printed | Progress::Undone => self.stale,
        }
    }

    /// The style of what a step may change.
    #[must_use]
    pub fn effect(&self, effect: Effect) -> Style {
        match effect {
            Effect::Read => self.muted,
            Effect::Mutate => self.warning,
            Effect::Destructive => self.critical,
        }
    }

    /// The style of a figure that was judged; plain when nothing is wrong with it.
    #[must_use]
    pub fn figure(&self, severity: Option<Severity>, freshness: Freshness) -> Style {
        match (freshness, severity) {
            (Freshness::Expired, _) => self.unknown,
            (Freshness::Stale, _) => self.stale,
            (Freshness::Fresh, None) => self.base,
            (Freshness::Fresh, Some(severity)) => self.status(severity.into()),
        }
    }

    fn of(c: &Colors, to: fn(Color) -> ratatui::style::Color) -> Self {
        let on = |back: Color, fore: Color| Style::new().fg(to(fore)).bg(to(back));
        let fore = |fore: Color| Style::new().fg(to(fore));
        Self {
            base: on(c.background, c.text),
            strong: fore(c.text).add_modifier(Modifier::BOLD),
            muted: fore(c.muted),
            title: fore(c.muted),
            accent: fore(c.accent).add_modifier(Modifier::BOLD),
            ok: fore(c.ok),
            warning: fore(c.warning),
            critical: fore(c.critical).add_modifier(Modifier::BOLD),
            unknown: fore(c.unknown),
            stale: fore(c.stale),
            line: fore(c.border),
            selected: Style::new().bg(to(c.selection)),
            selected_text: fore(c.selection_text),
            surface: on(c.surface, c.text),
            tab: on(c.selection, c.selection_text).add_modifier(Modifier::BOLD),
            guarded: on(c.production, c.band_text).add_modifier(Modifier::BOLD),
            unguarded: on(c.surface, c.staging).add_modifier(Modifier::BOLD),
            armed: on(c.warning, c.band_text).add_modifier(Modifier::BOLD),
            simulated: on(c.simulated, c.band_text).add_modifier(Modifier::BOLD),
            paused: on(c.accent, c.background).add_modifier(Modifier::BOLD),
            banner: fore(c.critical).add_modifier(Modifier::BOLD),
            dialog: on(c.surface, c.text),
            ascii: false,
        }
    }

    fn without_colors() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let dim = plain.add_modifier(Modifier::DIM);
        let reversed = bold.add_modifier(Modifier::REVERSED);
        Self {
            base: plain,
            strong: bold,
            muted: dim,
            title: plain.add_modifier(Modifier::UNDERLINED),
            accent: bold,
            ok: plain,
            warning: bold,
            critical: bold.add_modifier(Modifier::UNDERLINED),
            unknown: bold,
            stale: dim,
            line: dim,
            selected: plain.add_modifier(Modifier::REVERSED),
            selected_text: plain,
            surface: plain,
            tab: reversed,
            guarded: reversed,
            unguarded: bold,
            armed: reversed,
            simulated: reversed,
            paused: reversed,
            banner: bold,
            dialog: plain,
            ascii: false,
        }
    }
}
