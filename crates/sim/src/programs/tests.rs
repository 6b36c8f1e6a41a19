//! Runs a simulated program as a shell would.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, DuplexStream};

use crate::program::{Call, Program};
use crate::shell::pipe::{filled, pipe};
use crate::shell::{Login, Machine};
use crate::world::World;
use crate::world::universe::Universe;
use jumpdeck_fleet::names::HostName;

use super::PROGRAMS;

pub(crate) type Shared = Arc<Mutex<World>>;

pub(crate) fn world(name: &str, environment: usize) -> Shared {
    Universe::load_still(name, 11).unwrap().environments[environment].1.clone()
}

pub(crate) fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(crate) fn find(name: &str) -> &'static dyn Program {
    *PROGRAMS.iter().find(|p| p.name() == name).unwrap()
}

/// A call of a program, and its standard output and standard error.
pub(crate) fn call(
    world: &Shared,
    on: &str,
    args: &[&str],
    stdin: &str,
) -> (Call, DuplexStream, DuplexStream) {
    let (stdout, out) = tokio::io::duplex(1 << 20);
    let (stderr, err) = tokio::io::duplex(1 << 20);
    let call = Call {
        host: host(on),
        user: "root".to_owned(),
        world: world.clone(),
        args: args.iter().map(|a| (*a).to_owned()).collect(),
        env: BTreeMap::new(),
        cwd: "/root".to_owned(),
        stdin: Box::new(std::io::Cursor::new(stdin.as_bytes().to_vec())),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        descriptors: Vec::new(),
    };
    (call, out, err)
}

/// Standard output, standard error, status.
pub(crate) fn run(world: &Shared, on: &str, args: &[&str], stdin: &str) -> (String, String, u8) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let (call, mut out, mut err) = call(world, on, args, stdin);
        let status = find(args[0]).run(call).await;
        let (mut text, mut complaint) = (String::new(), String::new());
        out.read_to_string(&mut text).await.unwrap();
        err.read_to_string(&mut complaint).await.unwrap();
        (text, complaint, status)
    })
}

/// Standard output, standard error, status of a command line, as a login shell runs it.
pub(crate) fn shell(world: &Shared, on: &str, command: &str) -> (String, String, u8) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let login = Login {
            machine: Machine::new(host(on), world.clone()),
            user: "root".to_owned(),
            environment: Vec::new(),
        };
        let ((stdout, out), (stderr, err)) = (pipe(), pipe());
        let ran = login.execute(command, filled(Vec::new()), stdout, stderr);
        let (ended, out, err) = tokio::join!(ran, out.take_all(1 << 20), err.take_all(1 << 20));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(out), text(err), ended.status)
    })
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = PROGRAMS.iter().map(|p| p.name()).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_tools_of_a_host_agree_with_its_proc_files() {
    let world = world("wpd-2015", 0);
    world.lock().unwrap().advance(std::time::Duration::from_secs(4000));
    let read =
        |path: &str| String::from_utf8(world.lock().unwrap().read_file(&host("db2"), path).unwrap()).unwrap();
    let (uptime, _, status) = run(&world, "db2", &["uptime"], "");
    assert_eq!(status, 0);
    let loadavg = read("/proc/loadavg");
    let load: Vec<&str> = loadavg.split(' ').take(3).collect();
    assert!(uptime.ends_with(&format!("load average: {}\n", load.join(", "))), "{uptime}");
    let (free, _, _) = run(&world, "db2", &["free"], "");
    let meminfo = read("/proc/meminfo");
    let total = meminfo.lines().next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(free.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap(), total);
    let (nproc, _, _) = run(&world, "db2", &["nproc"], "");
    assert_eq!(read("/proc/cpuinfo").matches("processor").count().to_string(), nproc.trim());
    assert_eq!(read("/sys/devices/system/cpu/online"), "0-3\n");
    assert_eq!(run(&world, "db2", &["hostname", "-f"], "").0, "db2.production.wpdn\n");
    assert_eq!(run(&world, "db2", &["uname", "-sn"], "").0, "Linux db2\n");
}

#[test]
fn salt_call_reads_the_grains_file_as_it_stands() {
    let world = world("wpd-2015", 0);
    let (text, _, status) = run(
        &world,
        "db1-masterdb",
        &["salt-call", "--local", "grains.item", "level", "roles", "--out=json"],
        "",
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 0);
    assert_eq!(json["local"]["level"], "production");
    assert_eq!(json["local"]["roles"], serde_json::json!(["db", "masterdb"]));
    let grains = b"level: staging\nroles:\n  - web\n".to_vec();
    world.lock().unwrap().write_file(&host("app1"), "/etc/salt/grains", grains);
    let level = run(&world, "app1", &["salt-call", "--local", "grains.get", "level"], "").0;
    assert_eq!(level, "local:\n    staging\n");
    let roles = run(&world, "app1", &["salt-call", "--local", "grains.get", "roles"], "").0;
    assert_eq!(roles, "local:\n    - web\n");
}

#[test]
fn tables_connections_and_keys_are_told() {
    let world = world("wpd-2015", 0);
    let said = |on: &str, command: &str| shell(&world, on, command);
    let (out, err, _) = said(
        "backup",
        "crontab -l; printf '# nightly\\n5 0 * * * /usr/local/bin/backup\\n' | crontab -; crontab -l; \
         echo 'not a row' | crontab -; crontab -r; crontab -l; echo $?",
    );
    assert_eq!(out, "# nightly\n5 0 * * * /usr/local/bin/backup\n1\n");
    assert!(err.starts_with("no crontab for root\n") && err.contains("bad minute"), "{err}");
    let filter = "ss -Htn state established '( dport = :3306 )'";
    assert_eq!(said("app1", filter).0.split_whitespace().last().unwrap(), "10.10.10.14:3306");
    assert_eq!(said("backup", filter).0, "");
    let (out, ..) = said("db1-masterdb", "ss -tnp state established '( sport = :3306 )' | grep -c mysqld");
    assert!(out.trim().parse::<u32>().unwrap() >= 3, "{out}");
    let (scanned, ..) =
        said("salt", "ssh-keyscan -t ed25519 app1 2>/dev/null | tee /tmp/key; ssh-keygen -lf /tmp/key");
    let (own, ..) = said("app1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    let print = crate::sshd::host_key_fingerprint(&world.lock().unwrap(), &host("app1")).unwrap();
    assert!(scanned.contains(&print) && own.contains(&print), "{scanned}{own}");
}
