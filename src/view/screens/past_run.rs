//! The report of a past run, with its timeline: only to read.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::view::scene::Scene;
use crate::view::screens::report::{self, not_read};
use crate::view::screens::{Drawing, Signs};
use crate::view::state::ViewState;
use crate::view::text::{centred, count, left, row, span};
use crate::view::widgets::footer::FooterStatus;
use crate::view::widgets::page::Page;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { signs: Signs::Steps, ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(run) = scene.model.shown_past_run() else { return FooterStatus::default() };
    let styles = scene.styles;
    let Some(report) = scene.model.runs.past_report.as_deref().filter(|report| report.run == run) else {
        centred(buf, area, &[span(format!("reading the journal of {run}"), styles.muted).into()]);
        return FooterStatus::default();
    };
    let sections = match &report.told {
        Ok(sections) => sections,
        Err(why) => {
            not_read(buf, area, scene, &format!("what {run} did is unknown"), why.as_str());
            return FooterStatus::default();
        }
    };
    let mut page = Page::new(area.width, styles);
    page.text(1, run, styles.strong);
    report::sections(&mut page, scene, sections);
    let top = state.scroll_text(scene.env.selection.detail_scroll, page.lines.len(), area.height);
    for (y, line) in (0..area.height).zip(page.lines.iter().skip(top)) {
        left(buf, row(area, y), line);
    }
    let below = page.lines.len().saturating_sub(top + usize::from(area.height));
    let more = if below > 0 { format!("   {} below ↓", count(below, "more line")) } else { String::new() };
    FooterStatus { says: span(format!("a past run, read-only{more}"), styles.muted).into(), place: None }
}
