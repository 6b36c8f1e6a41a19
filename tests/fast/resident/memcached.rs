//! The probe of Memcached under every shell: with a client, a process table and a list of open ports of the test's own, and with this
//! machine's clients against a server that answers as a real one did.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::Service;

use super::bench::ServiceBench;
use crate::support::shell::{find, host, script, shells_here};

/// Answers as the files of its folder say, and says nothing where it is refused, as the nc of OpenBSD does.
const CLIENT: &str = r#"here=${0%/*}
echo "$@" >> "$here/asked"
if [ -e "$here/hangs" ]; then exec sleep 60; fi
cat > "$here/question"
if [ -e "$here/at-$1" ]; then exec cat "$here/at-$1"; fi
exit 1"#;

/// What memcached 1.6.18 of Debian 12 answered.
const STATS: &str = include_str!("../../../src/collect/probes/memcached/recorded/stats-1.6.18.txt");
const OPEN: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

fn start(shell: &[&str]) -> ServiceBench {
    with(shell, |dir| script(dir, "nc", CLIENT), |program| program)
}

fn with(shell: &[&str], prepare: impl FnOnce(&Path), change: impl Fn(String) -> String) -> ServiceBench {
    ServiceBench::start(shell, (&host("sessions1"), "memcached"), prepare, |program, here| {
        assert!(program.contains("/proc/net/tcp "), "the probe reads the open ports another way");
        // Whatever is open on this machine is nobody's Memcached here.
        change(program.replace("/proc/net/tcp", &format!("{here}/tcp")))
    })
}

/// It is asked with every sixth report while its process is there.
fn later(bench: &mut ServiceBench) -> Result<Service, Gap> {
    for _ in 0..5 {
        assert!(bench.poll().is_ok());
    }
    bench.poll()
}

#[test]
fn every_shell_reads_what_it_says_or_why_it_says_nothing() {
    for shell in shells_here() {
        let mut bench = start(shell);
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        bench.runs("77", "memcached", "/usr/bin/memcached\0-m\x0064\0");
        let why = bench.poll_fails();
        assert!(why.contains("memcached process 77 runs"), "{shell:?}: {why}");

        bench.says("at-127.0.0.1", STATS);
        let well = bench.poll().unwrap();
        assert_eq!((well.running, well.detail.as_str(), well.gaps.len()), (true, "1.6.18", 0), "{shell:?}");
        assert_eq!((well.amount("hits"), well.text("holds")), (Some(1), Some("sessions")), "{shell:?}");
        let question = std::fs::read_to_string(bench.path().join("question")).unwrap();
        assert_eq!(question, "stats\r\nstats settings\r\nquit\r\n", "{shell:?}");

        // Longer than an answer may be, and one line of it is one.
        bench.says("at-127.0.0.1", &format!("{STATS}{}", "junk\r\n".repeat(100_000)));
        let asked = bench.asked().len();
        assert_eq!(later(&mut bench).unwrap().amount("evicted"), Some(0), "{shell:?}");
        assert_eq!(bench.asked().len(), asked + 1, "{shell:?}: once in six reports");
        bench.says("at-127.0.0.1", "\x1b[2Jnobody knows what this is\n");
        assert!(matches!(later(&mut bench), Err(Gap::Unreadable(_))), "{shell:?}");
        bench.says("at-127.0.0.1", "");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        bench.hangs();
        bench.forget("at-127.0.0.1");
        bench.ends(&["1", "77"]);
        let why = bench.poll_fails();
        assert!(why.contains("cannot see"), "{shell:?}: {why}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_asks_where_it_listens() {
    for shell in shells_here() {
        let mut bench = start(shell);
        // ssh is open, too.
        let row =
            |at: &str| format!("   0: {at} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n");
        bench.says("tcp", &format!("{OPEN}{}{}", row("00000000:0016"), row("0500000A:2BCB")));
        bench.says("at-10.0.0.5", STATS);
        assert_eq!(bench.poll().unwrap().text("listens"), Some("10.0.0.5"), "{shell:?}");
        bench.says("tcp", &format!("{OPEN}{}", row("00000000:2BCB")));
        bench.says("at-127.0.0.1", STATS);
        assert_eq!(bench.poll().unwrap().text("listens"), Some("every address"), "{shell:?}");
        assert_eq!(bench.asked(), ["127.0.0.1 11211", "10.0.0.5 11211", "127.0.0.1 11211"], "{shell:?}");
    }
}

#[test]
fn without_a_client_its_process_is_all_there_is_to_see() {
    for shell in shells_here() {
        let none = |program: String| {
            program.replace("command -v nc", "false").replace("_client=bash", "_client=no-such-client")
        };
        let mut bench = with(shell, |_| (), none);
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        bench.runs("77", "memcached", "/usr/bin/memcached\0-m\x0064\0");
        let runs = bench.poll().unwrap();
        assert_eq!(runs.gaps[..], [("figures", Gap::NoTool("nc or bash".into()))], "{shell:?}");
        bench.ends(&["1", "77"]);
        assert_eq!(bench.poll(), Err(Gap::NoTool("nc or bash".into())), "{shell:?}");
    }
}

/// A server on a port of its own that answers when it is asked to quit, and closes the connection.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (mut asked, mut some) = (Vec::new(), [0; 256]);
            while !asked.ends_with(b"quit\r\n") {
                match stream.read(&mut some) {
                    Ok(read) if read > 0 => asked.extend_from_slice(&some[..read]),
                    _ => break,
                }
            }
            let _ = stream.write_all(STATS.as_bytes());
        }
    });
    port
}

#[test]
fn the_clients_of_this_machine_are_understood() {
    let well = serve();
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let clients = [("nc", "nc"), ("busybox", "nc"), ("bash", "bash")];
    for (client, kind) in clients.into_iter().filter(|(client, _)| find(client).is_some()) {
        let ask = |port: u16| {
            let change = |program: String| {
                let program = program.replace("11211", &port.to_string());
                if kind == "nc" { program } else { program.replace("command -v nc", "false") }
            };
            let prepare = |dir: &Path| {
                if client == "busybox" {
                    script(dir, "nc", "exec busybox nc \"$@\"");
                }
            };
            with(&["/bin/sh"], prepare, change).poll()
        };
        let found = ask(well).unwrap();
        assert_eq!((found.running, found.text("version")), (true, Some("1.6.18")), "{client}: {found:?}");
        assert!(!ask(refused).unwrap().running, "{client}");
    }
}
