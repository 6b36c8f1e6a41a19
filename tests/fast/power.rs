//! `jumpdeck power` as people and scripts meet it: on the simulated fleet, and on real sshds whose jump box has a client of the cloud that
//! answers, fails, hangs or lies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::exec::{Ran, Site, command, ran};

const TABLE: &str = "\
+------------------------+--------------------------------------+
| Property               | Value                                |
+------------------------+--------------------------------------+
| OS-EXT-STS:power_state | 4                                    |
| OS-EXT-STS:task_state  | -                                    |
| id                     | 5f2b4c1e-8a55-4c0e-9a3e-0d7f7d9d1a01 |
| lan network            | 127.0.0.1                            |
| status                 | SHUTOFF                              |
| updated                | 2015-03-01T10:00:40Z                 |
+------------------------+--------------------------------------+
";

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err))
}

fn power(arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    ran(command(home.path(), &[&["power"], arguments].concat()))
}

/// A site whose jump boxes have a `nova` that is this script.
fn with_nova(site: &Site, script: &str) {
    let bin = site.path("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("nova"), format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(bin.join("nova"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn asked(site: &Site, arguments: &[&str]) -> Ran {
    let inventory = site.path("inventory.toml");
    let own = ["power", "one", "--inventory", inventory.to_str().unwrap()];
    let command: Command = command(site.dir.path(), &[&own, arguments].concat());
    ran(command)
}

#[test]
fn the_simulated_cloud_answers() {
    let text = power(&["app1", "--demo", "--console-log", "3"]);
    assert_eq!(text.code, Some(0), "{}{}", text.out, text.err);
    assert!(
        text.out.starts_with("SIMULATED production app1: ACTIVE, running (by nova on salt)\n"),
        "{}",
        text.out
    );
    assert!(text.out.contains("\n  | app1 login: \n"), "{}", text.out);
    let json = power(&["--demo", "db2", "--env", "staging", "--format", "json", "--console-log", "0"]);
    let found = document(&json);
    assert_eq!((&found["answer"], &found["server"]["status"]), (&"server".into(), &"ACTIVE".into()));
    assert_eq!((&found["environment"], &found["asked_on"]), (&"staging".into(), &"salt".into()));
    assert!(found["console_log"].is_null() && found["simulated"] == true, "{found}");
    for (arguments, code, says) in [
        (&["--demo", "role:db"][..], 2, "one host is asked about"),
        (&["--demo", "nosuch"], 2, "no host \"nosuch\""),
        (&["--demo", "app1", "--console-log", "1001"], 2, "1001"),
    ] {
        let refused = power(arguments);
        assert_eq!(refused.code, Some(code), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains(says) && refused.out.is_empty(), "{arguments:?}: {}", refused.err);
    }
}

/// The host is dead, its jump box lives; then only the second jump box does.
#[test]
fn a_silent_host_is_looked_at_through_whichever_jump_box_lives() {
    let Some(mut site) = Site::new("") else { return };
    let mut second = site.with_second_jump();
    with_nova(
        &site,
        &format!(
            "case $1 in show) cat <<'E'\n{TABLE}E\n;;\nconsole-log) printf 'old\\n\\033[31mpanic\\033[0m: \\033]0;x\\007 %s\\n' \"$*\" ;; esac"
        ),
    );
    for host in &mut site.hosts {
        host.child.kill().unwrap();
        host.child.wait().unwrap();
    }
    let first = asked(&site, &["--console-log", "1"]);
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    for part in [
        "test one: SHUTOFF, shut down (by nova on gate)\n",
        "updated",
        "2015-03-01T10:00:40Z",
        "1 older line is not shown",
        "| panic: ^[]0;x^G console-log --length 1 5f2b4c1e-8a55-4c0e-9a3e-0d7f7d9d1a01\n",
        "It is switched off.",
    ] {
        assert!(first.out.contains(part), "{part}: {}", first.out);
    }
    site.jump.child.kill().unwrap();
    site.jump.child.wait().unwrap();
    let by_second = asked(&site, &["--format", "json"]);
    assert_eq!(by_second.code, Some(0), "{}{}", by_second.out, by_second.err);
    let found = document(&by_second);
    assert_eq!((&found["asked_on"], &found["server"]["power"]), (&"gw2".into(), &"shut down".into()));
    assert_eq!(found["without_answer"][0]["reason"], "no_login");
    second.child.kill().unwrap();
    second.child.wait().unwrap();
    let none = asked(&site, &["--format", "json"]);
    assert_eq!((none.code, &document(&none)["answer"]), (Some(3), &"unknown".into()), "{}", none.out);
}

#[test]
fn what_is_no_answer_is_said_as_what_it_is() {
    let Some(site) = Site::new("") else { return };
    let none = document(&asked(&site, &["--format", "json"]));
    assert_eq!(
        (&none["answer"], &none["without_answer"][0]["reason"]),
        (&"unknown".into(), &"no_client".into())
    );
    for (script, code, answer, reason, says) in [
        (
            "echo \"ERROR (CommandError): No server with a name or ID of 'one' exists.\" >&2; exit 1",
            1,
            "no_server",
            "",
            "has no server of this name",
        ),
        (
            "case $1 in list) echo '| ID | Name | Status |'; echo '| 1 | one | ACTIVE |'; echo '| 2 | one | ERROR |'; exit 0;; esac\n\
             echo \"ERROR (CommandError): Multiple server matches found for 'one', use an ID to be more specific.\" >&2; exit 1",
            1,
            "several",
            "",
            "act by UUID only",
        ),
        (
            "echo 'ERROR (CommandError): You must provide a username' >&2; exit 1",
            3,
            "unknown",
            "no_credentials",
            "credentials",
        ),
        ("echo 'ERROR: HTTP 500' >&2; exit 1", 3, "unknown", "failed", "Run the client there by hand"),
        ("kill -9 $$", 3, "unknown", "failed", "unknown"),
        ("echo '| status | ACTIVE |'", 3, "unknown", "unreadable", "nothing of this answer is used"),
    ] {
        with_nova(&site, script);
        let ran = asked(&site, &["--format", "json"]);
        let found = document(&ran);
        assert_eq!((ran.code, &found["answer"]), (Some(code), &answer.into()), "{script}: {}", ran.out);
        if reason.is_empty() {
            assert_eq!(found["without_answer"], Value::Array(Vec::new()), "{script}: {}", ran.out);
        } else {
            assert_eq!(found["without_answer"][0]["reason"], reason, "{script}: {}", ran.out);
        }
        assert!(found["next"].as_str().unwrap().contains(says), "{script}: {}", ran.out);
        if answer == "several" {
            assert_eq!(found["servers"], serde_json::json!(["1  ACTIVE", "2  ERROR"]));
        }
    }
}
