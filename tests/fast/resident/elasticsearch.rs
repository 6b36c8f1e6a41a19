//! The probe of Elasticsearch under every shell: with a client, a process table and a list of open ports of the test's own, and
//! with this machine's clients against a server that speaks HTTP.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::ServiceHealth;

use super::bench::ServiceBench;
use crate::support::shell::{find, host, script, shells_here};

/// Answers as the files of its folder say: one for each address, and a refusal where there is none.
const CLIENT: &str = r#"for url; do :; done
at=${url#*://}
at=${at%%/*}
if [ -e "${0%/*}/tls" ] && [ "${url%%:*}" = http ]; then
    echo 'curl: (52) Empty reply from server' >&2
    exit 52
fi
echo "$at ${http_proxy-unset}" >> "${0%/*}/asked"
if [ -e "${0%/*}/hangs" ]; then exec sleep 60; fi
if [ -e "${0%/*}/at-$at" ]; then exec cat "${0%/*}/at-$at"; fi
echo "curl: (7) Failed to connect to ${at%:*} port ${at#*:}: Connection refused" >&2
exit 7"#;

/// Elasticsearch 1.5, as its reference has it.
const YELLOW: &str = r#"{"cluster_name":"testcluster","status":"yellow","timed_out":false,"number_of_nodes":2,
"number_of_data_nodes":2,"active_primary_shards":5,"active_shards":9,"relocating_shards":0,"initializing_shards":0,
"unassigned_shards":1,"number_of_pending_tasks":0}"#;

const NODE: &str = "/usr/bin/java\0-Xms256m\0-Des.path.home=/usr/share/elasticsearch\0-cp\0:/usr/share/elasticsearch/lib/*\0\
    org.elasticsearch.bootstrap.Elasticsearch\0";

const OPEN: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

fn start(shell: &[&str]) -> ServiceBench {
    with(shell, |dir| script(dir, "curl", CLIENT), |program| program)
}

fn with(shell: &[&str], prepare: impl FnOnce(&Path), change: impl Fn(String) -> String) -> ServiceBench {
    ServiceBench::start(shell, (&host("elastic"), "elasticsearch"), prepare, |program, here| {
        assert!(program.contains("/proc/net/tcp "), "the probe reads the open ports another way");
        // Whatever is open on this machine is nobody's Elasticsearch here.
        change(program.replace("/proc/net/tcp", &format!("{here}/tcp")))
    })
}

fn http(body: &str, code: u16) -> String {
    format!("{body}\n@http {code}\n")
}

#[test]
fn every_shell_reads_what_the_node_says_or_why_it_says_nothing() {
    for shell in shells_here() {
        let mut bench = start(shell);
        let stopped = bench.poll().unwrap();
        assert!(!stopped.running, "{shell:?}: {stopped:?}");
        let (at, file) = ("127.0.0.1:9200", "at-127.0.0.1:9200");

        bench.says(file, &http(YELLOW, 200));
        let yellow = bench.poll().unwrap();
        assert_eq!((yellow.running, yellow.detail.as_str()), (true, "testcluster, yellow"), "{shell:?}");
        assert_eq!(yellow.amount("unassigned_shards"), Some(1), "{shell:?}");

        bench.says(file, &http("{\"status\":401}", 401));
        assert_eq!(bench.poll().unwrap().detail.as_str(), "it requires a password", "{shell:?}");

        bench.says(file, &http("<html>\x1b[2J</html>", 502));
        assert!(matches!(bench.poll(), Err(Gap::Failed(_))), "{shell:?}");
        // Longer than an answer may be.
        bench.says(file, &http(&"{\"status\":\"green\",".repeat(20_000), 200));
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        bench.says(file, "");
        assert!(matches!(bench.poll(), Err(Gap::Unreadable(_))), "{shell:?}");
        // One question a report, and no proxy for it.
        let asked = bench.asked();
        assert!(asked.iter().all(|line| line == at), "{shell:?}: {asked:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

/// Elasticsearch 8 as it is installed, and again without HTTPS.
#[test]
fn a_node_that_wants_https_is_asked_so_from_then_on() {
    for shell in shells_here() {
        let mut bench = start(shell);
        let (at, file) = ("127.0.0.1:9200", "at-127.0.0.1:9200");
        bench.says("tls", "");
        bench.says(file, &http("{\"error\":{},\"status\":401}", 401));
        for _ in 0..2 {
            let locked = bench.poll().unwrap();
            assert_eq!(locked.text("address"), Some("https://127.0.0.1:9200"), "{shell:?}: {locked:?}");
        }
        bench.forget(file);
        assert!(!bench.poll().unwrap().running, "{shell:?}");
        bench.forget("tls");
        bench.says(file, &http(YELLOW, 200));
        assert_eq!(bench.poll().unwrap().text("address"), Some(at), "{shell:?}");
    }
}

/// One that starts or listens elsewhere is not stopped: it is asked there, or nobody knows.
#[test]
fn a_node_at_another_address_is_found_among_the_open_ports() {
    for shell in shells_here() {
        let mut bench = start(shell);
        bench.runs("70", "java", "/usr/bin/java\0-jar\0/srv/gerrit.war\0");
        assert!(!bench.poll().unwrap().running, "{shell:?}: another program of Java");
        bench.runs("77", "java", NODE);
        let why = bench.poll_fails();
        assert!(why.contains("process of Elasticsearch 77 runs"), "{shell:?}: {why}");

        // Java opens it for IPv6 as well; ssh is open, too.
        let rows = "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 1\n   \
            1: 0000000000000000FFFF00000500000A:23F0 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 1\n";
        bench.says("tcp", OPEN);
        bench.says("tcp6", &format!("{OPEN}{rows}"));
        bench.says("at-10.0.0.5:9200", &http(YELLOW, 200));
        for _ in 0..2 {
            let found = bench.poll().unwrap();
            assert_eq!(found.text("address"), Some("10.0.0.5:9200"), "{shell:?}");
        }
        let asked = bench.asked();
        let last: Vec<&str> = asked.iter().rev().take(3).map(String::as_str).collect();
        // The second time it is asked there at once.
        assert_eq!(last, ["10.0.0.5:9200", "10.0.0.5:9200", "127.0.0.1:9200"], "{shell:?}: {asked:?}");

        // It stopped, and others' processes cannot be seen.
        bench.forget("at-10.0.0.5:9200");
        bench.forget("tcp6");
        bench.ends(&["1", "70", "77"]);
        let why = bench.poll_fails();
        assert!(why.contains("cannot see"), "{shell:?}: {why}");
    }
}

#[test]
fn without_a_client_or_an_answer_nobody_knows() {
    for shell in shells_here() {
        start(shell).hangs();

        let none = |program: String| {
            program.replace("command -v curl", "false").replace("_client=wget", "_client=no-such-client")
        };
        let mut bench = with(shell, |_| (), none);
        assert_eq!(bench.poll(), Err(Gap::NoTool("curl or wget".into())), "{shell:?}");
    }
}

/// A server on a port of its own that answers every question with that.
fn serve(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

/// What the wget of BusyBox 1.35 says.
fn busybox(well: bool, closed: bool) -> String {
    match (well, closed) {
        (true, _) => r#"echo '{"cluster_name":"c","status":"green","number_of_nodes":3}'"#.to_owned(),
        (_, true) => "echo 'wget: server returned error: HTTP/1.1 401 Unauthorized' >&2; exit 1".to_owned(),
        _ => "echo \"wget: can't connect to remote host (127.0.0.1): Connection refused\" >&2; exit 1"
            .to_owned(),
    }
}

/// curl and GNU wget, whichever this machine has, and the words of BusyBox 1.35.
#[test]
fn the_clients_of_this_machine_are_understood() {
    let well = serve(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 61\r\nConnection: close\r\n\r\n\
         {\"cluster_name\":\"c\",\"status\":\"green\",\"number_of_nodes\":3    }\n",
    );
    let closed = serve(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"security\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}\n",
    );
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let mut clients: Vec<&str> = ["curl", "wget"].into_iter().filter(|name| find(name).is_some()).collect();
    clients.push("busybox");
    for client in clients {
        let ask = |port: u16| {
            let change = |program: String| {
                let program = program.replace("127.0.0.1:9200", &format!("127.0.0.1:{port}"));
                if client == "curl" { program } else { program.replace("command -v curl", "false") }
            };
            let prepare = |dir: &Path| {
                if client == "busybox" {
                    script(dir, "wget", &busybox(port == well, port == closed));
                }
            };
            with(&["/bin/sh"], prepare, change).poll()
        };
        let found = ask(well).unwrap();
        assert_eq!((found.text("status"), found.amount("nodes")), (Some("green"), Some(3)), "{client}");
        let found = ask(closed).unwrap();
        assert_eq!(found.detail.as_str(), "it requires a password", "{client}");
        let found = ask(refused).unwrap();
        assert_eq!(ServiceHealth::of(&found, &[]), ServiceHealth::Down, "{client}: {found:?}");
    }
}
