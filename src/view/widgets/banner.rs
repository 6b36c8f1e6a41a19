//! The one banner for a jump box that does not answer: which hop, what happened, when it is tried again.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::time::short_age;

/// Draws it when there is something to say, and returns its height.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    if !scene.jump_is_down() {
        return 0;
    }
    let jump = &scene.env.jump;
    let link = &jump.link;
    let first = format!(
        " ✖ JUMP BOX {} {} for {}. {}",
        jump.failing(),
        link.state.label(),
        short_age(scene.now.since(link.since)),
        retry(scene),
    );
    let at = match &link.hop {
        Some(Hop::Here) => " on this machine".to_owned(),
        Some(hop) => format!(" at {hop}"),
        None => String::new(),
    };
    let detail = if link.detail.is_empty() { "no detail" } else { link.detail.as_str() };
    let said = format!("{detail} (failed{at}, {}). Values below are from before the outage.", jump.address);
    let width = usize::from(area.width).saturating_sub(4);
    let lines = wrap(&said, width);
    let shown = u16::try_from(lines.len().min(3)).unwrap_or(3);
    left(buf, row(area, 0), &span(first, scene.styles.banner).into());
    for (y, line) in (1..=shown).zip(lines) {
        left(buf, row(area, y), &Line::from(format!("   {line}")));
    }
    shown + 1
}

fn retry(scene: &Scene<'_>) -> String {
    let link = &scene.env.jump.link;
    match link.retry_at {
        Some(at) if at > scene.now => format!("Trying again in {}", short_age(at.since(scene.now))),
        Some(_) => "Trying again now".to_owned(),
        None => match scene.model.keys_of(Action::Retry).next() {
            Some(key) => format!("No automatic retry. {key} retries"),
            None => "No automatic retry".to_owned(),
        },
    }
}
