//! The probe of units and processes under every shell, with a process table and a systemd of the test's own.

use std::path::Path;
use std::sync::Arc;

use jumpdeck_fleet::declared::DeclaredService;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

fn declared(name: &str, units: &[&str], processes: &[&str]) -> Arc<DeclaredService> {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    Arc::new(DeclaredService {
        name: name.to_owned(),
        roles: Vec::new(),
        units: owned(units),
        processes: owned(processes),
        ..DeclaredService::default()
    })
}

fn start(shell: &[&str], systemd: bool) -> ServiceBench {
    let services = vec![
        declared("apache", &["apache2", "httpd"], &["apache2", "httpd"]),
        declared("worker", &["worker@1"], &[]),
    ];
    start_with(shell, services, systemd)
}

fn start_with(shell: &[&str], services: Vec<Arc<DeclaredService>>, systemd: bool) -> ServiceBench {
    let prepare = |dir: &Path| {
        if systemd {
            std::fs::create_dir(dir.join("systemd")).unwrap();
        }
        let show =
            "echo x >> \"${0%/*}/asked\"\n[ ! -e \"${0%/*}/hangs\" ] || exec sleep 60\ncat \"${0%/*}/says\"";
        script(dir, "systemctl", show);
    };
    let host = Host { services, ..host("app1") };
    ServiceBench::start(shell, (&host, "units"), prepare, |program, here| {
        let program = program.replace("/run/systemd/system", &format!("{here}/systemd"));
        let program = program.replace("/sys/fs/cgroup", &format!("{here}/cgroup"));
        program
            .replace("/etc/init", &format!("{here}/init"))
            .replace("/proc/$units_pid", &format!("{here}/$units_pid"))
    })
}

#[test]
fn a_process_is_found_in_the_table_and_missed_when_it_is_gone() {
    for shell in shells_here() {
        let mut bench = start(shell, false);
        assert!(matches!(bench.poll_of("apache"), Err(Gap::Failed(_))), "{shell:?}: not installed");
        bench.says("init.d/apache2", "");
        let stopped = bench.poll_of("apache").unwrap();
        assert_eq!((stopped.running, stopped.text("unit")), (false, Some("apache2")), "{shell:?}");
        bench.runs("70", "apache2-helper", "");
        assert!(!bench.poll_of("apache").unwrap().running, "{shell:?}: another program");
        bench.runs("71", "httpd", "");
        for _ in 0..2 {
            assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 71, httpd", "{shell:?}");
        }
        // Another process has its number now, and it has another.
        bench.runs("71", "sh", "");
        bench.runs("72", "apache2", "");
        assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 72, apache2", "{shell:?}");
        bench.ends(&["72"]);
        assert!(!bench.poll_of("apache").unwrap().running, "{shell:?}: gone");
        bench.ends(&["1"]);
        assert!(matches!(bench.poll_of("worker"), Err(Gap::NotPermitted(_))), "{shell:?}: others are hidden");
        assert!(bench.asked().is_empty(), "{shell:?}: no systemd here");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// Any program of Node is called `node`: without a part of the command line another one would be taken for it.
#[test]
fn a_program_of_an_interpreter_is_known_by_its_command_line() {
    for shell in shells_here() {
        let accounts = DeclaredService {
            command_line: Some("/srv/fxa/auth-server".to_owned()),
            ..DeclaredService::clone(&declared("accounts", &["fxa"], &["node"]))
        };
        let mut bench = start_with(shell, vec![Arc::new(accounts)], false);
        bench.says("init.d/fxa", "");
        bench.runs("70", "node", "node\0/srv/fxa/profile-server/bin/server.js\0");
        bench.runs("71", "sh", "sh\0/srv/fxa/auth-server/start.sh\0");
        assert!(!bench.poll_of("accounts").unwrap().running, "{shell:?}: others");
        bench.runs("72", "node", "node\0/srv/fxa/auth-server/bin/key_server.js\0");
        assert_eq!(bench.poll_of("accounts").unwrap().detail.as_str(), "process 72, node", "{shell:?}");
        assert!(bench.known("accounts").unwrap().running, "{shell:?}");
        bench.ends(&["72"]);
        assert!(!bench.poll_of("accounts").unwrap().running, "{shell:?}: gone");
        bench.forget("70/cmdline");
        assert!(matches!(bench.poll_of("accounts"), Err(Gap::NotPermitted(_))), "{shell:?}: may be this one");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn systemd_is_asked_only_about_what_has_no_process() {
    for shell in shells_here() {
        let mut bench = start(shell, true);
        let failed =
            "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=7\n";
        let active =
            "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nExecMainStatus=0\n";
        bench.says("says", &format!("Id=apache2.service\n{failed}\nId=worker@1.service\n{active}"));
        let detail = bench.poll_of("apache").unwrap().detail.to_string();
        assert_eq!(detail, "unit apache2 is failed, result exit-code, exit status 7", "{shell:?}");
        assert!(bench.poll_of("worker").unwrap().running, "{shell:?}");

        // Their processes, by their control groups, whatever they are called: version 2, and version 1.
        bench.runs("80", "php", "");
        bench.runs("81", "python3", "");
        bench.says("cgroup/system.slice/apache2.service/cgroup.procs", "80\n91\n");
        bench.says("cgroup/systemd/system.slice/worker@1.service/cgroup.procs", "81\n");
        let before = bench.asked();
        assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 80, php", "{shell:?}");
        assert_eq!(bench.poll_of("worker").unwrap().detail.as_str(), "process 81, python3", "{shell:?}");
        assert_eq!(bench.asked(), before, "{shell:?}: nothing to ask systemd for");

        // Gone, and systemd hangs: nobody knows.
        bench.ends(&["80"]);
        bench.says("cgroup/system.slice/apache2.service/cgroup.procs", "");
        bench.says("hangs", "");
        assert_eq!(bench.poll_of("apache"), Err(Gap::TimedOut), "{shell:?}");
        assert!(bench.known("worker").unwrap().running, "{shell:?}: it has its process");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// A process with its parent and its group.
fn member(bench: &ServiceBench, id: u32, comm: &str, parent: u32, group: u32) {
    bench.runs(&id.to_string(), comm, "");
    bench.says(&format!("{id}/stat"), &format!("{id} ({comm}) S {parent} {group} {group} 0 -1 4194624 0\n"));
}

#[test]
fn processes_whose_main_one_was_killed_are_not_taken_for_the_service() {
    for shell in shells_here() {
        let mut bench = start(shell, false);
        bench.says("init.d/apache2", "");
        // A worker comes first in the table: the service is the process that began it.
        member(&bench, 159, "apache2", 62, 62);
        member(&bench, 160, "apache2", 62, 62);
        member(&bench, 62, "apache2", 1, 62);
        assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 62, apache2", "{shell:?}");
        bench.ends(&["62"]);
        member(&bench, 159, "apache2", 1, 62);
        member(&bench, 160, "apache2", 1, 62);
        for _ in 0..2 {
            let Err(Gap::Failed(why)) = bench.poll_of("apache") else { panic!("{shell:?}") };
            let said = "its main process is gone, and 2 of its processes go on without it. End them: kill -TERM -62. Then: service apache2 start";
            assert_eq!(why.as_str(), said, "{shell:?}");
        }
        // Started again beside them, or instead of them.
        member(&bench, 201, "apache2", 200, 200);
        member(&bench, 200, "apache2", 1, 200);
        assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 200, apache2", "{shell:?}");
        for gone in ["159", "160", "200", "201"] {
            bench.ends(&[gone]);
        }
        assert!(!bench.poll_of("apache").unwrap().running, "{shell:?}: all gone");
        // A daemon whose starter ended is the first of no group, with or without workers; and another one of that kind.
        member(&bench, 301, "httpd", 1, 300);
        member(&bench, 302, "httpd", 301, 300);
        assert_eq!(bench.poll_of("apache").unwrap().detail.as_str(), "process 301, httpd", "{shell:?}");
        // Two that somebody began by hand: the first of their group is a shell, or outside of this container.
        bench.ends(&["301"]);
        for group in [400, 0] {
            member(&bench, 400, "sh", 1, 400);
            member(&bench, 302, "httpd", 1, group);
            member(&bench, 303, "httpd", 1, group);
            assert!(bench.poll_of("apache").unwrap().running, "{shell:?}: group {group}");
            bench.ends(&["302"]);
        }
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
