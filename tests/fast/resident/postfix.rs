//! The probe of Postfix under every shell, with a `postqueue` and a process table of the test's own.

use std::fs;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::Service;

use super::{own_processes, process};
use crate::support::shell::{Resident, find, host, script, shells_here};

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

struct Bench {
    dir: tempfile::TempDir,
    it: Resident,
}

impl Bench {
    fn start(shell: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        script(dir.path(), "postqueue", POSTQUEUE);
        process(dir.path(), "1", "init", "/sbin/init");
        // A `master` of something else.
        process(dir.path(), "60", "master", "/usr/bin/master\0--of\0puppets\0");
        fs::write(
            dir.path().join("says"),
            "postqueue: fatal: Queue report unavailable - mail system is down\n",
        )
        .unwrap();
        let (it, _) = Resident::start_long(shell, &host("mail"), dir.path(), own_processes(dir.path()));
        Self { dir, it }
    }

    fn master(&self, runs: bool) {
        if runs {
            process(self.dir.path(), "77", "master", "/usr/lib/postfix/sbin/master\0-w\0");
        } else {
            fs::remove_dir_all(self.dir.path().join("77")).unwrap();
        }
    }

    fn says(&self, file: &str, text: &str) {
        fs::write(self.dir.path().join(file), text).unwrap();
    }

    fn forget(&self, file: &str) {
        fs::remove_file(self.dir.path().join(file)).unwrap();
    }

    fn asked(&self) -> usize {
        fs::read_to_string(self.dir.path().join("asked")).map_or(0, |text| text.lines().count())
    }

    fn poll(&mut self) -> Result<Service, Gap> {
        self.it.poll(&["postfix"]);
        let fact = self.it.facts.services.get("postfix").unwrap();
        fact.current().map(|service| service.as_ref().clone()).ok_or_else(|| fact.gap.clone().unwrap())
    }
}

#[test]
fn every_shell_sees_it_stop_and_start_and_reads_its_queue_at_times() {
    for shell in shells_here() {
        let mut bench = Bench::start(shell);
        let stopped = bench.poll().unwrap();
        assert!(!stopped.running, "{shell:?}: {stopped:?}");
        let asked = bench.asked();
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        assert_eq!(bench.asked(), asked, "{shell:?}: each question is a line in its log");

        bench.says("queue-j", &ROW.repeat(3));
        bench.master(true);
        for _ in 0..6 {
            let runs = bench.poll().unwrap();
            assert_eq!(
                (runs.running, runs.detail.as_str(), runs.gaps.len()),
                (true, "3 messages wait", 0),
                "{shell:?}: {runs:?}"
            );
            assert_eq!((runs.amount("late"), runs.amount("reason_count")), (Some(3), Some(3)), "{shell:?}");
        }
        assert_eq!(bench.asked(), asked + 1, "{shell:?}");
        bench.says("queue-j", "");
        assert_eq!(bench.poll().unwrap().detail.as_str(), "nothing waits", "{shell:?}");

        bench.forget("queue-j");
        bench.master(false);
        assert!(!bench.poll().unwrap().running, "{shell:?}: at once");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_bounds_a_queue_without_end_and_counts_it() {
    for shell in shells_here() {
        let mut bench = Bench::start(shell);
        bench.master(true);
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
        let mut bench = Bench::start(shell);
        bench.master(true);
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
        let mut bench = Bench::start(shell);
        bench.master(true);
        bench.says("says", "postqueue: fatal: User nobody(65534) is not allowed to view the mail queue\n");
        assert!(matches!(bench.poll(), Err(Gap::NotPermitted(_))), "{shell:?}");
        bench.says("queue-j", "\x1b[2Jnobody knows what this is\n");
        bench.master(false);
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");

        bench.says("hangs", "");
        let (_, took) = bench.it.poll(&["postfix", "uptime"]);
        let fact = bench.it.facts.services.get("postfix").unwrap();
        assert_eq!(fact.gap, Some(Gap::TimedOut), "{shell:?}");
        assert!(
            bench.it.facts.uptime.current().is_some() && took < Duration::from_secs(8),
            "{shell:?}: {took:?}"
        );
        bench.forget("postqueue");
        if find("postqueue").is_none() {
            assert_eq!(bench.poll(), Err(Gap::NoTool("postqueue".into())), "{shell:?}");
        }
    }
}
