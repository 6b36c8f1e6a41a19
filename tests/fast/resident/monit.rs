//! The probe of Monit under every shell, with a program and a process table of the test's own.

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::Service;

use super::bench::{ServiceBench, bar};
use crate::support::shell::{host, script, shells_here};

fn start(shell: &[&str], host: &Host, installed: bool) -> ServiceBench {
    let prepare = move |dir: &std::path::Path| {
        if installed {
            script(dir, "monit", "echo \"$@\" >> \"${0%/*}/asked\"");
        }
        // Who asks the daemon is none.
        super::process(dir, "70", "monit", "/usr/bin/monit\0summary\0");
    };
    ServiceBench::start(shell, (host, "monit"), prepare, |program, _| program)
}

#[test]
fn every_shell_sees_its_daemon_stop_and_start_without_running_it() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"), true);
        let stopped = bench.poll().unwrap();
        assert_eq!(
            (stopped.running, stopped.detail.as_str()),
            (false, "no process of its daemon runs"),
            "{shell:?}"
        );
        bench.runs("77", "monit", "/usr/bin/monit\0-c\0/etc/monit/monitrc\0");
        for _ in 0..2 {
            let runs = bench.poll().unwrap();
            assert_eq!((runs.running, runs.detail.as_str()), (true, "process 77"), "{shell:?}");
        }
        // It is never run: whether this account may, does not matter.
        bar(&bench.path().join("monit"));
        assert!(bench.poll().unwrap().running, "{shell:?}");
        bench.ends(&["77"]);
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        assert_eq!(bench.asked(), [] as [&str; 0], "{shell:?}: it is never run");
    }
}

#[test]
fn where_it_is_not_installed_nothing_is_said_and_where_processes_are_hidden_nobody_knows() {
    for shell in shells_here() {
        let mut none = start(shell, &host("app1"), false);
        none.it.poll(&["monit"]);
        assert!(none.it.facts.services.get("monit").is_none(), "{shell:?}");
        let nobody_sees = |service: Service| {
            service.running && matches!(&*service.gaps, [("daemon", Gap::NotPermitted(_))])
        };
        let never = |dir: &std::path::Path| {
            script(dir, "monit", "exit 9");
            std::fs::remove_dir_all(dir.join("1")).unwrap();
        };
        let mut never = ServiceBench::start(shell, (&host("app1"), "monit"), never, |program, _| program);
        assert!(nobody_sees(never.poll().unwrap()), "{shell:?}: it was never seen");
        let mut hidden = start(shell, &host("app1"), true);
        hidden.runs("77", "monit", "/usr/bin/monit\0");
        assert!(hidden.poll().unwrap().running, "{shell:?}");
        hidden.ends(&["1", "77"]);
        assert!(nobody_sees(hidden.poll().unwrap()), "{shell:?}");
    }
}
