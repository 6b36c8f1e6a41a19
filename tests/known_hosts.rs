//! Which host keys are trusted, held against OpenSSH itself: `ssh-keygen -F` finds the same lines, and `ssh` accepts
//! whatever we accept. Never the other way round toward trust; where we refuse more, it is listed here with the reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/fleet.rs"]
#[allow(dead_code)]
mod fleet;
#[path = "support/sshd.rs"]
#[allow(dead_code)]
mod sshd;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Person, access, environment, open, remote};
use jumpdeck::domain::fleet::Jump;
use jumpdeck::ssh::known_hosts::{HostKeys, lookup_name};
use sshd::{Sshd, keygen, missing, not_root, public, run};

/// Lines with `@A` for the server's key, `@E` for its ECDSA key, `@B` for another one, `@C` for an authority that
/// signed nothing, `@P` for the port, `@H` and `@I` for the hashed names of `[127.0.0.1]:@P` and `127.0.0.1`.
const FILES: &[&str] = &[
    "",
    "# nothing but a comment\n\n",
    "[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P @A\n",
    "[127.0.0.1]:@P\t@A\r\n",
    "  \t[127.0.0.1]:@P   @A a comment",
    "#[127.0.0.1]:@P @A",
    "127.0.0.1 @A",
    "127.0.0.1 @B",
    "[127.0.0.1]:@P @B",
    "[127.0.0.1]:@P @B\n[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P @B\n127.0.0.1 @A",
    "127.0.0.1 @B\n[127.0.0.1]:@P @A",
    "[127.0.0.1]:1 @A",
    "[localhost]:@P @A",
    "localhost @A",
    "LocalHost,other @A",
    "* @A",
    "[127.*]:* @A",
    "[127.0.0.?]:@P @A",
    "[127.0.0.??]:@P @A",
    "*,!127.0.0.1 @A",
    "*,!*127.0.0.1* @A",
    "![127.0.0.1]:@P,* @A",
    "!other,[127.0.0.1]:@P @A",
    "!other @A",
    "@H @A",
    "@H @B",
    "@I @A",
    "|1|broken @A",
    "|2|AAAA|AAAA @A",
    "@H,[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P @E",
    "[127.0.0.1]:@P @E\n[127.0.0.1]:@P @B",
    "[127.0.0.1]:@P ssh-ed25519",
    "[127.0.0.1]:@P ssh-ed25519 garbage",
    "[127.0.0.1]:@P ssh-ed25519 garbage\n[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P 1024 35 1234567",
    "[127.0.0.1]:@P",
    "[127.0.0.1]:@P @A\n@revoked * @A",
    "@revoked [127.0.0.1]:@P @A\n[127.0.0.1]:@P @A",
    "@revoked other @A\n[127.0.0.1]:@P @A",
    "@revoked * @B\n[127.0.0.1]:@P @A",
    "@revoked\t*\t@A\n[127.0.0.1]:@P @A",
    "@revoked 127.0.0.1 @A\n[127.0.0.1]:@P @A",
    "@revoked * @E\n[127.0.0.1]:@P @A",
    "@cert-authority * @A",
    "@cert-authority * @C\n[127.0.0.1]:@P @A",
    "@unknown * @A",
    "@revoked @cert-authority * @A\n[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P @A\nnonsense\n\0\u{fffd} x y",
    "[127.0.0.1]:@P,@A",
    ",[127.0.0.1]:@P, @A",
];

/// Where we refuse and OpenSSH accepts.
const STRICTER: &[(&str, &str)] = &[
    // A tab behind the marker makes OpenSSH skip the line; we take it as it is meant.
    ("@revoked\t*\t@A\n[127.0.0.1]:@P @A", "tab behind @revoked"),
];

fn programs_missing() -> bool {
    missing(&["sshd", "ssh", "ssh-keygen"]) || not_root()
}

fn hashed(dir: &Path, name: &str, key: &str) -> String {
    let file = dir.join("hash");
    fs::write(&file, format!("{name} {key}\n")).unwrap();
    run("ssh-keygen", &["-q", "-H", "-f", file.to_str().unwrap()]);
    fs::read_to_string(file).unwrap().split_whitespace().next().unwrap().to_owned()
}

fn files(dir: &Path, sshd: &Sshd) -> Vec<(&'static str, String)> {
    for name in ["other", "authority"] {
        keygen(&dir.join(name), "ed25519", "");
    }
    let key = public(&sshd.host_key);
    let with_port = hashed(dir, &format!("[127.0.0.1]:{}", sshd.port), &key);
    let without = hashed(dir, "127.0.0.1", &key);
    let fill = |text: &str| {
        text.replace("@A", &key)
            .replace("@E", &public(&dir.join("ecdsa")))
            .replace("@B", &public(&dir.join("other")))
            .replace("@C", &public(&dir.join("authority")))
            .replace("@H", &with_port)
            .replace("@I", &without)
            .replace("@P", &sshd.port.to_string())
    };
    FILES.iter().map(|text| (*text, fill(text))).collect()
}

fn start(dir: &Path) -> Sshd {
    keygen(&dir.join("key"), "ed25519", "");
    keygen(&dir.join("ecdsa"), "ecdsa", "");
    fs::write(dir.join("authorized_keys"), public(&dir.join("key"))).unwrap();
    Sshd::start(dir, "server", &format!("HostKey {}", dir.join("ecdsa").display()))
}

fn ssh_accepts(dir: &Path, known_hosts: &Path, sshd: &Sshd, address: &str) -> bool {
    let out = Command::new("ssh")
        .args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"])
        .args(["-o", "GlobalKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "-o", "UpdateHostKeys=no"])
        .args(["-o", &format!("UserKnownHostsFile={}", known_hosts.display())])
        .args(["-i", dir.join("key").to_str().unwrap(), "-p", &sshd.port.to_string()])
        .args([&format!("root@{address}"), "true"])
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() || said.contains("erification failed") || said.contains("revoked"),
        "{said}"
    );
    out.status.success()
}

async fn we_accept(dir: &Path, known_hosts: &Path, sshd: &Sshd, address: &str) -> bool {
    let mut jump = remote(sshd.port, access(&dir.join("key"), known_hosts.to_owned()));
    if let Jump::Remote(jump) = &mut jump {
        address.clone_into(&mut jump.address);
    }
    let env = environment(jump, Duration::from_secs(10));
    match open(&env, &Person::new([]), &Arc::default()).await {
        Ok(_) => true,
        Err(refused) => {
            assert!(refused.state().needs_a_person(), "refused for another reason: {refused}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_accepts_whatever_we_accept() {
    if programs_missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let sshd = start(dir);
    let known_hosts = dir.join("known_hosts");
    let mut accepted = 0;
    for (name, text) in files(dir, &sshd) {
        for address in ["127.0.0.1", "LOCALHOST"] {
            fs::write(&known_hosts, &text).unwrap();
            let theirs = ssh_accepts(dir, &known_hosts, &sshd, address);
            let ours = we_accept(dir, &known_hosts, &sshd, address).await;
            accepted += usize::from(ours);
            assert!(theirs || !ours, "{name:?}, {address}: we accept what ssh refuses");
            let stricter = STRICTER.iter().any(|(text, _)| *text == name);
            assert!(ours || !theirs || stricter, "{name:?}, {address}: ssh accepts what we refuse");
            assert_eq!(fs::read_to_string(&known_hosts).unwrap(), text, "nothing is written unasked");
        }
    }
    println!("{} files, {accepted} accepted", FILES.len() * 2);
    assert!(accepted > 20, "only {accepted} accepted: the test tests nothing");
}

/// Authorities (the key's kind and length) and the algorithm each signs with; whether the certificate is good.
const AUTHORITIES: &[(&str, &str, &str, bool)] = &[
    ("ed25519", "256", "ssh-ed25519", true),
    ("ecdsa", "256", "ecdsa-sha2-nistp256", true),
    ("ecdsa", "384", "ecdsa-sha2-nistp384", true),
    ("ecdsa", "521", "ecdsa-sha2-nistp521", true),
    ("rsa", "3072", "rsa-sha2-512", true),
    ("rsa", "2048", "rsa-sha2-256", true),
    ("rsa", "1024", "rsa-sha2-512", true),
    ("rsa", "2048", "ssh-rsa", false),
    ("dsa", "1024", "ssh-dss", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn ssh_accepts_whatever_certificate_we_accept() {
    if programs_missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    keygen(&dir.join("key"), "ed25519", "");
    fs::write(dir.join("authorized_keys"), public(&dir.join("key"))).unwrap();
    let known_hosts = dir.join("known_hosts");
    for host_kind in ["ed25519", "rsa"] {
        keygen(&dir.join(host_kind), host_kind, "");
    }
    for (i, (kind, bits, algorithm, good)) in AUTHORITIES.iter().enumerate() {
        let authority = dir.join(format!("authority{i}"));
        let authority = authority.to_str().unwrap();
        run("ssh-keygen", &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "", "-f", authority]);
        for host_kind in ["ed25519", "rsa"] {
            let name = format!("server{i}{host_kind}");
            let host_key = dir.join(format!("{name}.host_key"));
            let certified = format!("{}.pub", host_key.display());
            fs::copy(dir.join(host_kind), &host_key).unwrap();
            fs::copy(dir.join(format!("{host_kind}.pub")), &certified).unwrap();
            run(
                "ssh-keygen",
                &["-q", "-s", authority, "-t", algorithm, "-I", "x", "-h", "-n", "127.0.0.1", &certified],
            );
            let certificate = certified.replace(".pub", "-cert.pub");
            let sshd = Sshd::start(dir, &name, &format!("HostCertificate {certificate}"));
            let by_authority = format!("@cert-authority * {}\n", public(Path::new(authority)));
            for (text, good) in
                [(by_authority.clone(), *good), (format!("{by_authority}{}", sshd.known()), true)]
            {
                fs::write(&known_hosts, &text).unwrap();
                let theirs = ssh_accepts(dir, &known_hosts, &sshd, "127.0.0.1");
                let ours = we_accept(dir, &known_hosts, &sshd, "127.0.0.1").await;
                assert_eq!(
                    theirs, good,
                    "ssh: {host_kind} certified by {kind} {bits} with {algorithm}: {text}"
                );
                assert_eq!(ours, good, "we: {host_kind} certified by {kind} {bits} with {algorithm}: {text}");
            }
        }
    }
}

#[test]
fn ssh_keygen_finds_the_same_lines() {
    if programs_missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let sshd = start(dir);
    let file = dir.join("known_hosts");
    let mut found = 0;
    for (name, text) in files(dir, &sshd) {
        if name.contains(['\0', '\t']) {
            continue; // ssh-keygen -F stops at NUL, and skips markers with tabs
        }
        fs::write(&file, &text).unwrap();
        let mut keys = HostKeys::default();
        keys.add_text(&text, "f");
        for (address, port) in [("127.0.0.1", sshd.port), ("127.0.0.1", 22), ("localhost", 22), ("other", 22)]
        {
            let looked_up = lookup_name(address, port);
            let out = Command::new("ssh-keygen")
                .args(["-F", &looked_up, "-f", file.to_str().unwrap()])
                .output()
                .unwrap();
            let theirs: Vec<String> = String::from_utf8_lossy(&out.stdout)
                .lines()
                .filter_map(|l| {
                    l.strip_prefix("# Host ")?.split_once("found: line ").map(|(_, n)| n.to_owned())
                })
                .map(|n| format!("f:{}", n.split_whitespace().next().unwrap()))
                .collect();
            let ours = keys.lines_for(address, port);
            found += ours.len();
            assert!(
                ours.iter().all(|l| theirs.contains(l)),
                "{name:?} for {looked_up}: {ours:?}, {theirs:?}"
            );
        }
    }
    assert!(found > 20, "only {found} found: the test tests nothing");
}
