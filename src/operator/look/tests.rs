//! The script in the real shells of this machine, on this machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use jumpdeck_fleet::look::{MountRoom, PortOwner};

/// What may stand behind `/bin/sh`, and whether its own programs are used, as on a host that has no others.
const SHELLS: &[(&[&str], bool)] = &[
    (&["dash"], false),
    (&["bash", "--posix"], false),
    (&["busybox", "sh"], false),
    (&["busybox", "sh"], true),
    (&["zsh", "--emulate", "sh"], false),
];

fn find(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The answer of a shell; `None` where it is not installed.
fn ask(shell: &[&str], own_programs: bool, kind: LookKind) -> Option<String> {
    let program = find(shell[0]).or_else(|| {
        eprintln!("skipped: {} is not installed", shell[0]);
        None
    })?;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(&program);
    command.args(&shell[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if own_programs {
        for applet in ["cat", "head", "grep", "cut", "id", "df", "printf"] {
            std::os::unix::fs::symlink(&program, folder.path().join(applet)).unwrap();
        }
        command.env("PATH", folder.path());
    }
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script("jdmark", kind).as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{shell:?}: {:?}", out.status);
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn each(kind: LookKind, check: impl Fn(&str, &LookParts<'_>)) {
    let mut asked = 0;
    for (shell, own) in SHELLS {
        let Some(text) = ask(shell, *own, kind) else { continue };
        let parts = LookParts::of(&text, "jdmark").unwrap_or_else(|| panic!("{shell:?}: {text}"));
        check(&format!("{shell:?}, its own programs: {own}"), &parts);
        asked += 1;
    }
    assert!(asked > 0, "no shell is installed");
}

#[test]
fn processes_of_this_machine_are_read_by_every_shell() {
    let own = std::process::id();
    each(LookKind::Processes, |shell, parts| {
        let mut times = None;
        let (table, notes) = processes::read(parts, &mut times);
        let row = table.rows.iter().find(|row| row.pid == own);
        // Among more than four hundred it may be none of the busiest.
        let Some(row) = row else { return assert!(table.count > 400, "{shell}: {} rows", table.rows.len()) };
        assert!(row.memory_kb.is_some_and(|kb| kb > 500) && row.user.is_some(), "{shell}: {row:?}");
        assert!(row.seconds < 7200 && table.count >= 2, "{shell}: {row:?}, {notes:?}");
        assert!(times.is_some(), "{shell}");
    });
}

#[test]
fn a_port_that_is_listened_on_is_found_by_every_shell() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, own) = (listener.local_addr().unwrap().port(), std::process::id());
    each(LookKind::Ports, |shell, parts| {
        let (ports, _) = ports::read(parts);
        let found = ports.iter().find(|one| one.port == port).unwrap_or_else(|| panic!("{shell}: {ports:?}"));
        assert_eq!(found.address.as_str(), "127.0.0.1", "{shell}");
        match &found.owner {
            PortOwner::Processes(all) => assert!(all.iter().any(|(_, pid)| *pid == own), "{shell}: {all:?}"),
            PortOwner::Hidden => {}
            PortOwner::Kernel => panic!("{shell}: this process listens"),
        }
    });
}

#[test]
fn mounts_of_this_machine_are_those_of_the_kernel() {
    let table = std::fs::read_to_string("/proc/mounts").unwrap();
    each(LookKind::Mounts, |shell, parts| {
        let (mounts, notes) = mounts::read(parts);
        assert_eq!(mounts.len(), table.lines().count().min(2000), "{shell}");
        let has_df = parts.part("df").is_some();
        let known = mounts.iter().any(|mount| matches!(mount.room, MountRoom::Known(_)));
        assert!(known || !has_df || Path::new("/.dockerenv").exists(), "{shell}: {mounts:?}");
        assert!(notes.is_empty(), "{shell}: {notes:?}");
    });
}

#[test]
fn comments_are_not_sent_and_the_last_line_is_the_question() {
    let text = script("jdx", LookKind::Ports);
    assert!(
        text.starts_with("jd_mark=jdx\n") && text.ends_with("jd_ports\n") && !text.contains("\n#"),
        "{text}"
    );
    assert!(!SCRIPT.contains("cmdline"), "arguments may hold secrets");
}
