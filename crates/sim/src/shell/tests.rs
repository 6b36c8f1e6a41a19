//! The interpreter against the truth: what is expected here, dash says too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::pipe::{filled, pipe};
use super::{Login, Machine};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

const MEMINFO: &str =
    "MemTotal:        2048000 kB\nMemFree:          512000 kB\nSwapTotal:             0 kB\n";

fn login() -> Login {
    let host = HostName::new("app1").unwrap();
    let mut world = World::default();
    world.write_file(&host, "/proc/meminfo", MEMINFO.into());
    world.write_file(&host, "/proc/loadavg", b"0.52 0.40 0.33 1/123 4567\n".to_vec());
    world.write_file(&host, "/srv/a b/one.txt", b"one\n".to_vec());
    world.write_file(&host, "/srv/two.txt", b"two\n".to_vec());
    Login {
        machine: Machine::new(host, Arc::new(Mutex::new(world))),
        user: "root".to_owned(),
        environment: Vec::new(),
    }
}

/// Standard output, standard error and status of `sh -s` style input or of one command line.
async fn run(command: &str, stdin: &str) -> (String, String, u8) {
    let login = login();
    let (out_writer, out) = pipe();
    let (err_writer, err) = pipe();
    let ran = login.execute(command, filled(stdin.into()), out_writer, err_writer);
    let limit = 1 << 20;
    let all = async { tokio::join!(ran, out.take_all(limit), err.take_all(limit)) };
    let (ended, out, err) = tokio::time::timeout(Duration::from_secs(180), all).await.expect(command);
    (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), ended.status)
}

/// What the real dash does with it.
fn dash(script: &str, stdin: &str) -> Option<(String, i32)> {
    let mut child = Command::new("dash")
        .arg0("sh")
        .args(["-c", script])
        .current_dir("/")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(stdin.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()?))
}

mod limits;

include!("tests/table.rs");

#[tokio::test]
async fn scripts_do_what_dash_does() {
    let mut wrong = Vec::new();
    for (script, stdin, expected, status) in TABLE {
        if let Some((truth, code)) = dash(script, stdin)
            && (truth.as_str(), code) != (*expected, i32::from(*status))
        {
            let said = format!("expected {expected:?} {status}\n  dash     {truth:?} {code}");
            wrong.push(format!("dash itself: {script}\n  {said}"));
        }
        let quoted = shlex::try_quote(script).unwrap();
        let (out, err, got) = run(&format!("sh -c {quoted}"), stdin).await;
        if (out.as_str(), got) != (*expected, *status) {
            wrong.push(format!(
                "{script}\n  expected {expected:?} {status}\n  got      {out:?} {got}\n  stderr   {err:?}"
            ));
        }
        // The same script arriving on standard input.
        if stdin.is_empty() {
            let (out, err, got) = run("sh", &format!("{script}\n")).await;
            if (out.as_str(), got) != (*expected, *status) {
                wrong.push(format!("(stdin) {script}\n  expected {expected:?} {status}\n  got      {out:?} {got}\n  stderr   {err:?}"));
            }
        }
    }
    for name in ["test", "loop", "tee", "lock", "append", "both"] {
        let _never_made = std::fs::remove_file(format!("/tmp/sim-shell-{name}"));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn what_has_no_end_is_bounded_and_lets_others_run() {
    // Recursion ends with an error, not with the stack.
    let (_, err, status) = run("f() { f; }; f", "").await;
    assert!(err.contains("recursion") && status == 2, "{err} {status}");
    let (_, _, status) = run("f() { if :; then (f); fi; }; f; x=$(f)", "").await;
    assert_eq!(status, 2);
    // A value that doubles for ever.
    let (_, err, status) = run("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", "").await;
    assert!(err.contains("Out of space") && status == 2, "{err} {status}");
    // A busy loop on the only thread can be timed out, from inside and from outside.
    assert_eq!(run("timeout 0.2 sh -c 'while :; do :; done'; echo $?", "").await.0, "124\n");
    let endless = run("while :; do :; done", "");
    assert!(tokio::time::timeout(Duration::from_millis(200), endless).await.is_err());
}

#[tokio::test]
async fn a_timeout_ends_what_its_command_left_in_the_background() {
    let script =
        "timeout 0.2 sh -c 'sleep 1000 & echo $!; wait' > /tmp/pid; kill -0 $(cat /tmp/pid); echo $?";
    assert_eq!(run(script, "").await.0, "1\n");
}

/// A session ends as soon as its last command has: what it detached has not had a turn by then on this one thread.
#[tokio::test]
async fn what_is_detached_outlives_a_session_that_ends_at_once() {
    for detach in ["nohup setsid sh -c", "nohup sh -c", "setsid sh -c", "setsid -f sh -c", "sudo nohup sh -c"]
    {
        // The 64th command gives others a turn: each place of the first words in that count is tried.
        for before in 0..70 {
            let login = login();
            let script = format!(
                "{}{detach} ': > /tmp/began; sleep 1000' >/dev/null 2>&1 & echo $! > /tmp/pid",
                ":;".repeat(before)
            );
            let (writer, _reader) = pipe();
            drop(login.execute(&script, filled(Vec::new()), writer.clone(), writer).await);
            let alive = "until [ -e /tmp/began ]; do sleep 0.01; done; kill -0 $(cat /tmp/pid)";
            let (writer, _reader) = pipe();
            let asked = login.execute(alive, filled(Vec::new()), writer.clone(), writer);
            let asked = tokio::time::timeout(Duration::from_secs(20), asked).await;
            let status = asked.map(|asked| asked.status);
            let expected = if detach.contains("-f") { 1 } else { 0 };
            assert_eq!(status, Ok(expected), "{detach} after {before} commands");
        }
    }
}

#[tokio::test]
async fn the_world_answers_through_files_globs_and_messages() {
    let (out, ..) =
        run("while read -r k v r; do case $k in MemTotal:) echo $v;; esac; done < /proc/meminfo", "").await;
    assert_eq!(out, "2048000\n");
    assert_eq!(
        run("cd /srv; echo *; echo */*.txt; cat 'a b'/o*", "").await.0,
        "a b two.txt\na b/one.txt\none\n"
    );
    let (out, err, status) = run("sh -c 'foo; bar/x'; foo", "").await;
    assert_eq!((out.as_str(), status), ("", 127));
    assert_eq!(err, "sh: 1: foo: not found\nsh: 1: bar/x: not found\nbash: line 1: foo: command not found\n");
    assert_eq!(run("sh -c 'echo x > /proc/loadavg'", "").await.2, 2);
    assert_eq!(
        run("bash -c '[[ app1 == app* && -n x ]] && echo \"${0:0:3}\" <<<x; cat <<< here'", "").await.0,
        "bas\nhere\n"
    );
}
