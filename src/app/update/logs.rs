//! Logs: begun, changed, taken in, and ended when nobody looks at them any more.

use crate::app::message::AppEffect;
use crate::app::model::logs::LogView;
use crate::app::model::{Model, Screen};
use crate::app::rows::{LOG_WORDS, LineTerms};
use crate::config::action::{Action, Need};
use jumpdeck_fleet::log::{LogEvent, LogRequest, MOST_HOSTS};

/// Lines of each log at first.
const LINES: u32 = 200;

/// Follows the logs of the marked hosts, else of the selected one.
pub(super) fn open(model: &mut Model) -> Vec<AppEffect> {
    if *model.screen() == Model::LOGS {
        return Vec::new();
    }
    if let Some(why) = model.obstacle(Need::LogHosts) {
        model.say(why.to_owned());
        return Vec::new();
    }
    let hosts = model.log_hosts();
    if hosts.len() > MOST_HOSTS {
        model.say(format!(
            "{} hosts are marked; logs of at most {MOST_HOSTS} are followed together",
            hosts.len()
        ));
        return Vec::new();
    }
    let request = LogRequest { hosts, lines: LINES, follow: true, ..LogRequest::default() };
    let effects = follow(model, request);
    // One that lies deeper would show other hosts now.
    model.screens.retain(|screen| *screen != Model::LOGS);
    model.push(Model::LOGS);
    effects
}

fn follow(model: &mut Model, request: LogRequest) -> Vec<AppEffect> {
    let Some(env) = model.environments.get(model.active).map(|env| env.spec.clone()) else {
        return Vec::new();
    };
    model.log_number += 1;
    let mut logs = LogView::new(model.log_number, env.name.clone(), request.clone());
    logs.filter(LineTerms::of(model.filter_of(&LOG_WORDS).text.as_str()));
    model.logs = Some(logs);
    vec![AppEffect::FollowLogs { number: model.log_number, env, request }]
}

/// What the keys of the screen do.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<AppEffect> {
    if let Some(why) = model.obstacle(Need::Logs) {
        model.say(why.to_owned());
        return Vec::new();
    }
    if action == Action::LogFilter {
        return filter_on_hosts(model);
    }
    let Some(logs) = &mut model.logs else { return Vec::new() };
    let host = logs.at_bottom().map(|entry| entry.host().clone());
    match (action, host) {
        (Action::LogWrap, _) => logs.wrap = !logs.wrap,
        (Action::LogOnly, host) => logs.only(host.as_ref()),
        (Action::LogHide, Some(host)) => logs.hide(host),
        (_, _) => {}
    }
    Vec::new()
}

/// The filter that is typed here becomes one on the hosts; without any, the one there goes. The logs begin anew.
fn filter_on_hosts(model: &mut Model) -> Vec<AppEffect> {
    let text = model.filter_of(&LOG_WORDS).text.as_str().to_owned();
    let Some(request) = model.logs.as_ref().map(|logs| logs.request.clone()) else { return Vec::new() };
    let pattern = Model::log_pattern(&text);
    if pattern.is_none() && request.pattern.is_none() {
        model.say("type a filter first: it is then sent to the hosts, as one text".to_owned());
        return Vec::new();
    }
    if let Some(filter) = model.filter_mut() {
        filter.text.clear();
    }
    let says = match &pattern {
        Some(pattern) => format!("asking the hosts for lines with {:?}", pattern.text),
        None => "asking the hosts for all lines".to_owned(),
    };
    model.say(says);
    follow(model, LogRequest { pattern, ..request })
}

/// Takes news of followed logs in.
pub(super) fn take(model: &mut Model, number: u64, event: LogEvent) {
    let on_screen = *model.screen() == Model::LOGS;
    if let Some(logs) = model.logs.as_mut().filter(|logs| logs.number == number) {
        logs.take(event);
        model.changed |= on_screen;
    }
}

/// After a key: what is seen follows the filter, and logs that no screen leads back to are followed no longer.
pub(super) fn settle(model: &mut Model) -> Option<AppEffect> {
    let shown = model.shown_name();
    let logs = model.logs.as_mut()?;
    if Some(&logs.env) != shown.as_ref() {
        model.screens.retain(|screen| *screen != Model::LOGS);
        if model.screens.is_empty() {
            model.screens.push(Screen::ROOT);
        }
    }
    if !model.screens.contains(&Model::LOGS) {
        model.logs = None;
        return Some(AppEffect::StopLogs);
    }
    let text = model.filter_of(&LOG_WORDS).text.as_str().to_owned();
    if let Some(logs) = &mut model.logs {
        logs.filter(LineTerms::of(&text));
    }
    None
}
