#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use crate::programs::tests::{host, shell, world};

#[test]
fn upstart_hosts_know_service_and_monit_but_no_systemctl() {
    let world = world("wpd-2015", 0);
    let said = |on: &str, command: &str| shell(&world, on, command);
    let (out, _, status) = said("elastic", "service elasticsearch status");
    assert!(out.starts_with("elasticsearch start/running, process ") && status == 0, "{out}");
    let (out, _, status) = said("elastic", "service elasticsearch stop; service elasticsearch status");
    assert_eq!((out.as_str(), status), ("elasticsearch stop/waiting\nelasticsearch stop/waiting\n", 3));
    assert!(!world.lock().unwrap().elastic_runs(&host("elastic")));
    assert!(
        said("elastic", "monit summary").0.contains("Process 'elasticsearch'             Does not exist\n")
    );
    assert_eq!(said("elastic", "service elasticsearch start >/dev/null; echo $?").0, "0\n");
    assert!(world.lock().unwrap().elastic_runs(&host("elastic")));
    said("elastic", "monit unmonitor elasticsearch");
    assert!(
        said("elastic", "monit summary").0.contains("Process 'elasticsearch'             Not monitored\n")
    );
    assert_eq!(said("app1", "service mysql status").1, "mysql: unrecognized service\n");
    assert_eq!(said("app1", "sudo -u renoirb service apache2 stop; echo $?").0, "1\n");
    assert_eq!(said("app1", "command -v systemctl systemd-run; echo $?").0, "127\n");
    let (out, ..) =
        said("db2", "service mysql stop; service mysql status; service mariadb start >/dev/null; echo $?");
    assert_eq!(out, "mysql stop/waiting\nmysql stop/waiting\n0\n");
    {
        // A database goes with its machine's power, and comes again with it.
        let mut world = world.lock().unwrap();
        assert!(world.service_runs(&host("db2"), "mysql"));
        world.power_off(&host("db2"));
        assert!(!world.service_runs(&host("db2"), "mysql"));
        world.power_on(&host("db2"), 5.0);
        assert!(!world.databases().is_running(&host("db2")));
        world.advance(std::time::Duration::from_secs(6));
        assert!(world.databases().is_running(&host("db2")));
    }
    world.lock().unwrap().set_service_broken(&host("app1"), "apache2", true);
    let (_, err, status) = said("app1", "service apache2 restart");
    assert_eq!((err.as_str(), status), ("start: Job failed to start\n", 1));
}

#[test]
fn the_process_table_has_what_runs() {
    let world = world("wpd-2015", 0);
    let said = |command: &str| shell(&world, "mail", command).0;
    let names = "cat /proc/[0-9]*/comm | sort | tr '\\n' ' '";
    assert_eq!(said(names), "cron init master monit ntpd opendkim salt-minion sshd ");
    let postfix = "for f in /proc/[0-9]*/comm; do case $(cat $f) in master) cat ${f%comm}stat ${f%comm}cmdline; esac; done";
    assert!(said(postfix).contains(" (master) S 1 "), "{}", said(postfix));
    assert!(said(postfix).ends_with("/usr/lib/postfix/master\0"), "{}", said(postfix));
    said("service postfix stop");
    assert_eq!(said(names), "cron init monit ntpd opendkim salt-minion sshd ");
    assert_eq!(said("ps -e -o comm= | sort | tr '\\n' ' '"), said(names));
}

#[test]
fn a_unit_runs_detached_and_tells_how_it_ended() {
    let world = world("big-20", 0);
    let said = |command: &str| shell(&world, "app2", command);
    assert_eq!(
        said("systemctl is-active ssh; systemctl show -p MainPID --value ssh | grep -c .").0,
        "active\n1\n"
    );
    let script = "systemd-run --unit=jd-1 sh -c 'sleep 0.3; echo done > /tmp/jd-1; exit 4'; \
                  systemctl is-active jd-1; systemctl show -p ActiveState,ExecMainStatus jd-1; \
                  while [ \"$(systemctl is-active jd-1)\" = active ]; do sleep 0.05; done; \
                  systemctl show -p ActiveState,Result,ExecMainStatus jd-1; cat /tmp/jd-1; \
                  systemd-run --unit=jd-1 true; echo $?; systemctl reset-failed jd-1; systemctl is-active jd-1";
    let (out, err, _) = said(script);
    assert_eq!(
        out,
        "active\nActiveState=active\nExecMainStatus=0\nActiveState=failed\nResult=exit-code\nExecMainStatus=4\n\
         done\n1\ninactive\n"
    );
    assert!(err.starts_with("Running as unit: jd-1.service\n") && err.contains("already exists"), "{err}");
    let stopped = "systemd-run -q --unit=jd-2 sleep 1000 2>/dev/null; systemctl stop jd-2; systemctl is-active jd-2; \
                   systemctl show -p Result --value jd-2; systemctl status none; echo $?";
    assert_eq!(said(stopped).0, "failed\nsignal\n4\n");
    assert_eq!(
        said("systemctl stop ssh; systemctl is-active ssh; systemctl restart ssh; systemctl is-active ssh").0,
        "inactive\nactive\n"
    );
}

/// A runbook compares the two: whatever pace a test gives to the world, a restarted service is younger than what it read.
#[test]
fn a_service_is_younger_than_a_file_that_was_written_before_it_started() {
    let world = world("wpd-2015", 0);
    let at = |script: &str| shell(&world, "notes", script).0.trim().parse::<u64>().unwrap();
    world.lock().unwrap().restart_service(&host("notes"), "cron");
    world.lock().unwrap().run();
    let age = "ps -o etimes= -p $(pgrep -f cron | head -n 1)";
    assert!(at(age) < 600, "restarted {} s ago", at(age));
    for ahead in [0, 30, 3600] {
        world.lock().unwrap().advance(std::time::Duration::from_secs(ahead));
        let written =
            at("touch /etc/cron.d/new; service cron restart >/dev/null; stat -c %Y /etc/cron.d/new");
        world.lock().unwrap().advance(std::time::Duration::from_secs(30));
        let started = at("date +%s") - at(age);
        assert!(started + 1 >= written, "written {written}, started {started}");
    }
}
