//! The probe of a Salt master's minions under every shell, with folders and a list of connections of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Host, with_peers};

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

const SECTION: &str = "salt_minions";
const NAME: &str = "salt-minions";

fn start(shell: &[&str], host: &Host, prepare: impl FnOnce(&Path)) -> ServiceBench {
    ServiceBench::start(shell, (host, SECTION), prepare, |program, here| {
        assert!(program.contains("/etc/salt/pki/master") && program.contains("/proc/net/tcp "));
        // The folder of grains is another probe's.
        let program = program.replace("/etc/salt/pki", &format!("{here}/pki"));
        program
            .replace("in /etc/salt ", &format!("in {here} "))
            .replace("/proc/net/tcp", &format!("{here}/tcp"))
    })
}

fn folders(dir: &Path) {
    for list in ["minions", "minions_pre", "minions_denied", "minions_rejected"] {
        fs::create_dir_all(dir.join("pki/master").join(list)).unwrap();
    }
    fs::write(dir.join("pki/master/minions/app1"), "").unwrap();
}

/// The master listens, and hosts of these last digits are connected.
fn connected(bench: &ServiceBench, digits: &[&str]) {
    let row = |n: &&str| format!("   1: 0100000A:1199 {n}00000A:D431 01 00000000:00000000\n");
    let listens = "   0: 00000000:1199 00000000:0000 0A 00000000:00000000\n";
    let other = "   1: 0100000A:0016 0200000A:D431 01 00000000:00000000\n".repeat(1000);
    bench.says("tcp", &format!("{other}{listens}{}", digits.iter().map(row).collect::<String>()));
}

/// A Salt master at 10.0.0.1, which knows app1 at 10.0.0.11 and app2 at 10.0.0.12.
fn master() -> Host {
    let at = |name: &str, address: &str| Host { address: address.into(), ..host(name) }.into();
    let hosts = with_peers(vec![at("salt", "10.0.0.1"), at("app1", "10.0.0.11"), at("app2", "10.0.0.12")]);
    hosts[0].as_ref().clone()
}

#[test]
fn every_shell_lists_the_keys_and_takes_no_name_for_a_command() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), folders);
        let well = bench.poll_of(NAME).unwrap();
        assert_eq!(well.detail.as_str(), "1 accepted, no master listens on port 4505", "{shell:?}");
        for name in ["app2", "$(reboot)", "*", "-a", "a\nb", ".hidden"] {
            bench.says(&format!("pki/master/minions_pre/{name}"), "");
        }
        bench.says("pki/master/minions_denied/app1", "");
        let waits = bench.poll_of(NAME).unwrap();
        assert_eq!((waits.amount("waiting"), waits.amount("denied")), (Some(5), Some(1)), "{shell:?}");
        let names = waits.text("waiting_names").unwrap();
        let marks = if names.contains("app2") { 3 } else { 4 };
        assert!(names.matches('?').count() == marks && names.ends_with(" and 1 more"), "{shell:?}: {names}");
        assert_eq!(waits.text("denied_names"), Some("app1"), "{shell:?}");
        (0..500).for_each(|n| bench.says(&format!("pki/master/minions_pre/m{n}"), ""));
        assert_eq!(bench.poll_of(NAME).unwrap().amount("waiting"), Some(505), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_sees_a_minion_lose_its_connection() {
    for shell in shells_here() {
        let mut bench = start(shell, &master(), |dir| {
            folders(dir);
            ["app2", "salt"]
                .iter()
                .for_each(|id| fs::write(dir.join("pki/master/minions").join(id), "").unwrap());
        });
        connected(&bench, &["01", "0B", "0C"]);
        let well = bench.poll_of(NAME).unwrap();
        assert_eq!((well.detail.as_str(), well.gaps.len()), ("3 accepted, 3 connected", 0), "{shell:?}");
        // app1 has connected twice.
        connected(&bench, &["01", "0B", "0B"]);
        let lost = bench.poll_of(NAME).unwrap();
        assert_eq!(lost.text("disconnected_names"), Some("app2"), "{shell:?}");
        connected(&bench, &[]);
        let lost = bench.poll_of(NAME).unwrap();
        assert_eq!(lost.text("disconnected_names"), Some("app1, app2, salt"), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn where_there_is_no_master_there_is_nothing_to_say() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), |_| ());
        bench.it.poll(&[SECTION]);
        assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}");
    }
}

/// One closed list is no empty one, and one that does not exist is.
#[test]
fn a_list_that_is_closed_is_not_taken_for_an_empty_one() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), folders);
        let waits = bench.path().join("pki/master/minions_pre");
        fs::remove_dir(&waits).unwrap();
        assert_eq!(bench.poll_of(NAME).unwrap().amount("waiting"), Some(0), "{shell:?}");
        fs::write(&waits, "").unwrap();
        fs::set_permissions(&waits, fs::Permissions::from_mode(0o000)).unwrap();
        let said = bench.poll_of(NAME);
        let closed = |gap: &Gap| gap.describe().contains("/minions_pre: set sudo = true");
        assert!(said.as_ref().is_err_and(closed), "{shell:?}: {said:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// The folders are closed (root reads them all the same, so a file stands in for one).
#[test]
fn folders_that_are_closed_are_listed_by_root_or_said_to_be_closed() {
    let closed = |dir: &Path| {
        folders(dir);
        fs::write(dir.join("pki/master/minions_pre/app2"), "").unwrap();
        fs::rename(dir.join("pki/master"), dir.join("pki/hidden")).unwrap();
        fs::write(dir.join("pki/master"), "").unwrap();
        fs::set_permissions(dir.join("pki/master"), fs::Permissions::from_mode(0o000)).unwrap();
        let swap = "d=${0%/*}/pki; rm -f $d/master; ln -s hidden $d/master; shift; \"$@\"; s=$?; rm $d/master; : > $d/master; exit $s";
        script(dir, "sudo", swap);
    };
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), closed);
        assert!(matches!(bench.poll_of(NAME), Err(Gap::NotPermitted(_))), "{shell:?}");
        let mut bench = start(shell, &Host { sudo: true, ..host("salt") }, closed);
        assert_eq!(bench.poll_of(NAME).unwrap().text("waiting_names"), Some("app2"), "{shell:?}");
        // sudo wants a password.
        script(bench.path(), "sudo", "echo 'sudo: a password is required' >&2; exit 1");
        assert!(matches!(bench.poll_of(NAME), Err(Gap::NotPermitted(_))), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
