#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::process::Command;

use crate::programs::tests::{Shared, host, shell, world};
use crate::web::certificates::{Broken, Certificate, Key};
use crate::web::tls::TlsFault;

use super::words::Edition;

const APP: &str = "app1";

fn fleet() -> Shared {
    world("wpd-2015", 0)
}

fn says(world: &Shared, on: &str, script: &str) -> String {
    let (out, err, _) = shell(world, on, script);
    out + &err
}

/// The real program, in a folder.
fn real(folder: &Path, words: &[&str]) -> (String, String, Option<i32>) {
    let ran = Command::new("openssl").args(words).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(ran.stdout), text(ran.stderr), ran.status.code())
}

fn seconds(line: &str) -> i64 {
    let (_, date) = line.split_once('=').unwrap();
    let read = jiff::fmt::strtime::parse("%b %e %H:%M:%S %Y GMT", date).unwrap();
    read.to_datetime().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second()
}

/// Newer ones than 3.0 leave the spaces of a name out.
fn plain(text: &str) -> String {
    text.replace(" = ", "=")
}

#[test]
fn what_a_certificate_says_has_the_form_of_the_real_program() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = real(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-subj",
            "/O=Simulated Trust/CN=docs.example.org",
            "-addext",
            "subjectAltName=DNS:docs.example.org,DNS:*.example.org",
        ],
    );
    assert_eq!(made.2, Some(0), "{}", made.1);
    let shown = ["-subject", "-issuer", "-startdate", "-enddate", "-ext"];
    let (text, _, _) = real(
        folder,
        &[
            "x509",
            "-noout",
            "-subject",
            "-issuer",
            "-startdate",
            "-enddate",
            "-ext",
            "subjectAltName",
            "-in",
            "cert.pem",
        ],
    );
    let lines: Vec<&str> = text.lines().collect();
    let name = vec![
        ("O".to_owned(), "Simulated Trust".to_owned()),
        ("CN".to_owned(), "docs.example.org".to_owned()),
    ];
    let key = Key::drawn("a test");
    let same = Certificate {
        subject: name.clone(),
        issuer: name,
        not_before: seconds(lines[2]),
        not_after: seconds(lines[3]),
        names: vec!["docs.example.org".to_owned(), "*.example.org".to_owned()],
        key: key.clone(),
        signed_by: key,
        authority: true,
    };
    let simulated: String = shown.iter().map(|option| Edition::Three.field(option, &same)).collect();
    assert_eq!(plain(&simulated), plain(&text));

    // The extensions alone, of which the host names come in the same lines.
    let (text, _, _) =
        real(folder, &["x509", "-noout", "-text", "-certopt", super::EXTENSIONS_ALONE, "-in", "cert.pem"]);
    for line in super::words::names(&same, 8).lines() {
        assert!(text.lines().any(|real| real == line), "{line:?}\n{text}");
    }
    let form = |text: &str| text.replace(|c: char| c.is_ascii_hexdigit() && !c.is_ascii_lowercase(), "F");
    let (text, _, _) = real(folder, &["x509", "-noout", "-fingerprint", "-sha256", "-in", "cert.pem"]);
    assert_eq!(form(&Edition::Three.field("-fingerprint", &same)), form(&text));
    for (seconds, status) in [("60", 0), ("31536000", 1)] {
        let (real_text, _, real_status) =
            real(folder, &["x509", "-noout", "-checkend", seconds, "-in", "cert.pem"]);
        assert_eq!(real_status, Some(status));
        let ends = if status == 0 { "Certificate will not expire\n" } else { "Certificate will expire\n" };
        assert_eq!(real_text, ends);
    }

    // A chain that does not hold.
    std::fs::write(folder.join("none.pem"), "").unwrap();
    let (_, text, status) = real(folder, &["verify", "-CAfile", "cert.pem", "cert.pem"]);
    assert_eq!((text.as_str(), status), ("", Some(0)));
    let (_, text, status) = real(folder, &["verify", "cert.pem"]);
    let simulated = Edition::Three.not_verified("cert.pem", &same, Broken { code: 18, depth: 0 });
    assert_eq!(status, Some(i32::from(simulated.status)));
    assert_eq!(plain(&String::from_utf8(simulated.stderr).unwrap()), plain(&text));

    // A key is told from a certificate.
    let (_, text, status) = real(folder, &["pkey", "-in", "cert.pem", "-pubout"]);
    assert_eq!(status, Some(1));
    assert!(text.starts_with(&Edition::Three.no_key(Some(&"cert.pem".to_owned()))), "{text}");
}

const SERVED: &str = "openssl s_client -connect app1:443 -servername docs.webplatform.org -CAfile /etc/ssl/certs/ca-certificates.crt \
                      </dev/null 2>/dev/null";

/// What the jump box sees app1 serve.
fn served(world: &Shared) -> String {
    says(world, "salt", &format!("{SERVED} | openssl x509 -noout -fingerprint -sha256"))
}

const PUT: &str = "cp /root/new/cert.pem /etc/ssl/web/cert.pem; cp /root/new/key.pem /etc/ssl/web/key.pem";

/// The next certificate of the fleet on app1, not in use yet.
fn given(world: &Shared) {
    let mut held = world.lock().unwrap();
    for file in ["cert.pem", "key.pem"] {
        let text = held.read_file(&host("salt"), &format!("{}/{file}", crate::web::tls::NEXT)).unwrap();
        held.write_file(&host(APP), &format!("/root/new/{file}"), text);
    }
}

#[test]
fn a_server_serves_what_it_loaded_until_it_is_reloaded() {
    let world = fleet();
    given(&world);
    let old = served(&world);
    assert!(old.starts_with("SHA256 Fingerprint="), "{old}");
    assert!(says(&world, "salt", SERVED).contains("Verify return code: 0 (ok)"));
    says(&world, APP, PUT);
    assert_eq!(served(&world), old);
    assert_eq!(says(&world, APP, "apachectl configtest"), "Syntax OK\n");
    world.lock().unwrap().set_tls_fault(&host(APP), Some(TlsFault::KeepsOld));
    assert_eq!(shell(&world, APP, "service apache2 reload").2, 0);
    assert_eq!(served(&world), old);
    world.lock().unwrap().set_tls_fault(&host(APP), Some(TlsFault::Refuses));
    assert_eq!(shell(&world, APP, "service apache2 reload").2, 1);
    assert_eq!(served(&world), old);
    world.lock().unwrap().set_tls_fault(&host(APP), None);
    assert_eq!(shell(&world, APP, "service apache2 reload").2, 0);
    let new = served(&world);
    assert_ne!(new, old);
    assert_eq!(new, says(&world, APP, "openssl x509 -noout -fingerprint -sha256 -in /root/new/cert.pem"));
    assert!(
        says(
            &world,
            "salt",
            "curl -sS --resolve docs.webplatform.org:443:app1 https://docs.webplatform.org/"
        )
        .contains("MediaWiki")
    );
}

/// Apache's test says that all is well, and the reload ends it; nginx's sees it.
#[test]
fn a_key_of_another_certificate_ends_apache_and_is_refused_by_nginx() {
    let world = fleet();
    given(&world);
    says(&world, APP, "cp /root/new/cert.pem /etc/ssl/web/cert.pem");
    assert_eq!(says(&world, APP, "apachectl configtest"), "Syntax OK\n");
    assert_ne!(shell(&world, APP, "service apache2 reload").2, 0);
    assert!(served(&world).contains("unable to load certificate"));
    assert_ne!(shell(&world, APP, "service apache2 start").2, 0);
    says(&world, APP, PUT);
    assert_eq!(shell(&world, APP, "service apache2 start").2, 0);
    given_to(&world, "piwik");
    says(&world, "piwik", "cp /root/new/cert.pem /etc/ssl/web/fullchain.pem");
    assert!(says(&world, "piwik", "nginx -t").contains("key values mismatch"));
    assert_ne!(shell(&world, "piwik", "service nginx reload").2, 0);
    assert!(world.lock().unwrap().served_certificates(&host("piwik")).is_some());
}

fn given_to(world: &Shared, name: &str) {
    let mut held = world.lock().unwrap();
    let text = held.read_file(&host(APP), "/root/new/cert.pem").unwrap();
    held.write_file(&host(name), "/root/new/cert.pem", text);
}

#[test]
fn chains_keys_and_dates_are_judged() {
    let world = fleet();
    let look = |script: &str| says(&world, "salt", &format!("cd /root/new-certificate; {script}"));
    let trusted = "openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt";
    assert_eq!(look(&format!("{trusted} -untrusted chain.pem cert.pem")), "cert.pem: OK\n");
    assert_eq!(
        look(&format!("{trusted} cert.pem; echo $?")),
        "cert.pem: CN = webplatform.org\nerror 20 at 0 depth lookup:unable to get local issuer certificate\n0\n"
    );
    let pair = "openssl x509 -noout -pubkey -in cert.pem | sha256sum; openssl pkey -in key.pem -passin pass: -pubout | sha256sum";
    let sums = look(pair);
    assert_eq!(sums.lines().next(), sums.lines().nth(1));
    assert!(look("openssl pkey -in cert.pem -passin pass: -pubout").contains("unable to load key"));
    assert_eq!(look("openssl x509 -noout -checkend 86400 -in cert.pem"), "Certificate will not expire\n");
    assert_eq!(
        look("date -u -d \"$(openssl x509 -noout -enddate -in cert.pem | cut -d= -f2)\" +%s | wc -c"),
        "11\n"
    );
    assert!(look("openssl x509 -noout -modulus -in cert.pem").contains("not simulated"));
    assert!(look("openssl req -x509").contains("req: not simulated"));
}
