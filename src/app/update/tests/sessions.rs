//! Maintenance sessions by keys and news.

use std::sync::Arc;

use super::*;
use crate::app::model::runs::Dialog;
use crate::config::keymap::Keymap;
use jumpdeck_fleet::maintenance::{
    MaintenanceSession, SeenSession, SessionEntry, SessionHead, SessionLine, SessionNews, SessionOrder,
    SessionRecord, SessionSync,
};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::timeline::WallTime;

fn console() -> Model {
    let mut model = model();
    model.keymap = Arc::new(Keymap::builtin_default());
    jump_up(&mut model, "production");
    frame(&mut model);
    model
}

fn key(model: &mut Model, code: KeyCode) -> Vec<AppEffect> {
    let effects = press(model, code);
    frame(model);
    effects
}

fn letters(model: &mut Model, text: &str) -> Vec<AppEffect> {
    text.chars().flat_map(|c| key(model, KeyCode::Char(c))).collect()
}

fn news(takes_part: bool, said: Option<Result<Clean, Clean>>) -> Msg {
    let head = SessionHead {
        id: "s1".to_owned(),
        env: env_name("production"),
        simulated: false,
        reason: "upgrade".into(),
        ticket: Clean::default(),
        people: Vec::new(),
        began: WallTime(1),
        by: "anna@desk".into(),
        until: WallTime(7200),
    };
    let line = SessionLine {
        number: 1,
        at: WallTime(1),
        ms: 0,
        who: "anna@desk".into(),
        entry: SessionEntry::Started(head),
    };
    let record = SessionRecord { name: "a".to_owned(), lines: vec![line], ..SessionRecord::default() };
    let seen = SeenSession {
        session: Arc::new(MaintenanceSession::of(&[record]).unwrap()),
        takes_part,
        leads_when_joined: false,
        sync: SessionSync::Same { shared: true },
    };
    Msg::Session(Box::new(SessionNews { env: env_name("production"), seen: Some(seen), unknown: None, said }))
}

fn ordered(effects: &[AppEffect]) -> &SessionOrder {
    let [AppEffect::Session(env, order)] = effects else { unreachable!("{effects:?}") };
    assert_eq!(env, &env_name("production"));
    order
}

#[test]
fn a_session_is_started_with_a_form_that_takes_nothing_half() {
    let mut model = console();
    letters(&mut model, "7");
    assert_eq!(model.screen(), &Screen::Session);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "the form");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "without a reason");
    let Some(Dialog::Session(form)) = model.runs.dialogs.last() else { unreachable!() };
    assert_eq!((form.at, form.wrong.is_some()), (0, true));
    letters(&mut model, "upgrade q");
    key(&mut model, KeyCode::Enter);
    letters(&mut model, "OPS-12");
    key(&mut model, KeyCode::Enter);
    letters(&mut model, "anna, bob");
    key(&mut model, KeyCode::Enter);
    key(&mut model, KeyCode::Backspace);
    assert_eq!(key(&mut model, KeyCode::Char('x')), []);
    assert_eq!(key(&mut model, KeyCode::Enter), [], "2x is no time");
    key(&mut model, KeyCode::Backspace);
    letters(&mut model, "h30m");
    let effects = key(&mut model, KeyCode::Enter);
    let wanted = SessionOrder::Start {
        reason: "upgrade q".into(),
        ticket: "OPS-12".into(),
        people: vec!["anna".into(), "bob".into()],
        lasts: Duration::from_secs(9000),
    };
    assert_eq!(ordered(&effects), &wanted);
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn one_joins_before_one_writes() {
    let mut model = console();
    letters(&mut model, "W");
    assert!(
        model.runs.dialogs.is_empty() && model.notice.as_ref().unwrap().0.contains("you take part in no")
    );
    update(&mut model, news(false, None));
    letters(&mut model, "W7");
    assert!(model.runs.dialogs.is_empty());
    assert_eq!(ordered(&key(&mut model, KeyCode::Enter)), &SessionOrder::Join);
    update(&mut model, news(true, Some(Ok("you joined the session".into()))));
    assert_eq!(model.notice.as_ref().unwrap().0, "you joined the session");
    letters(&mut model, "W# q");
    update(&mut model, Msg::Paste("x\ny".to_owned()));
    let effects = key(&mut model, KeyCode::Enter);
    assert_eq!(ordered(&effects), &SessionOrder::Note(Clean::lines("# qx\ny")));
    letters(&mut model, "W");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "an empty note is none");
    assert!(model.runs.dialogs.is_empty());
}

#[test]
fn it_is_handed_over_to_a_name_and_ended_by_a_typed_word() {
    let mut model = console();
    update(&mut model, news(true, None));
    letters(&mut model, "I");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "without a name");
    letters(&mut model, "bob");
    assert_eq!(ordered(&key(&mut model, KeyCode::Enter)), &SessionOrder::HandOver("bob".into()));

    letters(&mut model, "E");
    let Some(Dialog::Session(form)) = model.runs.dialogs.last() else { unreachable!() };
    let crate::app::model::session::SessionQuestion::End(word) = form.what.clone() else { unreachable!() };
    letters(&mut model, "done");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    update(&mut model, Msg::Paste(word.clone()));
    assert_eq!(key(&mut model, KeyCode::Enter), [], "a pasted word ends nothing");
    letters(&mut model, &word);
    assert_eq!(ordered(&key(&mut model, KeyCode::Enter)), &SessionOrder::End("done".into()));
}

#[test]
fn what_could_not_be_done_lies_over_the_screen() {
    let mut model = console();
    update(&mut model, news(false, Some(Err("production has a session already".into()))));
    let Some(Dialog::Refused(why)) = model.runs.dialogs.last() else { unreachable!() };
    assert_eq!(why.as_slice(), ["production has a session already".into()]);
}
