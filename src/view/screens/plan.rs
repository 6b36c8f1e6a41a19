//! A plan, whole, before anything runs: what keeps it, inputs, targets from two sources side by side, every step with
//! what it does and how it is taken back, and the line after which nothing can be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::model::runs::PlanState;
use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::report::no_return;
use crate::view::screens::{Drawing, Signs};
use crate::view::state::ViewState;
use crate::view::text::{centred, count, left, row, span, wrap};
use crate::view::widgets::footer::{FooterStatus, key};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::run::{Effect, PlanStep, PlanView};

mod targets;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { signs: Signs::Steps, ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let styles = scene.styles;
    let Some(screen) = &scene.model.runs.plan else {
        centred(buf, area, &[span("no plan is being made", styles.muted).into()]);
        return FooterStatus::default();
    };
    let plan = match &screen.state {
        PlanState::Making => {
            let text = format!("asking the hosts for the plan of {}", screen.runbook);
            centred(buf, area, &[span(text, styles.muted).into()]);
            return FooterStatus::default();
        }
        PlanState::Failed(why) => {
            let mut lines =
                vec![Line::from(span("✖ no plan could be made", styles.critical)), Line::default()];
            let width = usize::from(area.width).saturating_sub(8);
            lines.extend(wrap(why.as_str(), width).into_iter().map(Line::from));
            centred(buf, area, &lines);
            return FooterStatus::default();
        }
        PlanState::Made(plan) | PlanState::Starting(plan) => plan,
    };
    let lines = lines(scene, plan, &screen.refused, area.width);
    let top = state.scroll_text(screen.scroll, lines.len(), area.height);
    for (y, line) in (0..area.height).zip(lines.iter().skip(top)) {
        left(buf, row(area, y), line);
    }
    let below = lines.len().saturating_sub(top + usize::from(area.height));
    FooterStatus {
        says: says(scene, plan, matches!(screen.state, PlanState::Starting(_)), below),
        place: None,
    }
}

fn says(scene: &Scene<'_>, plan: &PlanView, starting: bool, below: usize) -> Line<'static> {
    let styles = scene.styles;
    if starting {
        return span("starting", styles.accent).into();
    }
    let changes = plan.steps.iter().filter(|s| s.effect != Effect::Read).count();
    let mut spans = Vec::new();
    if !plan.problems.is_empty() {
        spans.push(span("✖ blocked   ", styles.critical));
    }
    let guard = if plan.challenge { ", typed confirmation" } else { "" };
    let text = format!("{}, {changes} make changes{guard}", count(plan.steps.len(), "step"));
    spans.push(span(text, styles.muted));
    if plan.problems.is_empty() {
        spans.push(span(format!("   {} to start", key(scene, Action::Open)), styles.strong));
    }
    if below > 0 {
        spans.push(span(format!("   {} more below ↓", count(below, "line")), styles.muted));
    }
    Line::from(spans)
}

fn lines(
    scene: &Scene<'_>,
    plan: &PlanView,
    refused: &[jumpdeck_fleet::text::Clean],
    width: u16,
) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut page = Page::new(width, styles);
    for (i, why) in refused.iter().enumerate() {
        page.signed(1, if i == 0 { "✖" } else { " " }, why.as_str(), styles.critical);
    }
    page.text(1, plan.title.as_str(), styles.strong);
    let short: String = plan.hash.chars().take(7).collect();
    let of = format!("{} · {} · revision {short}", plan.runbook, plan.env);
    page.text(1, &of, styles.muted);
    if !plan.problems.is_empty() {
        page.section("BLOCKERS", "");
        for problem in &plan.problems {
            page.signed(2, "✖", problem.as_str(), styles.critical);
        }
    }
    if !plan.inputs.is_empty() {
        page.section("INPUTS", "");
        let values = plan.inputs.iter().map(|input| match &input.because {
            Some(why) => format!("{} ({why})", input.value),
            None => input.value.to_string(),
        });
        let values: Vec<String> = values.collect();
        let names = plan.inputs.iter().map(|input| input.name.as_str());
        let rows: Vec<(&str, &str)> = names.zip(values.iter().map(String::as_str)).collect();
        page.table(&rows, styles.strong);
    }
    targets::add(&mut page, scene, plan, width);
    page.section("STEPS", "");
    for (i, step) in plan.steps.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|before| plan.steps.get(before));
        if let Some(window) = step.begins(before) {
            page.text(6, &format!("window: {}", window.title), styles.strong);
            page.text(6, window.promise.as_str(), styles.muted);
            window.facts.iter().for_each(|fact| page.text(8, &format!("only if {fact}"), styles.muted));
        }
        add_step(&mut page, scene, i + 1, step, width);
    }
    page.lines
}

fn add_step(page: &mut Page<'_>, scene: &Scene<'_>, number: usize, step: &PlanStep, width: u16) {
    let styles = scene.styles;
    let depth = 2 * step.depth.min(4);
    let indent = 6 + depth;
    let titles = wrap(step.title.as_str(), usize::from(width).saturating_sub(indent + 1));
    for (i, title) in titles.into_iter().enumerate() {
        let lead = if i == 0 { format!("{number:>4}  ") } else { " ".repeat(6) };
        page.line(vec![span(lead, styles.muted), Span::raw(" ".repeat(depth)), span(title, styles.strong)]);
    }
    page.line(what(scene, step, indent));
    if let Some(when) = &step.when {
        page.text(indent, &format!("only when {when}"), styles.muted);
    }
    if let Some(why) = &step.why {
        page.text(indent, why.as_str(), styles.muted);
    }
    for line in &step.command {
        page.text(indent + 2, line.as_str(), styles.base);
    }
    if let Some(undo) = &step.undo {
        page.text(indent, &format!("undo: {undo}"), styles.muted);
    }
    if step.point_of_no_return {
        page.line(vec![no_return(scene, width)]);
    }
}

/// Its kind, what it may change, and where.
fn what(scene: &Scene<'_>, step: &PlanStep, indent: usize) -> Vec<Span<'static>> {
    let styles = scene.styles;
    let hosts: Vec<&str> = step.on.iter().map(jumpdeck_fleet::names::HostName::as_str).collect();
    let on = if hosts.is_empty() { String::new() } else { format!(" on {}", hosts.join(", ")) };
    vec![
        Span::raw(" ".repeat(indent)),
        span(step.asks.says(step.effect), styles.effect(step.effect)),
        span(format!("  {}{on}", step.kind), styles.muted),
    ]
}
