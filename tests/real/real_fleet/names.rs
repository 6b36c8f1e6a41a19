//! gdnsd on the jump box, asked through the SSH connection to it: DNS over TCP.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::Fleet;

/// What is looked at from outside, by the names of its checks, with that address expected of the database.
fn looked_at(fleet: &Fleet, address: &str) -> Vec<Value> {
    let at_jump = "servers = [\"127.0.0.1\"], from = [\"jump\"]";
    let asked = format!(
        "\n[environments.production.outside.dns]\n\
         \"masterdb.production.wpdn\" = {{ answers = [\"{address}\"], {at_jump} }}\n\
         \"mysql.production.wpdn\" = {{ type = \"CNAME\", answers = [\"Masterdb.production.wpdn.\"], {at_jump} }}\n\
         \"none.production.wpdn\" = {{ {at_jump} }}\n"
    );
    let file = fleet.dir.join("names.toml");
    fs::write(&file, fs::read_to_string(fleet.inventory()).unwrap() + &asked).unwrap();
    let program = env!("CARGO_BIN_EXE_jumpdeck");
    let out = Command::new(program)
        .args(["status", "--format", "json", "--inventory"])
        .arg(&file)
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out:?}"));
    document["outside"].as_array().unwrap().clone()
}

fn state(seen: &[Value]) -> Vec<&str> {
    seen.iter().map(|seen| seen["state"].as_str().unwrap()).collect()
}

#[test]
fn names_of_the_inside_are_asked_for_at_the_jump_box_s_name_server() {
    let Some(fleet) = Fleet::hold() else { return };
    if !fleet.verb(&["exec", "salt", "ls", "/etc"]).lines().any(|name| name == "gdnsd") {
        println!("skipped: no name server (gdnsd is not installed, or the fleet is without Salt)");
        return;
    }
    let inventory = fs::read_to_string(fleet.inventory()).unwrap();
    let database =
        inventory.lines().find_map(|line| line.strip_prefix("db1-masterdb = { address = \"")).unwrap();
    let database = database.split('"').next().unwrap();
    let seen = looked_at(&fleet, database);
    assert_eq!(state(&seen), ["ok", "ok", "critical"]);
    let reply = &seen[0]["replies"][0];
    assert_eq!((&reply["server"], &reply["ttl_seconds"]), (&Value::from("127.0.0.1"), &Value::from(60)));
    assert_eq!(seen[2]["replies"][0]["said"], "no_such_name");

    assert_eq!(state(&looked_at(&fleet, "192.0.2.66")), ["critical", "ok", "critical"]);
    let undo: [&[&str]; 1] = [&["exec", "salt", "service", "gdnsd", "start"]];
    let undo = fleet.undo(&undo);
    fleet.verb(&["exec", "salt", "service", "gdnsd", "stop"]);
    let seen = looked_at(&fleet, database);
    assert_eq!(state(&seen), ["critical"; 3]);
    assert_eq!(seen[0]["replies"][0]["said"], "failed");
    drop(undo);
    assert_eq!(state(&looked_at(&fleet, database)), ["ok", "ok", "critical"]);
}
