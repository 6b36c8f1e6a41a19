//! The simulated fleet as its users meet it: OpenSSH's own client through the jump box, and the console's resident
//! probe on a simulated host's shell.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::collect::resident::{self, FrameReader};
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::names::EnvName;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;
use jumpdeck_sim::shell::pipe::{Reader, pipe};
use jumpdeck_sim::shell::{Login, Machine};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;

fn production() -> EnvName {
    EnvName::new("production").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_reads_a_simulated_host_through_the_simulated_jump_box() {
    let universe = Universe::load("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let listening = fleet.listen(&production(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let known_hosts = folder.path().join("known_hosts");
    let text = format!("{}\n{}", listening.known_hosts, fleet.known_hosts(&production()));
    std::fs::write(&known_hosts, text).unwrap();
    let config = folder.path().join("config");
    let options = format!(
        "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  \
         BatchMode yes\n  IdentityFile none\n  User root\nHost jump\n  HostName 127.0.0.1\n  Port {}\n",
        known_hosts.display(),
        listening.address.port()
    );
    std::fs::write(&config, options).unwrap();
    let ssh = tokio::process::Command::new("ssh")
        .arg("-F")
        .arg(&config)
        .args(["-J", "jump", "app1", "cat /proc/loadavg; df -P -k; exit 3"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(Duration::from_secs(60), ssh).await.expect("in time") {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("not run: no ssh client on this machine");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(out.lines().next().unwrap_or_default().split(' ').count(), 5, "{out}\n{err}");
    assert!(out.contains("Filesystem     1024-blocks") && out.contains(" /\n"), "{out}\n{err}");
    assert_eq!(output.status.code(), Some(3), "{out}\n{err}");
    assert!(err.contains("level: PRODUCTION"), "{err}");
}

/// Reads up to and with the last line of a report.
async fn report(out: &Reader, nonce: &str) -> String {
    let mut text = String::new();
    loop {
        let line = String::from_utf8_lossy(&out.take_line(1 << 20).await).into_owned();
        assert!(!line.is_empty(), "the probe ended: {text}");
        text.push_str(&line);
        if line.starts_with(&format!("%{nonce} end ")) {
            return text;
        }
    }
}

#[tokio::test]
async fn the_resident_probe_runs_on_the_simulated_shell() {
    let universe = Universe::load_still("wpd-2013", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let inventory = universe.fleet(|name| fleet.access(name));
    let environment = &inventory.environments[0];
    let host = environment.hosts.iter().find(|host| host.id.host.as_str() == "app1").unwrap();
    let (_, world) = &universe.environments[0];
    let machine = Machine::new(host.id.host.clone(), Arc::clone(world));
    let login = Login { machine, user: "root".to_owned(), environment: Vec::new() };

    let sections = resident::sections(host, 0);
    let program = resident::program(host, "first", &sections);
    let (stdin, input) = pipe();
    let (out_writer, out) = pipe();
    let (err_writer, err) = pipe();
    let shell =
        tokio::spawn(async move { login.execute(resident::COMMAND, input, out_writer, err_writer).await });
    let work = async {
        stdin.put(program.as_bytes()).await.unwrap();
        let first = report(&out, "first").await;
        for section in ["load", "memory", "uptime", "identity"] {
            assert!(first.contains(&format!("%first section {section} 0\n")), "{section}: {first}");
        }
        let rounds = 20;
        let started = std::time::Instant::now();
        for _ in 0..rounds {
            stdin.put(resident::tick("again", &sections).as_bytes()).await.unwrap();
            let again = report(&out, "again").await;
            assert!(again.contains("%again section load 0\n"), "{again}");
        }
        println!("{first}\na tick: {:?}", started.elapsed() / rounds);
        drop(stdin);
        let ended = shell.await.unwrap();
        assert_eq!(ended.status, 0, "{}", String::from_utf8_lossy(&err.take_some(4096).await));
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("in time");
}

/// The next report after a service was stopped says so.
#[tokio::test]
async fn a_service_that_is_stopped_in_the_simulated_fleet_is_critical_with_the_next_report() {
    let universe = Universe::load_still("wpd-2015", 7).unwrap();
    let fleet = SimFleet::start(&universe);
    let inventory = universe.fleet(|name| fleet.access(name));
    let environment = &inventory.environments[0];
    let host = environment.hosts.iter().find(|host| host.id.host.as_str() == "mail").unwrap();
    let (_, world) = &universe.environments[0];
    let machine = Machine::new(host.id.host.clone(), Arc::clone(world));
    let login = Login { machine, user: "root".to_owned(), environment: Vec::new() };
    let asked = ["postfix"];
    let program = resident::program(host, "first", &asked);
    let (stdin, input) = pipe();
    let (out_writer, out) = pipe();
    let (err_writer, _err) = pipe();
    let shell =
        tokio::spawn(async move { login.execute(resident::COMMAND, input, out_writer, err_writer).await });
    let work = async {
        stdin.put(program.as_bytes()).await.unwrap();
        let mut facts = HostFacts::default();
        for (runs, nonce) in [(true, "first"), (false, "stopped"), (true, "started")] {
            if nonce != "first" {
                world.lock().unwrap().set_service(&host.id.host, "postfix", runs);
                stdin.put(resident::tick(nonce, &asked).as_bytes()).await.unwrap();
            }
            let mut text = report(&out, nonce).await;
            // It is seen to run again within six reports: each question to one that is down is a line in its log.
            while nonce == "started" && text.contains("system is down") {
                stdin.put(resident::tick(nonce, &asked).as_bytes()).await.unwrap();
                text = report(&out, nonce).await;
            }
            let read = FrameReader::new().push(text.as_bytes()).unwrap().expect("a report");
            resident::ingest(&read, &asked, Moment(0), &mut facts);
            let service = facts.services.get("postfix").unwrap().current().expect(nonce).clone();
            assert_eq!(service.running, runs, "{nonce}: {service:?}");
            let entry = facts.services.iter().next().unwrap();
            let found = entry.findings(&service, &Thresholds::default());
            if runs {
                assert_eq!(found, [], "{nonce}");
            } else {
                assert_eq!(found[0].severity, Severity::Critical);
                assert!(
                    found[0]
                        .message
                        .starts_with("postfix is stopped: postqueue cannot reach it, and no master process"),
                    "{found:?}"
                );
            }
        }
        drop(stdin);
        assert_eq!(shell.await.unwrap().status, 0);
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("in time");
}
