//! Acknowledging: an operator knows of a problem, says why nothing is to be done now, and until when.

use std::time::Duration;

use crate::app::model::Model;
use crate::app::model::runs::{AcknowledgeForm, Dialog};
use crate::config::action::Need;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::{Acknowledgement, ProblemKey, Reopening, TimelineKeeping, WallTime};

/// The longest time there is.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// What is offered, in turn.
const OFFERED: [&str; 3] = ["4h", "1h", RESOLVED];
/// The word for: until it has ended.
const RESOLVED: &str = "resolved";
const REASON: &str = "a reason is needed: it is shown with the problem";
const HOW_LONG: &str =
    "a time such as 1h or 2d (at most 30d), a time of day in UTC such as 18:30, or resolved";

/// Asks for reason and end; of a problem that is acknowledged, opens it again.
pub(super) fn toggle(model: &mut Model) {
    if let Some(why) = model.obstacle(Need::Problem) {
        return model.say(why.to_owned());
    }
    let Some((env, key, message)) = model.selected_problem_key() else { return };
    if model.selected_acknowledgement().is_some() {
        let said = match model.reopen(&env, &key, Reopening::Removed) {
            true => "acknowledgement removed: the problem is open again",
            false => "the problem has ended meanwhile",
        };
        return model.say(said.to_owned());
    }
    if let Some(why) = obstacle(model, &key) {
        return model.say(why.to_owned());
    }
    let form = AcknowledgeForm {
        env,
        key,
        message,
        reason: String::new().as_str().into(),
        until: model.session_end().as_deref().unwrap_or(OFFERED[0]).into(),
        at_until: false,
        wrong: None,
    };
    model.runs.dialogs.push(Dialog::Acknowledge(form));
}

/// Why a problem cannot be acknowledged now.
fn obstacle(model: &Model, key: &ProblemKey) -> Option<&'static str> {
    let env = model.environments.get(model.active)?;
    match env.timeline.keeping {
        TimelineKeeping::Reading => Some("the events on disk are still being read; try again"),
        TimelineKeeping::Memory | TimelineKeeping::Recording | TimelineKeeping::Following => env
            .timeline
            .known()
            .open_problem(key)
            .is_none()
            .then_some("this problem is not recorded yet; try again in some seconds"),
    }
}

pub(super) fn key(model: &mut Model, key: KeyPress) {
    let now = model.wall();
    let Some(Dialog::Acknowledge(form)) = model.runs.dialogs.last_mut() else { return };
    match key.code {
        KeyCode::Esc => {
            model.runs.dialogs.pop();
        }
        KeyCode::Tab | KeyCode::BackTab => form.at_until = !form.at_until,
        KeyCode::Up | KeyCode::Down if form.at_until => {
            let at = OFFERED.iter().position(|offered| *offered == form.until.as_str());
            let by = if key.code == KeyCode::Down { 1 } else { OFFERED.len() - 1 };
            let next = at.map_or(0, |at| (at + by) % OFFERED.len());
            form.until.set(OFFERED.get(next).copied().unwrap_or(RESOLVED));
        }
        KeyCode::Up | KeyCode::Down => form.at_until = true,
        KeyCode::Enter if form.reason.as_str().trim().is_empty() => {
            (form.wrong, form.at_until) = (Some(REASON), false);
        }
        KeyCode::Enter => match end(form.until.as_str(), now) {
            Ok(until) => {
                let (env, of) = (form.env.clone(), form.key.clone());
                let reason = Clean::new(form.reason.as_str().trim());
                model.runs.dialogs.pop();
                let acknowledgement = Acknowledgement { by: model.who.clone(), reason, until };
                let said = match model.acknowledge(&env, &of, acknowledgement) {
                    true => "acknowledged",
                    false => "the problem has ended meanwhile: nothing was acknowledged",
                };
                model.say(said.to_owned());
            }
            Err(why) => (form.wrong, form.at_until) = (Some(why), true),
        },
        _ => {
            form.wrong = None;
            if form.at_until { &mut form.until } else { &mut form.reason }.key(key);
        }
    }
}

/// When it ends; `None`: when the problem has ended.
fn end(text: &str, now: WallTime) -> Result<Option<WallTime>, &'static str> {
    let text = text.trim().to_ascii_lowercase();
    if text == RESOLVED {
        return Ok(None);
    }
    if let Some((hour, minute)) = text.split_once(':') {
        let number = |text: &str, most: i64| text.parse::<i64>().ok().filter(|n| (0..most).contains(n));
        let (Some(hour), Some(minute)) = (number(hour, 24), number(minute, 60)) else { return Err(HOW_LONG) };
        let midnight = now.0 - now.0.rem_euclid(86_400);
        let today = WallTime(midnight + hour * 3600 + minute * 60);
        return Ok(Some(if today > now { today } else { WallTime(today.0 + 86_400) }));
    }
    let span: jiff::Span = text.parse().map_err(|_| HOW_LONG)?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let time: Duration = span.to_duration(days).ok().and_then(|time| time.try_into().ok()).ok_or(HOW_LONG)?;
    if time < Duration::from_secs(60) || time > LONGEST {
        return Err(HOW_LONG);
    }
    Ok(Some(now.plus(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_a_time_of_day_or_the_end_of_the_problem() {
        // 17:02:03 UTC.
        let now = WallTime(1_796_058_123);
        let seconds = |text| end(text, now).map(|until| until.map(|until| until.0 - now.0));
        assert_eq!(seconds("1h"), Ok(Some(3600)));
        assert_eq!(seconds(" 2D "), Ok(Some(172_800)));
        assert_eq!(seconds("90m"), Ok(Some(5400)));
        assert_eq!(seconds("18:02"), Ok(Some(3597)));
        assert_eq!(seconds("17:02"), Ok(Some(86_400 - 3)), "tomorrow");
        assert_eq!(seconds("resolved"), Ok(None));
        for wrong in ["", "soon", "24:00", "10:60", "-1h", "0m", "59s", "31d", "1:2:3"] {
            assert!(end(wrong, now).is_err(), "{wrong}");
        }
    }
}
