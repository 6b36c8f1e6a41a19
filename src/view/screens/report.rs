//! What screens of runs share: the sections of a report, and what could not be read.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::view::scene::Scene;
use crate::view::text::{centred, span, wrap};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::run::ReportSection;

/// What could not be read, and why.
pub(super) fn not_read(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, what: &str, why: &str) {
    let mut lines = vec![Line::from(span(format!("? {what}"), scene.styles.unknown)), Line::default()];
    let width = usize::from(area.width).saturating_sub(8);
    lines.extend(wrap(why, width).into_iter().map(Line::from));
    centred(buf, area, &lines);
}

/// A report: what one wants to know first, then everything in order.
pub(in crate::view::screens) fn sections(page: &mut Page<'_>, scene: &Scene<'_>, all: &[ReportSection]) {
    for section in all {
        page.section(section.title, "");
        let rows: Vec<(&str, &str)> = section.rows.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        page.table(&rows, scene.styles.base);
    }
}

/// The line across.
pub(super) fn no_return(scene: &Scene<'_>, width: u16) -> Span<'static> {
    let text = " POINT OF NO RETURN ";
    let rest = usize::from(width).saturating_sub(text.len());
    let line = format!("{}{text}{}", "━".repeat(rest / 2), "━".repeat(rest - rest / 2));
    span(line, scene.styles.critical)
}
