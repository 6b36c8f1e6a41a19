//! The probe of the cloud's servers under every shell, with a client of the test's own.

use std::path::Path;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Host, with_peers};

use super::bench::{ServiceBench, bar};
use crate::support::shell::{find, host, script, shells_here};

const SECTION: &str = "cloud_servers";
const NAME: &str = "cloud-servers";

const CLIENT: &str = r#"here=${0%/*}
echo "${0##*/} $*" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
if [ -e "$here/denied" ]; then echo 'Missing value auth-url required for auth plugin password' >&2; exit 1; fi
case "$*" in
    'floating ip list') echo '| ID | Floating IP Address | Fixed IP Address | Port |' ;;
    floatingip-list) echo '| id | fixed_ip_address | floating_ip_address | port_id |' ;;
    floating-ip-list) echo '| Id | IP | Server Id | Fixed IP | Pool |' ;;
    *) echo '| ID | Name | Status | Networks |' ;;
esac
case "$*" in
    'floating ip list') echo '| f1 | 192.0.2.1 | 10.0.0.11 | p1 |'; echo '| f2 | 192.0.2.2 | None | None |'; exit ;;
    floatingip-list) echo '| f1 | 10.0.0.11 | 192.0.2.1 | p1 |'; echo '| f2 |  | 192.0.2.2 |  |'; exit ;;
    floating-ip-list) echo '| f1 | 192.0.2.1 | s1 | 10.0.0.11 | ext |'; echo '| f2 | 192.0.2.2 | - | - | ext |'; exit ;;
esac
echo '| 1 | app1 | ACTIVE | private-network=10.0.0.11, 192.0.2.1 |'
echo '| 2 | $(reboot) | ACTIVE | private-network=10.0.0.99 |'"#;

fn start(shell: &[&str], clients: &[&str]) -> ServiceBench {
    let at = |name: &str, address: &str| Host { address: address.into(), ..host(name) }.into();
    let hosts = with_peers(vec![at("salt", "10.0.0.1"), at("app1", "10.0.0.11")]);
    let prepare = |dir: &Path| clients.iter().for_each(|client| script(dir, client, CLIENT));
    ServiceBench::start(shell, (&hosts[0], SECTION), prepare, |program, _| {
        assert!(program.contains("cloud_servers_every=19"));
        program.replace("cloud_servers_every=19", "cloud_servers_every=1")
    })
}

#[test]
fn every_shell_asks_the_client_that_is_there_and_not_at_once() {
    if ["openstack", "nova", "neutron"].iter().any(|client| find(client).is_some()) {
        eprintln!("skipped: a client of a cloud is installed");
        return;
    }
    for shell in shells_here() {
        for (clients, questions) in [
            (&["openstack", "nova"][..], ["openstack server list", "openstack floating ip list"]),
            (&["nova", "neutron"], ["nova list", "neutron floatingip-list"]),
            (&["nova"], ["nova list", "nova floating-ip-list"]),
        ] {
            let mut bench = start(shell, clients);
            assert!(bench.it.facts.services.get(NAME).is_none() && bench.asked().is_empty(), "{shell:?}");
            let found = bench.poll_of(NAME).unwrap();
            assert_eq!(found.text("unknown_names"), Some("$(reboot)"), "{shell:?}");
            assert_eq!(found.text("missing_names"), Some("salt"), "{shell:?}");
            assert!(found.reading("floating").is_none(), "{shell:?}: not asked yet");
            let found = bench.poll_of(NAME).unwrap();
            assert_eq!(found.text("unknown_names"), Some("$(reboot)"), "{shell:?}: what it said last");
            assert_eq!(
                (found.amount("floating"), found.text("unattached_addresses")),
                (Some(2), Some("192.0.2.2")),
                "{shell:?} {clients:?}: {found:?}"
            );
            assert_eq!(bench.asked(), questions, "{shell:?}");
            // Asked again, the servers of now are told with the addresses of now.
            assert_eq!(bench.poll_of(NAME).unwrap(), found, "{shell:?}");
            assert_eq!(bench.poll_of(NAME).unwrap(), found, "{shell:?}");
            assert_eq!(bench.asked().len(), 4, "{shell:?}");

            bench.says("denied", "");
            (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
            assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}: without credentials");
        }
        let mut bench = start(shell, &[]);
        (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
        assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}");
    }
}

#[test]
fn a_client_that_hangs_delays_a_report_for_a_bounded_time() {
    let mut bench = start(shells_here()[0], &["openstack"]);
    bench.says("hangs", "");
    let (_, took) = bench.it.poll(&[SECTION, "uptime"]);
    assert_eq!(bench.known(NAME), Err(Gap::TimedOut));
    assert!(took < Duration::from_secs(8), "{took:?}");
}

/// The answer is asked for every ten minutes; a report that had no time for the question does not count.
#[test]
fn what_a_report_had_no_time_for_is_asked_with_the_next() {
    for shell in shells_here() {
        let at = |name: &str, address: &str| Host { address: address.into(), ..host(name) }.into();
        let hosts = with_peers(vec![at("salt", "10.0.0.1"), at("app1", "10.0.0.11")]);
        let prepare = |dir: &Path| script(dir, "openstack", CLIENT);
        let mut bench = ServiceBench::start(shell, (&hosts[0], SECTION), prepare, super::while_late);
        bench.says("late", "");
        bench.it.poll(&[SECTION]);
        assert_eq!((bench.known(NAME), bench.asked().len()), (Err(Gap::TimedOut), 0), "{shell:?}");
        bench.forget("late");
        assert_eq!(bench.poll_of(NAME).unwrap().text("missing_names"), Some("salt"), "{shell:?}");
        assert_eq!(bench.asked().len(), 1, "{shell:?}");
    }
}

#[test]
fn a_client_that_this_account_may_not_run_is_named() {
    if ["openstack", "nova"].iter().any(|client| find(client).is_some()) {
        eprintln!("skipped: a client of a cloud is installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, &["nova"]);
        bar(&bench.path().join("nova"));
        let found = bench.poll_of(NAME);
        let path = bench.path().join("nova").display().to_string();
        let is_named = |gap: &Gap| matches!(gap, Gap::NotPermitted(why) if why.as_str().ends_with(&path));
        assert!(found.as_ref().is_err_and(is_named), "{shell:?}: {found:?}");
        assert!(bench.asked().is_empty(), "{shell:?}");
    }
}
