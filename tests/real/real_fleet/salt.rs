//! A real Salt master: its keys, who is connected to it, and its git trees.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Fleet, host};

const FAULTS: &str =
    "touch /etc/salt/pki/master/minions_pre/stranger && echo '# by hand' >>/srv/pillar/top.sls";
const MENDED: &str =
    "rm -f /etc/salt/pki/master/minions_pre/stranger; git -C /srv/pillar checkout -q -- top.sls";

/// State, detail and errors of a service of the Salt master.
fn service(document: &Value, name: &str) -> (String, String, Vec<String>) {
    let services = host(document, "salt")["services"].as_array().unwrap();
    let found =
        services.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("no {name}: {services:?}"));
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let problems = host(document, "salt")["problems"].as_array().unwrap();
    let own = problems.iter().filter(|p| p["service"] == name);
    (text("state"), text("detail"), own.map(|p| p["message"].as_str().unwrap().to_owned()).collect())
}

/// Asks until a service of the Salt master says that: a minion needs a while to leave or to come back.
fn until(fleet: &Fleet, name: &str, detail: &str) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let (document, _) = fleet.status();
        let (state, said, problems) = service(&document, name);
        if said == detail {
            println!("{name} {state}: {said} {problems:?}");
            return problems;
        }
        assert!(Instant::now() < end, "{name} {state}: {said}, not {detail}");
    }
}

#[test]
fn a_minion_that_stopped_a_key_that_waits_and_a_dirty_tree_are_named() {
    let Some(fleet) = Fleet::hold() else { return };
    fleet.verb(&["salt", "up"]);
    assert_eq!(until(&fleet, "salt-minions", "6 accepted, 6 connected"), Vec::<String>::new());
    assert_eq!(until(&fleet, "code-trees", "2 git trees"), Vec::<String>::new());

    let undo: [&[&str]; 2] =
        [&["exec", "salt", "sh", "-c", MENDED], &["exec", "app1", "service", "salt-minion", "start"]];
    let undo = fleet.undo(&undo);
    fleet.verb(&["exec", "salt", "sh", "-c", FAULTS]);
    fleet.verb(&["exec", "app1", "service", "salt-minion", "stop"]);
    let problems = until(&fleet, "salt-minions", "6 accepted, 5 connected, 1 waiting");
    let starts = |words: &str| problems.iter().any(|said| said.starts_with(words));
    assert!(starts("1 minion has no connection to the Salt master: app1. "), "{problems:?}");
    assert!(starts("1 key waits to be accepted by the Salt master: stranger. "), "{problems:?}");
    let problems = until(&fleet, "code-trees", "2 git trees, 1 with uncommitted changes");
    assert!(problems[0].starts_with("Uncommitted changes in /srv/pillar (1 file). "), "{problems:?}");

    drop(undo);
    assert_eq!(until(&fleet, "salt-minions", "6 accepted, 6 connected"), Vec::<String>::new());
    assert_eq!(until(&fleet, "code-trees", "2 git trees"), Vec::<String>::new());
}
