//! The probe of a Ceph cluster under every shell, with a client and files of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;

use super::bench::{ServiceBench, as_nobody};
use crate::support::shell::{host, script, shells_here};

const NAME: &str = "ceph-health";
const SECTION: &str = "ceph_health";
const CLIENT: &str = r#"here=${0%/*}
echo "$*" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
if [ -e "$here/down" ]; then echo '[errno 110] RADOS timed out (error connecting to the cluster)' >&2; exit 1; fi
echo '{"status":"HEALTH_WARN","checks":{"OSD_DOWN":{"severity":"HEALTH_WARN","summary":{"message":"1 osds down","count":1},"muted":false}},"mutes":[]}'"#;

#[test]
fn every_shell_asks_where_there_is_a_key_and_not_at_once() {
    for shell in shells_here() {
        let change = |program: String, here: &str| {
            for text in ["ceph_health_wait=19", "ceph_health_wait=3", "ceph_health_at=$jd_up"] {
                assert!(program.contains(text), "{text}");
            }
            // Its answer is 50 s older than it is.
            program
                .replace("ceph_health_wait=19", "ceph_health_wait=0")
                .replace("ceph_health_wait=3", "ceph_health_wait=1")
                .replace("ceph_health_at=$jd_up", "ceph_health_at=$((jd_up - 5000))")
                .replace("/etc/ceph/", &format!("{here}/etc-ceph/"))
        };
        let prepare = |dir: &Path| script(dir, "ceph", CLIENT);
        let mut bench = ServiceBench::start(shell, (&host("app1"), SECTION), prepare, change);
        bench.says("etc-ceph/ceph.conf", "[global]\n");
        (0..2).for_each(|_| drop(bench.it.poll(&[SECTION])));
        assert!(
            bench.it.facts.services.get(NAME).is_none() && bench.asked().is_empty(),
            "{shell:?}: it has no key"
        );

        bench.says("etc-ceph/ceph.client.admin.keyring", "[client.admin]\n");
        bench.it.poll(&[SECTION]);
        assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}: not at once");
        let found = bench.poll_of(NAME).unwrap();
        assert_eq!(found.text("warnings"), Some("OSD_DOWN (1 osds down)"), "{shell:?}");
        assert_eq!(bench.asked(), ["--connect-timeout 3 health --format json"], "{shell:?}");

        // After a failure it is asked again sooner; until then what it said is kept, and how old that is.
        bench.says("down", "");
        for asked in [2, 2, 3] {
            let found = bench.poll_of(NAME).unwrap();
            assert!(
                matches!(&*found.gaps, [("health", Gap::Failed(why))] if why.as_str().contains("RADOS timed out")),
                "{shell:?}: {found:?}"
            );
            assert!(found.amount("age").is_some_and(|age| (50..80).contains(&age)), "{shell:?}: {found:?}");
            assert_eq!(bench.asked().len(), asked, "{shell:?}");
        }
        bench.says("hangs", "");
        drop(bench.poll_of(NAME));
        let (_, took) = bench.it.poll(&[SECTION, "uptime"]);
        assert_eq!(*bench.known(NAME).unwrap().gaps, [("health", Gap::TimedOut)], "{shell:?}");
        assert!(took.as_secs() < 8, "{shell:?}: {took:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// The files of `ceph` may be closed to other accounts: with `sudo = true` it is enough that they are there, else nobody knows.
#[test]
fn a_closed_configuration_is_asked_by_sudo_or_unknown() {
    for shell in shells_here() {
        let nobody = as_nobody();
        let nobody: Vec<&str> = nobody.iter().map(String::as_str).chain(shell.iter().copied()).collect();
        for sudo in [true, false] {
            let change = |program: String, here: &str| {
                program
                    .replace("ceph_health_wait=1 ", "ceph_health_wait=0 ")
                    .replace("/etc/ceph/", &format!("{here}/etc-ceph/"))
            };
            let prepare = |dir: &Path| {
                script(dir, "ceph", CLIENT);
                script(dir, "sudo", "shift; exec \"$@\"");
                fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
                fs::create_dir_all(dir.join("etc-ceph")).unwrap();
                for file in ["ceph.conf", "ceph.client.admin.keyring"] {
                    let path = dir.join("etc-ceph").join(file);
                    fs::write(&path, "[global]\n").unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
                }
            };
            let host = Host { sudo, ..host("app1") };
            let mut bench = ServiceBench::start(&nobody, (&host, SECTION), prepare, change);
            bench.it.poll(&[SECTION]);
            let gaps = bench.known(NAME).unwrap().gaps;
            let advised = |why: &str| why.contains("etc-ceph/ceph.conf: set sudo = true");
            let refused = matches!(&*gaps, [("health", Gap::NotPermitted(why))] if advised(why.as_str()));
            assert_eq!((refused, bench.asked().is_empty()), (!sudo, !sudo), "{shell:?}: {gaps:?}");
        }
    }
}
