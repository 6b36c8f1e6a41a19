//! News of the fleet: snapshots, histories, questions.

use std::sync::Arc;

use crate::app::message::AppEffect;
use crate::app::model::{EnvironmentState, History, Model};
use jumpdeck_fleet::course::WorstLag;
use jumpdeck_fleet::event::{FleetEvent, Question, QuestionId, QuestionKind};
use jumpdeck_fleet::history::Ring;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::snapshot::{FirstJump, HostSnapshot, JumpSnapshot, LinkState};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) fn take(model: &mut Model, event: FleetEvent) -> Vec<AppEffect> {
    match event {
        FleetEvent::Inventory(news) => return super::inventory::take(model, news),
        FleetEvent::Jump(jump) => take_jump(model, jump),
        FleetEvent::Host(host) => take_host(model, host),
        FleetEvent::Outside(outside) => {
            if let Some(env) = environment(model, &outside.env) {
                env.outside = outside;
            }
        }
        FleetEvent::Question(question) => take_question(model, question),
        FleetEvent::QuestionGone(id) => drop_question(model, id),
    }
    Vec::new()
}

/// The environment news is about; notes whether its news shows.
fn environment<'a>(model: &'a mut Model, name: &EnvName) -> Option<&'a mut EnvironmentState> {
    let at = model.environments.iter().position(|e| &e.spec.name == name)?;
    // Other environments show on their tabs only, by their problems: judging them tells. One that is compared shows in full.
    if (at == model.active || model.is_beside(name)) && model.paused.is_none() {
        model.changed = true;
    }
    let env = model.environments.get_mut(at)?;
    (env.unjudged, env.watched) = (true, true);
    Some(env)
}

fn take_jump(model: &mut Model, jump: Arc<JumpSnapshot>) {
    if let Some(env) = environment(model, &jump.env) {
        let before = std::mem::replace(&mut env.jump, jump);
        let after = env.jump.clone();
        super::arming::jump_changed(model, &before, &after);
        say_which_jump(model, &before, &after);
    }
}

/// Another jump box than before is in use, or could be.
fn say_which_jump(model: &mut Model, before: &JumpSnapshot, after: &JumpSnapshot) {
    let (env, name) = (&after.env, &after.name);
    let said = match (&before.second, &after.second) {
        (None, Some(second)) => {
            format!("{env}: through {} now, as jump box {name} {}", second.name, second.first.state.label())
        }
        (Some(_), None) if after.link.is_up() => format!("{env}: through jump box {name} again"),
        (Some(was), Some(now)) if was.first.answers.is_none() && now.first.answers.is_some() => {
            format!("{env}: jump box {name} answers again")
        }
        // It is asked all the time: only another answer is news.
        (Some(was), Some(now)) if tells(&was.first) != tells(&now.first) && was.since == now.since => {
            format!("{env}: jump box {name} {}: {}", now.first.state.label(), now.first.detail)
        }
        (Some(_), Some(_) | None) | (None, None) => return,
    };
    model.say(said);
}

fn tells(first: &FirstJump) -> (LinkState, &Clean, bool) {
    (first.state, &first.detail, first.answers.is_some())
}

fn take_host(model: &mut Model, host: Arc<HostSnapshot>) {
    let now = model.now;
    let Some(env) = environment(model, &host.id.env) else { return };
    let Some(at) = env.place(&host.id.host) else { return };
    let Some(slot) = env.hosts.get_mut(at) else { return };
    let history = env.history.entry(host.id.host.clone()).or_default();
    record(history, slot, &host, now);
    *slot = host;
}

/// A whole report adds a sample of each figure it has; a poll that failed adds a hole.
fn record(history: &mut History, before: &HostSnapshot, after: &HostSnapshot, now: Moment) {
    let reported = after.reported_at.is_some() && after.reported_at != before.reported_at;
    if reported {
        #[allow(clippy::cast_possible_truncation)] // for a sparkline
        let small = |f: f64| f as f32;
        let facts = &after.facts;
        history.load.push(now, facts.load.current().map(|l| small(l.one)));
        history.memory.push(now, facts.memory.current().and_then(|m| m.used_percent()).map(small));
        match WorstLag::of(facts) {
            WorstLag::NoReplica => push_hole(&mut history.lag, now),
            WorstLag::Unknown => history.lag.push(now, None),
            #[allow(clippy::cast_precision_loss)]
            WorstLag::Known(seconds) => history.lag.push(now, Some(seconds as f32)),
        }
    } else if !after.link.is_up() {
        for ring in [&mut history.load, &mut history.memory, &mut history.lag] {
            push_hole(ring, now);
        }
    }
}

/// A hole belongs between samples: a figure that never was has none.
fn push_hole(ring: &mut Ring, now: Moment) {
    if !ring.is_empty() {
        ring.push(now, None);
    }
}

fn take_question(model: &mut Model, question: Question) {
    if model.questions.iter().all(|q| q.id != question.id) {
        // A login that waits for a phone asks nothing: it must not stand before what can be answered.
        let waits = |q: &Question| matches!(q.kind, QuestionKind::Waiting { .. });
        let waiting = model.questions.iter().position(waits).filter(|_| !waits(&question));
        model.questions.insert(waiting.unwrap_or(model.questions.len()), question);
        model.changed = true;
    }
}

fn drop_question(model: &mut Model, id: QuestionId) {
    let Some(at) = model.questions.iter().position(|q| q.id == id) else { return };
    model.questions.remove(at);
    if at == 0 {
        model.answer.clear();
        // Whoever is typing an answer goes on for a moment.
        model.vanished = Some(model.now);
    }
    model.changed = true;
}
