//! Levels and roles against the inventory and the requirements.

use super::*;

#[test]
fn levels_and_roles_are_compared_with_the_inventory() {
    let grains = |level: Option<&str>, roles: Option<&[&str]>| Grains {
        level: level.map(Clean::new),
        roles: roles.map(|r| r.iter().map(|r| RoleName::new(r).unwrap()).collect()),
        odd_roles: vec![],
    };
    for (grains, want) in [
        (grains(Some("production"), Some(&["app"])), vec![]),
        (grains(Some("staging"), None), vec!["critical level app1"]),
        (grains(None, None), vec!["warning level app1"]),
        (grains(Some("production"), Some(&["blog"])), vec!["warning roles_differ app1"]),
    ] {
        let mut w = trio();
        w.change("app1", |h| h.facts.grains.learn(grains, NOW));
        assert_eq!(brief(&w.judge()), want);
    }
}

#[test]
fn role_requirements_count_what_answers_and_wait_for_what_does_not() {
    let mut w = world(&["memcache1", "memcache2"]);
    w.env.requirements = vec![Requirement {
        built_in: false,
        role: RoleName::new("memcache").unwrap(),
        at_least: 2,
        at_most: None,
        implies: vec![],
    }];
    let state = |w: &World| judge(&w.situation(NOW)).roles[0].state;
    assert_eq!(state(&w), roles::RoleState::Ok);
    w.change("memcache2", |h| h.link.state = LinkState::TimedOut);
    assert_eq!(state(&w), roles::RoleState::Unknown);
    assert_eq!(brief(&w.judge()), ["critical host_down memcache2"]);

    let mut w = world(&["app1"]);
    w.env.requirements =
        default_requirements().into_iter().map(|r| Requirement { built_in: false, ..r }).collect();
    let problems = brief(&w.judge());
    assert_eq!(problems.len(), 10, "{problems:?}");
    assert!(problems.iter().all(|p| p == "critical role_count -"));
}

/// Console, 8: built-in requirements hold where the inventory has the role, and nothing is missed before anybody looked.
#[test]
fn roles_that_nobody_wrote_down_are_not_missed() {
    let mut w = world(&["app1", "memcache1"]);
    w.env.requirements = default_requirements();
    assert_eq!(brief(&w.judge()), ["warning role_count -"], "memcache: two are required");

    w.env.requirements =
        default_requirements().into_iter().map(|r| Requirement { built_in: false, ..r }).collect();
    for host in ["app1", "memcache1"] {
        w.change(host, |h| {
            h.reported_at = None;
            h.link.state = LinkState::Pending;
        });
    }
    assert!(brief(&w.judge()).iter().all(|p| !p.contains("role_count")), "{:?}", w.judge());
}

#[test]
fn a_masterdb_must_be_a_db_and_there_is_one() {
    let mut w = world(&["db1-masterdb", "db2-masterdb"]);
    w.env.requirements =
        default_requirements().into_iter().filter(|r| r.role.as_str() == "masterdb").collect();
    assert!(brief(&w.judge()).contains(&"critical role_count -".to_owned()));

    let mut w = world(&["x1-masterdb"]);
    w.env.requirements =
        default_requirements().into_iter().filter(|r| r.role.as_str() == "masterdb").collect();
    assert_eq!(
        brief(&w.judge()),
        [
            "critical role_implies x1-masterdb",
            "unknown replication x1-masterdb",
            "unknown writable_masters -"
        ],
        "and no database was found on it"
    );
}
