//! Two environments side by side. The head names both, each on its own band: nobody should take the one for the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::EnvironmentState;
use crate::app::rows::beside::environments::{ComparedEnvironment, environments_compared};
use crate::app::rows::beside::{ComparedFact, FactVerdict};
use crate::app::screens::compare_environments::environments_of;
use crate::view::scene::Scene;
use crate::view::screens::Drawing;
use crate::view::state::ViewState;
use crate::view::text::{centred, count, cut, left, row, span, wrap};
use crate::view::widgets::beside::{LEAD, fact_lines};
use crate::view::widgets::footer::FooterStatus;
use jumpdeck_fleet::time::short_age;
use unicode_width::UnicodeWidthStr;

/// Columns of a fact's name.
const NAMED: usize = 20;
/// Rows of the head.
const HEAD: u16 = 3;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { columns: || EXPLAINED.to_vec(), ..Drawing::of(draw) };

/// What its signs mean.
const EXPLAINED: &[(&str, &str)] = &[
    ("≠", "the two environments differ"),
    ("?", "unknown of one or both: whether they differ is unknown"),
    ("~", "a figure that moves, of the host where it is highest"),
    ("=", "alike: only the names of these facts are shown"),
    ("current", "hosts whose last report is as new as it should be"),
];

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let all = match &scene.model.paused {
        Some(paused) => &paused.environments,
        None => &scene.model.environments,
    };
    let pair = environments_of(scene.model.screen());
    let other = pair.and_then(|pair| all.iter().find(|env| env.spec.name == pair.other));
    let Some(other) = other else {
        centred(
            buf,
            area,
            &[span("the other environment is not in the inventory any more", scene.styles.muted).into()],
        );
        return FooterStatus::default();
    };
    let width = usize::from(area.width).saturating_sub(LEAD + NAMED + 2) / 2;
    let environments = [scene.env, other];
    let sides = environments.map(|env| ComparedEnvironment::new(env, scene.now));
    let heads = [0, 1, 2].map(|at| environments.map(|env| head(scene, env, width).swap_remove(at)));
    for (y, [one, two]) in (0..HEAD).zip(heads) {
        let between = Span::raw(" ");
        left(buf, row(area, y), &Line::from(vec![Span::raw(" ".repeat(LEAD + NAMED)), one, between, two]));
    }
    let facts = environments_compared(sides);
    let mut lines = Vec::new();
    for verdict in FactVerdict::ALL {
        let of_it: Vec<&ComparedFact> = facts.iter().filter(|fact| fact.verdict() == verdict).collect();
        lines.push(span(format!(" {} ({})", verdict.title(), of_it.len()), scene.styles.title).into());
        match verdict {
            FactVerdict::Differ | FactVerdict::Unknown | FactVerdict::Moves => {
                lines.extend(of_it.iter().flat_map(|fact| fact_lines(scene, fact, NAMED, width)));
            }
            FactVerdict::Alike => {
                let names = of_it.iter().map(|fact| fact.name.as_str()).collect::<Vec<_>>().join(", ");
                let room = usize::from(area.width).saturating_sub(LEAD + 1);
                let names = wrap(&names, room).into_iter();
                lines.extend(names.map(|line| Line::from(span(format!("   {line}"), scene.styles.muted))));
            }
        }
        lines.push(Line::default());
    }
    let body = Rect { y: area.y + HEAD, height: area.height.saturating_sub(HEAD), ..area };
    let top = state.scroll_text(scene.env.selection.detail_scroll, lines.len(), body.height);
    for (y, line) in (0..body.height).zip(lines.iter().skip(top)) {
        left(buf, row(body, y), line);
    }
    let counted = |verdict| facts.iter().filter(|fact| fact.verdict() == verdict).count();
    let (differ, unknown) = (counted(FactVerdict::Differ), counted(FactVerdict::Unknown));
    let says =
        format!("{} differ, {unknown} unknown, {} alike", count(differ, "fact"), counted(FactVerdict::Alike));
    FooterStatus { says: span(says, scene.styles.muted).into(), place: None }
}

/// The name of an environment on its band, the link of its jump box, the age of its reports.
fn head(scene: &Scene<'_>, env: &EnvironmentState, width: usize) -> Vec<Span<'static>> {
    let (styles, spec) = (scene.styles, &env.spec);
    let side = ComparedEnvironment::new(env, scene.now);
    let (band, guarded) =
        if spec.is_guarded() { (styles.guarded, "  guarded") } else { (styles.unguarded, "") };
    let mut name = format!(" {}", spec.level.to_uppercase());
    if spec.name.as_str() != spec.level {
        name.push_str(&format!(" {}", spec.name));
    }
    let way = if env.jump.link.is_up() { styles.muted } else { styles.unknown };
    let (current, all) = side.reports();
    let oldest = side.oldest().map_or_else(String::new, |age| format!(", oldest {}", short_age(age)));
    let reports = if current == all { styles.muted } else { styles.unknown };
    vec![
        span(filled(&format!("{name}{guarded}"), width), band),
        span(filled(&format!("via {}", side.way()), width), way),
        span(filled(&format!("{current} of {all} current{oldest}"), width), reports),
    ]
}

/// A text over all of a width.
fn filled(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}
