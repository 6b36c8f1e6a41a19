//! Two environments: what is known of both, and what is not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::app::fixture::{answering, fail, jump_up, model, report};
use crate::app::message::Msg;
use crate::app::model::Model;
use crate::app::rows::beside::FactVerdict;
use crate::app::update::update;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::{HostsOf, Service, ServiceKind};
use jumpdeck_fleet::snapshot::Os;

static QUEUE: ServiceKind = ServiceKind {
    name: "queue",
    hosts: HostsOf::Roles(&["app"]),
    stopped: Severity::Critical,
    when_stopped: "Start it.",
    rule: |_, _, _| {},
    short: |_| None,
};

/// Two environments of which every host answers, with the same system and no database.
fn both() -> Model {
    let mut model = model();
    for (env, hosts) in [("production", &["app1", "app2", "db1-masterdb", "db2"][..]), ("staging", &["app1"])]
    {
        jump_up(&mut model, env);
        for host in hosts {
            change(&mut model, env, host, |_| ());
        }
    }
    model.settle();
    model
}

/// A new report of a host.
fn change(model: &mut Model, env: &str, host: &str, change: impl FnOnce(&mut HostSnapshot)) {
    let mut snapshot = HostSnapshot::clone(&answering(model, env, host, 0.5, model.now));
    let os =
        Os { pretty: "Ubuntu 14.04".into(), release: "ubuntu 14.04".into(), kernel: Some("3.13".into()) };
    snapshot.facts.os.learn(os, model.now);
    snapshot.facts.databases.learn(Vec::new(), model.now);
    change(&mut snapshot);
    update(model, Msg::Fleet(FleetEvent::Host(Arc::new(snapshot))));
}

fn facts(model: &Model) -> Vec<ComparedFact> {
    let [one, two] = model.environments.as_slice() else { panic!("two environments") };
    environments_compared([one, two].map(|env| ComparedEnvironment::new(env, model.now)))
}

fn fact(model: &Model, name: &str) -> (FactVerdict, [String; 2]) {
    let facts = facts(model);
    let fact = facts.iter().find(|fact| fact.name == name).unwrap_or_else(|| panic!("{name}: {facts:#?}"));
    let text = |value: &ComparedValue| match value {
        ComparedValue::Known(text) => text.clone(),
        ComparedValue::Unknown(why) => format!("? {why}"),
        ComparedValue::Nothing => "-".to_owned(),
    };
    (fact.verdict(), fact.values.each_ref().map(text))
}

fn texts(left: &str, right: &str) -> [String; 2] {
    [left.to_owned(), right.to_owned()]
}

#[test]
fn roles_are_compared_by_their_hosts_and_by_those_that_are_up() {
    let mut model = both();
    assert_eq!(fact(&model, "role app"), (FactVerdict::Differ, texts("2 of 2 up", "1 of 1 up")));
    assert_eq!(fact(&model, "role masterdb"), (FactVerdict::Differ, texts("1 of 1 up", "-")));
    fail(&mut model, "production", "app2", LinkState::Unreachable);
    assert_eq!(fact(&model, "role app"), (FactVerdict::Differ, texts("1 of 2 up", "1 of 1 up")));
    assert_eq!(fact(&model, "app kernel"), (FactVerdict::Unknown, texts("? 3.13, 1 of 2 unknown", "3.13")));
}

#[test]
fn versions_are_sets_of_each_role() {
    let mut model = both();
    assert_eq!(fact(&model, "app system"), (FactVerdict::Alike, texts("Ubuntu 14.04", "Ubuntu 14.04")));
    change(&mut model, "production", "app2", |host| {
        let os = Os { pretty: "Ubuntu 16.04".into(), release: "ubuntu 16.04".into(), kernel: None };
        host.facts.os.learn(os, Moment(1000));
    });
    assert_eq!(
        fact(&model, "app system"),
        (FactVerdict::Differ, texts("Ubuntu 14.04, Ubuntu 16.04", "Ubuntu 14.04"))
    );
    assert_eq!(fact(&model, "app kernel"), (FactVerdict::Unknown, texts("? 3.13, 1 of 2 unknown", "3.13")));
    let names: Vec<String> = facts(&model).into_iter().map(|fact| fact.name).collect();
    assert!(!names.iter().any(|name| name == "db kernel"), "staging has no such role: {names:?}");
}

#[test]
fn a_service_is_known_only_where_each_of_its_hosts_says_how_it_is() {
    let running = || Service { running: true, ..Service::default() };
    let mut model = both();
    for host in ["app1", "app2"] {
        change(&mut model, "production", host, |host| {
            host.facts.services.take(&QUEUE, Ok(running()), Moment(1000))
        });
    }
    assert_eq!(fact(&model, "service queue"), (FactVerdict::Differ, texts("all ok", "-")));
    change(&mut model, "staging", "app1", |host| {
        host.facts.services.take(&QUEUE, Ok(running()), Moment(1000))
    });
    assert_eq!(fact(&model, "service queue"), (FactVerdict::Alike, texts("all ok", "all ok")));
    change(&mut model, "production", "app2", |host| {
        host.facts.services.take(&QUEUE, Ok(Service::default()), Moment(1000));
    });
    assert_eq!(fact(&model, "service queue"), (FactVerdict::Differ, texts("1 of 2 down", "all ok")));
    change(&mut model, "production", "app2", |host| {
        host.facts.services.take(&QUEUE, Err(Gap::TimedOut), Moment(1000));
    });
    assert_eq!(fact(&model, "service queue"), (FactVerdict::Unknown, texts("? 1 of 2 unknown", "all ok")));
}

#[test]
fn a_service_that_a_silent_host_may_run_is_not_missing() {
    let mut model = both();
    change(&mut model, "production", "app1", |host| {
        host.facts.services.take(&QUEUE, Ok(Service { running: true, ..Service::default() }), Moment(1000));
    });
    fail(&mut model, "staging", "app1", LinkState::TimedOut);
    assert_eq!(fact(&model, "service queue"), (FactVerdict::Unknown, texts("all ok", "? 1 of 1 unknown")));
}

#[test]
fn nothing_is_known_of_an_environment_that_was_never_reached_or_whose_jump_box_is_gone() {
    let mut model = model();
    jump_up(&mut model, "production");
    for host in ["app1", "app2", "db1-masterdb", "db2"] {
        change(&mut model, "production", host, |_| ());
    }
    model.settle();
    let all = facts(&model);
    assert!(
        all.iter().all(|fact| match fact.values.each_ref() {
            [_, ComparedValue::Unknown(_)] => fact.verdict() == FactVerdict::Unknown,
            // Whom the inventory gives a role is known without any report.
            [_, ComparedValue::Nothing] => fact.name.starts_with("role "),
            [_, ComparedValue::Known(_)] => false,
        }),
        "{all:#?}"
    );
    let mut model = both();
    let lost = Arc::make_mut(&mut model.environments[1].jump);
    lost.link.state = LinkState::TimedOut;
    assert_eq!(fact(&model, "role app"), (FactVerdict::Unknown, texts("2 of 2 up", "? ? of 1 up")));
    assert_eq!(fact(&model, "app kernel"), (FactVerdict::Unknown, texts("3.13", "? jump box: timed out")));
    assert_eq!(fact(&model, "problems critical").0, FactVerdict::Unknown);
}

#[test]
fn an_old_report_is_no_report() {
    let mut model = both();
    model.now = model.now.plus(Duration::from_secs(3600));
    report(&mut model, "staging", "app1", 0.5);
    let (verdict, [_, right]) = fact(&model, "app kernel");
    assert_eq!((verdict, right.as_str()), (FactVerdict::Unknown, "3.13"));
    assert_eq!(fact(&model, "role app"), (FactVerdict::Unknown, texts("? ? of 2 up", "1 of 1 up")));
}

#[test]
fn the_highest_figure_is_a_lower_bound_while_one_is_unknown() {
    let mut model = both();
    report(&mut model, "production", "app2", 3.0);
    assert_eq!(fact(&model, "highest load/CPU"), (FactVerdict::Moves, texts("1.50 app2", "0.25 app1")));
    fail(&mut model, "production", "db2", LinkState::TimedOut);
    assert_eq!(
        fact(&model, "highest load/CPU"),
        (FactVerdict::Unknown, texts("? at least 1.50 app2, 1 unknown", "0.25 app1"))
    );
}
