//! Servers that allow few sessions.

use std::fs;
use std::process::Command;

use super::sshd::{Sshd, keygen, missing, not_root, public};

/// Case 13: a jump box with `MaxSessions 1` that is a host too, and hosts with 1 and 2 sessions, answer every time.
#[tokio::test(flavor = "multi_thread")]
async fn machines_with_one_session_are_asked_reliably() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
    let sshd = |name: &str, sessions| Sshd::start(dir.path(), name, &format!("MaxSessions {sessions}"));
    let (jump, one, two) = (sshd("jump", 1), sshd("one", 1), sshd("two", 2));
    fs::write(dir.path().join("known_hosts"), jump.known() + &one.known() + &two.known()).unwrap();
    let me = Command::new("uname").arg("-n").output().unwrap().stdout;
    let text = format!(
        "user = 'root'\nkeys = ['{0}/key']\nknown_hosts = ['{0}/known_hosts']\nagent = false\n\
         [environments.test]\njump = {{ name = 'jump1', address = '127.0.0.1', port = {1} }}\n\
         [environments.test.hosts]\njump1 = {{ hostname = '{4}' }}\n\
         one = {{ address = '127.0.0.1', port = {2}, hostname = '{4}' }}\n\
         two = {{ address = '127.0.0.1', port = {3}, hostname = '{4}' }}\n",
        dir.path().display(),
        jump.port,
        one.port,
        two.port,
        String::from_utf8(me).unwrap().trim()
    );
    let inventory = dir.path().join("inventory.toml");
    fs::write(&inventory, text).unwrap();
    for run in 0..20 {
        let out = Command::new(env!("CARGO_BIN_EXE_jumpdeck"))
            .args(["status", "--format", "json", "--inventory", inventory.to_str().unwrap()])
            .env("HOME", dir.path())
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        let seen: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        for host in seen["hosts"].as_array().unwrap() {
            assert_eq!(host["state"], "up", "run {run}: {} {}", host["name"], host["state_detail"]);
        }
    }
}
