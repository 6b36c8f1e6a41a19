//! What the step looked at does: where, with what words, resting on which facts, and what it printed. Of a run that
//! stands or is over: what became of it, and what to look at.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::view::scene::Scene;
use crate::view::screens::report::sections;
use crate::view::signs::{self, Progress};
use crate::view::state::{Text, ViewState};
use crate::view::text::{left, row, span, took};
use crate::view::widgets::page::Page;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Doing, FactView, RunState, RunView, StepState, StepView};
use jumpdeck_fleet::time::short_age;

/// A fact older than this is shown as old.
const FRESH: Duration = Duration::from_secs(15);

/// How it is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct PromptLayout {
    /// In one column, without empty lines.
    pub(super) dense: bool,
    /// With the text of what is asked, which was too long for its box.
    pub(super) asked: bool,
}

/// What of the text has been on screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadSoFar {
    /// Lines that never were.
    pub(super) unread: usize,
    /// It is longer than its room.
    pub(super) scrolls: bool,
}

/// Draws it and returns what of it has been on screen.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    state: &mut ViewState,
    run: &RunView,
    form: PromptLayout,
) -> ReadSoFar {
    let mut page = Page::new(area.width, scene.styles);
    page.dense = form.dense;
    // A command stands before what is said about it.
    let command = run.doing.as_ref().is_some_and(|doing| !doing.commands.is_empty());
    if !command {
        asked(&mut page, scene, run, form);
    }
    let ended = !run.state.is_under_way() && scene.model.runs.step.is_none();
    let at = scene.model.shown_step();
    let mut output = 0;
    if ended {
        summary(&mut page, scene, run);
        sections(&mut page, scene, &run.report);
    } else if let Some(step) = at.and_then(|at| run.steps.get(at)) {
        head(&mut page, scene, step, at.unwrap_or(0), run.steps.len());
        if let Some(doing) = at.and_then(|at| run.doing_of(at)) {
            output = what(&mut page, scene, doing, at == run.current);
            // What is asked is read after the output, not between its lines.
            output = if command && form.asked { 0 } else { output };
        }
    }
    if command {
        asked(&mut page, scene, run, form);
    }
    // Values and notes are there to look up; nothing asked rests on having read them.
    let matters = page.lines.len();
    if output == 0 && !ended {
        let other = at.filter(|_| at != run.current).and_then(|at| run.steps.get(at));
        values(&mut page, scene, run, other);
        notes(&mut page, scene, run);
    }
    let text = (run.id.clone(), at, run.prompt.as_ref().map(|prompt| prompt.number), area.width);
    let mut read = show(buf, area, scene, state, (&page.lines, output), text);
    read.unread = read.unread.saturating_sub(page.lines.len() - matters);
    read
}

/// The text of what is asked, when its box has no room for it.
fn asked(page: &mut Page<'_>, scene: &Scene<'_>, run: &RunView, form: PromptLayout) {
    if let Some(prompt) = run.prompt.as_ref().filter(|_| form.asked) {
        page.gap();
        page.text(1, prompt.title.as_str(), scene.styles.warning);
        for line in &prompt.text {
            page.text(1, line.as_str(), scene.styles.base);
        }
        page.gap();
    }
}

/// Shows what fits. Without a choice made by a person: all of it, or its beginning and the end of the output.
fn show(
    buf: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    state: &mut ViewState,
    (lines, output): (&[Line<'static>], usize),
    text: Text,
) -> ReadSoFar {
    let height = usize::from(area.height);
    let wanted = scene.model.runs.scroll;
    let top = state.scroll_text(wanted.unwrap_or(0), lines.len(), area.height);
    let hidden = lines.len().saturating_sub(height);
    let scrolls = hidden > 0;
    if wanted.is_some() || hidden == 0 || output == 0 || height < 4 {
        for (y, line) in (0..area.height).zip(lines.iter().skip(top)) {
            left(buf, row(area, y), line);
        }
        return ReadSoFar { unread: state.unread(text, top, area.height, lines.len()), scrolls };
    }
    let tail = output.min(height / 2);
    let head = height - tail - 1;
    let note = format!(" ⋮ {}", crate::view::text::count(lines.len() - head - tail, "line"));
    let note = Line::from(span(note, scene.styles.muted));
    let shown = lines.iter().take(head).chain([&note]).chain(lines.iter().skip(lines.len() - tail));
    for (y, line) in (0..area.height).zip(shown) {
        left(buf, row(area, y), line);
    }
    // The beginning and the end are on screen.
    let middle = u16::try_from(head).unwrap_or(u16::MAX);
    ReadSoFar { unread: state.unread(text, 0, middle, lines.len()).saturating_sub(tail), scrolls }
}

fn names(hosts: &[HostName]) -> String {
    let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" on {}", names.join(", ")) }
}

/// Which step this is, where, what it may change, how it stands.
fn head(page: &mut Page<'_>, scene: &Scene<'_>, step: &StepView, at: usize, of: usize) {
    let styles = scene.styles;
    // In one column the title stands right above, unless it was too long.
    if !page.dense || !page.fits(step.title.as_str(), 20) {
        page.text(1, &format!("{}/{of}  {}", at + 1, step.title), styles.strong);
    }
    let progress = Progress::from(&step.state);
    let mut spans = vec![
        span(format!(" {} {}", progress.sign(), progress.word()), styles.progress(progress)),
        span(format!("  {}", step.asks.says(step.effect)), styles.effect(step.effect)),
        span(format!("  {}{}", step.kind, names(&step.on)), styles.muted),
    ];
    if let Some(time) = step.took {
        spans.push(span(format!("  {}", took(time)), styles.muted));
    }
    page.line(spans);
    match &step.state {
        StepState::Failed(why) => page.signed(1, "✖", why.as_str(), styles.critical),
        StepState::Unknown(look) => {
            page.signed(1, "?", "Outcome unknown: check whether this was done. Look at:", styles.unknown);
            page.text(3, look.as_str(), styles.strong);
        }
        StepState::Skipped(why) => page.signed(1, "–", why.as_str(), styles.muted),
        StepState::Waiting
        | StepState::Asked
        | StepState::Running
        | StepState::Done
        | StepState::Printed
        | StepState::Undone => {}
    }
    if step.point_of_no_return {
        page.signed(1, "━", "After this step nothing can be undone.", styles.critical);
    }
}

/// What a step does or did; returns how many of the last lines are its output. Facts grow old only where something still
/// rests on them.
fn what(page: &mut Page<'_>, scene: &Scene<'_>, doing: &Doing, current: bool) -> usize {
    let styles = scene.styles;
    for (host, lines) in &doing.commands {
        if page.dense {
            let label =
                host.as_ref().filter(|_| doing.commands.len() > 1).map_or("command", HostName::as_str);
            for (i, line) in lines.iter().enumerate() {
                page.labelled(if i == 0 { label } else { "" }, line.as_str(), styles.strong);
            }
            continue;
        }
        page.section("COMMAND", &host.as_ref().map_or_else(String::new, |h| format!("on {h}")));
        for line in lines {
            page.text(3, line.as_str(), styles.strong);
        }
    }
    if !doing.facts.is_empty() && !page.dense {
        page.section("RESTS ON", "");
    }
    for (i, fact) in doing.facts.iter().enumerate() {
        let (sign, text, style) = fact_line(scene, fact, current);
        if page.dense {
            page.labelled(if i == 0 { "rests on" } else { "" }, &format!("{sign} {text}"), style);
        } else {
            page.signed(3, sign, &text, style);
        }
    }
    page.gap();
    for (label, text) in [("why", &doing.why), ("impact", &doing.impact), ("undo", &doing.undo)] {
        if let Some(text) = text {
            page.labelled(label, text.as_str(), styles.base);
        }
    }
    if doing.output.is_empty() {
        return 0;
    }
    let before = match doing.output_before {
        0 => String::new(),
        lines => format!("{} before these were dropped", crate::view::text::count(lines, "line")),
    };
    page.section("OUTPUT", &before);
    let before = page.lines.len();
    let several = doing.commands.len() > 1;
    for (host, line) in &doing.output {
        match host {
            Some(host) if several => page.text(3, &format!("{host}  {line}"), styles.base),
            _ => page.text(3, line.as_str(), styles.base),
        }
    }
    page.lines.len() - before
}

fn fact_line(scene: &Scene<'_>, fact: &FactView, current: bool) -> (&'static str, String, Style) {
    let styles = scene.styles;
    let age = scene.model.now.since(fact.at);
    let host = fact.host.as_ref().map_or_else(String::new, |h| format!(" on {h}"));
    let is_old = current && age > FRESH;
    let old = if is_old { ", OLD" } else { "" };
    let (sign, style, seen) = match &fact.seen {
        Ok(seen) => ("●", if is_old { styles.stale } else { styles.ok }, seen),
        Err(why) => ("✖", styles.critical, why),
    };
    let text = format!("{}: {seen}{host}, {} ago{old}", fact.says, short_age(age));
    (sign, text, style)
}

/// What became of a run that stands or is over.
fn summary(page: &mut Page<'_>, scene: &Scene<'_>, run: &RunView) {
    let styles = scene.styles;
    let progress = Progress::of(run);
    let text = match &run.state {
        RunState::Stopped(why) => format!("Stopped: {why}"),
        RunState::Abandoned(why) => format!("Aborted: {why}"),
        RunState::RolledBack => "Rolled back to the last safe point.".to_owned(),
        RunState::Finished => match signs::stopper(run) {
            Some(at) => format!("Finished. A live run would stop at step {}.", at + 1),
            None => "Finished.".to_owned(),
        },
        RunState::Running | RunState::Waiting | RunState::RollingBack => "It is still under way.".to_owned(),
    };
    page.signed(1, progress.sign(), &text, styles.progress(progress));
    let (text, by_operator) = counts(run);
    page.text(3, &text, if by_operator > 0 { styles.warning } else { styles.muted });
    let mut titled = false;
    for (i, step) in run.steps.iter().enumerate() {
        let (why, style) = match &step.state {
            StepState::Failed(why) => (why, styles.critical),
            StepState::Unknown(look) => (look, styles.unknown),
            StepState::Waiting
            | StepState::Asked
            | StepState::Running
            | StepState::Done
            | StepState::Skipped(_)
            | StepState::Printed
            | StepState::Undone => continue,
        };
        if !titled {
            page.section("WHAT TO LOOK AT", "");
            titled = true;
        }
        let progress = Progress::from(&step.state);
        let text = format!("{} {}{}: {why}", i + 1, step.title, names(&step.on));
        page.signed(2, progress.sign(), &format!("{} {text}", progress.word()), style);
    }
}

/// How the steps ended, each outcome by its own word; and how many an operator skipped.
fn counts(run: &RunView) -> (String, usize) {
    let (mut done, mut printed, mut not_applicable, mut by_operator) = (0, 0, 0, 0);
    let (mut failed, mut unknown, mut undone, mut ahead) = (0, 0, 0, 0);
    for step in &run.steps {
        match &step.state {
            StepState::Done => done += 1,
            StepState::Printed => printed += 1,
            StepState::Skipped(_) if step.skipped_by_operator => by_operator += 1,
            StepState::Skipped(_) => not_applicable += 1,
            StepState::Failed(_) => failed += 1,
            StepState::Unknown(_) => unknown += 1,
            StepState::Undone => undone += 1,
            StepState::Waiting | StepState::Asked | StepState::Running => ahead += 1,
        }
    }
    let mut text = format!("{done} of {} done", crate::view::text::count(run.steps.len(), "step"));
    for (n, word) in [
        (printed, "only printed"),
        (by_operator, "skipped by an operator"),
        (not_applicable, "not applicable"),
        (failed, "failed"),
        (unknown, "with an unknown outcome"),
        (undone, "undone"),
        (ahead, "not begun or not ended"),
    ] {
        if n > 0 {
            text.push_str(&format!(", {n} {word}"));
        }
    }
    (text, by_operator)
}

/// The values kept so far; those of a step that is looked back at are its own.
fn values(page: &mut Page<'_>, scene: &Scene<'_>, run: &RunView, of: Option<&StepView>) {
    let told: Vec<(String, &str)> = (run.values.iter())
        .filter(|(name, ..)| of.is_none_or(|step| step.captures.contains(name)))
        .map(|(name, host, value)| {
            let host = host.as_ref().map_or_else(String::new, |h| format!(" of {h}"));
            (format!("{name}{host}"), value.as_str())
        })
        .collect();
    if told.is_empty() {
        return;
    }
    page.section("VALUES", "");
    let rows: Vec<(&str, &str)> = told.iter().map(|(label, value)| (label.as_str(), *value)).collect();
    page.table(&rows, scene.styles.base);
}

fn notes(page: &mut Page<'_>, scene: &Scene<'_>, run: &RunView) {
    let styles = scene.styles;
    if !run.notes.is_empty() {
        page.section("NOTES", "");
        for (at, who, text) in &run.notes {
            page.text(3, &format!("{at} {who}: {text}"), styles.base);
        }
    }
}
