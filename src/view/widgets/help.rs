//! Help, made of the live keymap: the keys of the screen under it, then the others, each as it is bound; what the columns
//! mean, how the filter is written, how prompts are answered, and the signs with their words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::{Signs, drawing};
use crate::view::signs::{Progress, Status};
use crate::view::state::ViewState;
use crate::view::text::{left, row, span};

use super::dialog;
use super::page::Page;

/// Columns for the keys of an action.
const KEYS: usize = 10;
/// Columns of an action with its keys.
const ENTRY: usize = 44;
/// Wider than this it need not be: lines of text are read, too.
const MOST: u16 = 160;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut ViewState, scroll: usize) {
    let width = area.width.saturating_sub(2).min(MOST);
    let lines = lines(scene, width.saturating_sub(4));
    let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let styles = scene.styles;
    let title = Line::from(span(" Help ", styles.accent));
    let inner = dialog::open(buf, area, (width, wanted), title, (styles.dialog, styles.line));
    let top = state.scroll_text(scroll, lines.len(), inner.height);
    let limit = lines.len().saturating_sub(usize::from(inner.height));
    for (y, line) in (0..inner.height).zip(lines.iter().skip(top)) {
        left(buf, row(inner, y), line);
    }
    if limit > 0 {
        let more = if top < limit { " more below ↓ " } else { " more above ↑ " };
        let at = Rect { x: inner.x, y: inner.bottom(), width: inner.width, height: 1 };
        left(buf, at, &span(more, styles.muted.patch(styles.dialog)).into());
    }
}

fn lines(scene: &Scene<'_>, width: u16) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut page = Page::new(width, styles);
    let kind = scene.model.screen().kind();
    let here = kind.keys();
    let others: Vec<Action> = Action::ALL.iter().copied().filter(|action| !here.contains(action)).collect();
    page.section(kind.title(), "");
    keys(&mut page, scene, here, width);
    page.section("EVERYWHERE ELSE", "");
    keys(&mut page, scene, &others, width);
    let columns = (drawing(scene.model.screen()).columns)();
    if !columns.is_empty() {
        page.section("COLUMNS", "");
        page.table(&columns, styles.dialog);
    }
    if kind.filter().is_some() {
        page.section("FILTER", "");
        page.table(
            &[
                ("app 12.04", "rows that contain every word; !app: rows without it"),
                (
                    "role:db,app",
                    "a field with one of these values; an unknown field name shows the known ones",
                ),
                (
                    "load>1",
                    "on the fleet: load, cpu (load/CPU), mem, disk (percent), lag, age (seconds), up (days)",
                ),
            ],
            styles.dialog,
        );
    }
    page.section("PROMPTS AND DIALOGS", "");
    page.table(
        &[
            ("y / n", "yes, no; Enter is no as well. Esc answers later: the run keeps waiting"),
            (
                "typed",
                "Enter sends it, ^D declines; Alt- and F-keys keep working. Pasted text never confirms",
            ),
            ("choices", "type a part of a value, or ↑ ↓ PgUp PgDn Home End"),
            ("text", "← → Home End Del; by words ^← ^→ ^W; ^U and ^K delete to the beginning, to the end"),
        ],
        styles.dialog,
    );
    page.section("SIGNS", "");
    signs(&mut page, scene, width);
    let old = format!(
        "Figures over {} old are dim; over {} they are ?.",
        jumpdeck_fleet::time::short_age(scene.cadence() * 2),
        jumpdeck_fleet::time::short_age(scene.cadence() * 4),
    );
    page.text(1, &old, styles.muted);
    page.lines
}

/// As many actions a line as fit, down the left column first.
fn keys(page: &mut Page<'_>, scene: &Scene<'_>, actions: &[Action], width: u16) {
    let bound: Vec<Vec<Span<'static>>> = actions.iter().filter_map(|a| action(scene, *a)).collect();
    let across = (usize::from(width) / ENTRY).clamp(1, 4);
    let rows = bound.len().div_ceil(across);
    for at in 0..rows {
        let mut spans = vec![Span::raw(" ")];
        for entry in (0..across).filter_map(|column| bound.get(at + column * rows)) {
            let used: usize = entry.iter().map(Span::width).sum();
            spans.extend(entry.iter().cloned());
            spans.push(Span::raw(" ".repeat(ENTRY.saturating_sub(used))));
        }
        page.line(spans);
    }
}

fn action(scene: &Scene<'_>, action: Action) -> Option<Vec<Span<'static>>> {
    // Those of the screen under it.
    let layer = Some(scene.model.screen().layer());
    let keys: Vec<String> = scene.model.keymap.keys(layer, action).map(|k| k.to_string()).collect();
    if keys.is_empty() {
        return None;
    }
    // Between two keys a space is enough, but not where one is a sequence.
    let between = if keys.iter().any(|keys| keys.contains(' ')) { ", " } else { " " };
    let mut shown = String::new();
    for key in &keys {
        if !shown.is_empty() && shown.chars().count() + key.chars().count() + between.len() > KEYS {
            break;
        }
        if !shown.is_empty() {
            shown.push_str(between);
        }
        shown.push_str(key);
    }
    Some(vec![
        span(format!("{shown:<KEYS$} "), scene.styles.strong),
        span(action.help(), scene.styles.dialog),
    ])
}

/// The signs of hosts, and on screens of runs those of steps.
fn signs(page: &mut Page<'_>, scene: &Scene<'_>, width: u16) {
    let styles = scene.styles;
    let all: Vec<(&str, &str, ratatui::style::Style)> = match drawing(scene.model.screen()).signs {
        Signs::Steps => Progress::ALL.iter().map(|p| (p.sign(), p.word(), styles.progress(*p))).collect(),
        Signs::Hosts => Status::ALL.iter().map(|s| (s.sign(), s.word(), styles.status(*s))).collect(),
    };
    let mut line = vec![Span::raw(" ")];
    for (sign, word, style) in all {
        let entry = [span(sign, style), span(format!(" {word}   "), styles.muted)];
        let used: usize = line.iter().chain(&entry).map(Span::width).sum();
        if used > usize::from(width) {
            page.line(std::mem::replace(&mut line, vec![Span::raw(" ")]));
        }
        line.extend(entry);
    }
    page.line(line);
}
