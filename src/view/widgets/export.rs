//! The dialog that exports the table on screen.

use ratatui::text::{Line, Span};

use super::field::typed;
use super::forms::{answers, wrong};
use crate::app::model::export::ExportForm;
use crate::view::scene::Scene;
use crate::view::text::{count, span};
use jumpdeck_fleet::table::TableFormat;

pub(super) fn lines(scene: &Scene<'_>, form: &ExportForm, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut formats = vec![span(format!("{} as  ", count(form.rows, "row")), styles.muted)];
    for format in TableFormat::ALL {
        let style = if format == form.format { styles.tab } else { styles.muted };
        formats.push(span(format!(" {} ", format.name()), style));
    }
    let target = |clipboard: bool, text: &'static str| {
        let (mark, style) =
            if clipboard == form.to_clipboard { ("▸ ", styles.strong) } else { ("  ", styles.muted) };
        Line::from(vec![span(mark, styles.accent), span(text, style)])
    };
    let mut lines = vec![Line::from(formats), Line::from(Span::raw("")), target(false, "into a new file:")];
    if !form.to_clipboard {
        lines.push(typed(scene, &form.name, true, width));
    }
    lines.push(target(true, "to the clipboard of the terminal (OSC 52)"));
    lines.extend(wrong(scene, form.wrong));
    lines.push(Line::from(Span::raw("")));
    let keys = [("Enter", "export"), ("Tab", "format"), ("↑ ↓", "file or clipboard"), ("Esc", "cancel")];
    lines.push(answers(scene, &keys));
    lines
}
