//! The probe of an NFS server under every shell, with files and a process table of the test's own.

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
use crate::support::shell::{host, shells_here};

const NAME: &str = "nfs-server";
const LISTENS: &str =
    "  sl  local_address rem_address   st\n   0: 00000000:0801 00000000:0000 0A 00000000:00000000\n";
const QUIET: &str =
    "  sl  local_address rem_address   st\n   0: 00000000:0016 00000000:0000 0A 00000000:00000000\n";

#[test]
fn every_shell_sees_exports_that_nobody_serves() {
    for shell in shells_here() {
        let change = |program: String, here: &str| {
            program
                .replace("/etc/exports", &format!("{here}/exports"))
                .replace("/proc/net/tcp", &format!("{here}/tcp"))
        };
        let prepare = |dir: &std::path::Path| std::fs::write(dir.join("tcp"), QUIET).unwrap();
        let mut bench = ServiceBench::start(shell, (&host("backup"), "nfs_server"), prepare, change);
        for text in ["", "# /srv 10.0.0.0/8(ro)\n\n   # none\n"] {
            bench.says("exports", text);
            bench.it.poll(&["nfs_server"]);
            assert!(bench.it.facts.services.get(NAME).is_none(), "{shell:?}: {text}");
        }
        bench.says("exports", "# snapshots\n/srv/snapshots 10.0.0.0/8(ro,sync)\n\"/srv/my dir\"\t*(ro)\n");
        let found = bench.poll_of(NAME).unwrap();
        assert_eq!((found.running, found.amount("exports")), (false, Some(2)), "{shell:?}");

        bench.says("tcp", LISTENS);
        assert!(bench.poll_of(NAME).unwrap().running, "{shell:?}: it listens");
        bench.says("tcp", QUIET);
        // A thread of the kernel has no command line.
        bench.runs("77", "nfsd", "");
        assert!(bench.poll_of(NAME).unwrap().detail.as_str().ends_with("served by the kernel"), "{shell:?}");
        bench.ends(&["77"]);
        bench.ends(&["1"]);
        let gaps = bench.poll_of(NAME).unwrap().gaps;
        assert!(matches!(*gaps, [("server", Gap::NotPermitted(_))]), "{shell:?}: {gaps:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_that_nobody_may_read_what_is_exported() {
    for shell in shells_here() {
        let change =
            |program: String, here: &str| program.replace("/etc/exports", &format!("{here}/exports"));
        // A folder is not empty, and no account reads it as a file.
        let prepare = |dir: &std::path::Path| std::fs::create_dir_all(dir.join("exports/more")).unwrap();
        let mut bench = ServiceBench::start(shell, (&host("backup"), "nfs_server"), prepare, change);
        let found = bench.poll_of(NAME).unwrap();
        assert!(matches!(*found.gaps, [("exports", Gap::NotPermitted(_))]), "{shell:?}: {found:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
