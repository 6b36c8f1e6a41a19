//! Tools that a host may lack, or have in an odd form: whatever is missing, nothing unknown passes for well.

use std::path::Path;
use std::sync::Arc;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Cadence, Environment, Guard, Jump, Thresholds, Transport};
use jumpdeck_fleet::judge::{Situation, judge};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::outside::OutsideSnapshot;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::snapshot::{HostFacts, HostSnapshot, JumpSnapshot, Link};
use jumpdeck_fleet::time::Moment;

use crate::support::shell::{Resident, find, host, script, shells_here};

/// Every program that a section may run.
const TOOLS: &[&str] = &[
    "cat", "date", "dd", "df", "grep", "head", "hostname", "ls", "nproc", "sleep", "stat", "timeout", "true",
    "uname",
];

/// A folder with links to the tools, except those.
fn without(dir: &Path, missing: &[&str]) {
    for tool in TOOLS.iter().filter(|tool| !missing.contains(tool)) {
        if let Some(path) = find(tool) {
            std::os::unix::fs::symlink(path, dir.join(tool)).unwrap();
        }
    }
}

/// Runs the probe with no other programs than those of the folder.
fn alone(dir: &Path) -> impl Fn(String) -> String {
    let path = format!("PATH={}", dir.display());
    move |program| {
        let line = program.lines().find(|line| line.starts_with("PATH=")).unwrap().to_owned();
        program.replace(&line, &path)
    }
}

/// The problems of a host that reported these facts.
fn severities(facts: &HostFacts) -> Vec<(Severity, String)> {
    let spec = Arc::new(host("app1"));
    let name = HostName::new("desk").unwrap();
    let env = Environment {
        outside: Default::default(),
        name: spec.id.env.clone(),
        level: "production".into(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump: Jump::Local { name },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
        hosts: vec![spec.clone()],
    };
    let mut jump = JumpSnapshot::pending(&env, Moment(0));
    jump.link = Link::up(Moment(0));
    let mut snapshot = HostSnapshot::pending(spec.id.clone(), "app1:22".into(), Moment(0));
    snapshot.link = Link::up(Moment(0));
    snapshot.reported_at = Some(Moment(0));
    snapshot.facts = facts.clone();
    let hosts = [Arc::new(snapshot)];
    let problems = judge(&Situation {
        env: &env,
        jump: &jump,
        hosts: &hosts,
        outside: &OutsideSnapshot::pending(&env.name, &env.outside),
        now: Moment(0),
    })
    .problems;
    problems.into_iter().map(|p| (p.severity, p.message)).collect()
}

/// Every question has a value, or an unknown problem of its own.
fn assert_told(facts: &HostFacts, what: &str) {
    let problems = severities(facts);
    for (question, gap) in facts.questions() {
        let Some(gap) = gap.filter(|_| question != "clock") else { continue };
        let told = problems.iter().any(|(severity, message)| {
            *severity >= Severity::Unknown && message.starts_with(question) && message.contains(gap.word())
        });
        assert!(
            told || (question == "grains" && *gap == Gap::NotInstalled),
            "{what}: {question}: {gap:?} in {problems:?}"
        );
    }
}

/// Case 04: the tool to ask with is missing, which says nothing of what was asked about.
#[test]
fn whatever_tool_is_missing_the_value_is_there_or_an_unknown_problem() {
    let mut sets: Vec<Vec<&str>> = TOOLS.iter().map(|tool| vec![*tool]).collect();
    sets.extend([
        vec!["timeout", "sleep"],
        vec!["head", "dd"],
        vec!["timeout", "head"],
        vec!["nproc", "grep"],
        vec!["uname", "hostname"],
        TOOLS.to_vec(),
    ]);
    for shell in shells_here() {
        // By its path: the shell is none of the tools.
        let at = find(shell[0]).unwrap();
        let command: Vec<&str> =
            std::iter::once(at.to_str().unwrap()).chain(shell[1..].iter().copied()).collect();
        for missing in &sets {
            let dir = tempfile::tempdir().unwrap();
            without(dir.path(), missing);
            let (mut it, _) = Resident::start_long(&command, &host("app1"), dir.path(), alone(dir.path()));
            it.poll(&["filesystems", "network_filesystems", "load", "memory"]);
            let what = format!("{shell:?} without {missing:?}");
            assert_told(&it.facts, &what);
            let facts = &it.facts;
            assert!(facts.load.current().is_some_and(|load| load.cpus.is_some()), "{what}: {:?}", facts.load);
            assert!(facts.memory.current().is_some() && facts.uptime.current().is_some(), "{what}");
            assert!(facts.identity.current().is_some() && facts.os.current().is_some(), "{what}");
            // Disks are read without `timeout`, and without `head`, for there is another way.
            let no_way = missing.contains(&"df")
                || missing.contains(&"cat")
                || (missing.contains(&"timeout") && missing.contains(&"sleep"))
                || (missing.contains(&"head") && missing.contains(&"dd"));
            // busybox has them all within itself.
            if shell[0] != "busybox" {
                assert_eq!(facts.filesystems.current().is_none(), no_way, "{what}: {:?}", facts.filesystems);
                assert!(!no_way || matches!(facts.filesystems.gap, Some(Gap::NoTool(_))), "{what}");
                assert_eq!(
                    missing.contains(&"date"),
                    facts.clock_offset_ms.gap == Some(Gap::NoTool("date".into())),
                    "{what}"
                );
            }
            assert!(it.finish().success(), "{what}");
        }
    }
}

/// Case 04: `timeout` in the forms of coreutils before 8.5 and of BusyBox before 1.30.
#[test]
fn disks_are_read_whatever_timeout_there_is() {
    let old_busybox = "while [ $# -gt 0 ]; do case $1 in\n\
        -t) secs=$2; shift 2 ;;\n-s) shift 2 ;;\n-*) echo \"timeout: invalid option -- '${1#-}'\" >&2; exit 1 ;;\n*) break ;;\nesac; done\n\
        exec \"$@\"";
    let old_coreutils = "case $1 in -s) shift 2 ;; -*) exit 125 ;; esac\nshift\nexec \"$@\"";
    let broken = "echo 'timeout: not here' >&2; exit 126";
    for shell in shells_here().into_iter().filter(|shell| shell[0] != "busybox") {
        let at = find(shell[0]).unwrap();
        let command: Vec<&str> =
            std::iter::once(at.to_str().unwrap()).chain(shell[1..].iter().copied()).collect();
        for timeout in [old_busybox, old_coreutils, broken] {
            let dir = tempfile::tempdir().unwrap();
            without(dir.path(), &["timeout"]);
            script(dir.path(), "timeout", timeout);
            // A df of another test may wait for the disk just now.
            let (alone, none) = (alone(dir.path()), super::own_processes(&dir.path().join("proc")));
            let (it, _) =
                Resident::start(&command, &host("app1"), dir.path(), |program| none(alone(program)));
            let found = it.facts.filesystems.current();
            let root = found.and_then(|all| all.iter().find(|f| f.mount.as_str() == "/"));
            assert!(
                root.is_some_and(|root| root.usage.is_ok()),
                "{shell:?} {timeout}: {:?}",
                it.facts.filesystems
            );
            assert_told(&it.facts, timeout);
            assert!(it.finish().success());
        }
    }
}

/// Without a `timeout` the shell ends what hangs.
#[test]
fn a_df_that_hangs_is_ended_without_a_timeout_program() {
    for shell in shells_here().into_iter().filter(|shell| shell[0] != "busybox") {
        let at = find(shell[0]).unwrap();
        let command: Vec<&str> =
            std::iter::once(at.to_str().unwrap()).chain(shell[1..].iter().copied()).collect();
        let dir = tempfile::tempdir().unwrap();
        without(dir.path(), &["timeout", "df"]);
        let pids = dir.path().join("pids");
        script(dir.path(), "df", &format!("echo $$ >> {}; exec sleep 1000", pids.display()));
        let (it, _) = Resident::start(&command, &host("app1"), dir.path(), alone(dir.path()));
        assert_eq!(it.facts.filesystems.gap, Some(Gap::TimedOut), "{shell:?}");
        crate::resident::assert_gone(&pids);
        assert!(it.finish().success());
    }
}

/// What the sections of that host ask with.
const HANGING: &str = "df mariadb mariadbd salt-call sudo redis-cli curl wget nc exim exim4 postqueue systemctl who stat apt-get git";

/// Everything that may hang hangs at once: each gap is named all the same, before the console stops waiting (8 s).
#[test]
fn a_host_on_which_everything_hangs_names_every_gap() {
    std::thread::scope(|scope| {
        for shell in shells_here() {
            for sudo in [false, true] {
                scope.spawn(move || {
                    let dir = tempfile::tempdir().unwrap();
                    let path = |name: &str| dir.path().join(name).display().to_string();
                    // More than fourteen questions: with a second each they would take twice the console's patience.
                    for tool in HANGING.split(' ') {
                        script(dir.path(), tool, "exec sleep 1000");
                    }
                    std::fs::write(
                        path("mounts"),
                        "/dev/vda / ext4 rw 0 0\nnas:/a /mnt/a nfs4 rw 0 0\nnas:/b /mnt/b nfs4 rw 0 0\n",
                    )
                    .unwrap();
                    std::fs::create_dir(path("salt")).unwrap();
                    // Nobody writes to it: whoever reads it waits for ever.
                    let made =
                        std::process::Command::new("mkfifo").arg(path("salt/grains")).status().unwrap();
                    assert!(made.success());
                    let change = |program: String| {
                        program.replace("/proc/mounts", &path("mounts")).replace("/etc/salt", &path("salt"))
                    };
                    let begun = std::time::Instant::now();
                    let host = jumpdeck_fleet::fleet::Host { sudo, ..host("db1-sessions-elastic") };
                    let (it, report) = Resident::start(shell, &host, dir.path(), change);
                    // The limits themselves add up to over twenty seconds.
                    let took = begun.elapsed();
                    assert!(took < std::time::Duration::from_secs(10), "{shell:?} sudo {sudo}: {took:?}");
                    assert!(report.sections.iter().any(|(name, _)| name == "clock"), "{shell:?}: {report:?}");
                    let facts = &it.facts;
                    assert_told(facts, &format!("{shell:?} sudo {sudo}"));
                    for (what, gap) in [
                        ("grains", &facts.grains.gap),
                        ("filesystems", &facts.filesystems.gap),
                        ("databases", &facts.databases.gap),
                    ] {
                        let server =
                            facts.databases.current().and_then(|all| all.first()?.server.as_ref().err());
                        let gap = if what == "databases" { gap.as_ref().or(server) } else { gap.as_ref() };
                        assert_eq!(gap, Some(&Gap::TimedOut), "{shell:?} sudo {sudo}: {what}");
                    }
                    let network = facts.network_filesystems.current().unwrap();
                    assert_eq!(network.len(), 2, "{shell:?}");
                    assert!(network.iter().all(|f| f.usage == Err(Gap::TimedOut)), "{shell:?}: {network:?}");
                    assert!(facts.load.current().is_some(), "{shell:?}: {:?}", facts.load);
                    it.finish();
                });
            }
        }
    });
}
