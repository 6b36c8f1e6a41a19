//! The probe of a Ceph cluster under every shell, with a client and files of the test's own.

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
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
            assert!(program.contains("ceph_health_wait=19"));
            program
                .replace("ceph_health_wait=19", "ceph_health_wait=0")
                .replace("/etc/ceph/", &format!("{here}/etc-ceph/"))
        };
        let prepare = |dir: &std::path::Path| script(dir, "ceph", CLIENT);
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

        bench.says("down", "");
        let gaps = bench.poll_of(NAME).unwrap().gaps;
        assert!(
            matches!(&*gaps, [("health", Gap::Failed(why))] if why.as_str().contains("RADOS timed out")),
            "{shell:?}: {gaps:?}"
        );
        bench.says("hangs", "");
        let (_, took) = bench.it.poll(&[SECTION, "uptime"]);
        assert_eq!(*bench.known(NAME).unwrap().gaps, [("health", Gap::TimedOut)], "{shell:?}");
        assert!(took.as_secs() < 8, "{shell:?}: {took:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
