//! The probe of Redis under every shell, with a client and a process table of the test's own.

use std::path::Path;

use jumpdeck_fleet::fact::Gap;

use super::bench::ServiceBench;
use crate::support::shell::{find, host, script, shells_here};

/// Answers as the files of its folder say: one for each port, and a refusal where there is none.
const CLIENT: &str = r#"echo "$@" >> "${0%/*}/asked"
if [ -e "${0%/*}/hangs" ]; then exec sleep 60; fi
if [ -e "${0%/*}/at-$4" ]; then exec cat "${0%/*}/at-$4"; fi
echo "Could not connect to Redis at $2:$4: Connection refused" >&2
exit 1"#;

const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Clients\r\nconnected_clients:2\r\n\
    used_memory:937000\r\nmaxmemory:0\r\nloading:0\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\nevicted_keys:0\r\n\
    role:master\r\nconnected_slaves:0\r\nmaster_replid:8a1b\r\n";

fn start(shell: &[&str]) -> ServiceBench {
    let client = |dir: &Path| script(dir, "redis-cli", CLIENT);
    ServiceBench::start(shell, (&host("sessions1"), "redis"), client, |program, _| program)
}

#[test]
fn every_shell_reads_what_redis_says_or_why_it_says_nothing() {
    for shell in shells_here() {
        let mut bench = start(shell);
        let stopped = bench.poll().unwrap();
        assert!(!stopped.running, "{shell:?}: {stopped:?}");

        bench.says("at-6379", INFO);
        let well = bench.poll().unwrap();
        assert_eq!(
            (well.running, well.detail.as_str(), well.gaps.len()),
            (true, "7.0.15, master", 0),
            "{shell:?}"
        );
        assert_eq!(well.amount("memory"), Some(937_000), "{shell:?}");

        bench.says("at-6379", "NOAUTH Authentication required.\n\n");
        assert_eq!(bench.poll().unwrap().detail.as_str(), "it requires a password", "{shell:?}");

        bench.says("at-6379", "\x1b[2Jnobody knows what this is\n");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        // Longer than a section may be sent, and one line of it is an answer.
        bench.says("at-6379", &format!("{INFO}{}", "junk\n".repeat(100_000)));
        assert_eq!(bench.poll().unwrap().amount("evicted"), Some(0), "{shell:?}");
        bench.says("at-6379", "");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// One that listens elsewhere is not stopped: it is asked there, or nobody knows.
#[test]
fn a_server_at_another_address_is_found_by_its_title() {
    for shell in shells_here() {
        let mut bench = start(shell);
        bench.runs("70", "redis-server", "/usr/bin/redis-server 10.0.0.5:26379 [sentinel]\0\0");
        assert!(!bench.poll().unwrap().running, "{shell:?}: a sentinel is no server");
        bench.runs("77", "redis-server", "/usr/bin/redis-server 10.0.0.5:7000\0\0\0");
        let why = bench.poll_fails();
        assert!(why.contains("process 77 /usr/bin/redis-server 10.0.0.5:7000"), "{shell:?}: {why}");
        bench.says("at-7000", INFO);
        for _ in 0..2 {
            assert!(bench.poll().unwrap().running, "{shell:?}");
        }
        let asked = bench.asked();
        let last: Vec<&str> = asked.iter().rev().take(3).map(String::as_str).collect();
        // The second time it is asked there at once.
        let there = "-h 10.0.0.5 -p 7000 INFO";
        assert_eq!(last, [there, there, "-h 127.0.0.1 -p 6379 INFO"], "{shell:?}: {asked:?}");

        // It stopped, and others' processes cannot be seen.
        bench.forget("at-7000");
        bench.ends(&["1", "70", "77"]);
        let why = bench.poll_fails();
        assert!(why.contains("cannot see"), "{shell:?}: {why}");
    }
}

#[test]
fn without_a_client_or_an_answer_nobody_knows() {
    for shell in shells_here() {
        let mut bench = start(shell);
        bench.hangs();
        bench.forget("redis-cli");
        if find("redis-cli").is_none() && find("valkey-cli").is_none() {
            assert_eq!(bench.poll(), Err(Gap::NoTool("redis-cli".into())), "{shell:?}");
        }
    }
}
