#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::programs::tests::{Shared, host, shell, world};
use crate::salt::MinionFault;

/// Production of 2015, its time running.
fn live() -> Shared {
    let world = world("wpd-2015", 0);
    world.lock().unwrap().run();
    world
}

fn on_master(world: &Shared, command: &str) -> String {
    let (out, err, _) = shell(world, "salt", command);
    assert_eq!(err, "", "{command}");
    out
}

fn asked(world: &Shared, command: &str) -> Value {
    let out = on_master(world, &format!("{command} --out=json --static"));
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{command}: {out}"))
}

fn read(world: &Shared, on: &str, path: &str) -> String {
    String::from_utf8(world.lock().unwrap().read_file(&host(on), path).unwrap()).unwrap()
}

#[test]
fn targets_are_globs_lists_grains_and_compounds() {
    let world = world("wpd-2015", 0);
    let ids = |target: &str| {
        let found = asked(&world, &format!("salt {target} grains.get id"));
        found.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("app1"), "app1");
    assert_eq!(ids("'app[12]'"), "app1 app2");
    assert_eq!(ids("-L app1,db2"), "app1 db2");
    assert_eq!(ids("-G roles:masterdb"), "db1-masterdb");
    assert_eq!(ids("-E 'app[23]$'"), "app2 app3");
    assert_eq!(ids("-C 'G@roles:db and not db2'"), "db1-masterdb");
    assert_eq!(ids("-C '( db2 or app1 ) and G@level:production'"), "app1 db2");
    let (out, _, status) = shell(&world, "salt", "salt nobody test.ping --out=json --static");
    assert!(out.starts_with("No minions matched the target"), "{out}");
    assert_eq!(status, 2);
    assert_eq!(on_master(&world, "salt app1 test.ping"), "app1:\n    True\n");
    assert_eq!(on_master(&world, "salt app1 test.ping --out=json"), "{\n    \"app1\": true\n}\n");
    let (_, err, _) = shell(&world, "app1", "salt '*' test.ping");
    assert!(err.contains("salt: command not found"), "{err}");
    let (_, err, _) = shell(&world, "salt", "sudo -u renoirb salt '*' test.ping");
    assert!(err.starts_with("Failed to authenticate!"), "{err}");
}

#[test]
fn a_pillar_change_reaches_the_files_only_through_refresh_and_states() {
    let world = live();
    let (old, new) = ("10.10.10.14", "10.10.10.15");
    assert_eq!(world.lock().unwrap().machine(&host("db1-masterdb")).unwrap().address, old);
    assert!(
        read(&world, "app1", "/etc/webplatform/db.ini").contains(&format!("\nhost = {old}\nport = 3306\n"))
    );
    assert_eq!(on_master(&world, "git -C /srv/pillar status --porcelain"), "");
    on_master(&world, &format!("sed -i 's/{old}/{new}/' /srv/pillar/infra/production.sls"));
    assert_eq!(on_master(&world, "git -C /srv/pillar status --porcelain"), " M infra/production.sls\n");
    let writes = "salt app1 pillar.get infra:db_servers:mysql:writes";
    assert_eq!(asked(&world, writes), json!({ "app1": old }), "not refreshed yet");
    let done = asked(&world, "salt app1 state.sls code");
    let ini = &done["app1"]["file_|-/etc/webplatform/db.ini_|-/etc/webplatform/db.ini_|-managed"];
    assert_eq!((&ini["result"], &ini["changes"]), (&json!(true), &json!({})), "state.sls does not refresh");
    assert_eq!(
        asked(&world, "salt -L app1,app2 saltutil.refresh_pillar"),
        json!({ "app1": true, "app2": true })
    );
    assert_eq!(asked(&world, writes), json!({ "app1": new }));
    let dry = asked(&world, "salt app1 state.sls code test=True");
    assert_eq!(
        dry["app1"].as_object().unwrap().values().filter(|state| state["result"].is_null()).count(),
        5,
        "the file, the web server that watches it, and the copies of three codes"
    );
    assert!(read(&world, "app1", "/etc/webplatform/db.ini").contains(old));
    let done = asked(&world, "salt -L app1,app2 state.sls hosts,code");
    for id in ["app1", "app2"] {
        let states = done[id].as_object().unwrap();
        assert!(states.values().all(|state| state["result"] == true), "{states:?}");
        let diff = states["file_|-/etc/hosts_|-/etc/hosts_|-managed"]["changes"]["diff"].as_str().unwrap();
        assert!(diff.contains(&format!("+{new} masterdb.production.wpdn masterdb\n")), "{diff}");
        assert!(read(&world, id, "/etc/webplatform/db.ini").contains(&format!("host = {new}\n")));
        assert!(
            read(&world, id, "/etc/hosts").contains(&format!("{new} masterdb.production.wpdn masterdb\n"))
        );
    }
    assert!(read(&world, "app3", "/etc/webplatform/db.ini").contains(old), "nobody asked it");
    // The password is in the file, and in nothing that is said.
    let password = read(&world, "app1", "/etc/webplatform/db.password");
    assert!(!done.to_string().contains(password.trim()) && password.len() > 8);
    let (_, err, _) = shell(&world, "app1", "sudo -u renoirb cat /etc/webplatform/db.password");
    assert!(err.contains("Permission denied"), "{err}");
    let missing = asked(&world, "salt app1 state.sls nothing");
    assert_eq!(missing, json!({ "app1": ["No matching sls found for 'nothing' in env 'base'"] }));
    on_master(
        &world,
        "echo '  : [' >> /srv/pillar/infra/production.sls; salt app1 saltutil.refresh_pillar >/dev/null",
    );
    let broken = asked(&world, "salt app1 state.sls code");
    assert_eq!(broken["app1"][0], "Pillar failed to render with the following messages:");
}

#[test]
fn a_highstate_runs_on_as_a_job_and_keeps_others_out() {
    let world = live();
    let said = on_master(&world, "salt --async app1 state.highstate");
    let jid = said.trim().strip_prefix("Executed command with job ID: ").unwrap().to_owned();
    assert_eq!(jid.len(), 20);
    let active = on_master(&world, "salt-run jobs.active --out=json");
    let active: Value = serde_json::from_str(&active).unwrap();
    assert_eq!(active[&jid]["Function"], "state.highstate");
    let busy = asked(&world, "salt app1 state.sls code");
    let busy = busy["app1"][0].as_str().unwrap().to_owned();
    assert!(busy.starts_with("The function \"state.highstate\" is running as PID "), "{busy}");
    assert!(busy.ends_with(&format!("with jid {jid}")), "{busy}");
    assert_eq!(
        asked(&world, &format!("salt app1 saltutil.find_job {jid}"))["app1"]["fun"],
        "state.highstate"
    );
    assert_eq!(on_master(&world, &format!("salt-run jobs.lookup_jid {jid} --out=json")), "{}\n");
    // Time passes, and nobody waits.
    world.lock().unwrap().advance(Duration::from_secs(60));
    let done = on_master(&world, &format!("salt-run jobs.lookup_jid {jid} --out=json"));
    let done: Value = serde_json::from_str(&done).unwrap();
    assert!(done["app1"].as_object().unwrap().values().all(|state| state["result"] == true), "{done}");
    assert_eq!(asked(&world, &format!("salt app1 saltutil.find_job {jid}")), json!({ "app1": {} }));
    // Killed, it never returns and the files stay.
    let said = on_master(&world, "salt --async app2 state.highstate");
    let jid = said.trim().rsplit(' ').next().unwrap().to_owned();
    let killed = asked(&world, &format!("salt app2 saltutil.kill_job {jid}"));
    assert!(killed["app2"].as_str().unwrap().starts_with("Signal 9 sent to job"), "{killed}");
    world.lock().unwrap().advance(Duration::from_secs(60));
    assert_eq!(on_master(&world, &format!("salt-run jobs.lookup_jid {jid} --out=json")), "{}\n");
    // The freeze.
    assert_eq!(asked(&world, "salt db2 state.list_disabled"), json!({ "db2": "" }));
    let frozen = asked(&world, "salt -G roles:db state.disable highstate");
    assert_eq!(frozen["db2"], json!({ "msg": "Info: highstate state disabled.", "res": true }));
    let refused = asked(&world, "salt db2 state.highstate");
    assert!(refused["db2"][0].as_str().unwrap().contains("is currently disabled"), "{refused}");
    for ask in ["state.list_disabled", "grains.get state_runs_disabled"] {
        assert_eq!(asked(&world, &format!("salt db2 {ask}")), json!({ "db2": ["highstate"] }));
    }
    asked(&world, "salt -G roles:db state.enable highstate");
    assert_eq!(asked(&world, "salt db2 state.list_disabled"), json!({ "db2": [] }));
}

#[test]
fn minions_that_are_down_or_lie_are_told_apart_from_nothing() {
    let world = live();
    {
        let mut world = world.lock().unwrap();
        world.power_off(&host("app2"));
        world.set_minion_fault(&host("app3"), Some(MinionFault::SaysDone));
        world.set_minion_fault(&host("app1-jobrunner"), Some(MinionFault::StateFails("db.ini".to_owned())));
    }
    let began = Instant::now();
    let answers = asked(&world, "salt -t 1 -G roles:app test.ping");
    assert_eq!(answers["app1"], true);
    assert_eq!(answers["app2"], "Minion did not return. [No response]");
    assert!(began.elapsed() >= Duration::from_secs(1));
    let status: Value =
        serde_json::from_str(&on_master(&world, "salt-run manage.status --out=json")).unwrap();
    assert_eq!(status["down"], json!(["app2"]));
    on_master(&world, "sed -i 's/10.10.10.14/10.10.10.15/' /srv/pillar/infra/production.sls");
    asked(&world, "salt -L app3,app1-jobrunner saltutil.refresh_pillar");
    let done = asked(&world, "salt -L app3,app1-jobrunner state.sls code");
    assert!(done["app3"].as_object().unwrap().values().all(|state| state["result"] == true));
    assert!(
        read(&world, "app3", "/etc/webplatform/db.ini").contains("10.10.10.14"),
        "it said so and did nothing"
    );
    assert!(done["app1-jobrunner"].as_object().unwrap().values().any(|state| state["result"] == false));
    assert_eq!(asked(&world, "salt app1 cmd.run 'echo a; hostname'"), json!({ "app1": "a\napp1" }));
    assert_eq!(asked(&world, "salt app1 cmd.retcode 'exit 3'"), json!({ "app1": 3 }));
    assert_eq!(asked(&world, "salt app1 service.status apache2"), json!({ "app1": true }));
}

#[test]
fn a_new_machine_waits_for_its_key_and_an_old_twin_is_denied() {
    let world = live();
    let keys = |world: &Shared| -> Value {
        serde_json::from_str(&on_master(world, "salt-key -L --out=json")).unwrap()
    };
    assert_eq!(keys(&world)["minions_pre"], json!([]));
    assert!(keys(&world)["minions"].as_array().unwrap().contains(&json!("app1")));
    let old = world.lock().unwrap().minion_fingerprint(&host("app1")).unwrap();
    let said = on_master(&world, "salt-key -y -d app1");
    assert_eq!(
        said,
        "The following keys are going to be deleted:\nAccepted Keys:\napp1\nKey for minion app1 deleted.\n"
    );
    let new = world.lock().unwrap().add_machine(&host("app1"), "10.10.10.77", &host("app1")).unwrap();
    assert_eq!(keys(&world)["minions_pre"], json!([]), "it boots");
    world.lock().unwrap().advance(Duration::from_secs(20));
    assert_eq!(keys(&world)["minions_pre"], json!(["app1"]));
    let finger: Value = serde_json::from_str(&on_master(&world, "salt-key -f app1 --out=json")).unwrap();
    let told = world.lock().unwrap().minion_fingerprint(&new).unwrap();
    assert_eq!(finger["minions_pre"]["app1"], json!(told));
    assert_ne!(told, old);
    assert!(on_master(&world, "salt-key -y -a app1").ends_with("Key for minion app1 accepted.\n"));
    // Slow at first.
    let began = Instant::now();
    assert_eq!(asked(&world, "salt app1 test.version"), json!({ "app1": "2014.7.5" }));
    assert!(began.elapsed() > Duration::from_secs(2));
    let ip = asked(&world, "salt app1 network.ip_addrs");
    assert_eq!(ip, json!({ "app1": ["10.10.10.77"] }));
    assert!(
        world.lock().unwrap().read_file(&new, "/etc/webplatform/db.ini").is_none(),
        "no state was applied"
    );
    let said = on_master(&world, "salt --async app1 state.highstate");
    world.lock().unwrap().advance(Duration::from_secs(120));
    let jid = said.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(on_master(&world, &format!("salt-run jobs.lookup_jid {jid} --out=json")).contains("db.ini"));
    assert!(world.lock().unwrap().read_file(&new, "/etc/webplatform/db.ini").is_some());
    // The old one asks again some time later.
    world.lock().unwrap().advance(Duration::from_secs(300));
    assert_eq!(keys(&world)["minions_denied"], json!(["app1"]));
    assert_eq!(
        on_master(&world, "salt-key -y -a app1"),
        "The key glob 'app1' does not match any unaccepted keys.\n"
    );
    let (out, _, _) = shell(&world, "salt", "echo n | salt-key -d app1");
    assert!(out.ends_with("Proceed? [N/y] "), "{out}");
    assert!(keys(&world)["minions"].as_array().unwrap().contains(&json!("app1")));
}

#[test]
fn roles_follow_a_grain_that_is_set() {
    let world = live();
    asked(&world, "salt db2 grains.append roles masterdb");
    asked(&world, "salt db1-masterdb grains.setval roles '[db]'");
    let found = asked(&world, "salt -G roles:masterdb grains.get level");
    assert_eq!(found, json!({ "db2": "production" }));
    let (out, _, _) = shell(&world, "db2", "salt-call --local grains.get roles --out=json");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), json!({ "local": ["db", "masterdb"] }));
    let (out, _, _) = shell(&world, "app1", "salt-call state.sls hosts --out=json");
    let states: Value = serde_json::from_str(&out).unwrap();
    assert!(states["local"].as_object().unwrap().values().all(|state| state["result"] == true));
}
