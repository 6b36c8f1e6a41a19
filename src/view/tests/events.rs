//! What changed, the newest first.

use std::time::Duration;

use super::*;
use crate::app::message::Msg;
use crate::app::update::update;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::snapshot::{Link, LinkState};

fn press(model: &mut Model, code: KeyCode) {
    update(model, Msg::Key(KeyPress { code, ctrl: false, alt: false }));
    model.settle();
}

fn pass(model: &mut Model, seconds: u64) {
    for _ in 0..seconds {
        let now = model.now.plus(Duration::from_secs(1));
        update(model, Msg::Tick(now));
        for env in &mut model.environments {
            for at in 0..env.hosts.len() {
                let host = std::sync::Arc::make_mut(&mut env.hosts[at]);
                host.reported_at = host.reported_at.map(|_| now);
            }
        }
        model.settle();
    }
}

/// A host that went down and came back, and one that is down.
pub(super) fn eventful() -> Model {
    let mut model = healthy();
    pass(&mut model, 200);
    let state = |model: &mut Model, host: &str, link: Link| {
        edit(&mut model.environments[0], host, |h| h.link = link);
        model.environments[0].unjudged = true;
        pass(model, 60);
    };
    let down = || Link { state: LinkState::Unreachable, detail: "no route to host".into(), ..Link::up(NOW) };
    state(&mut model, "app1", down());
    state(&mut model, "app1", Link::up(NOW));
    state(&mut model, "db2", down());
    model
}

#[test]
fn the_events() {
    let mut all = on(eventful(), Screen::Events);
    press(&mut all, KeyCode::Char('a'));
    snapshot("events-all", &all, (120, 40));
    snapshot("events-none", &on(waiting(), Screen::Events), (80, 24));
}

#[test]
fn a_row_leads_to_its_host_and_the_filter_finds_it() {
    let mut model = on(eventful(), Screen::Events);
    press(&mut model, KeyCode::Char('/'));
    for c in "host:app1 state:ended".chars() {
        press(&mut model, KeyCode::Char(c));
    }
    press(&mut model, KeyCode::Enter);
    let page = text(&model, (120, 40));
    assert!(page.contains("answers again") && page.contains("1 of 3"), "{page}");
    press(&mut model, KeyCode::Enter);
    assert_eq!(*model.screen(), Screen::Host(name("app1")));
}

#[test]
fn what_nobody_sees_any_more_is_not_said_to_go_on() {
    let mut model = on(eventful(), Screen::Events);
    let jump = std::sync::Arc::make_mut(&mut model.environments[0].jump);
    jump.link = Link { state: LinkState::TimedOut, ..Link::up(NOW) };
    model.environments[0].unjudged = true;
    pass(&mut model, 60);
    press(&mut model, KeyCode::Char('/'));
    for c in "db2".chars() {
        press(&mut model, KeyCode::Char(c));
    }
    let page = text(&model, (120, 40));
    assert!(page.contains("not seen since") && !page.contains("goes on"), "{page}");
}

/// The problem that is selected, acknowledged for four hours.
fn acknowledged() -> Model {
    let mut model = on(eventful(), Screen::Problems);
    model.who = "anna@desk".into();
    press(&mut model, KeyCode::Char('K'));
    for c in "disk swap by the data centre, OPS-4711".chars() {
        press(&mut model, KeyCode::Char(c));
    }
    model
}

#[test]
fn a_problem_that_somebody_knows_of() {
    for size in [(80, 24), (120, 40)] {
        snapshot("acknowledge", &acknowledged(), size);
        let mut done = acknowledged();
        press(&mut done, KeyCode::Enter);
        snapshot("acknowledged", &done, size);
        let page = text(&done, size);
        assert!(page.contains("1 ack"), "the header counts it: {page}");
        press(&mut done, KeyCode::Enter);
        snapshot("acknowledged-host", &done, size);
    }
}
