//! The saved views: their names, and what each shows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::app::opening::{order_of, shows};
use crate::app::rows::selection::selected;
use crate::config::action::Action;
use crate::config::views::SavedView;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::screens::report::not_read;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, centred, count, span};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::table::{Column, ColumnTable};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ViewColumn {
    Name,
    Env,
    Screen,
    Filter,
    Sort,
}

/// What its columns mean.
const EXPLAINED: &[(&str, &str)] =
    &[("SHOWS", "the screen, or the host in full"), ("ORDER", "of the fleet table; empty is worst first")];

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let views = &scene.model.views;
    if let Some(why) = &views.refused {
        let again = key(scene, Action::Refresh);
        let text = format!("{why} Mend the file, then press {again}.");
        not_read(buf, area, scene, "the saved views are not available", &text);
        return FooterStatus::default();
    }
    if views.list.is_empty() {
        let save = key(scene, Action::SaveView);
        let lines = [
            span("no saved views", scene.styles.muted).into(),
            span(format!("{save} on another screen saves what it shows"), scene.styles.muted).into(),
        ];
        centred(buf, area, &lines);
        return FooterStatus::default();
    }
    let table = ColumnTable::new(area, &columns(&views.list)).recorded(state);
    table.titles(buf, scene.styles, None);
    let at = selected(scene.model);
    let offset = state.scroll(scene.model.active, List("views"), at, views.list.len(), table.height());
    for (y, (i, view)) in (0..table.height()).zip(views.list.iter().enumerate().skip(offset)) {
        table.row(buf, y, span(" ", scene.styles.base), None, |id, _| cell(scene, view, id));
        if at == Some(i) {
            table.select(buf, y, scene.styles);
        }
    }
    FooterStatus {
        says: span(count(views.list.len(), "saved view"), scene.styles.muted).into(),
        place: Some((at.map_or(0, |i| i + 1), views.list.len(), views.list.len())),
    }
}

fn columns(views: &[SavedView]) -> Vec<Column<ViewColumn>> {
    let widest = |of: fn(&SavedView) -> usize, least: u16, most: u16| {
        let widest = views.iter().map(of).max().unwrap_or(0);
        u16::try_from(widest).unwrap_or(u16::MAX).clamp(least, most)
    };
    let grows = |id, title, least: u16, most: u16, rank| Column {
        id,
        title,
        align: Align::Left,
        least: least.min(most),
        most,
        rank,
    };
    vec![
        grows(ViewColumn::Name, "VIEW", 12, widest(|view| view.name.width(), 4, 40), 0),
        grows(ViewColumn::Env, "ENV", 10, widest(|view| view.environment.as_str().len(), 3, 24), 1),
        grows(ViewColumn::Screen, "SHOWS", 8, widest(|view| shows(view).width(), 5, 40), 2),
        grows(ViewColumn::Filter, "FILTER", 10, widest(|view| view.filter.width(), 6, 60), 3),
        grows(ViewColumn::Sort, "ORDER", 8, widest(|view| order_of(view).width(), 5, 30), 4),
    ]
}

fn cell<'a>(scene: &Scene<'a>, view: &'a SavedView, id: ViewColumn) -> Line<'a> {
    let styles = scene.styles;
    match id {
        ViewColumn::Name => span(view.name.as_str(), styles.strong).into(),
        ViewColumn::Env => {
            let known = scene.model.environments.iter().any(|env| env.spec.name == view.environment);
            let text = view.environment.as_str();
            if known { Line::from(text) } else { span(format!("? {text}"), styles.unknown).into() }
        }
        ViewColumn::Screen => Line::from(shows(view)),
        ViewColumn::Filter => Line::from(view.filter.as_str()),
        ViewColumn::Sort => span(order_of(view), styles.muted).into(),
    }
}
