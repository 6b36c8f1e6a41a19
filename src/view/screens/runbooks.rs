//! What there is to run: runs that are not over on top, then the runbooks; what the selected one is for in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::rows::selection::selected;
use crate::app::screens::runbooks::{RunbookRow, fits, runbook_rows};
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::{Drawing, Signs};
use crate::view::signs::Progress;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, left, row, span};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::page::Page;
use crate::view::widgets::table::{Column, ColumnTable, Instead};
use jumpdeck_fleet::run::{Danger, Mode, RunState, RunView, RunbookEntry};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunbookColumn {
    Name,
    Danger,
    LastRun,
    Title,
}

/// Lines kept for what the selected one is for.
const DETAIL: u16 = 7;

/// Before a runbook for the problem that one comes from.
const FITS: &str = "→";

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("RISK", "read-only; reversible: can be rolled back; irreversible: has a point of no return"),
    ("LAST RUN", "in this environment, from this machine"),
];

/// How it looks.
pub(super) const DRAWING: Drawing =
    Drawing { columns: || EXPLAINED.to_vec(), signs: Signs::Steps, ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let rows = runbook_rows(scene.model);
    let Some(listing) = scene.model.listing() else {
        centred(buf, area, &[span("looking for runbooks and runs", scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    let area = troubles(buf, area, scene, &listing.troubles);
    let area = problem(buf, area, scene);
    let all = listing.runbooks.len();
    let (list, detail) = super::cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(&rows)).recorded(state);
    table.titles(buf, scene.styles, None);
    if rows.is_empty() {
        let why = match all {
            0 => "there is no runbook here".to_owned(),
            _ => format!("nothing matches {}", scene.model.filter().text.as_str()),
        };
        centred(buf, area, &[span(why, scene.styles.muted).into()]);
        return FooterStatus { place: (all > 0).then_some((0, 0, all)), ..FooterStatus::default() };
    }
    let at = selected(scene.model);
    let offset = state.scroll(scene.model.active, List("runbooks"), at, rows.len(), table.height());
    for (y, (i, entry)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        match *entry {
            RunbookRow::Here(run) => {
                let says = here(scene, run);
                let progress = Progress::of(run);
                let sign = span(progress.sign(), scene.styles.progress(progress));
                let instead = Instead { covers: |id| id != RunbookColumn::Name, says };
                table.row(buf, y, sign, Some(instead), |_, _| {
                    span(run.runbook.as_str(), scene.styles.strong).into()
                });
            }
            RunbookRow::Run(run) => {
                let progress = if run.held { Progress::Runs } else { Progress::Stands };
                let sign = span(progress.sign(), scene.styles.progress(progress));
                let says = Line::from(vec![
                    span(if run.held { "under way" } else { "resume" }, scene.styles.progress(progress)),
                    span(format!("  {}, by {}: ", run.mode.word(), run.who), scene.styles.muted),
                    span(run.says.as_str(), scene.styles.base),
                ]);
                let instead = Instead { covers: |id| id != RunbookColumn::Name, says };
                table.row(buf, y, sign, Some(instead), |_, _| {
                    span(run.runbook.as_str(), scene.styles.strong).into()
                });
            }
            RunbookRow::Runbook(runbook) => {
                let sign = if fits(scene.model, entry) { FITS } else { " " };
                table.row(buf, y, span(sign, scene.styles.ok), None, |id, _| cell(scene, runbook, id));
            }
        }
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    if let Some(chosen) = at.and_then(|i| rows.get(i)) {
        in_full(buf, detail, scene, chosen);
    }
    let runs = rows.iter().filter(|r| !matches!(r, RunbookRow::Runbook(_))).count();
    let says = format!("{}, {}", count(rows.len() - runs, "runbook"), count(runs, "run"));
    let unfiltered = if scene.model.filter().text.is_empty() { rows.len() } else { all + listing.runs.len() };
    FooterStatus {
        says: span(says, scene.styles.muted).into(),
        place: Some((at.map_or(0, |i| i + 1), rows.len(), unfiltered.max(rows.len()))),
    }
}

/// What could not be read, above everything; returns the room below.
fn troubles(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    troubles: &[jumpdeck_fleet::text::Clean],
) -> Rect {
    let shown = u16::try_from(troubles.len().min(3)).unwrap_or(0);
    for (y, trouble) in (0..shown).zip(troubles) {
        left(buf, row(area, y), &span(format!(" ▲ {trouble}"), scene.styles.warning).into());
    }
    Rect { y: area.y + shown, height: area.height.saturating_sub(shown), ..area }
}

/// The problem that one comes from, and how many runbooks are for it; returns the room below.
fn problem(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Rect {
    let Some(problem) = scene.model.about().filter(|_| area.height > 6) else { return area };
    let host = problem.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
    let what = format!("{host}{}", problem.message);
    let fit = scene.model.runbooks_for(problem).map_or(0, |names| names.len());
    let says = match fit {
        0 => span(" no runbook is for ".to_owned(), scene.styles.muted),
        1 => span(format!(" {FITS} 1 runbook is for "), scene.styles.ok),
        _ => span(format!(" {FITS} {fit} runbooks are for "), scene.styles.ok),
    };
    left(buf, row(area, 0), &Line::from(vec![says, span(what, scene.styles.base)]));
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

fn columns(rows: &[RunbookRow<'_>]) -> Vec<Column<RunbookColumn>> {
    let name = rows.iter().map(|r| match r {
        RunbookRow::Here(run) => run.runbook.len(),
        RunbookRow::Run(run) => run.runbook.len(),
        RunbookRow::Runbook(runbook) => runbook.name.len(),
    });
    let last = rows.iter().filter_map(|r| match r {
        RunbookRow::Runbook(runbook) => runbook.last_run.as_ref().map(|l| l.as_str().width()),
        RunbookRow::Here(_) | RunbookRow::Run(_) => None,
    });
    let title = rows.iter().map(|r| match r {
        RunbookRow::Runbook(runbook) => runbook.title.as_str().width(),
        RunbookRow::Here(_) | RunbookRow::Run(_) => 0,
    });
    let title = u16::try_from(title.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(16, 80);
    let name = u16::try_from(name.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(8, 32);
    let last = u16::try_from(last.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(8, 30);
    vec![
        Column {
            id: RunbookColumn::Name,
            title: "RUNBOOK",
            align: Align::Left,
            least: name.min(26),
            most: name,
            rank: 0,
        },
        Column::fixed(RunbookColumn::Danger, "RISK", Align::Left, 12, 1),
        Column {
            id: RunbookColumn::LastRun,
            title: "LAST RUN",
            align: Align::Left,
            least: last.min(24),
            most: last,
            rank: 3,
        },
        Column {
            id: RunbookColumn::Title,
            title: "WHAT IT DOES",
            align: Align::Left,
            least: 16,
            most: title,
            rank: 2,
        },
    ]
}

fn cell<'a>(scene: &Scene<'a>, runbook: &'a RunbookEntry, id: RunbookColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        RunbookColumn::Name => span(runbook.name.as_str(), styles.strong).into(),
        RunbookColumn::Danger => danger(scene, runbook.danger).into(),
        RunbookColumn::LastRun => match &runbook.last_run {
            Some(last) => span(last.as_str(), styles.muted).into(),
            None => span("never", styles.muted).into(),
        },
        RunbookColumn::Title => Line::from(runbook.title.as_str()),
    }
}

/// What may be lost, in a word.
fn danger(scene: &Scene<'_>, danger: Danger) -> ratatui::text::Span<'static> {
    match danger {
        Danger::Reads => span("read-only", scene.styles.muted),
        Danger::Changes => span("reversible", scene.styles.warning),
        Danger::Data => span("irreversible", scene.styles.critical),
    }
}

fn here<'a>(scene: &Scene<'a>, run: &'a RunView) -> Line<'a> {
    let progress = Progress::of(run);
    let word = match &run.state {
        RunState::Waiting => "waits for an answer",
        state => state.word(),
    };
    let at = match (run.state.is_under_way(), run.current.and_then(|at| run.steps.get(at))) {
        (true, Some(step)) => format!(": {}", step.title),
        (true, None) => String::new(),
        (false, _) => format!(": {}", run.why),
    };
    let mode = if run.mode == Mode::DryRun { "  dry run" } else { "" };
    let whose = if run.watching { format!("  by {}, watched", run.who) } else { String::new() };
    Line::from(vec![
        span(word, scene.styles.progress(progress)),
        span(format!("{mode}{whose}"), scene.styles.muted),
        span(at, scene.styles.base),
    ])
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, chosen: &RunbookRow<'_>) {
    let styles = scene.styles;
    let mut page = Page::new(area.width, styles);
    match *chosen {
        RunbookRow::Here(run) => about_run(&mut page, scene, &run.id, run.title.as_str(), "open it"),
        RunbookRow::Run(run) => {
            let then = if run.held { "watch it: it is another operator's" } else { "resume it" };
            about_run(&mut page, scene, &run.id, run.says.as_str(), then);
        }
        RunbookRow::Runbook(runbook) => {
            page.text(4, runbook.summary.as_str(), styles.base);
            if !runbook.inputs.is_empty() {
                let asked: Vec<&str> = runbook.inputs.iter().map(|i| i.label.as_str()).collect();
                page.text(4, &format!("asks for: {}", asked.join(", ")), styles.muted);
            }
            if runbook.own {
                page.text(4, "your own runbook", styles.muted);
            }
        }
    }
    for (y, line) in (1..area.height).zip(&page.lines) {
        left(buf, row(area, y), line);
    }
}

fn about_run(page: &mut Page<'_>, scene: &Scene<'_>, id: &str, says: &str, then: &str) {
    let muted: Style = scene.styles.muted;
    page.text(4, says, scene.styles.base);
    page.text(4, id, muted);
    page.text(4, &format!("{} to {then}", key(scene, Action::Open)), muted);
}
