//! The probe of Redis under every shell, with a client and a process table of the test's own.

use std::fs;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::Service;

use super::{own_processes, process};
use crate::support::shell::{Resident, host, script, shells_here};

/// Answers as the files of its folder say: one for each port, and a refusal where there is none.
const CLIENT: &str = r#"echo "$@" >> "${0%/*}/asked"
if [ -e "${0%/*}/hangs" ]; then exec sleep 60; fi
if [ -e "${0%/*}/at-$4" ]; then exec cat "${0%/*}/at-$4"; fi
echo "Could not connect to Redis at $2:$4: Connection refused" >&2
exit 1"#;

const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Clients\r\nconnected_clients:2\r\n\
    used_memory:937000\r\nmaxmemory:0\r\nloading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\nevicted_keys:0\r\n\
    role:master\r\nconnected_slaves:0\r\nmaster_replid:8a1b\r\n";

struct Bench {
    dir: tempfile::TempDir,
    it: Resident,
}

impl Bench {
    fn start(shell: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        script(dir.path(), "redis-cli", CLIENT);
        process(dir.path(), "1", "init", "/sbin/init");
        // Whatever runs on this machine is nobody's Redis here.
        let (it, _) = Resident::start_long(shell, &host("sessions1"), dir.path(), own_processes(dir.path()));
        Self { dir, it }
    }

    fn says(&self, port: u16, text: &str) {
        fs::write(self.dir.path().join(format!("at-{port}")), text).unwrap();
    }

    fn poll(&mut self) -> Result<Service, Gap> {
        self.it.poll(&["redis"]);
        let fact = self.it.facts.services.get("redis").unwrap();
        fact.current().map(|service| service.as_ref().clone()).ok_or_else(|| fact.gap.clone().unwrap())
    }
}

#[test]
fn every_shell_reads_what_redis_says_or_why_it_says_nothing() {
    for shell in shells_here() {
        let mut bench = Bench::start(shell);
        let stopped = bench.poll().unwrap();
        assert!(!stopped.running, "{shell:?}: {stopped:?}");

        bench.says(6379, INFO);
        let well = bench.poll().unwrap();
        assert_eq!(
            (well.running, well.detail.as_str(), well.gaps.len()),
            (true, "7.0.15, master", 0),
            "{shell:?}"
        );
        assert_eq!(well.amount("memory"), Some(937_000), "{shell:?}");

        bench.says(6379, "NOAUTH Authentication required.\n\n");
        assert_eq!(bench.poll().unwrap().detail.as_str(), "it requires a password", "{shell:?}");

        bench.says(6379, "\x1b[2Jnobody knows what this is\n");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        // Longer than a section may be sent, and one line of it is an answer.
        bench.says(6379, &format!("{INFO}{}", "junk\n".repeat(100_000)));
        assert_eq!(bench.poll().unwrap().amount("evicted"), Some(0), "{shell:?}");
        bench.says(6379, "");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// One that listens elsewhere is not stopped: it is asked there, or nobody knows.
#[test]
fn a_server_at_another_address_is_found_by_its_title() {
    for shell in shells_here() {
        let mut bench = Bench::start(shell);
        process(
            bench.dir.path(),
            "70",
            "redis-server",
            "/usr/bin/redis-server 10.0.0.5:26379 [sentinel]\0\0",
        );
        assert!(!bench.poll().unwrap().running, "{shell:?}: a sentinel is no server");
        process(bench.dir.path(), "77", "redis-server", "/usr/bin/redis-server 10.0.0.5:7000\0\0\0");
        let gap = bench.poll().unwrap_err();
        assert!(
            matches!(&gap, Gap::Failed(why) if why.as_str().contains("10.0.0.5:7000")),
            "{shell:?}: {gap:?}"
        );
        bench.says(7000, INFO);
        for _ in 0..2 {
            assert!(bench.poll().unwrap().running, "{shell:?}");
        }
        let asked = fs::read_to_string(bench.dir.path().join("asked")).unwrap();
        let last: Vec<&str> = asked.lines().rev().take(3).collect();
        // The second time it is asked there at once.
        let there = "-h 10.0.0.5 -p 7000 INFO";
        assert_eq!(last, [there, there, "-h 127.0.0.1 -p 6379 INFO"], "{shell:?}: {asked}");

        // It stopped, and others' processes cannot be seen.
        fs::remove_file(bench.dir.path().join("at-7000")).unwrap();
        for id in ["1", "70", "77"] {
            fs::remove_dir_all(bench.dir.path().join(id)).unwrap();
        }
        let gap = bench.poll().unwrap_err();
        assert!(
            matches!(&gap, Gap::Failed(why) if why.as_str().contains("cannot see")),
            "{shell:?}: {gap:?}"
        );
    }
}

#[test]
fn without_a_client_or_an_answer_nobody_knows() {
    for shell in shells_here() {
        let mut bench = Bench::start(shell);
        fs::write(bench.dir.path().join("hangs"), "").unwrap();
        let (_, took) = bench.it.poll(&["redis", "uptime"]);
        let fact = bench.it.facts.services.get("redis").unwrap();
        assert_eq!(fact.gap, Some(Gap::TimedOut), "{shell:?}");
        assert!(
            bench.it.facts.uptime.current().is_some() && took < Duration::from_secs(8),
            "{shell:?}: {took:?}"
        );
        fs::remove_file(bench.dir.path().join("redis-cli")).unwrap();
        if crate::support::shell::find("redis-cli").is_none()
            && crate::support::shell::find("valkey-cli").is_none()
        {
            assert_eq!(bench.poll(), Err(Gap::NoTool("redis-cli".into())), "{shell:?}");
        }
    }
}
