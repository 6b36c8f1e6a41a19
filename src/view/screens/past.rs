//! The past runs of this machine, from their journals: when, what, where, how it ended, by whom; the selected one in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::rows::selection::selected;
use crate::app::screens::past::past_rows;
use crate::view::scene::Scene;
use crate::view::screens::report::not_read;
use crate::view::screens::{Drawing, Signs};
use crate::view::signs::Progress;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, left, row, span};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::page::Page;
use crate::view::widgets::table::{Column, ColumnTable, Instead};
use jumpdeck_fleet::run::{PastRun, PastRuns};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PastColumn {
    When,
    Runbook,
    Env,
    End,
    Who,
}

/// Lines kept for the selected one in full.
const DETAIL: u16 = 6;

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("WHEN", "the run began, by this machine's clock"),
    ("HOW IT ENDED", "from its journal, or why that cannot be read"),
];

/// How it looks.
pub(super) const DRAWING: Drawing =
    Drawing { columns: || EXPLAINED.to_vec(), signs: Signs::Steps, ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(past) = scene.model.runs.past.as_deref() else {
        centred(buf, area, &[span("reading the journals", scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    let all = match &past.runs {
        Ok(all) => all.len(),
        Err(why) => {
            not_read(buf, area, scene, "the past runs of this machine are unknown", why.as_str());
            return FooterStatus::default();
        }
    };
    let rows = past_rows(scene.model);
    if rows.is_empty() {
        centred(buf, area, &[nothing(scene, past, all)]);
        return FooterStatus { place: (all > 0).then_some((0, 0, all)), ..FooterStatus::default() };
    }
    let (list, detail) = super::cells::split(area, DETAIL);
    let table = ColumnTable::new(list, &columns(&rows)).recorded(state);
    table.titles(buf, scene.styles, None);
    let at = selected(scene.model);
    let offset = state.scroll(scene.model.active, List("past runs"), at, rows.len(), table.height());
    for (y, (i, run)) in (0..table.height()).zip(rows.iter().enumerate().skip(offset)) {
        let progress = Progress::from(run.end);
        let sign = span(progress.sign(), scene.styles.progress(progress));
        let instead = run.began.is_none().then(|| Instead {
            covers: |id| id != PastColumn::When,
            says: Line::from(vec![
                span(run.says.as_str(), scene.styles.unknown),
                span(format!("  {}", run.id), scene.styles.muted),
            ]),
        });
        table.row(buf, y, sign, instead, |id, _| cell(scene, run, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    if let Some(run) = at.and_then(|i| rows.get(i)) {
        in_full(buf, detail, scene, run);
    }
    FooterStatus {
        says: span(count(all, "past run"), scene.styles.muted).into(),
        place: Some((at.map_or(0, |i| i + 1), rows.len(), all)),
    }
}

fn nothing(scene: &Scene<'_>, past: &PastRuns, all: usize) -> Line<'static> {
    let why = match all {
        0 => format!("there are no runs in {}", past.folder),
        _ => format!("no past run matches {}", scene.model.filter().text.as_str()),
    };
    span(why, scene.styles.muted).into()
}

fn columns(rows: &[&PastRun]) -> Vec<Column<PastColumn>> {
    let widest = |of: fn(&PastRun) -> usize, least: u16, most: u16| {
        let widest = rows.iter().map(|run| of(run)).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(u16::MAX).clamp(least, most)
    };
    let when = widest(|run| run.began.as_ref().map_or(0, |at| at.as_str().len()), 4, 22);
    let runbook = widest(|run| run.runbook.as_str().len(), 8, 32);
    let env = widest(|run| run.env.as_str().len(), 3, 24);
    let who = widest(|run| run.who.as_str().len(), 2, 32);
    let grows = |id, title, least: u16, most: u16, rank| Column {
        id,
        title,
        align: Align::Left,
        least: least.min(most),
        most,
        rank,
    };
    vec![
        Column::fixed(PastColumn::When, "WHEN", Align::Left, when, 0),
        grows(PastColumn::Runbook, "RUNBOOK", 16, runbook, 1),
        grows(PastColumn::End, "HOW IT ENDED", 14, 80, 2),
        grows(PastColumn::Env, "ENV", 10, env, 3),
        grows(PastColumn::Who, "BY", 9, who, 4),
    ]
}

fn cell<'a>(scene: &Scene<'a>, run: &'a PastRun, id: PastColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        PastColumn::When => match &run.began {
            Some(at) => span(at.as_str(), styles.muted).into(),
            None => span("?", styles.unknown).into(),
        },
        PastColumn::Runbook => span(run.runbook.as_str(), styles.strong).into(),
        PastColumn::Env => Line::from(run.env.as_str()),
        PastColumn::End => span(run.says.as_str(), styles.progress(Progress::from(run.end))).into(),
        PastColumn::Who => span(run.who.as_str(), styles.muted).into(),
    }
}

fn in_full(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, run: &PastRun) {
    let mut page = Page::new(area.width, scene.styles);
    page.text(4, run.says.as_str(), scene.styles.base);
    if !run.who.is_empty() {
        page.text(4, &format!("by {}", run.who), scene.styles.muted);
    }
    page.text(4, &run.id, scene.styles.muted);
    for (y, line) in (1..area.height).zip(&page.lines) {
        left(buf, row(area, y), line);
    }
}
