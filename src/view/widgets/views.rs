//! The dialogs of saved views: a name, and whether one is replaced or deleted.

use ratatui::text::{Line, Span};

use crate::app::model::editor::Editor;
use crate::app::model::views::ViewQuestion;
use crate::app::opening::{order_of, shows};
use crate::config::views::SavedView;
use crate::view::scene::Scene;
use crate::view::text::{span, wrap};

use super::field::typed;
use super::forms::{answers, wrong};

/// The name that is typed, under what it is given to.
pub(super) fn save(
    scene: &Scene<'_>,
    (view, name): (&SavedView, &Editor),
    problem: Option<&'static str>,
    width: usize,
) -> Vec<Line<'static>> {
    let mut lines = contents(scene, view, width);
    lines.push(Line::default());
    lines.push(Line::from("Name"));
    lines.push(typed(scene, name, true, width));
    lines.extend(wrong(scene, problem));
    lines.push(Line::default());
    lines.push(answers(scene, &[("Enter", "save"), ("Esc", "cancel")]));
    lines
}

/// The title of a question, and the question.
pub(super) fn question(
    scene: &Scene<'_>,
    question: &ViewQuestion,
    width: usize,
) -> (String, Vec<Line<'static>>) {
    let styles = scene.styles;
    let named = |name: &str| scene.model.views.named(name);
    let (title, name, yes) = match question {
        ViewQuestion::Replace(view) => ("Replace the view?", view.name.as_str(), "replace it"),
        ViewQuestion::Delete(name) => ("Delete the view?", name.as_str(), "delete it"),
    };
    let mut lines = vec![span(name.to_owned(), styles.strong).into()];
    lines.extend(named(name).into_iter().flat_map(|view| contents(scene, view, width)));
    if let ViewQuestion::Replace(view) = question {
        lines.push(Line::default());
        lines.push("by".into());
        lines.extend(contents(scene, view, width));
    }
    lines.push(Line::default());
    lines.push(answers(scene, &[("y", yes), ("Enter Esc n", "keep it")]));
    (title.to_owned(), lines)
}

/// What a view shows.
fn contents(scene: &Scene<'_>, view: &SavedView, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut text = format!("{}, {}", view.environment, shows(view));
    if !view.filter.is_empty() {
        text.push_str(&format!(", filter /{}", view.filter));
    }
    let order = order_of(view);
    if !order.is_empty() {
        text.push_str(&format!(", {order}"));
    }
    wrap(&text, width.saturating_sub(2))
        .into_iter()
        .map(|line| Line::from(vec![Span::raw("  "), span(line, styles.muted)]))
        .collect()
}
