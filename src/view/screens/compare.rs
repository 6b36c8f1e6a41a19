//! Two hosts side by side. Every fact has one of four signs: `≠` they differ, `?` it is unknown of one or of both, so nobody knows
//! whether they differ; `~` a figure that moves; `=` alike.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::rows::beside::{ComparedFact, FactVerdict};
use crate::app::screens::compare::pair_of;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::state::ViewState;
use crate::view::text::{centred, count, cut, left, row, span};
use crate::view::widgets::beside::{LEAD, fact_lines};
use crate::view::widgets::footer::FooterStatus;

use super::cells;

mod facts;

/// Columns of a fact's name.
const LABEL: usize = 18;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

/// What its signs mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("≠", "the two hosts differ"),
    ("?", "unknown of one or both: whether they differ is unknown"),
    ("~", "a figure that moves, as of each host's last report"),
    ("=", "alike"),
];

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let hosts = pair_of(scene.model.screen())
        .and_then(|pair| Some([scene.env.host(&pair.left)?, scene.env.host(&pair.right)?]));
    let Some(hosts) = hosts else {
        centred(buf, area, &[span("one of the two is not in this environment", scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    let width = usize::from(area.width).saturating_sub(LEAD + LABEL + 2) / 2;
    let heads = hosts.map(|(_, host)| {
        let status = scene.status(host);
        let (age, age_style) = scene.age(host);
        let name = cut(host.id.host.as_str(), width.saturating_sub(age.width() + 4));
        let used = name.width() + age.width() + 4;
        vec![
            cells::sign(scene, status),
            span(format!(" {name}  "), scene.styles.strong),
            span(age, age_style),
            Span::raw(" ".repeat((width + 1).saturating_sub(used))),
        ]
    });
    let mut spans = vec![Span::raw(" ".repeat(LEAD + LABEL))];
    spans.extend(heads.into_iter().flatten());
    left(buf, row(area, 0), &Line::from(spans));
    let all = facts::compared(scene, hosts);
    let mut lines = Vec::new();
    for verdict in FactVerdict::ALL {
        let of_it: Vec<&ComparedFact> = all.iter().filter(|fact| fact.verdict() == verdict).collect();
        lines.push(span(format!(" {} ({})", verdict.title(), of_it.len()), scene.styles.title).into());
        for fact in of_it {
            lines.extend(fact_lines(scene, fact, LABEL, width));
        }
        lines.push(Line::default());
    }
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let top = state.scroll_text(scene.env.selection.detail_scroll, lines.len(), body.height);
    for (y, line) in (0..body.height).zip(lines.iter().skip(top)) {
        left(buf, row(body, y), line);
    }
    let counted = |verdict| all.iter().filter(|fact| fact.verdict() == verdict).count();
    let (differ, unknown) = (counted(FactVerdict::Differ), counted(FactVerdict::Unknown));
    let says =
        format!("{} differ, {unknown} unknown, {} alike", count(differ, "fact"), counted(FactVerdict::Alike));
    FooterStatus { says: span(says, scene.styles.muted).into(), place: None }
}
