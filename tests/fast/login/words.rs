//! What a host says instead of answering is shown in its own words.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sshd::{Sshd, keygen, missing, not_root, public};

/// The detail of `app1` and the jump box's in `jumpdeck status`, for a host whose forced command is this.
fn told(dir: &Path, jump: &Sshd, forced: &str) -> serde_json::Value {
    let host_dir = dir.join("host");
    fs::create_dir_all(&host_dir).unwrap();
    let key = public(&dir.join("key"));
    let forced = forced.replace('"', "\\\"");
    fs::write(host_dir.join("authorized_keys"), format!("command=\"{forced}\" {key}\n")).unwrap();
    let host = Sshd::start(&host_dir, "host", "");
    fs::write(dir.join("known_hosts"), jump.known() + &host.known()).unwrap();
    status(dir, jump, host.port)
}

/// What `jumpdeck status` says of the host at that port.
pub(crate) fn status(dir: &Path, jump: &Sshd, port: u16) -> serde_json::Value {
    let text = format!(
        "user = 'root'\nkeys = ['{0}/key']\nknown_hosts = ['{0}/known_hosts']\nagent = false\ncadence.deadline = 3\n\
         [environments.test]\njump = {{ name = 'jump1', address = '127.0.0.1', port = {1} }}\n\
         hosts.app1 = {{ address = '127.0.0.1', port = {port} }}\n",
        dir.display(),
        jump.port
    );
    let inventory = dir.join("inventory.toml");
    fs::write(&inventory, text).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_jumpdeck"))
        .args(["status", "--format", "json", "--inventory", inventory.to_str().unwrap()])
        .env("HOME", dir)
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    let line = text.lines().next().unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(line)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&out.stderr)))["hosts"][0]
        .clone()
}

/// Cases 1 and 2: a forced command that says why, on either stream, with its status; and one that then sleeps longer than
/// anybody waits.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_forced_command_are_shown() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
    let jump = Sshd::start(dir.path(), "jump", "");
    let guard = "echo 'Please login as the user ubuntu rather than the user root.'; echo";
    let loud = "i=0; while [ $i -lt 300 ]; do echo word $i; i=$((i+1)); done; exit 4";
    for (forced, words) in [
        (format!("{guard}; exit 142"), &["with status 142", "Please login as the user ubuntu"][..]),
        (
            format!("{guard}; sleep 10; exit 142"),
            &["no report within 3 s", "Please login as the user ubuntu"],
        ),
        (format!("({guard}) >&2; sleep 10; exit 142"), &["no report within 3 s", "Please login as the user"]),
        ("echo first; echo second >&2; exit 3".to_owned(), &["with status 3", "first", "second"]),
        ("printf 'no \\033[31mred\\r\\n\\n'; exit 1".to_owned(), &["with status 1", "no ^[[31mred"]),
        ("kill -9 $$".to_owned(), &["killed by signal KILL"]),
        ("exit 0".to_owned(), &["its shell ended with status 0"]),
        (loud.to_owned(), &["with status 4", "word 0", "word 5"]),
        ("echo a motd; exec sh".to_owned(), &[""]),
    ] {
        let host = told(dir.path(), &jump, &forced);
        let detail = host["state_detail"].as_str().unwrap_or_default();
        for word in words {
            assert!(detail.contains(word), "{forced}: {detail:?} lacks {word:?}");
        }
        assert!(detail.len() < 800, "{forced}: {detail}");
        // This machine answers under its own name.
        let reported = host["state"] == "identity_mismatch" || host["state"] == "up";
        assert_eq!(reported, forced.ends_with("exec sh"), "{forced}: {host}");
    }
}

/// Case 2: a shell that is gone before the probe is sent to it (nologin) is quoted like one that goes later, every time.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_shell_that_ends_at_once_are_shown_every_time() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
    let jump = Sshd::start(dir.path(), "jump", "");
    let host_dir = dir.path().join("host");
    fs::create_dir_all(&host_dir).unwrap();
    let key = public(&dir.path().join("key"));
    fs::write(host_dir.join("authorized_keys"), format!("command=\"echo not available; exit 1\" {key}\n"))
        .unwrap();
    let host = Sshd::start(&host_dir, "host", "");
    fs::write(dir.path().join("known_hosts"), jump.known() + &host.known()).unwrap();
    for _ in 0..10 {
        let seen = status(dir.path(), &jump, host.port);
        let detail = seen["state_detail"].as_str().unwrap_or_default();
        assert!(detail.contains("with status 1") && detail.contains("not available"), "{detail}");
    }
}
