//! The probe of Postfix under every shell, with a `postqueue` and a process table of the test's own.

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
use crate::support::shell::{find, host, script, shells_here};

/// Answers with the file of its option, as Postfix's own does where it knows no `-j`.
const POSTQUEUE: &str = r#"here=${0%/*}
echo "$1" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
if [ -e "$here/queue$1" ]; then exec cat "$here/queue$1"; fi
if [ -e "$here/says" ]; then cat "$here/says" >&2; exit 69; fi
echo "postqueue: invalid option -- 'j'" >&2
exit 69"#;

const ROW: &str = "{\"queue_name\": \"deferred\", \"queue_id\": \"3E2FB277\", \"arrival_time\": 1700000000, \"message_size\": 260, \
    \"forced_expire\": false, \"sender\": \"a\\\\b@example.org\", \"recipients\": [{\"address\": \"c@example.net\", \
    \"delay_reason\": \"connect to relay[10.0.0.9]:25: Connection refused\"}]}\n";

fn start(shell: &[&str]) -> ServiceBench {
    let prepare = |dir: &std::path::Path| {
        script(dir, "postqueue", POSTQUEUE);
        // A `master` of something else.
        super::process(dir, "60", "master", "/usr/bin/master\0--of\0puppets\0");
        let down = "postqueue: fatal: Queue report unavailable - mail system is down\n";
        std::fs::write(dir.join("says"), down).unwrap();
    };
    ServiceBench::start(shell, (&host("mail"), "postfix"), prepare, |program, _| program)
}

fn master(bench: &ServiceBench) {
    bench.runs("77", "master", "/usr/lib/postfix/sbin/master\0-w\0");
}

#[test]
fn every_shell_sees_it_stop_and_start_and_reads_its_queue_at_times() {
    for shell in shells_here() {
        let mut bench = start(shell);
        let stopped = bench.poll().unwrap();
        assert!(!stopped.running, "{shell:?}: {stopped:?}");
        let asked = bench.asked().len();
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        assert_eq!(bench.asked().len(), asked, "{shell:?}: each question is a line in its log");

        bench.says("queue-j", &ROW.repeat(3));
        master(&bench);
        for _ in 0..6 {
            let runs = bench.poll().unwrap();
            assert_eq!(
                (runs.running, runs.detail.as_str(), runs.gaps.len()),
                (true, "3 messages wait", 0),
                "{shell:?}: {runs:?}"
            );
            assert_eq!((runs.amount("late"), runs.amount("reason_count")), (Some(3), Some(3)), "{shell:?}");
        }
        assert_eq!(bench.asked().len(), asked + 1, "{shell:?}");
        bench.says("queue-j", "");
        assert_eq!(bench.poll().unwrap().detail.as_str(), "nothing waits", "{shell:?}");

        bench.forget("queue-j");
        bench.ends(&["77"]);
        assert!(!bench.poll().unwrap().running, "{shell:?}: at once");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_bounds_a_queue_without_end_and_counts_it() {
    for shell in shells_here() {
        let mut bench = start(shell);
        master(&bench);
        bench.says("queue-j", &ROW.repeat(30_000));
        bench
            .says("queue-p", "3E2FB277  260 Sun Nov 29 23:53:30  a@b\n\n-- 7617 Kbytes in 30000 Requests.\n");
        let long = bench.poll().unwrap();
        assert_eq!((long.amount("queue"), long.gaps.len()), (Some(30_000), 0), "{shell:?}: {long:?}");
        assert!(long.amount("listed").is_some_and(|read| (60..200).contains(&read)), "{shell:?}: {long:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_asks_an_older_postfix_for_its_table() {
    for shell in shells_here() {
        let mut bench = start(shell);
        master(&bench);
        bench.forget("says");
        bench.says(
            "queue-p",
            "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n\
             3E2FB277*       260 Sun Nov 29 23:53:30  a\\b@example.org\n                         c@example.net\n\n\
             -- 1 Kbytes in 1 Request.\n",
        );
        let service = bench.poll().unwrap();
        assert_eq!((service.detail.as_str(), service.gaps.len()), ("1 message waits", 0), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn what_nobody_may_ask_or_nobody_answers_is_unknown() {
    for shell in shells_here() {
        let mut bench = start(shell);
        master(&bench);
        bench.says("says", "postqueue: fatal: User nobody(65534) is not allowed to view the mail queue\n");
        assert!(matches!(bench.poll(), Err(Gap::NotPermitted(_))), "{shell:?}");
        bench.says("queue-j", "\x1b[2Jnobody knows what this is\n");
        bench.ends(&["77"]);
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");

        bench.hangs();
        bench.forget("postqueue");
        if find("postqueue").is_none() {
            assert_eq!(bench.poll(), Err(Gap::NoTool("postqueue".into())), "{shell:?}");
        }
    }
}
