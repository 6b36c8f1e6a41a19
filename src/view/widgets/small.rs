//! The screen of a terminal too small for any other: it still says which environment this is, and how bad it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::model::Model;
use crate::app::model::SMALLEST;
use crate::view::signs::Status;
use crate::view::styles::Styles;
use crate::view::text::{centred, span};

pub(crate) fn draw(buf: &mut Buffer, area: Rect, model: &Model, styles: &Styles) {
    let (columns, rows) = SMALLEST;
    let mut lines = vec![
        Line::from(span(format!("needs {columns}×{rows}"), styles.strong)),
        Line::from(span(format!("this is {}×{}", area.width, area.height), styles.muted)),
    ];
    if let Some(env) = model.shown() {
        let style = if env.spec.is_guarded() { styles.guarded } else { styles.unguarded };
        lines.push(Line::from(span(format!(" {} ", env.spec.level.to_uppercase()), style)));
        let open = || env.problems.iter().filter(|problem| env.is_unacknowledged(problem));
        if let Some(worst) = open().map(|problem| problem.severity).max() {
            let n = open().filter(|p| p.severity == worst).count();
            let status = Status::from(worst);
            let text = format!("{} {n} {}", status.sign(), status.word());
            lines.push(Line::from(span(text, styles.status(status))));
        }
        let acknowledged = env.problems.len() - open().count();
        if acknowledged > 0 {
            lines.push(Line::from(span(format!("{acknowledged} acknowledged"), styles.muted)));
        }
    }
    if model.fleet.simulated {
        lines.push(Line::from(span(" SIMULATED ", styles.simulated)));
    }
    centred(buf, area, &lines);
}
