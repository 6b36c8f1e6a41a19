//! The probe of Exim under every shell, with a program and a process table of the test's own.

use std::fs;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;

use super::bench::{ServiceBench, bar};
use crate::support::shell::{find, host, script, shells_here};

/// Answers as the files of its folder say; the account may see the queue unless `denied` is there.
const EXIM: &str = r#"here=${0%/*}
echo "$@" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
if [ -e "$here/denied" ]; then echo 'exim: permission denied' >&2; exit 1; fi
case $1 in
    -bpc) cat "$here/count" ;;
    -bp) cat "$here/list" ;;
    -Mvl) cat "$here/log" ;;
esac"#;

/// What Exim 4.96 of Debian 12 printed.
const LISTED: &str = include_str!("../../../src/collect/probes/exim/recorded/bp.txt");
const LOG: &str =
    "2026-11-30 02:59:59 a@example.net R=smarthost T=remote_smtp_smarthost defer (111): Connection refused\n";

fn start(shell: &[&str], host: &Host) -> ServiceBench {
    let prepare = |dir: &std::path::Path| {
        script(dir, "exim4", EXIM);
        fs::write(dir.join("count"), "0\n").unwrap();
        // A delivery is no daemon, and neither is a program that hands in a message.
        super::process(dir, "70", "exim4", "/usr/sbin/exim4\0-Mc\x001xXrac-bd0004-q1\0");
        super::process(dir, "71", "exim4", "/usr/sbin/exim4\0-t\0-oi\0");
    };
    ServiceBench::start(shell, (host, "exim"), prepare, |program, _| program)
}

fn daemon(bench: &ServiceBench) {
    bench.runs("77", "exim4", "/usr/sbin/exim4\0-bd\0-q30m\0");
}

#[test]
fn every_shell_sees_its_daemon_stop_and_start_and_reads_its_queue_at_times() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"));
        let stopped = bench.poll().unwrap();
        assert_eq!(
            (stopped.running, stopped.detail.as_str()),
            (false, "no process of its daemon runs"),
            "{shell:?}"
        );
        daemon(&bench);
        let before = bench.asked().len();
        for _ in 0..6 {
            let runs = bench.poll().unwrap();
            assert_eq!(
                (runs.running, runs.detail.as_str(), runs.gaps.len()),
                (true, "nothing waits", 0),
                "{shell:?}"
            );
        }
        // One question, and only for the number.
        assert_eq!(bench.asked()[before..], ["-bpc"], "{shell:?}");

        bench.says("count", "2\n");
        bench.says("list", LISTED);
        bench.says("log", LOG);
        let waits = bench.poll().unwrap();
        assert_eq!((waits.amount("queue"), waits.amount("frozen")), (Some(2), Some(1)), "{shell:?}");
        assert_eq!(waits.text("reason"), Some("Connection refused"), "{shell:?}");
        assert_eq!(bench.asked()[before + 1..], ["-bpc", "-bp", "-Mvl 1xXrcT-00004r-1Z"], "{shell:?}");

        bench.ends(&["77"]);
        let stopped = bench.poll().unwrap();
        let words = "no process of its daemon runs; in its queue 2 messages wait";
        assert_eq!((stopped.running, stopped.detail.as_str()), (false, words), "{shell:?}: at once");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_bounds_a_queue_without_end() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"));
        daemon(&bench);
        bench.says("count", "30000\n");
        bench.says("list", &LISTED.repeat(15_000));
        bench.says("log", &LOG.repeat(10_000));
        let long = bench.poll().unwrap();
        assert_eq!((long.amount("queue"), long.gaps.len()), (Some(30_000), 0), "{shell:?}: {long:?}");
        assert!(long.amount("listed").is_some_and(|read| (200..500).contains(&read)), "{shell:?}: {long:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// On a host without Exim there is nothing to say, unless the inventory says that it runs it.
#[test]
fn without_exim_there_is_nothing_to_say() {
    if find("exim4").is_some() || find("exim").is_some() {
        eprintln!("skipped: Exim is installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"));
        assert!(bench.poll().is_ok());
        bench.forget("exim4");
        // Its queue is read again with the sixth.
        (0..6).for_each(|_| drop(bench.it.poll(&["exim"])));
        assert!(bench.it.facts.services.get("exim").is_none(), "{shell:?}");

        let exim = jumpdeck_fleet::declared::DeclaredService {
            name: "exim".into(),
            roles: Vec::new(),
            units: Vec::new(),
            processes: Vec::new(),
            ..Default::default()
        };
        let expects = Host { services: vec![exim.into()], ..host("mail") };
        let mut bench = start(shell, &expects);
        assert!(bench.poll().is_ok());
        bench.forget("exim4");
        (0..5).for_each(|_| drop(bench.it.poll(&["exim"])));
        assert_eq!(bench.poll(), Err(Gap::NotInstalled), "{shell:?}");
    }
}

#[test]
fn what_nobody_may_ask_or_nobody_answers_is_unknown() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"));
        let mut gap = |what: &str, id: &str| {
            // Another daemon: it is asked at once.
            bench.runs(id, "exim4", "/usr/sbin/exim4\0-bd\0-q30m\0");
            bench.says(what, "");
            let service = bench.poll().unwrap();
            bench.forget(what);
            bench.ends(&[id]);
            assert!(service.running, "{shell:?}");
            service.gaps.first().cloned().unwrap()
        };
        let (name, denied) = gap("denied", "81");
        assert!(name == "queue" && matches!(denied, Gap::NotPermitted(_)), "{shell:?}: {denied:?}");
        assert_eq!(gap("hangs", "82"), ("queue", Gap::TimedOut), "{shell:?}");
        bench.says("list", "");
        bench.says("count", "\x1b[2Jnobody knows what this is\n");
        bench.runs("83", "exim4", "/usr/sbin/exim4\0-bd\0-q30m\0");
        let odd = bench.poll().unwrap();
        assert!(matches!(odd.gaps.first(), Some(("queue", Gap::Unreadable(_)))), "{shell:?}: {odd:?}");
        bench.says("count", "0\n");
        bench.ends(&["1", "70", "71", "83"]);
        let hidden = bench.poll().unwrap();
        assert!(
            matches!(hidden.gaps.first(), Some(("daemon", Gap::NotPermitted(_)))),
            "{shell:?}: {hidden:?}"
        );
    }
}

/// Its daemon is seen all the same.
#[test]
fn a_program_that_this_account_may_not_run_is_no_missing_one() {
    if find("exim4").or_else(|| find("exim")).is_some() {
        eprintln!("skipped: Exim is installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, &host("app1"));
        daemon(&bench);
        assert!(bench.poll().is_ok());
        bar(&bench.path().join("exim4"));
        bench.ends(&["77"]);
        bench.runs("78", "exim4", "/usr/sbin/exim4\0-bd\0-q30m\0");
        let barred = |found: &jumpdeck_fleet::service::Service| {
            found.running && matches!(&*found.gaps, [("queue", Gap::NotPermitted(_))])
        };
        let found = bench.poll().unwrap();
        assert!(barred(&found), "{shell:?}: it ran before: {found:?}");

        let never = |dir: &std::path::Path| {
            script(dir, "exim4", EXIM);
            bar(&dir.join("exim4"));
        };
        let mut never = ServiceBench::start(shell, (&host("app1"), "exim"), never, |program, _| program);
        daemon(&never);
        let found = never.poll().unwrap();
        assert!(barred(&found), "{shell:?}: it never ran: {found:?}");
        never.ends(&["77"]);
        assert!(!never.poll().unwrap().running, "{shell:?}");
        assert!(never.asked().is_empty(), "{shell:?}");
    }
}
