//! The dialog of a command on hosts: on which, the command, what is to be said before, and the yes.

use ratatui::text::{Line, Span};

use crate::app::model::commands::{CommandForm, CommandStage};
use crate::view::scene::Scene;
use crate::view::text::{count, span, wrap};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

use super::field::typed;
use super::forms::answers;

/// Lines of hosts that are shown at once.
const HOSTS: usize = 6;
/// Lines of what is said before that are shown at most.
const SAID: usize = 6;

/// The title, and the lines for a width; as many as fit into `height`, those with the question always.
pub(super) fn lines(
    scene: &Scene<'_>,
    form: &CommandForm,
    (width, height): (usize, usize),
) -> (String, Vec<Line<'static>>) {
    let simulated = if scene.model.fleet.simulated { "SIMULATED " } else { "" };
    let place = format!("{simulated}{}", form.env);
    let title = format!("A command on {} of {place}", count(form.hosts.len(), "host"));
    let (middle, end) = match &form.stage {
        CommandStage::Typing => (Vec::new(), typing(scene, form, width)),
        CommandStage::Looking => (command(scene, form, width), looking(scene)),
        CommandStage::Asking { said, .. } => {
            let (command, question) = (command(scene, form, width), asking(scene, form, width));
            let room = height.saturating_sub(command.len() + question.len() + 1).clamp(1, SAID);
            (command, [before(scene, said, width, room), question].concat())
        }
        CommandStage::Refused(why) => {
            let mut lines: Vec<Line<'static>> = vec![Line::default()];
            let said = wrap(&format!("✖ nothing was run: {why}"), width);
            lines.extend(said.into_iter().map(|line| span(line, scene.styles.critical).into()));
            lines.push(answers(scene, &[("Enter Esc", "back")]));
            (command(scene, form, width), lines)
        }
    };
    let room = height.saturating_sub(middle.len() + end.len()).clamp(1, HOSTS + 1);
    let mut lines = hosts(scene, form, width, room);
    lines.extend(middle);
    lines.extend(end);
    (title, lines)
}

/// The hosts, some lines of many.
fn hosts(scene: &Scene<'_>, form: &CommandForm, width: usize, room: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let unlisted = match form.unlisted {
        0 => String::new(),
        hidden => format!(", {hidden} of them not listed on this screen"),
    };
    let names: Vec<&str> = form.hosts.iter().map(HostName::as_str).collect();
    let all = wrap(&format!("{}{unlisted}: {}", form.chosen_as, names.join(", ")), width);
    if all.len() <= room {
        return all.into_iter().map(Line::from).collect();
    }
    let shown = room.saturating_sub(1).max(1);
    let top = form.scroll.min(all.len() - shown);
    let place = format!("lines {}–{} of {}: PgUp PgDn", top + 1, top + shown, all.len());
    let mut lines: Vec<Line<'static>> = all.into_iter().skip(top).take(shown).map(Line::from).collect();
    if room > 1 {
        lines.push(span(place, styles.muted).into());
    }
    lines
}

/// The exact command.
fn command(scene: &Scene<'_>, form: &CommandForm, width: usize) -> Vec<Line<'static>> {
    let clean = Clean::new(form.text.as_str());
    let text = wrap(clean.as_str(), width.saturating_sub(2));
    let line = |text: String| Line::from(vec![Span::raw("  "), span(text, scene.styles.strong)]);
    text.into_iter().map(line).collect()
}

fn typing(scene: &Scene<'_>, form: &CommandForm, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let mut lines = vec![Line::default(), typed(scene, &form.text, true, width)];
    lines.extend(wrong(scene, form));
    let note = "It runs under /bin/sh, without input, at most 30 s on each host. Whether it changes something is not known; \
                nothing is undone.";
    lines.extend(wrap(note, width).into_iter().map(|line| span(line, styles.muted).into()));
    lines.push(answers(scene, &[("Enter", "next"), ("Esc", "cancel")]));
    lines
}

fn looking(scene: &Scene<'_>) -> Vec<Line<'static>> {
    let jump = scene.env.jump.in_use();
    let text = format!("asking jump box {jump} which runs are under way …");
    vec![Line::default(), span(text, scene.styles.muted).into(), answers(scene, &[("Esc", "back")])]
}

fn before(scene: &Scene<'_>, said: &[Clean], width: usize, room: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    if said.is_empty() {
        return vec![span("no run is under way, by the jump box", styles.muted).into()];
    }
    let mut lines: Vec<Line<'static>> = Vec::new();
    for note in said {
        let wrapped = wrap(&format!("▲ {note}"), width);
        lines.extend(wrapped.into_iter().map(|line| Line::from(span(line, styles.warning))));
    }
    if lines.len() > room {
        let kept = room.saturating_sub(1);
        let more = format!("▲ {} lines more: the list of runs has them", lines.len() - kept);
        lines.truncate(kept);
        lines.push(span(more, styles.warning).into());
    }
    lines
}

fn asking(scene: &Scene<'_>, form: &CommandForm, width: usize) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let question = format!("Run it on {}?", count(form.hosts.len(), "host"));
    let mut lines = Vec::new();
    let CommandStage::Asking { typed: name, .. } = &form.stage else { return lines };
    if form.is_challenge() {
        lines.push(Line::from(vec![
            span(format!("{question} Type  "), styles.dialog),
            span(form.env.to_string(), styles.strong),
        ]));
        lines.push(typed(scene, name, true, width));
        lines.extend(wrong(scene, form));
        lines.push(answers(scene, &[("Enter", "run it"), ("Esc", "back")]));
    } else {
        lines.push(span(question, styles.dialog).into());
        lines.extend(wrong(scene, form));
        lines.push(answers(scene, &[("y", "run it"), ("Enter Esc n", "back")]));
    }
    lines
}

fn wrong(scene: &Scene<'_>, form: &CommandForm) -> Option<Line<'static>> {
    form.wrong.map(|why| span(format!("✖ {why}"), scene.styles.critical).into())
}
