//! A shell that is being opened, could not be opened or was lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::dialog;
use super::forms::answers;
use crate::app::model::shell::{ShellBox, ShellStage};
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};

const WIDTH: u16 = 72;

pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, shell: &ShellBox) {
    let styles = scene.styles;
    let outer = WIDTH.min(area.width.saturating_sub(4));
    let width = usize::from(outer.saturating_sub(4));
    let place = format!("{} ({})", shell.host, shell.env);
    let (border, text, keys): (_, String, &[(&str, &str)]) = match &shell.stage {
        // The terminal shows the shell itself.
        ShellStage::Attended => return,
        ShellStage::Opening => (
            styles.strong,
            format!("Opening a shell on {place}. The console comes back when the shell ends."),
            &[("Esc", "cancel")],
        ),
        ShellStage::Failed(why) => {
            (styles.critical, format!("No shell on {place}. {why}"), &[("Enter Esc", "close")])
        }
        ShellStage::Lost(why) => {
            (styles.warning, format!("The shell on {place} was lost. {why}"), &[("Enter Esc", "close")])
        }
    };
    let mut lines: Vec<Line<'_>> = wrap(&text, width).into_iter().map(Line::from).collect();
    lines.push(Line::default());
    lines.push(answers(scene, keys));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let title = Line::from(span(" Shell ", border));
    let inner = dialog::open(buf, area, (outer, height), title, (styles.dialog, border));
    for (y, line) in (0..inner.height).zip(&lines) {
        left(buf, row(inner, y), line);
    }
}
