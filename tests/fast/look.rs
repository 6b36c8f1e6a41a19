//! `jumpdeck look` as people and scripts meet it: the built program, on the simulated fleet and on a real sshd.

use serde_json::Value;

use crate::exec::{Ran, command, ran};

fn look(arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    ran(command(home.path(), &[&["look", "--demo"], arguments].concat()))
}

fn document(arguments: &[&str]) -> Value {
    let ran = look(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn processes_are_those_of_the_host_with_what_they_use_now() {
    let found = document(&["db2", "processes", "--env", "production"]);
    assert_eq!(
        (&found["schema"], &found["host"], &found["simulated"]),
        (&1.into(), &"db2".into(), &true.into())
    );
    let listed = found["processes"]["listed"].as_array().unwrap();
    assert_eq!(found["processes"]["count"], listed.len());
    let sql = listed.iter().find(|one| one["name"] == "mysqld").unwrap();
    assert_eq!(sql["user"], "mysql");
    assert!(sql["memory_kb"].as_u64().unwrap() > 1000 && sql["age_s"].as_u64().unwrap() > 0, "{sql}");
    assert!(sql["cpu_percent"].as_f64().is_some(), "asked twice: {sql}");
    assert!(listed.iter().all(|one| one.get("arguments").is_none()));
}

#[test]
fn ports_are_those_of_the_services_that_run_there() {
    let found = document(&["salt", "ports", "-e", "production"]);
    let ports = found["ports"].as_array().unwrap();
    let port = |number: u64, protocol: &str| {
        ports.iter().find(|one| one["port"] == number && one["protocol"] == protocol)
    };
    for (number, protocol) in [(22, "tcp"), (4505, "tcp"), (4506, "tcp"), (53, "udp")] {
        assert!(port(number, protocol).is_some(), "{number}/{protocol}: {ports:?}");
    }
    assert!(port(3306, "tcp").is_none(), "no database runs there");
    assert_eq!(port(53, "udp").unwrap()["waiting"], Value::Null);
}

#[test]
fn mounts_have_the_room_that_df_says() {
    let found = document(&["backup", "mounts", "-e", "production"]);
    let mounts = found["mounts"].as_array().unwrap();
    let root = mounts.iter().find(|one| one["mount"] == "/").unwrap();
    assert_eq!((&root["room"], &root["read_only"]), (&"known".into(), &false.into()));
    assert!(root["use_percent"].as_u64().unwrap() > 0 && root["size_kb"].as_u64().unwrap() > 1000, "{root}");
    let pseudo = mounts.iter().find(|one| one["fstype"] == "proc");
    assert!(pseudo.is_none_or(|one| one["room"] == "not_asked" && one["size_kb"].is_null()));
}

#[test]
fn a_table_for_people_names_the_host_and_the_count() {
    let ran = look(&["app1", "processes", "--env", "production"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let head = ran.out.lines().next().unwrap();
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["CPU", "MEMORY", "USER", "PID", "TIME", "STATE", "NAME"]
    );
    assert!(ran.out.contains("apache2") && ran.out.contains("www-data"), "{}", ran.out);
    let last = ran.out.lines().last().unwrap();
    assert!(last.starts_with("SIMULATED app1 (production): ") && last.ends_with(" processes"), "{last}");
}

#[test]
fn one_host_is_looked_at() {
    for (arguments, says) in [
        (&["nosuch", "ports"][..], "no host \"nosuch\""),
        (&["role:app", "ports", "-e", "production"], "name one"),
        (&["app1", "everything"], "possible values: processes, ports, mounts"),
    ] {
        let ran = look(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}
