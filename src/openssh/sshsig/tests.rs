//! Compared with OpenSSH's own ssh-keygen and ssh-agent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use russh::keys::{PrivateKey, decode_secret_key};

use super::*;

mod security_key;

const SPACE: &str = "run@jumpdeck";
pub(crate) const KINDS: [(&str, &str); 5] =
    [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")];
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a key, as ssh-keygen makes it.
pub(crate) fn key(folder: &Path, name: &str, (kind, bits): (&str, &str)) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", name, "-f"])
        .arg(&path)
        .stdin(Stdio::null())
        .status();
    assert!(made.expect("ssh-keygen is needed (package openssh-client)").success());
    path
}

fn private(path: &Path) -> PrivateKey {
    decode_secret_key(&fs::read_to_string(path).unwrap(), None).unwrap()
}

fn public(path: &Path) -> String {
    let text = fs::read_to_string(path.with_extension("pub")).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

pub(crate) fn signer(path: &Path) -> TextSigner {
    TextSigner::of_key(std::sync::Arc::new(private(path)))
}

async fn sign(signer: &TextSigner, text: &[u8]) -> TextSignature {
    signer.sign(SPACE, text, PATIENCE, || {}).await.unwrap()
}

fn framed(signature: &TextSignature) -> String {
    let text = signature.to_base64().unwrap();
    format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n")
}

/// What ssh-keygen says of a signature of `text` by `who`.
fn verify(
    folder: &Path,
    allowed: &str,
    who: &str,
    signature: &TextSignature,
    text: &[u8],
    at: &str,
) -> Output {
    fs::write(folder.join("allowed"), allowed).unwrap();
    fs::write(folder.join("text"), text).unwrap();
    fs::write(folder.join("text.sig"), framed(signature)).unwrap();
    Command::new("ssh-keygen")
        .args(["-Y", "verify", "-n", SPACE, "-f", "allowed", "-s", "text.sig", "-I", who])
        .arg(format!("-Overify-time={at}"))
        .current_dir(folder)
        .stdin(fs::File::open(folder.join("text")).unwrap())
        .output()
        .unwrap()
}

#[tokio::test]
async fn ssh_keygen_takes_our_signatures_of_every_kind_of_key() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"jumpdeck-run 1\nrun r\nby anna@desk\n{\"seq\":1}\n";
    for (n, kind) in KINDS.into_iter().enumerate() {
        let path = key(folder.path(), &n.to_string(), kind);
        let signature = sign(&signer(&path), text).await;
        assert!(signature.fits(SPACE, text) && !signature.fits("file", text) && !signature.fits(SPACE, b"x"));
        let allowed = format!("anna@* namespaces=\"{SPACE}\" {}\n", public(&path));
        let said = verify(folder.path(), &allowed, "anna@desk", &signature, text, "20260101000000Z");
        assert!(said.status.success(), "{kind:?}: {said:?}");
        let said =
            verify(folder.path(), &allowed, "anna@desk", &signature, b"another text", "20260101000000Z");
        assert!(!said.status.success(), "{kind:?}");
        assert_eq!(TextSignature::from_base64(&signature.to_base64().unwrap()), Some(signature));
    }
}

#[tokio::test]
async fn we_take_signatures_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    for (n, kind) in KINDS.into_iter().enumerate() {
        let path = key(folder.path(), &n.to_string(), kind);
        let file = folder.path().join("message");
        fs::write(&file, "a text\n").unwrap();
        let _ = fs::remove_file(folder.path().join("message.sig"));
        let mut made = Command::new("ssh-keygen");
        let made = made.args(["-q", "-Y", "sign", "-n", SPACE, "-f"]).arg(&path).arg(&file);
        assert!(made.stderr(Stdio::null()).status().unwrap().success());
        let pem = fs::read_to_string(folder.path().join("message.sig")).unwrap();
        let text: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
        let signature = TextSignature::from_base64(&text).unwrap();
        assert!(signature.fits(SPACE, b"a text\n") && !signature.fits(SPACE, b"a text"), "{kind:?}");
        assert_eq!(signature.touched(), None);
        for other in
            [format!("{text}AAAA"), text[..text.len() - 4].to_owned(), format!(" {text}"), String::new()]
        {
            assert_eq!(TextSignature::from_base64(&other), None);
        }
    }
}

/// A real ssh-agent, ended with this.
pub(crate) struct Agent(std::process::Child, pub(crate) PathBuf);

impl Agent {
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        let agent = Self(agent.unwrap(), socket);
        while std::os::unix::net::UnixStream::connect(&agent.1).is_err() {
            std::thread::yield_now();
        }
        agent
    }

    pub(crate) fn add(&self, arguments: &[&str], path: &Path) {
        let mut added = Command::new("ssh-add");
        let added = added.args(arguments).arg("-q").arg(path).env("SSH_AUTH_SOCK", &self.1);
        assert!(added.stderr(Stdio::null()).status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn an_agent_signs_and_one_that_is_gone_says_so_soon() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    for (n, kind) in KINDS.into_iter().enumerate() {
        let path = key(folder.path(), &n.to_string(), kind);
        agent.add(&[], &path);
        let signer = TextSigner::of_agent(&agent.1, private(&path).public_key());
        let signature = sign(&signer, b"text").await;
        let allowed = format!("anna {}\n", public(&path));
        assert!(
            verify(folder.path(), &allowed, "anna", &signature, b"text", "20260101Z").status.success(),
            "{kind:?}"
        );
    }
    let stranger = private(&key(folder.path(), "stranger", KINDS[0]));
    let signer = TextSigner::of_agent(&agent.1, stranger.public_key());
    let why = signer.sign(SPACE, b"text", PATIENCE, || {}).await.unwrap_err();
    assert!(why.0.contains("no longer holds SHA256:"), "{why}");
    let socket = agent.1.clone();
    drop(agent);
    let why = TextSigner::of_agent(&socket, stranger.public_key()).sign(SPACE, b"t", PATIENCE, || {}).await;
    assert!(why.unwrap_err().0.contains("cannot be reached"));
    // One that takes the connection and says nothing.
    fs::remove_file(&socket).ok();
    let _deaf = tokio::net::UnixListener::bind(&socket).unwrap();
    let begun = std::time::Instant::now();
    let why = TextSigner::of_agent(&socket, stranger.public_key()).sign(SPACE, b"t", PATIENCE, || {}).await;
    assert!(why.unwrap_err().0.contains("did not answer within 2 s") && begun.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_touch_is_waited_for_and_ssh_keygen_takes_what_the_security_key_signed() {
    let folder = tempfile::tempdir().unwrap();
    let device = security_key::Device::start(folder.path(), security_key::Touch::Given);
    let signer = TextSigner::of_agent(&device.socket, &device.public);
    let said = AtomicBool::new(false);
    let signature =
        signer.sign(SPACE, b"text", PATIENCE, || said.store(true, Ordering::SeqCst)).await.unwrap();
    assert!(said.into_inner(), "the person is told before the device is asked");
    assert_eq!(signature.touched(), Some(true));
    let allowed = format!("anna {}\n", device.public.to_openssh().unwrap());
    let verified = verify(folder.path(), &allowed, "anna", &signature, b"text", "20260101Z");
    assert!(verified.status.success(), "{verified:?}");
    drop(device);
    let device = security_key::Device::start(folder.path(), security_key::Touch::Awaited);
    let signer = TextSigner::of_agent(&device.socket, &device.public);
    let why = signer.sign(SPACE, b"text", Duration::from_millis(300), || {}).await.unwrap_err();
    assert!(why.0.contains("nobody touched"), "{why}");
}

fn principal() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["anna", "bob", "\\*", "\\?", "@", "desk", "!", "n", ""], 1..5)
        .prop_map(|parts| parts.concat())
        .prop_filter("not a comment, not blank", |name| !name.is_empty() && !name.starts_with('#'))
}

fn options() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        Just("namespaces=\"run@jumpdeck\""),
        Just("namespaces=\"file\""),
        Just("namespaces=\"git,run@*\""),
        Just("namespaces=\"*,!run@jumpdeck\""),
        Just("valid-after=\"20260601Z\""),
        Just("valid-before=\"20260601Z\""),
        Just("valid-before=\"202606011200Z\""),
        Just("valid-after=\"20260532Z\""),
        Just("cert-authority"),
        Just("no-such-option"),
        Just("NAMESPACES=\"run@jumpdeck\""),
    ];
    proptest::collection::vec(one, 0..3).prop_map(|all| {
        let mut names = std::collections::BTreeSet::new();
        let once = all.into_iter().filter(|o| names.insert(o.split('=').next().unwrap().to_lowercase()));
        once.collect::<Vec<_>>().join(",")
    })
}

/// Two keys and a signature, made once.
fn made() -> &'static (tempfile::TempDir, [String; 2], TextSignature) {
    static MADE: std::sync::OnceLock<(tempfile::TempDir, [String; 2], TextSignature)> =
        std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| key(folder.path(), name, KINDS[0]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let signature = runtime.block_on(sign(&signer(&paths[0]), b"text"));
        (folder, [public(&paths[0]), public(&paths[1])], signature)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Our reading of allowed_signers says yes where ssh-keygen does, and nowhere else.
    #[test]
    fn allowed_signers_are_read_as_ssh_keygen_reads_them(
        lines in proptest::collection::vec((principal(), any::<bool>(), options(), 0usize..2, "[ ]{1,2}"), 1..4),
        who in "(anna|bob|anna@desk|bob@|\\*|nn)",
        late in any::<bool>(),
    ) {
        let (folder, keys, signature) = made();
        let mut text = String::from("# who may sign\n\n");
        for (names, quoted, options, key, blank) in lines {
            let names = if quoted { format!("\"{names}\"") } else { names };
            let options = if options.is_empty() { options } else { format!("{options}{blank}") };
            text.push_str(&format!("{names}{blank}{options}{}\n", keys[key]));
        }
        let (at, stamp) = match late {
            true => ("20260701000000Z", "2026-07-01T00:00:00Z"),
            false => ("20260501000000Z", "2026-05-01T00:00:00Z"),
        };
        let theirs = verify(folder.path(), &text, &who, signature, b"text", at);
        let ours = AllowedSigners::read(&text).standing(signature, &who, SPACE, stamp.parse().unwrap());
        prop_assert_eq!(ours == Standing::Known, theirs.status.success(), "{}\n{:?}\n{:?}", text, ours, theirs);
    }
}

#[test]
fn a_borrowed_name_is_told_from_a_stranger() {
    let (_, [anna, bob], signature) = made();
    let at = "2026-05-01T00:00:00Z".parse().unwrap();
    let standing = |text: &str, who: &str| AllowedSigners::read(text).standing(signature, who, SPACE, at);
    let (annas, bobs) = (format!("anna@* {anna}\n"), format!("bob@* {bob}\n"));
    assert_eq!(standing(&annas, "anna@desk"), Standing::Known);
    assert_eq!(
        standing(&format!("{annas}{bobs}"), "bob@desk"),
        Standing::OfOthers(vec!["anna@*".to_owned()])
    );
    assert_eq!(standing(&bobs, "bob@desk"), Standing::NotTheirs);
    assert_eq!(standing(&bobs, "anna@desk"), Standing::Unknown);
    assert_eq!(standing(&format!("anna@* valid-before=\"20250101Z\" {anna}"), "anna@desk"), Standing::NotNow);
    assert_eq!(AllowedSigners::read("anna\n\nbob x y\n").flaws().len(), 2);
}
