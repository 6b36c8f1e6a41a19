//! The logs by their keys.

use super::*;
use crate::app::screens::Screen;
use jumpdeck_fleet::log::{HostLog, LineClock, LogEvent, LogLevel, LogLine};
use jumpdeck_fleet::names::HostName;

/// The model with the built-in keys.
fn with_keys() -> Model {
    let mut model = model();
    model.keymap = std::sync::Arc::new(crate::config::keymap::Keymap::builtin_default());
    model
}

fn lines(host: &str, texts: &[&str]) -> LogEvent {
    let line = |text: &&str| LogLine {
        host: HostName::new(host).unwrap(),
        source: "journal".into(),
        text: (*text).into(),
        at: 0,
        clock: LineClock::Arrival,
        level: LogLevel::Plain,
        cut: 0,
        lead: 0,
    };
    LogEvent::Lines(texts.iter().map(line).collect())
}

fn followed(effects: &[AppEffect]) -> Vec<(u64, Vec<String>, Option<String>)> {
    let one = |effect: &AppEffect| match effect {
        AppEffect::FollowLogs { number, request, .. } => Some((
            *number,
            request.hosts.iter().map(ToString::to_string).collect(),
            request.pattern.as_ref().map(|pattern| pattern.text.clone()),
        )),
        _ => None,
    };
    effects.iter().filter_map(one).collect()
}

/// Presses an action's way and settles, as a key does.
fn keys(model: &mut Model, codes: &[KeyCode]) -> Vec<AppEffect> {
    codes.iter().flat_map(|code| press(model, *code)).collect()
}

fn char(c: char) -> KeyCode {
    KeyCode::Char(c)
}

#[test]
fn logs_of_the_selected_or_the_marked_hosts_are_followed_until_nobody_looks() {
    let mut model = with_keys();
    let effects = keys(&mut model, &[char('j'), char('L')]);
    assert_eq!(followed(&effects), [(1, vec!["app2".into()], None)]);
    assert_eq!(*model.screen(), Screen::Logs);
    assert!(keys(&mut model, &[char('L')]).is_empty(), "once");
    assert_eq!(keys(&mut model, &[KeyCode::Esc]), [AppEffect::StopLogs]);
    assert!(model.logs.is_none() && *model.screen() == Screen::Fleet);

    keys(&mut model, &[char('g'), char('m'), char('G'), char('m')]);
    let effects = keys(&mut model, &[char('L')]);
    assert_eq!(followed(&effects), [(2, vec!["app1".into(), "db2".into()], None)]);
    // A page over it: it goes on.
    update(&mut model, Msg::Logs(2, lines("db2", &["one"])));
    assert!(keys(&mut model, &[KeyCode::Enter]).is_empty());
    assert_eq!(*model.screen(), Screen::Host(HostName::new("db2").unwrap()));
    keys(&mut model, &[KeyCode::Esc]);
    assert_eq!((model.screen(), model.logs.as_ref().map(|logs| logs.counts().0)), (&Screen::Logs, Some(1)));
    // Another environment: it ends.
    let effects = keys(&mut model, &[KeyCode::Tab]);
    assert!(effects.contains(&AppEffect::StopLogs) && model.logs.is_none(), "{effects:?}");
    assert_eq!(*model.screen(), Screen::Fleet);
}

#[test]
fn news_of_what_was_followed_before_is_not_taken_in() {
    let mut model = with_keys();
    keys(&mut model, &[char('L'), KeyCode::Esc, char('j'), char('L')]);
    update(&mut model, Msg::Logs(1, lines("app1", &["old"])));
    assert_eq!(model.logs.as_ref().unwrap().counts().0, 0);
    model.changed = false;
    update(&mut model, Msg::Logs(2, lines("app2", &["new"])));
    assert!(model.changed && model.logs.as_ref().unwrap().counts().0 == 1);
    update(&mut model, Msg::Logs(2, LogEvent::State(HostName::new("app2").unwrap(), HostLog::Following)));
    assert_eq!(model.shown_logs().unwrap().states.len(), 1);
}

#[test]
fn a_key_up_pauses_and_the_last_line_follows() {
    let mut model = with_keys();
    keys(&mut model, &[char('L')]);
    let texts: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    update(&mut model, Msg::Logs(1, lines("app1", &texts)));
    let follows = |model: &Model| model.logs.as_ref().unwrap().follows();
    assert!(follows(&model));
    keys(&mut model, &[KeyCode::Up]);
    update(&mut model, Msg::Logs(1, lines("app1", &["x", "y"])));
    let new = |model: &Model| model.logs.as_ref().unwrap().new_below();
    assert_eq!((follows(&model), new(&model)), (false, 3));
    assert!(model.paused.is_none(), "the fleet is not");
    keys(&mut model, &[char('G')]);
    assert!(follows(&model));
    keys(&mut model, &[char('p')]);
    assert!(!follows(&model) && model.paused.is_none());
    keys(&mut model, &[char('p')]);
    assert!(follows(&model));
    keys(&mut model, &[char('g')]);
    assert_eq!(model.logs.as_ref().unwrap().bottom(), Some(model.page - 1), "the first page is whole");
    keys(&mut model, &[char('w')]);
    assert!(model.logs.as_ref().unwrap().wrap);
}

#[test]
fn what_is_typed_filters_here_and_then_on_the_hosts() {
    let mut model = with_keys();
    keys(&mut model, &[char('L')]);
    update(&mut model, Msg::Logs(1, lines("app1", &["disk full", "fine"])));
    keys(&mut model, &[char('/'), char('d'), char('i'), char('s')]);
    assert_eq!(model.logs.as_ref().unwrap().counts(), (1, 2), "as one types");
    let effects = keys(&mut model, &[KeyCode::Enter, char('f')]);
    assert_eq!(followed(&effects), [(2, vec!["app1".into()], Some("dis".into()))]);
    assert_eq!((model.logs.as_ref().unwrap().counts(), model.filter().text.as_str()), ((0, 0), ""));
    let effects = keys(&mut model, &[char('f')]);
    assert_eq!(followed(&effects), [(3, vec!["app1".into()], None)]);
    assert!(keys(&mut model, &[char('f')]).is_empty());
    assert!(model.notice.as_ref().unwrap().0.contains("type a filter first"));
}

#[test]
fn keys_of_logs_do_nothing_elsewhere() {
    let mut model = with_keys();
    for key in ['f', 'o', 'X', 'w'] {
        assert!(keys(&mut model, &[char(key)]).is_empty());
        assert_eq!(model.notice.take().unwrap().0, "no logs are on screen", "{key}");
    }
    keys(&mut model, &[char('/'), char('q'), KeyCode::Enter]);
    assert!(keys(&mut model, &[char('L')]).is_empty(), "no row is seen");
    assert!(model.notice.as_ref().unwrap().0.starts_with("select or mark a host first"));
}
