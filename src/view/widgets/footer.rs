//! The last two rows: what the selected row has to say (or a notice, or the filter being typed), and the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea};

use crate::app::model::Screen;
use crate::config::action::Action;
use crate::domain::run::RunState;
use crate::view::scene::Scene;
use crate::view::text::{left, right, row, span};

/// Its rows.
pub(crate) const HEIGHT: u16 = 2;

/// Columns below which the last of the screens is named only where it is shown: help must be seen.
const ALL_SCREENS: u16 = 72;

/// What a screen has to say of what is selected, and where in its list that is.
#[derive(Default)]
pub(crate) struct Status<'a> {
    /// What there is to say.
    pub(crate) says: Line<'a>,
    /// The place of the selected row, from 1, how many rows there are, and how many there are without the filter.
    pub(crate) place: Option<(usize, usize, usize)>,
}

/// Draws the footer.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: Status<'_>) {
    let foot = Rect { y: area.bottom().saturating_sub(HEIGHT), height: HEIGHT, ..area };
    let says = row(foot, 0);
    let room = right(buf, Rect { width: says.width.saturating_sub(1), ..says }, &place(scene, status.place));
    let inner = Rect { x: says.x + 1, width: room.saturating_sub(1), ..says };
    let filter = &scene.model.filter;
    if filter.editing {
        type_in(buf, inner, scene);
    } else if let Some((notice, _)) =
        scene.model.notice.as_ref().filter(|(_, until)| *until > scene.model.now)
    {
        left(buf, inner, &span(notice.as_str(), scene.styles.accent).into());
    } else {
        left(buf, inner, &status.says);
    }

    let keys = row(foot, 1);
    buf.set_style(keys, scene.styles.surface);
    let room = right(buf, Rect { width: keys.width.saturating_sub(1), ..keys }, &hints(scene, keys.width));
    left(buf, Rect { width: room, ..keys }, &screens(scene, keys.width));
}

/// The filter being typed: what does not fit scrolls, so that the cursor is always seen.
fn type_in(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    left(buf, area, &span("/", scene.styles.accent).into());
    let mut field = TextArea::from([scene.model.filter.text.as_str()]);
    field.set_style(scene.styles.base);
    field.set_cursor_line_style(scene.styles.base);
    field.set_cursor_style(scene.styles.paused);
    field.move_cursor(CursorMove::End);
    field.render(Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, buf);
}

fn place(scene: &Scene<'_>, place: Option<(usize, usize, usize)>) -> Line<'static> {
    let styles = scene.styles;
    let Some((at, shown, all)) = place else { return Line::default() };
    let filter = &scene.model.filter;
    let mut spans = vec![Span::raw("  ")];
    if shown < all || !filter.text.is_empty() {
        if !filter.editing {
            spans.push(span(format!("/{} ", filter.text), styles.accent));
        }
        spans.push(span(format!("{shown} of {all}"), styles.muted));
    } else if at > 0 {
        spans.push(span(format!("{at}/{shown}"), styles.muted));
    }
    Line::from(spans)
}

/// The screens with their keys; the one shown stands out.
fn screens(scene: &Scene<'_>, width: u16) -> Line<'static> {
    let screen = scene.model.screen();
    let mut spans = vec![Span::raw(" ")];
    for (action, shown) in [
        (Action::ScreenFleet, matches!(screen, Screen::Fleet | Screen::Host(_))),
        (Action::ScreenReplication, *screen == Screen::Replication),
        (Action::ScreenRoles, *screen == Screen::Roles),
        (Action::ScreenProblems, *screen == Screen::Problems),
        (Action::Runbooks, matches!(screen, Screen::Runbooks | Screen::Plan | Screen::Run(_))),
    ] {
        if action == Action::Runbooks && width < ALL_SCREENS && !shown {
            continue;
        }
        let key = bound(scene, action).map(|k| format!("{k} ")).unwrap_or_default();
        let text = format!(" {key}{} ", action.help());
        spans.push(span(text, if shown { scene.styles.tab } else { scene.styles.muted }));
    }
    Line::from(spans)
}

/// The keys that do something here, as many as fit.
fn hints(scene: &Scene<'_>, width: u16) -> Line<'static> {
    let here: &[(Action, &str)] = match scene.model.screen() {
        _ if scene.model.filter.editing => &[],
        Screen::Host(_) => &[
            (Action::Help, "help"),
            (Action::Back, "back"),
            (Action::Down, "scroll"),
            (Action::Retry, "retry"),
        ],
        Screen::Runbooks => &[
            (Action::Help, "help"),
            (Action::Open, "open"),
            (Action::Filter, "filter"),
            (Action::Arm, "arm"),
            (Action::NextEnvironment, "environment"),
            (Action::Back, "back"),
        ],
        Screen::Plan => &[
            (Action::Help, "help"),
            (Action::Open, "start"),
            (Action::Down, "scroll"),
            (Action::Arm, "arm"),
            (Action::Back, "back"),
        ],
        Screen::Run(_) => run_hints(scene),
        _ => &[
            (Action::Help, "help"),
            (Action::Open, "open"),
            (Action::Filter, "filter"),
            (Action::SortNext, "sort"),
            (Action::NextEnvironment, "environment"),
            (Action::Pause, "hold"),
            (Action::Refresh, "refresh"),
            (Action::Quit, "quit"),
        ],
    };
    let mut room = usize::from(width).saturating_sub(screens(scene, width).width() + 2);
    let armed = scene.model.runs.armed.is_some();
    let mut spans = Vec::new();
    for (action, what) in here {
        if *action == Action::SortNext && *scene.model.screen() != Screen::Fleet {
            continue;
        }
        let Some(key) = bound(scene, *action) else { continue };
        let what = if *action == Action::Arm && armed { "disarm" } else { what };
        let hint = [span(key, scene.styles.strong), span(format!(" {what}  "), scene.styles.muted)];
        let needed: usize = hint.iter().map(Span::width).sum();
        if needed > room {
            break;
        }
        room -= needed;
        spans.splice(0..0, hint);
    }
    Line::from(spans)
}

/// What a person may do with the run on screen.
fn run_hints(scene: &Scene<'_>) -> &'static [(Action, &'static str)] {
    match scene.model.shown_run() {
        Some(run) if !run.watching && run.state.is_under_way() => &[
            (Action::Help, "help"),
            (Action::StopRun, "stop"),
            (Action::Note, "note"),
            (Action::Rollback, "roll back"),
            (Action::PageDown, "more"),
            (Action::Arm, "arm"),
            (Action::Back, "back"),
        ],
        Some(run) if !run.watching && matches!(run.state, RunState::Stopped(_)) => {
            &[(Action::Help, "help"), (Action::Open, "go on"), (Action::Arm, "arm"), (Action::Back, "back")]
        }
        _ => &[(Action::Help, "help"), (Action::PageDown, "more"), (Action::Back, "back")],
    }
}

fn bound(scene: &Scene<'_>, action: Action) -> Option<String> {
    scene.model.keymap.keys(action).next().map(|k| k.to_string())
}

/// The key of an action as hints show it; the action's own name where no key is bound to it.
pub(crate) fn key(scene: &Scene<'_>, action: Action) -> String {
    bound(scene, action).unwrap_or_else(|| action.name().to_owned())
}
