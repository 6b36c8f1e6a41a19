//! The inventory is read again under a console that shows it.

use std::sync::Arc;

use super::*;
use crate::app::screens::fleet;
use jumpdeck_fleet::event::InventoryNews;
use jumpdeck_fleet::fleet::{Environment, Fleet, Host, Jump};
use jumpdeck_fleet::names::RoleName;

/// The fleet with something changed, as an edited file says it.
fn edited(model: &Model, change: impl Fn(&mut Vec<Environment>)) -> Arc<Fleet> {
    let mut environments: Vec<Environment> =
        model.fleet.environments.iter().map(|env| Environment::clone(env)).collect();
    change(&mut environments);
    Arc::new(Fleet { environments: environments.into_iter().map(Arc::new).collect(), simulated: false })
}

fn read(model: &mut Model, fleet: &Arc<Fleet>) -> Vec<AppEffect> {
    let effects = update(model, Msg::Fleet(FleetEvent::Inventory(InventoryNews::Read(fleet.clone()))));
    frame(model);
    effects
}

fn change_host(env: &mut Environment, name: &str, change: impl Fn(&mut Host)) {
    let host = env.hosts.iter_mut().find(|host| host.id.host.as_str() == name).unwrap();
    change(Arc::make_mut(host));
}

fn notice(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |(text, _)| text)
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// Every host has reported, three times.
fn watched() -> Model {
    let mut model = model();
    jump_up(&mut model, "production");
    for load in [0.1, 0.2, 0.3] {
        for host in ["app1", "app2", "db1-masterdb", "db2"] {
            report(&mut model, "production", host, load);
        }
        pass(&mut model, Duration::from_secs(5));
    }
    frame(&mut model);
    model
}

#[test]
fn a_role_that_moves_is_told_and_takes_no_figures() {
    let mut model = watched();
    let fleet = edited(&model, |envs| {
        change_host(&mut envs[0], "db2", |host| host.roles.push(role("masterdb")));
        change_host(&mut envs[0], "db1-masterdb", |host| host.roles.retain(|r| r.as_str() != "masterdb"));
        let mut new = Host::clone(&envs[0].hosts[0]);
        (new.id.host, new.address) = (host_name("app3"), "10.0.0.9".to_owned());
        envs[0].hosts.insert(0, Arc::new(new));
    });
    let before = model.environments[0].host(&host_name("db2")).unwrap().1.clone();
    let effects = read(&mut model, &fleet);
    assert_eq!(effects[0], AppEffect::UseInventory(fleet));
    assert!(notice(&model).contains("db2 is now masterdb"), "{}", notice(&model));
    assert!(notice(&model).contains("db1-masterdb is no longer masterdb"), "{}", notice(&model));
    assert!(notice(&model).contains("1 host added (app3)"), "{}", notice(&model));
    let env = &model.environments[0];
    let (spec, after) = env.host(&host_name("db2")).unwrap();
    assert!(spec.has_role("masterdb"));
    assert!(Arc::ptr_eq(after, &before), "its figures are those of before");
    assert_eq!(env.history[&host_name("db2")].load.iter().count(), 3);
    let standing = env.roles.iter().find(|standing| standing.role.as_str() == "masterdb").unwrap();
    let having: Vec<_> = standing.hosts.iter().chain(&standing.unknown).cloned().collect();
    assert_eq!(having, [host_name("db2")]);
    // Its news arrives at its own row.
    report(&mut model, "production", "app3", 9.0);
    report(&mut model, "production", "db2", 0.7);
    assert_eq!(
        model.environments[0].host(&host_name("db2")).unwrap().1.facts.load.current().unwrap().one,
        0.7
    );
}

#[test]
fn a_host_with_another_address_loses_the_figures_of_the_machine_before() {
    let mut model = watched();
    let fleet =
        edited(&model, |envs| change_host(&mut envs[0], "app1", |host| host.address = "10.9.9.9".into()));
    read(&mut model, &fleet);
    assert!(notice(&model).contains("1 host changed (app1)"), "{}", notice(&model));
    let env = &model.environments[0];
    let (_, snapshot) = env.host(&host_name("app1")).unwrap();
    assert_eq!((snapshot.reported_at, snapshot.link.state), (None, LinkState::Pending));
    assert!(!env.history.contains_key(&host_name("app1")));
    assert!(env.host(&host_name("app2")).unwrap().1.reported_at.is_some());
}

#[test]
fn a_host_that_is_gone_leaves_its_page_and_its_row() {
    let mut model = watched();
    model.screens.push(Screen::Host(host_name("app2")));
    let fleet = edited(&model, |envs| envs[0].hosts.retain(|host| host.id.host.as_str() != "app2"));
    read(&mut model, &fleet);
    assert_eq!(model.screens, [Screen::Fleet]);
    assert_eq!(names(&model).len(), 3);
    assert!(notice(&model).contains("1 host removed (app2)"), "{}", notice(&model));
    // Late messages of an actor that has ended are dropped.
    let late = {
        let mut snapshot = jumpdeck_fleet::snapshot::HostSnapshot::clone(&model.environments[0].hosts[0]);
        snapshot.id.host = host_name("app2");
        Arc::new(snapshot)
    };
    update(&mut model, Msg::Fleet(FleetEvent::Host(late)));
    assert_eq!(names(&model).len(), 3);
}

#[test]
fn environments_move_with_what_belongs_to_them() {
    let mut model = watched();
    model.filter_mut().unwrap().text = "db".into();
    let fleet = edited(&model, |envs| envs.reverse());
    let effects = read(&mut model, &fleet);
    assert_eq!(model.shown().unwrap().spec.name, env_name("production"));
    assert_eq!(model.filter_of(&fleet::WORDS).text.as_str(), "db");
    assert!(effects.contains(&AppEffect::Activate(env_name("production"))));
    // The one shown is gone: another is shown, and asked; nothing that was begun for the old one ends up there.
    acts(&mut model, &[Action::Arm]);
    assert_eq!(model.runs.dialogs.len(), 1);
    let fleet = edited(&model, |envs| envs.retain(|env| env.name.as_str() == "staging"));
    let effects = read(&mut model, &fleet);
    assert_eq!(model.shown().unwrap().spec.name, env_name("staging"));
    assert!(effects.contains(&AppEffect::Activate(env_name("staging"))));
    assert!(model.runs.dialogs.is_empty());
    assert!(notice(&model).contains("environment gone production"), "{}", notice(&model));
}

fn armed() -> Model {
    let mut model = watched();
    super::super::arming::arm(&mut model, "maintenance", Duration::from_secs(600));
    assert!(model.is_armed(&env_name("production")));
    model
}

#[test]
fn another_way_or_another_login_disarms() {
    type Change = fn(&mut Vec<Environment>);
    let disarming: [(&str, Change); 5] = [
        ("another jump box", |envs| match &mut envs[0].jump {
            Jump::Remote(jump) => jump.address = "192.0.2.9".into(),
            Jump::Local { .. } => unreachable!(),
        }),
        ("another user of the jump box", |envs| match &mut envs[0].jump {
            Jump::Remote(jump) => Arc::make_mut(&mut jump.access).user = "root".into(),
            Jump::Local { .. } => unreachable!(),
        }),
        ("another user of a host", |envs| {
            change_host(&mut envs[0], "db2", |host| Arc::make_mut(&mut host.access).user = "root".into());
        }),
        ("weaker confirmations", |envs| envs[0].signatures = jumpdeck_fleet::fleet::Signatures::Required),
        ("gone", |envs| {
            envs.remove(0);
        }),
    ];
    for (what, change) in disarming {
        let mut model = armed();
        let fleet = edited(&model, change);
        read(&mut model, &fleet);
        assert!(model.runs.armed.is_none(), "{what}");
        assert!(notice(&model).starts_with("production is read-only again: "), "{what}: {}", notice(&model));
    }
    let staying: [(&str, Change); 3] = [
        ("a role", |envs| change_host(&mut envs[0], "db2", |host| host.roles.clear())),
        ("another environment's jump box", |envs| match &mut envs[1].jump {
            Jump::Remote(jump) => jump.address = "192.0.2.9".into(),
            Jump::Local { .. } => unreachable!(),
        }),
        ("a host less", |envs| {
            envs[0].hosts.pop();
        }),
    ];
    for (what, change) in staying {
        let mut model = armed();
        let fleet = edited(&model, change);
        read(&mut model, &fleet);
        assert!(model.is_armed(&env_name("production")), "{what}");
    }
}

#[test]
fn what_cannot_be_used_is_said_until_it_can() {
    let mut model = watched();
    let refused = InventoryNews::Refused("inventory.toml:3:1: unknown key".into());
    update(&mut model, Msg::Fleet(FleetEvent::Inventory(refused)));
    pass(&mut model, Duration::from_secs(3600));
    assert!(model.inventory_refused.is_some());
    assert_eq!(names(&model).len(), 4, "the one of before stays in force");
    let fleet = model.fleet.clone();
    read(&mut model, &fleet);
    assert!(model.inventory_refused.is_none());
    assert!(notice(&model).contains("no change of hosts or settings"), "{}", notice(&model));
}
