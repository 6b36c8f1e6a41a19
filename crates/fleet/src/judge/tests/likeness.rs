//! Hosts that are alike, and in what others differ.

use super::*;
use crate::judge::likeness::{Likeness, Unlike, likeness, short_names};

fn of(world: &World, host: &str) -> Result<Likeness, Unlike> {
    let situation = world.situation(NOW);
    let problems = judge(&situation).problems;
    let at = world.hosts.iter().position(|one| one.id.host.as_str() == host).unwrap();
    let concern: Vec<&Problem> = problems.iter().filter(|p| p.concerns(&world.hosts[at].id.host)).collect();
    likeness(&situation, &world.env.hosts[at], &world.hosts[at], &concern)
}

fn differences(world: &World, one: &str, other: &str) -> Vec<String> {
    of(world, one).unwrap().differences(&of(world, other).unwrap())
}

#[test]
fn hosts_of_one_role_are_alike_whatever_their_figures_are_within_their_band() {
    let mut w = world(&["app1", "app2", "db2", "db3"]);
    w.change("app2", |h| {
        h.facts.load.learn(load(1.9, 0.7, Some(2)), NOW);
        h.facts.filesystems.learn(vec![filesystem("/", 79)], NOW);
        h.facts.uptime.learn(Duration::from_secs(60), NOW);
    });
    w.database("db3", |s| s.connections.as_mut().unwrap()[0].seconds_behind = Some(3));
    assert_eq!(of(&w, "app1"), of(&w, "app2"));
    assert_eq!(differences(&w, "db2", "db3"), Vec::<String>::new());
    assert_ne!(of(&w, "app1"), of(&w, "db2"));
}

#[test]
fn a_figure_that_leaves_its_band_and_another_role_are_differences() {
    let mut w = world(&["db1-masterdb", "db2", "db3", "db4"]);
    w.database("db3", |s| s.connections.as_mut().unwrap()[0].seconds_behind = Some(4711));
    w.change("db4", |h| {
        h.facts.filesystems.learn(vec![filesystem("/", 99)], NOW);
        h.facts.os.learn(Os { pretty: "x".into(), release: "debian 7".into(), kernel: None }, NOW);
        let roles = vec![RoleName::new("db").unwrap(), RoleName::new("backup").unwrap()];
        let grains = Grains { level: Some("production".into()), roles: Some(roles), ..Grains::default() };
        h.facts.grains.learn(grains, NOW);
    });
    assert_eq!(differences(&w, "db2", "db3"), ["lag"]);
    let found = differences(&w, "db2", "db4");
    assert_eq!(found.first().map(String::as_str), Some("role"));
    assert!(found.contains(&"disk".to_owned()) && found.contains(&"OS".to_owned()), "{found:?}");
}

#[test]
fn a_host_of_which_something_is_unknown_is_like_no_other() {
    let mut w = world(&["app1", "app2"]);
    assert!(of(&w, "app1").is_ok());
    w.change("app1", |h| h.facts.load.miss(Gap::TimedOut));
    assert_eq!(of(&w, "app1"), Err(Unlike::Unknown));
    w.change("app1", |h| *h = healthy(&Arc::new(w_spec("app1")), 0));
    w.change("app1", |h| h.reported_at = Some(Moment(NOW.0 - 14_000)));
    assert_eq!(of(&w, "app1"), Err(Unlike::Old));
    w.change("app1", |h| h.link.state = LinkState::TimedOut);
    assert_eq!(of(&w, "app1"), Err(Unlike::Silent(LinkState::TimedOut)));
    w.jump.link.state = LinkState::Unreachable;
    assert_eq!(of(&w, "app2"), Err(Unlike::JumpDown));
}

fn w_spec(name: &str) -> Host {
    world(&[name]).env.hosts[0].as_ref().clone()
}

/// Every question without an answer keeps a host out of every group.
#[test]
fn no_gap_is_alike() {
    let has_none = |name: &&str| *name == unknowns::SERVICES;
    for (name, miss) in unknowns::misses().into_iter().filter(|(name, _)| !has_none(name)) {
        for gap in unknowns::gaps() {
            let mut w = world(&["app1", "app2"]);
            w.change("app1", |h| miss(&mut h.facts, &gap, true));
            // A host without grains is what the inventory says.
            if (name, &gap) != ("grains", &Gap::NotInstalled) {
                assert_eq!(of(&w, "app1"), Err(Unlike::Unknown), "{name}: {gap:?}");
            }
        }
    }
}

#[test]
fn names_are_said_in_few_letters() {
    let short = |names: &[&str]| {
        let names: Vec<HostName> = names.iter().map(|name| HostName::new(name).unwrap()).collect();
        short_names(&names.iter().collect::<Vec<_>>())
    };
    assert_eq!(short(&["app1", "app10", "app2", "app3"]), "app1..app3, app10");
    assert_eq!(short(&["db2", "db3"]), "db2, db3");
    assert_eq!(short(&["app08", "app09", "app10", "app11", "app12"]), "app10..app12, app08, app09");
    assert_eq!(
        short(&["web-b", "web-a", "app18446744073709551615"]),
        "app18446744073709551615, web-a, web-b"
    );
    assert_eq!(short(&[]), "");
}
