//! A run: its steps at the left, what the current one does and rests on at the right, below them what is asked, what
//! comes next and whether it is safe to stop. On a narrow terminal all of it in one column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::config::action::Action;
use crate::view::scene::Scene;
use crate::view::screens::{Drawing, Signs};
use crate::view::signs::Progress;
use crate::view::state::ViewState;
use crate::view::text::{centred, left, right, row, span, two_units};
use crate::view::widgets::footer::{FooterStatus, key};
use jumpdeck_fleet::run::{Mode, RunState, RunView, Safety};
use jumpdeck_fleet::time::short_age;

mod doing;
mod prompt;
mod steps;

/// From so many columns on, steps stand beside what they do.
const WIDE: u16 = 100;

/// How it looks.
pub(super) const DRAWING: Drawing = Drawing { signs: Signs::Steps, ..Drawing::of(draw) };

fn draw<'a>(buf: &mut Buffer, area: Rect, scene: &Scene<'a>, state: &mut ViewState) -> FooterStatus<'a> {
    let Some(run) = scene.model.shown_run() else {
        centred(buf, area, &[span("this console does not know this run", scene.styles.muted).into()]);
        return FooterStatus::default();
    };
    let used = headline(buf, area, scene, run);
    let area = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    let foot = foot(scene, run);
    let (asked, long) = prompt::draw(buf, area, scene, run, foot.len());
    let below = asked + u16::try_from(foot.len()).unwrap_or(0);
    let body = Rect { height: area.height.saturating_sub(below), ..area };
    for (y, line) in (body.bottom() + asked..area.bottom()).zip(&foot) {
        left(buf, Rect { y, height: 1, ..area }, line);
    }
    let read = if area.width >= WIDE {
        // Titles are what one looks for: they have half of a screen that has room for it.
        let width = if area.width < 116 { area.width * 2 / 5 } else { (area.width / 2).min(84) };
        let list = Rect { width, ..body };
        steps::draw(buf, list, scene, state, run);
        for y in body.top()..body.bottom() {
            left(buf, Rect { x: body.x + width, y, width: 1, height: 1 }, &bar(scene));
        }
        doing::draw(
            buf,
            Rect { x: body.x + width + 1, width: body.width - width - 1, ..body },
            scene,
            state,
            run,
            doing::PromptLayout { dense: false, asked: long },
        )
    } else {
        // What is asked rests on the command and the facts: they have the room then.
        let most = if asked > 0 { 1 } else { (body.height * 2 / 5).max(2) };
        let height = most.min(u16::try_from(run.steps.len() + 1).unwrap_or(u16::MAX));
        let list = Rect { height: height.min(body.height), ..body };
        steps::draw(buf, list, scene, state, run);
        let rule = Rect { y: list.bottom(), height: 1.min(body.bottom() - list.bottom()), ..body };
        left(buf, rule, &span("─".repeat(usize::from(rule.width)), scene.styles.line).into());
        let rest = Rect { y: rule.bottom(), height: body.bottom() - rule.bottom(), ..body };
        doing::draw(buf, rest, scene, state, run, doing::PromptLayout { dense: true, asked: long })
    };
    if asked > 0 && read.unread > 0 {
        prompt::unread(buf, Rect { y: body.bottom(), height: asked, ..area }, scene, read.unread);
    }
    FooterStatus {
        says: says(scene, run, read),
        place: scene.model.shown_step().map(|at| (at + 1, run.steps.len(), run.steps.len())),
    }
}

fn bar(scene: &Scene<'_>) -> Line<'static> {
    span("│", scene.styles.line).into()
}

fn says(scene: &Scene<'_>, run: &RunView, read: doing::ReadSoFar) -> Line<'static> {
    let mut text = Vec::new();
    if read.scrolls {
        let (up, down) = (key(scene, Action::PageUp), key(scene, Action::PageDown));
        text.push(match read.unread {
            0 => format!("{up} {down} scroll"),
            unread => format!("{} not read yet: {down}", crate::view::text::count(unread, "line")),
        });
    }
    if run.state.is_under_way() && scene.model.runs.step.is_some() {
        // What asks is led back to by every key that would answer it.
        let back =
            if scene.model.open_prompt().is_some() { "Enter".to_owned() } else { key(scene, Action::Last) };
        text.push(format!("{back} follows the run"));
    }
    span(text.join("   "), scene.styles.muted).into()
}

/// What runs, how it stands, whose it is and why; what is wrong with the way to it. Returns its height.
fn headline(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, run: &RunView) -> u16 {
    let styles = scene.styles;
    let progress = Progress::of(run);
    let since = match run.state.is_under_way() {
        true => format!("  {}", two_units(scene.model.now.since(run.began))),
        false => String::new(),
    };
    let stands = Line::from(vec![
        span(format!("{} {}", progress.sign(), run.state.word()), styles.progress(progress)),
        span(format!("{since} "), styles.muted),
    ]);
    let room = right(buf, row(area, 0), &stands);
    let (mode, style) = match run.mode {
        Mode::Live => (" LIVE ", styles.armed),
        Mode::DryRun => (" DRY RUN ", styles.tab),
    };
    let mut spans = vec![Span::raw(" "), span(mode, style), Span::raw(" ")];
    if run.watching {
        spans.extend([span(" WATCHING ", styles.paused), Span::raw(" ")]);
    }
    spans.push(span(run.title.as_str(), styles.strong));
    left(buf, Rect { width: room, ..row(area, 0) }, &Line::from(spans));
    let who = format!(" {}  by {}: {}", run.id, run.who, run.why);
    left(buf, row(area, 1), &span(who, styles.muted).into());
    match &run.trouble {
        Some(trouble) => {
            left(buf, row(area, 2), &span(format!(" ✖ {trouble}"), styles.critical).into());
            3
        }
        None => 2,
    }
}

/// What comes next, and whether it is safe to stop here.
fn foot(scene: &Scene<'_>, run: &RunView) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let label = |text: &str| span(format!(" {text:<15}"), styles.muted);
    let ended = match run.state {
        RunState::Running | RunState::Waiting | RunState::RollingBack => None,
        RunState::Stopped(_) if run.watching => Some("Its operator can resume it."),
        RunState::Stopped(_) => Some("Enter resumes it from its journal."),
        RunState::Finished | RunState::RolledBack | RunState::Abandoned(_) => {
            Some("Finished. The report is above and in the journal.")
        }
    };
    let in_effect = run.in_effect.iter().map(|effect| {
        // Refused writes are what users feel.
        let (sign, style) =
            if effect.stops_writes { ("✖", styles.critical) } else { ("▲", styles.warning) };
        Line::from(span(format!(" {sign} STILL IN EFFECT: {}", effect.line()), style))
    });
    if let Some(text) = ended {
        return in_effect.chain([Line::from(vec![label("next"), span(text, styles.base)])]).collect();
    }
    let next = run
        .doing
        .as_ref()
        .and_then(|d| d.next.as_ref())
        .map_or("nothing: this is the last step", |n| n.as_str());
    let mut lines = vec![Line::from(vec![label("next"), span(next.to_owned(), styles.base)])];
    lines.push(match &run.safety {
        Safety::Safe => Line::from(vec![label("safe to pause?"), span("● yes, no time limit", styles.ok)]),
        Safety::Meanwhile(says) => Line::from(vec![
            label("safe to pause?"),
            span("▲ yes, no time limit", styles.warning),
            span(format!("  meanwhile: {says}"), styles.base),
        ]),
        Safety::NoWrites { since, says } => Line::from(vec![
            label("safe to pause?"),
            span(format!("✖ NO, for {}", short_age(scene.model.now.since(*since))), styles.critical),
            span(format!("  {says}"), styles.base),
        ]),
        Safety::Unknown(what) => Line::from(vec![
            label("safe to pause?"),
            span("? unknown", styles.unknown),
            span(format!("  {what}"), styles.base),
        ]),
        Safety::Until { until, cost } => {
            let now = scene.model.now;
            let (text, style) = if *until > now {
                (format!("▲ {} left", clock(until.since(now).as_secs())), styles.warning)
            } else {
                (format!("✖ NO, for {}", short_age(now.since(*until))), styles.critical)
            };
            Line::from(vec![
                label("safe to pause?"),
                span(text, style),
                span(format!("  {cost}"), styles.base),
            ])
        }
    });
    let current = run.current.and_then(|at| run.steps.get(at));
    if current.is_some_and(|s| s.point_of_no_return) {
        let text = "✖ POINT OF NO RETURN: after this step nothing can be undone";
        lines.push(Line::from(vec![label(""), span(text, styles.critical)]));
    }
    in_effect.chain(lines).collect()
}

fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}
