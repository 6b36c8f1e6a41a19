//! Servers that pose as a host, and agents: what `ssh` refuses is refused, what it can do can be done.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jumpdeck::config::inventory::{self, Context};
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck_fleet::access::{Access, HostKeyFiles, KnownHosts};

use crate::support::agent::KeyAgent;
use crate::support::fleet::{Person, access, environment, open, remote};
use crate::support::sshd::{Sshd, keygen, missing, not_root, public, run};

const SOON: Duration = Duration::from_secs(20);

fn unprepared() -> bool {
    missing(&["sshd", "ssh", "ssh-keygen", "ssh-agent", "ssh-add"]) || not_root()
}

/// A folder with a key that is let in.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
    dir
}

async fn log_in(sshd: &Sshd, access: Access) -> Result<JumpLink, TransportError> {
    open(&environment(remote(sshd.port, access), SOON), &Person::new([]), &Arc::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_its_authority_signed_with_sha_1_is_refused_with_the_reason() {
    if unprepared() {
        return;
    }
    let dir = folder();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "", "-f", &path("ca")]);
    keygen(&dir.path().join("server.host_key"), "ed25519", "");
    let certify = |algorithm: &str| {
        let key = path("server.host_key.pub");
        run(
            "ssh-keygen",
            &["-q", "-s", &path("ca"), "-t", algorithm, "-I", "x", "-h", "-n", "127.0.0.1", &key],
        );
        Sshd::start(dir.path(), "server", &format!("HostCertificate {}", path("server.host_key-cert.pub")))
    };
    let known = dir.path().join("known_hosts");
    fs::write(&known, format!("@cert-authority * {}\n", public(&dir.path().join("ca")))).unwrap();
    let forged = certify("ssh-rsa");
    let refused = log_in(&forged, access(&dir.path().join("key"), known.clone())).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::HostCertificate, "{refused}");
    assert!(refused.to_string().contains("signed it with SHA-1 (ssh-rsa)"), "{refused}");
    let good = certify("rsa-sha2-256");
    log_in(&good, access(&dir.path().join("key"), known)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_file_of_the_system_revokes_is_refused_though_the_users_own_file_knows_it() {
    if unprepared() {
        return;
    }
    let dir = folder();
    let sshd = Sshd::start(dir.path(), "server", "");
    let write = |name: &str, text: String| {
        fs::write(dir.path().join(name), text).unwrap();
        vec![dir.path().join(name)]
    };
    let known = write("known_hosts", sshd.known());
    let with = |global: Vec<PathBuf>, revoked: Vec<PathBuf>| Access {
        known_hosts: KnownHosts::Files(HostKeyFiles {
            own: known.clone(),
            global,
            revoked,
            ..HostKeyFiles::default()
        }),
        ..access(&dir.path().join("key"), PathBuf::new())
    };
    let key = public(&sshd.host_key);
    log_in(&sshd, with(write("none", String::new()), Vec::new())).await.unwrap();
    for access in [
        with(write("global", format!("# ours\n@revoked * {key}\n")), Vec::new()),
        with(Vec::new(), write("revoked", format!("# ours\n{key} withdrawn\n"))),
    ] {
        let refused = log_in(&sshd, access).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::HostKeyRevoked, "{refused}");
        assert!(refused.to_string().contains(":2)"), "the place: {refused}");
    }
    // A list that cannot be read is not taken for an empty one.
    let krl = dir.path().join("krl");
    run(
        "ssh-keygen",
        &["-q", "-k", "-f", krl.to_str().unwrap(), &format!("{}.pub", sshd.host_key.display())],
    );
    for list in [krl, dir.path().join("missing")] {
        let refused = log_in(&sshd, with(Vec::new(), vec![list.clone()])).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::KnownHostsFile, "{refused}");
        assert!(refused.to_string().contains(list.to_str().unwrap()), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_agent_keeps_for_one_destination_is_used_there_and_nowhere_else() {
    if unprepared() {
        return;
    }
    let dir = folder();
    let (mine, other) = (Sshd::start(dir.path(), "mine", ""), Sshd::start(dir.path(), "other", ""));
    let known = dir.path().join("known_hosts");
    fs::write(&known, mine.known() + &other.known()).unwrap();
    let agent = KeyAgent::start(dir.path());
    let destination = format!("[127.0.0.1]:{}", mine.port);
    let key = dir.path().join("key");
    agent.add(&["-q", "-H", known.to_str().unwrap(), "-h", &destination, key.to_str().unwrap()]);
    let from_agent =
        || Access { keys: Vec::new(), agent: Some(agent.socket.clone()), ..access(&key, known.clone()) };
    log_in(&mine, from_agent()).await.unwrap();
    let refused = log_in(&other, from_agent()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NoCredentials, "{refused}");
    // Without the restriction it is used everywhere: the agent refused, not the server.
    agent.add(&["-q", "-D"]);
    agent.add(&["-q", key.to_str().unwrap()]);
    log_in(&other, from_agent()).await.unwrap();
}

/// Case 20: what the files that `ssh` reads by default revoke is refused, also when the inventory names files of its own; and
/// such a file that cannot be read is reported, not skipped.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_revoked_in_a_default_file_is_refused_whatever_files_the_inventory_names() {
    if unprepared() {
        return;
    }
    let dir = folder();
    let path = |name: &str| dir.path().join(name);
    let sshd = Sshd::start(dir.path(), "server", "");
    fs::write(path("own"), sshd.known()).unwrap();
    fs::create_dir(path(".ssh")).unwrap();
    let context = Context { home: dir.path().to_owned(), user: "root".to_owned(), ..Context::default() };
    let text = format!(
        "keys = ['{0}/key']\nknown_hosts = ['{0}/own']\n[environments.test]\n\
         jump = {{ name = 'jump1', address = '127.0.0.1', port = {1} }}\nhosts.app1 = {{}}\n",
        dir.path().display(),
        sshd.port
    );
    let fleet = inventory::parse("inventory.toml", &text, &context).unwrap();
    let log_in = || {
        let env = fleet.environments[0].clone();
        async move { open(&env, &Person::new([]), &Arc::default()).await }
    };
    log_in().await.unwrap();
    let key = public(&sshd.host_key);
    for name in [".ssh/known_hosts", ".ssh/known_hosts2"] {
        // Whatever else it says of the host is not looked at: the inventory named other files for that.
        keygen(&path("other"), "ed25519", "");
        let known = format!("[127.0.0.1]:{} {}\n", sshd.port, public(&path("other")));
        fs::write(path(name), &known).unwrap();
        log_in().await.unwrap();
        fs::write(path(name), format!("{known}@revoked *,[*]:* {key}\n")).unwrap();
        let refused = log_in().await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::HostKeyRevoked, "{refused}");
        assert!(refused.to_string().contains(&format!("{name}:2")), "{refused}");
        for cause in ["folder", "endless"] {
            fs::remove_file(path(name)).unwrap();
            match cause {
                "folder" => fs::create_dir(path(name)).unwrap(),
                _ => std::os::unix::fs::symlink("/dev/zero", path(name)).unwrap(),
            }
            let refused = log_in().await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::KnownHostsFile, "{refused}");
            assert!(refused.to_string().contains(name), "{refused}");
            match cause {
                "folder" => {
                    fs::remove_dir(path(name)).unwrap();
                    fs::write(path(name), "").unwrap();
                }
                _ => fs::remove_file(path(name)).unwrap(),
            }
        }
        fs::remove_file(path("other")).unwrap();
        log_in().await.unwrap();
    }
}
