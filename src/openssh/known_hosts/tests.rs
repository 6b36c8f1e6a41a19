#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMxBTpMIGvo7CnordO7wP0QQRqpBwUjOLl4eMhfucfE1sjTYyK5wmTl1UqoSDS1PtRVTBdl+0+9pquFb46U7fwg=";

fn key(line: &str) -> PublicKey {
    PublicKey::from_openssh(line).unwrap()
}

fn judge(text: &str, address: &str, port: u16, offered: &str) -> KeyVerdict {
    let mut keys = HostKeys::default();
    keys.add_text(text, "f");
    let verdict = keys.judge(address, port, &key(offered));
    // What a connection lets go of never mattered.
    let algorithms = keys.algorithms(address, port);
    keys.keep_only(address, port);
    assert_eq!(keys.judge(address, port, &key(offered)), verdict);
    assert_eq!(keys.algorithms(address, port), algorithms);
    verdict
}

#[test]
fn lines_of_other_hosts_are_not_kept() {
    let mut keys = HostKeys::default();
    keys.add_text(&format!("app1 {A}\ndb1,10.0.0.1 {A}\n* {B}\n[db1]:2222 {A}\n"), "f");
    keys.keep_only("db1", 22);
    assert_eq!(keys.entries.iter().map(|e| e.place.as_str()).collect::<Vec<_>>(), ["f:2", "f:3"]);
}

#[test]
fn a_key_is_known_under_the_names_the_line_gives() {
    for (hosts, address, port, expected) in [
        ("db1", "db1", 22, true),
        ("db1", "DB1", 22, true),
        ("DB1", "db1", 22, true),
        ("db1", "db1", 2222, true), // OpenSSH's fallback to the plain name
        ("[db1]:2222", "db1", 2222, true),
        ("[db1]:2222", "db1", 22, false),
        ("[db1]:2222", "db1", 2223, false),
        ("app1,db1", "db1", 22, true),
        ("*.wpdn", "db1.wpdn", 22, true),
        ("*.wpdn", "wpdn", 22, false),
        ("db?", "db1", 22, true),
        ("db?", "db12", 22, false),
        ("*,!db1", "db1", 22, false),
        ("*,!db1", "db2", 22, true),
        ("!db2", "db1", 22, false),
        ("db1.", "db1", 22, false),
        ("d[b]1", "db1", 22, false),
        ("*a*b*c*", "xxaxxbxxc", 22, true),
    ] {
        for separator in [" ", "\t", " \t  "] {
            let line = format!("{separator}{hosts}{separator}{}\r", A.replace(' ', separator));
            let found = judge(&line, address, port, A) == KeyVerdict::Known;
            assert_eq!(found, expected, "{line:?} for {address}:{port}");
        }
    }
}

#[test]
fn a_hashed_name_is_found() {
    // `ssh-keygen -H` of "example.com".
    let line = format!("|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {A}");
    assert_eq!(judge(&line, "example.com", 22, A), KeyVerdict::Known);
    assert_eq!(judge(&line, "example.org", 22, A), KeyVerdict::Unknown);
}

#[test]
fn another_key_is_changed_and_says_where() {
    let text = format!("# comment\n\ndb1 {B}");
    let KeyVerdict::Changed(known) = judge(&text, "db1", 22, A) else { unreachable!("must be changed") };
    assert_eq!(known[0].place, "f:3");
    assert!(known[0].fingerprint.starts_with("SHA256:"));
    assert!(matches!(judge(&format!("db1 {ECDSA}"), "db1", 22, A), KeyVerdict::OtherAlgorithm(_)));
    assert!(matches!(judge("db1 ssh-ed25519 AAAAgarbage", "db1", 22, A), KeyVerdict::Changed(_)));
    assert!(matches!(judge("db1 ssh-dss AAAAB3NzaC1kc3M=", "db1", 22, A), KeyVerdict::OtherAlgorithm(_)));
}

#[test]
fn several_keys_of_one_kind_are_all_good() {
    let text = format!("db1 {B}\ndb1 {A}\n");
    assert_eq!(judge(&text, "db1", 22, A), KeyVerdict::Known);
    assert_eq!(judge(&text, "db1", 22, B), KeyVerdict::Known);
}

#[test]
fn a_revoked_key_is_refused_even_when_it_is_listed_plainly() {
    for separator in [" ", "\t"] {
        let text = format!("db1 {A}\n@revoked{separator}* {A}\n");
        assert_eq!(judge(&text, "db1", 22, A), KeyVerdict::Revoked("f:2".to_owned()));
        assert_eq!(judge(&text, "db1", 2222, A), KeyVerdict::Revoked("f:2".to_owned()));
    }
    assert_eq!(judge(&format!("@revoked db1 {A}"), "db2", 22, A), KeyVerdict::Unknown);
}

#[test]
fn an_authority_is_no_host_key() {
    assert_eq!(judge(&format!("@cert-authority * {A}"), "db1", 22, A), KeyVerdict::Unknown);
}

#[test]
fn rsa_keys_shorter_than_openssh_takes_are_refused() {
    use russh::keys::ssh_key::Mpint;
    use russh::keys::ssh_key::public::RsaPublicKey;
    let weak = |first: u8, bytes: usize| {
        let mut modulus = vec![0x0b; bytes];
        modulus[0] = first;
        let exponent = Mpint::from_positive_bytes(&[1, 0, 1]);
        let rsa = RsaPublicKey::new(exponent, Mpint::from_positive_bytes(&modulus)).unwrap();
        weakness(&PublicKey::new(KeyData::Rsa(rsa), "").into())
    };
    assert_eq!(weak(0x80, 128), None);
    assert!(weak(0x7f, 128).unwrap().contains("RSA key of 1023 bits"));
    assert!(weak(0xff, 64).unwrap().contains("512 bits"));
    assert_eq!(weakness(&key(A).into()), None);
}

#[test]
fn a_host_is_asked_only_for_what_is_known_of_it() {
    let mut keys = HostKeys::default();
    keys.add_text(&format!("db1 {ECDSA}\ndb1 {A}\ndb2 {B}\n@cert-authority ca1 {A}"), "f");
    let names = |a, port| keys.algorithms(a, port).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names("db1", 22), ["ssh-ed25519", "ecdsa-sha2-nistp256"]);
    assert_eq!(names("db2", 22), ["ssh-ed25519"]);
    assert_eq!(names("db3", 22).len(), HOST_KEY_ALGORITHMS.len());
    assert_eq!(names("db2", 2222).len(), HOST_KEY_ALGORITHMS.len());
    assert!(keys.has_authority("ca1", 2222) && !keys.has_authority("db1", 22));
}

#[test]
fn an_accepted_key_gets_a_line_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/known_hosts");
    append(&path, "DB1", 22, &key(A)).unwrap();
    std::fs::write(&path, format!("db0 {B}")).unwrap();
    append(&path, "db1", 2222, &key(A)).unwrap();
    append(&path, "db2", 22, &key(B)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("db0 {B}\n[db1]:2222 {A}\ndb2 {B}\n"));
    let mode = |p: &std::path::Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(append(&path, "*", 22, &key(A)).is_err());
    assert!(append(&path, "a b", 22, &key(A)).is_err());
}

#[tokio::test]
async fn a_missing_file_is_empty_and_an_unreadable_one_an_error() {
    use jumpdeck_fleet::access::KnownHosts;
    let folder = tempfile::tempdir().unwrap();
    let missing = KnownHosts::own(vec![folder.path().join("missing")]);
    assert!(HostKeys::load(&missing).await.unwrap().entries.is_empty());
    assert!(HostKeys::load(&KnownHosts::own(vec![folder.path().to_owned()])).await.is_err());
}

#[test]
fn what_one_file_revokes_no_other_file_allows() {
    use jumpdeck_fleet::access::{HostKeyFiles, KnownHosts};
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        vec![folder.path().join(name)]
    };
    let own = write("own", &format!("db1 {A}\ndb2 {B}\n"));
    let judged = |global: Vec<_>, revoked: Vec<_>| {
        let files = HostKeyFiles { own: own.clone(), global, revoked, ..HostKeyFiles::default() };
        HostKeys::read(&KnownHosts::Files(files)).map(|keys| keys.judge("db1", 22, &key(A)))
    };
    let place = |name: &str, line: usize| {
        KeyVerdict::Revoked(format!("{}:{line}", folder.path().join(name).display()))
    };
    assert_eq!(judged(vec![folder.path().join("none")], Vec::new()).unwrap(), KeyVerdict::Known);
    let global = write("global", &format!("db3 {A}\n@revoked * {A}\n"));
    assert_eq!(judged(global, Vec::new()).unwrap(), place("global", 2));
    let revoked = write("revoked", &format!("# withdrawn\n\n{B} b\n  {A}\n"));
    assert_eq!(judged(Vec::new(), revoked).unwrap(), place("revoked", 4));
    assert_eq!(judged(Vec::new(), write("none_yet", "# nothing\n")).unwrap(), KeyVerdict::Known);
    for (name, bad) in
        [("krl", "SSHKRL\n\0\0\0\0\u{1}"), ("options", "from=\"x\" ssh-ed25519"), ("word", "x")]
    {
        assert!(judged(Vec::new(), write(name, bad)).is_err(), "{name}");
    }
    assert!(judged(Vec::new(), vec![folder.path().join("missing")]).is_err());
}

proptest::proptest! {
    #[test]
    fn no_line_breaks_the_reader(line in ".*", address in ".*") {
        let _ = judge(&line, &address, 22, A);
    }
}
