//! The one banner for a jump box that does not answer: which hop, what happened, when it is tried again; or which other is in use.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::text::{left, row, span, wrap};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::snapshot::SecondJump;
use jumpdeck_fleet::time::short_age;

/// Draws it when there is something to say, and returns its height.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> u16 {
    let jump = &scene.env.jump;
    if let Some(second) = jump.second.as_ref().filter(|_| !scene.jump_is_down()) {
        return by_second(buf, area, scene, second);
    }
    if !scene.jump_is_down() {
        return 0;
    }
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

/// The fleet is reached through the second jump box: why, and how to go back.
fn by_second(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, second: &SecondJump) -> u16 {
    let (name, first) = (&scene.env.jump.name, &second.first);
    let back = scene.model.keys_of(Action::FirstJump).next();
    let asked = scene.ago(first.asked);
    let (why, said) = match first.answers {
        Some(answers) => (
            format!(
                "answers again for {}.{}",
                scene.ago(answers),
                back.map_or_else(String::new, |key| format!(" {key} goes back."))
            ),
            format!("{name} greeted {asked} ago; whether a login works is not known before you go back"),
        ),
        None => (
            format!("{} for {}. No runs.", first.state.label(), scene.ago(first.since)),
            format!("{} ({name}, asked {asked} ago)", first.detail),
        ),
    };
    let line = format!(" ▲ SECOND JUMP BOX {} in use: {name} {why}", second.name);
    left(buf, row(area, 0), &span(line, scene.styles.banner).into());
    let width = usize::from(area.width).saturating_sub(4);
    let lines = wrap(&said, width);
    let shown = u16::try_from(lines.len().min(2)).unwrap_or(2);
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
