//! Arming: an environment is read-only until a person says for what and for how long it is not. It ends by itself: on
//! time, when nobody presses a key, when the way to the fleet is another one, when another environment is shown. A run
//! under way goes on; it asks before its next change or undo, and that is where arming is asked for again.

use std::time::Duration;

use crate::app::model::Model;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::run::Arming;
use jumpdeck_fleet::snapshot::{JumpSnapshot, LinkState};
use jumpdeck_fleet::text::Clean;

/// Without a key for so long, nobody is there.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// The longest time there is.
pub(super) const LONGEST: Duration = Duration::from_secs(8 * 3600);
/// Arms, or disarms.
pub(super) fn toggle(model: &mut Model) {
    if model.runs.armed.is_some() {
        disarm(model, "disarmed by you");
        return;
    }
    let why = model.shown_run().map_or_else(String::new, |run| run.why.to_string());
    model.ask_arming(why);
}

/// Arms the environment shown.
pub(super) fn arm(model: &mut Model, reason: &str, time: Duration) {
    let Some(env) = model.environments.get(model.active) else { return };
    let env = env.spec.name.clone();
    let until = model.now.plus(time);
    model.runs.armed = Some(Arming { env, reason: Clean::new(reason), until });
    model.runs.disarmed = None;
}

/// Ends it, and says why.
pub(super) fn disarm(model: &mut Model, why: &'static str) {
    if let Some(armed) = model.runs.armed.take() {
        model.say(format!("{} is read-only again: {why}", armed.env));
        model.runs.disarmed = Some((armed.env, why));
    }
}

pub(super) fn tick(model: &mut Model) {
    let Some(armed) = &model.runs.armed else { return };
    if armed.until <= model.now {
        disarm(model, "time is up");
    } else if model.now.since(model.runs.touched) >= IDLE {
        disarm(model, "no key was pressed for 15 minutes");
    }
}

/// The jump box is another connection than the one it was armed over.
pub(super) fn jump_changed(model: &mut Model, before: &JumpSnapshot, after: &JumpSnapshot) {
    if !model.is_armed(&after.env) || before.link.state != LinkState::Up {
        return;
    }
    if after.link.state != LinkState::Up {
        disarm(model, "the jump box went down");
    } else if after.link.since != before.link.since {
        disarm(model, "the jump box reconnected");
    }
}

/// Whether the environment has to be armed before a yes counts; asks for it if so.
pub(super) fn wanted(model: &mut Model, env: &EnvName, why: String) -> bool {
    if model.is_armed(env) {
        return false;
    }
    model.ask_arming(why);
    true
}

/// A span as a person writes it: `30m`, `2h`, `1h30m`, `45` (minutes). `None` when it is none, or longer than eight hours.
pub(super) fn span(text: &str) -> Option<Duration> {
    any_span(text).filter(|span| *span <= LONGEST)
}

/// The same, up to so many hours.
pub(super) fn span_up_to(text: &str, hours: u64) -> Option<Duration> {
    any_span(text).filter(|span| *span <= Duration::from_secs(hours * 3600))
}

fn any_span(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    let (hours, rest) = match text.split_once('h') {
        Some((hours, rest)) => (hours.trim().parse::<u64>().ok()?, rest.trim()),
        None => (0, text.as_str()),
    };
    let minutes = match rest.strip_suffix('m').unwrap_or(rest).trim() {
        "" if text.contains('h') => 0,
        minutes => minutes.parse::<u64>().ok()?,
    };
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    let span = Duration::from_secs(seconds);
    (!span.is_zero()).then_some(span)
}
