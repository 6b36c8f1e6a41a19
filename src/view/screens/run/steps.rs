//! The steps of a run, each with its sign and its word or time; a line across where there is no way back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::view::scene::Scene;
use crate::view::screens::report::no_return;
use crate::view::signs::Progress;
use crate::view::state::{List, ViewState};
use crate::view::text::{Align, left, put, row, span, took, two_units};
use jumpdeck_fleet::run::{RunView, StepState, StepView};

/// Columns of a step's word or time.
const WORD: u16 = 8;

/// A row of the list.
enum StepRow<'a> {
    Step(usize, &'a StepView),
    NoReturn,
}

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, state: &mut ViewState, run: &RunView) {
    let mut rows = Vec::with_capacity(run.steps.len() + 1);
    for (i, step) in run.steps.iter().enumerate() {
        rows.push(StepRow::Step(i, step));
        if step.point_of_no_return {
            rows.push(StepRow::NoReturn);
        }
    }
    let shown = scene.model.shown_step();
    let at = rows.iter().position(|r| matches!(r, StepRow::Step(i, _) if Some(*i) == shown));
    let offset = state.scroll(scene.model.active, List("steps"), at, rows.len(), area.height);
    for (y, entry) in (0..area.height).zip(rows.iter().skip(offset)) {
        let line = row(area, y);
        match entry {
            StepRow::NoReturn => left(buf, line, &no_return(scene, area.width).into()),
            StepRow::Step(i, step) => {
                draw_step(buf, line, scene, *i, step);
                if Some(*i) == shown {
                    put(buf, line.x, line.y, 1, &span("▸", scene.styles.accent).into(), Align::Left);
                    scene.styles.select(buf, line);
                }
            }
        }
    }
}

fn draw_step(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, at: usize, step: &StepView) {
    let styles = scene.styles;
    let progress = Progress::from(&step.state);
    let (word, word_style) = word(scene, step, progress);
    let style = match progress {
        Progress::Ahead | Progress::Skipped | Progress::Undone => styles.muted,
        Progress::Asks | Progress::Runs => styles.strong,
        Progress::Done | Progress::Failed | Progress::Unknown | Progress::Printed | Progress::Stands => {
            Style::default()
        }
    };
    let indent = 2 * step.depth.min(4);
    let line = Line::from(vec![
        span(format!(" {} ", progress.sign()), styles.progress(progress)),
        span(format!("{:>3} ", at + 1), styles.muted),
        Span::raw(" ".repeat(indent)),
        span(step.title.as_str(), style),
    ]);
    let room = area.width.saturating_sub(WORD + 2);
    put(buf, area.x + 1, area.y, room.saturating_sub(1), &line, Align::Left);
    put(
        buf,
        area.right().saturating_sub(WORD + 1),
        area.y,
        WORD,
        &span(word, word_style).into(),
        Align::Right,
    );
}

fn word(scene: &Scene<'_>, step: &StepView, progress: Progress) -> (String, Style) {
    let styles = scene.styles;
    match (&step.state, step.took, step.began) {
        (StepState::Waiting, ..) => (String::new(), styles.muted),
        (StepState::Done, Some(time), _) => (took(time), styles.muted),
        (StepState::Running, _, Some(began)) => (two_units(scene.model.now.since(began)), styles.accent),
        (
            StepState::Done
            | StepState::Running
            | StepState::Asked
            | StepState::Failed(_)
            | StepState::Unknown(_)
            | StepState::Skipped(_)
            | StepState::Printed
            | StepState::Undone,
            ..,
        ) => (progress.word().to_owned(), styles.progress(progress)),
    }
}
