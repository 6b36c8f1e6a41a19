//! Which host keys are trusted, held against OpenSSH itself: `ssh-keygen -F` finds the same lines, and `ssh` accepts
//! whatever we accept. Never the other way round toward trust; where we refuse more, it is listed here with the reason.

use crate::support::{fleet, sshd};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Person, access, environment, open, remote};
use jumpdeck::openssh::known_hosts::{HostKeys, KeyVerdict, lookup_name};
use jumpdeck_fleet::access::{HostKeyFiles, KnownHosts};
use jumpdeck_fleet::fleet::Jump;
use russh::keys::PublicKey;
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
    let fill = filling(dir, sshd);
    FILES.iter().map(|text| (*text, fill(text))).collect()
}

/// Puts keys and names into a text.
fn filling(dir: &Path, sshd: &Sshd) -> impl Fn(&str) -> String {
    for name in ["other", "authority"] {
        keygen(&dir.join(name), "ed25519", "");
    }
    let key = public(&sshd.host_key);
    let with_port = hashed(dir, &format!("[127.0.0.1]:{}", sshd.port), &key);
    let without = hashed(dir, "127.0.0.1", &key);
    let port = sshd.port.to_string();
    let [ecdsa, other, authority] = ["ecdsa", "other", "authority"].map(|name| public(&dir.join(name)));
    move |text| {
        text.replace("@A", &key)
            .replace("@E", &ecdsa)
            .replace("@B", &other)
            .replace("@C", &authority)
            .replace("@H", &with_port)
            .replace("@I", &without)
            .replace("@P", &port)
    }
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

/// Lines that the five files of the next test are put together from.
const LINES: &[&str] = &[
    "[127.0.0.1]:@P @A",
    "[127.0.0.1]:@P @B",
    "[127.0.0.1]:@P @E",
    "127.0.0.1 @A",
    "127.0.0.1 @B",
    "* @A",
    "*,!127.0.0.1 @A",
    "other @A",
    "@H @A",
    "@H @B",
    "@I @A",
    "@revoked * @A",
    "@revoked [127.0.0.1]:@P @A",
    "@revoked 127.0.0.1 @A",
    "@revoked other @A",
    "@revoked * @B",
    "@revoked * @E",
    "@revoked @H @A",
    "@cert-authority * @A",
    "@cert-authority * @C",
    "[127.0.0.1]:@P ssh-ed25519 garbage",
    "# @revoked * @A",
];
/// Lines of a file of revoked keys.
const REVOKED: &[&str] = &["@A", "@A a comment", "@B", "@E", "@C", "# @A", ""];

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn lines(&mut self, from: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| from[self.below(from.len())].to_owned() + "\n").collect()
    }
}

/// Whether ssh goes on to the login; nobody is logged in.
fn ssh_trusts(files: &HostKeyFiles, port: u16) -> bool {
    let list =
        |files: &[PathBuf]| files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(" ");
    let out = Command::new("ssh")
        .args([
            "-F",
            "/dev/null",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "UpdateHostKeys=no",
        ])
        .args(["-o", "PreferredAuthentications=none", "-p", &port.to_string()])
        .args(["-o", &format!("UserKnownHostsFile={}", list(&files.own))])
        .args(["-o", &format!("GlobalKnownHostsFile={}", list(&files.global))])
        .args(["-o", &format!("RevokedHostKeys={}", list(&files.revoked))])
        .args(["root@127.0.0.1", "true"])
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let trusts = said.contains("Permission denied");
    assert!(trusts || said.contains("erification failed") || said.contains("revoked"), "{said}");
    trusts
}

/// Whether we would go on, with a server that has these keys.
fn we_trust(files: &HostKeyFiles, port: u16, server: &[PublicKey]) -> bool {
    let keys = HostKeys::read(&KnownHosts::Files(files.clone())).unwrap();
    // The server presents the key that we ask for first.
    let asked = keys.algorithms("127.0.0.1", port);
    let presented = asked.iter().find_map(|a| server.iter().find(|key| key.algorithm() == *a));
    presented.is_some_and(|key| keys.judge("127.0.0.1", port, key) == KeyVerdict::Known)
}

/// Sets of files, the same ones in every run; a thousand when asked for.
fn sets_of_files(dir: &Path, fill: impl Fn(&str) -> String) -> Vec<HostKeyFiles> {
    let mut numbers = Numbers(25);
    let mut set = |number: usize| {
        let mut file = |name: &str, from: &[&str], most: usize| {
            let path = dir.join(format!("{number}.{name}"));
            fs::write(&path, fill(&numbers.lines(from, most))).unwrap();
            path
        };
        HostKeyFiles {
            own: vec![file("own", LINES, 2), file("own2", LINES, 1)],
            global: vec![file("global", LINES, 2), file("global2", LINES, 1)],
            revoked: vec![file("revoked", REVOKED, if number.is_multiple_of(3) { 2 } else { 0 })],
            ..HostKeyFiles::default()
        }
    };
    let many = if std::env::var_os("JUMPDECK_THOROUGH").is_some() { 1000 } else { 250 };
    (0..many).map(&mut set).collect()
}

#[test]
fn whatever_the_five_files_say_we_trust_what_ssh_trusts() {
    if programs_missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let sshd = start(dir);
    let server =
        ["server.host_key", "ecdsa"].map(|name| PublicKey::from_openssh(&public(&dir.join(name))).unwrap());
    let sets = sets_of_files(dir, filling(dir, &sshd));
    // Whether each is trusted, and what it says where the two differ. A line with a key that cannot be read says here that
    // something is known of the host; OpenSSH skips it.
    let judge = |files: &HostKeyFiles| {
        let (theirs, ours) = (ssh_trusts(files, sshd.port), we_trust(files, sshd.port, &server));
        let all = files.known_hosts().chain(&files.revoked);
        let text: String =
            all.map(|f| format!("{}:\n{}", f.display(), fs::read_to_string(f).unwrap())).collect();
        let stricter = !ours && text.contains("garbage");
        (ours, (ours != theirs && !stricter).then(|| format!("ssh {theirs}, we {ours}\n{text}")))
    };
    let judged: Vec<(bool, Option<String>)> = std::thread::scope(|scope| {
        let parts = sets.chunks(sets.len().div_ceil(4));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(|| part.iter().map(judge).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let differ: Vec<&String> = judged.iter().filter_map(|(_, differ)| differ.as_ref()).collect();
    let accepted = judged.iter().filter(|(accepted, _)| *accepted).count();
    println!("{} sets of files, {accepted} accepted", sets.len());
    assert!(differ.is_empty(), "{} differ, as {}", differ.len(), differ[0]);
    assert!(
        accepted > sets.len() / 10 && accepted < sets.len(),
        "{accepted} accepted: the test tests little"
    );
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
