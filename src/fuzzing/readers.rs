//! What is read from hosts and from files.

use std::path::PathBuf;
use std::sync::LazyLock;

use russh::keys::PublicKey;

use super::{Bytes, assert_clean};
use crate::collect::probe::Raw;
use crate::collect::probes::PROBES;
use crate::collect::resident::{FrameError, FrameReader, Report};
use crate::config::diagnostic::Diagnostic;
use crate::config::inventory::{self, Context};
use crate::config::keymap::{self, Keymap};
use crate::config::{settings, theme};
use crate::openssh::known_hosts::{HostKeys, KeyVerdict, Replacement};
use crate::runbook::definition::Runbook;
use crate::runbook::library::Library;
use crate::view::fixtures;
use jumpdeck_fleet::judge::{Situation, judge};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;

/// A channel's bytes come in pieces: reports and errors are the same however they are cut.
pub fn frame(data: &[u8]) {
    let mut bytes = Bytes(data);
    let size = bytes.below(64) + 1;
    let whole = reports([bytes.0].into_iter());
    assert_eq!(whole, reports(bytes.0.chunks(size)), "in pieces of {size}");
    assert_eq!(whole, reports(bytes.0.chunks(1)), "byte by byte");
}

fn reports<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Report>, Option<FrameError>) {
    let mut reader = FrameReader::new();
    let mut found = Vec::new();
    for piece in pieces {
        let mut next = reader.push(piece);
        loop {
            match next {
                Ok(None) => break,
                Ok(Some(report)) => found.push(report),
                Err(error) => return (found, Some(error)),
            }
            next = reader.push(b"");
        }
    }
    (found, None)
}

/// A section of any probe, read, judged, and sometimes drawn.
pub fn probes(data: &[u8]) {
    let mut bytes = Bytes(data);
    let probe = PROBES[bytes.below(PROBES.len())];
    let status = bytes.one(&[0, 0, 0, 0, 1, 2, 124, 126, 127, 255]);
    let drawn = bytes.below(8) == 0;
    let raw = Raw { status, text: bytes.rest() };
    let mut facts = HostFacts::default();
    probe.ingest(Ok(&raw), fixtures::NOW, &mut facts);
    bounded(&facts, raw.text.len());
    thread_local! {
        static FLEET: crate::app::model::Model = fixtures::healthy();
    }
    FLEET.with(|healthy| {
        let env = &healthy.environments[0];
        let mut hosts = env.hosts.clone();
        std::sync::Arc::make_mut(&mut hosts[1]).facts = facts;
        let situation = Situation {
            env: &env.spec,
            jump: &env.jump,
            hosts: &hosts,
            outside: &env.outside,
            now: fixtures::NOW,
        };
        let judged = judge(&situation);
        for problem in judged.problems {
            assert_clean(&problem.message);
        }
        assert!(judged.roles.len() < 1_000);
        if drawn {
            let name = hosts[1].id.host.clone();
            let mut model = fixtures::on(fixtures::healthy(), crate::app::model::Screen::Host(name));
            model.environments[0].hosts = hosts;
            super::console::draw(&fixtures::settled(model), (100, 40));
        }
    });
}

/// No answer makes more of itself than it has bytes; loads are numbers.
fn bounded(facts: &HostFacts, bytes: usize) {
    if let Some(grains) = facts.grains.current() {
        assert!(grains.roles.iter().flatten().count() + grains.odd_roles.len() <= 256);
    }
    assert!(facts.filesystems.current().is_none_or(|found| found.len() <= 5_001 && found.len() <= bytes));
    for database in facts.databases.current().into_iter().flatten() {
        let Ok(server) = &database.server else { continue };
        assert!(server.connections.as_ref().is_ok_and(|c| c.len() <= 1_000) || server.connections.is_err());
    }
    if let Some(load) = facts.load.current() {
        assert!(load.one.is_finite() && load.five.is_finite() && load.fifteen.is_finite());
    }
    for (_, gap) in facts.questions() {
        if let Some(gap) = gap {
            assert_clean(&gap.describe());
        }
    }
}

/// Any bytes, made printable.
pub fn clean(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let clean = Clean::from_bytes(data);
    assert_clean(clean.as_str());
    assert_eq!(clean, Clean::new(clean.as_str()));
    assert_eq!(clean, Clean::new(&text));
    Clean::lines(&text).iter().for_each(|line| assert_clean(line.as_str()));
    let first = Clean::first_line(&text, 40);
    assert_clean(first.as_str());
    assert!(first.as_str().chars().count() <= 40);
    let mut marks = 0;
    for c in clean.as_str().chars() {
        marks = if unicode_width::UnicodeWidthChar::width(c) == Some(0) { marks + 1 } else { 0 };
        assert!(marks <= 4, "{marks} marks on a cell in {clean:?}");
    }
}

static RUNBOOKS: LazyLock<Library> = LazyLock::new(|| Library::load(std::path::Path::new("/nowhere")).0);

/// Every kind of file: what is wrong has a place and is drawn, what is right holds what it must.
pub fn toml(data: &[u8]) {
    let mut bytes = Bytes(data);
    let kind = bytes.below(5);
    let text = bytes.rest();
    let context = Context {
        home: PathBuf::from("/home/ops"),
        ssh_auth_sock: None,
        user: "ops".to_owned(),
        default_keys: Vec::new(),
    };
    let wrong = match kind {
        0 => inventory::parse("f.toml", &text, &context).map(|fleet| {
            for env in &fleet.environments {
                let mut names: Vec<_> = env.hosts.iter().map(|h| h.id.host.clone()).collect();
                names.sort();
                names.dedup();
                assert_eq!(names.len(), env.hosts.len(), "two hosts of one name");
                assert!(env.hosts.iter().all(|h| h.port != 0));
            }
        }),
        1 => theme::parse_theme("f.toml", &text).map(drop),
        2 => keymap::parse_onto(&Keymap::default(), "f.toml", &text).map(drop),
        3 => settings::parse_settings("f.toml", &text, &context, &["HOST", "1m"]).map(drop),
        _ => {
            let included = |name: &str| RUNBOOKS.get(name).and_then(|r| r.sources.first().cloned());
            Runbook::read("f.toml", &text, &included).map(drop)
        }
    };
    let Err(wrong) = wrong else { return };
    assert!(!wrong.is_empty(), "refused without a reason");
    wrong.iter().for_each(shown);
}

fn shown(wrong: &Diagnostic) {
    assert_clean(wrong.message());
    let drawn = wrong.render(false);
    assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{drawn:?}");
    assert!(wrong.position().is_none_or(|(line, column)| line > 0 && column > 0));
}

const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIYYQ1+AgU4h7Aha+KNweiJAU5PYi0WZwArzKaiEDJow";
const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPSwz2HUK9txTM9QLtdi4f8C5g2TOQEz56U3QTRkZUA8";

/// A known_hosts file: what is kept for a host changes no verdict, and a key that is replaced is known from then on.
pub fn known_hosts(data: &[u8]) {
    let mut bytes = Bytes(data);
    let port = bytes.one(&[22, 22, 2222]);
    let text = bytes.rest().replace("OLD", OLD).replace("NEW", NEW);
    let keys = |text: &str| {
        let mut keys = HostKeys::default();
        keys.add_text(text, "f");
        keys
    };
    let (old, new) = (PublicKey::from_openssh(OLD).unwrap(), PublicKey::from_openssh(NEW).unwrap());
    let before = keys(&text);
    for name in ["db1", "db2", "10.0.0.1"] {
        let mut own = before.clone();
        own.keep_only(name, port);
        for key in [&old, &new] {
            assert_eq!(own.judge(name, port, key), before.judge(name, port, key), "{name}");
        }
    }
    thread_local! {
        static FOLDER: tempfolder::Folder = tempfolder::Folder::new("known-hosts");
    }
    FOLDER.with(|folder| {
        let path = folder.0.join("known_hosts");
        std::fs::write(&path, &text).unwrap();
        let Ok(replacement) = Replacement::of(&path, &["db1".to_owned()], &[], port, NEW) else { return };
        let after = keys(replacement.texts().1);
        assert!(matches!(after.judge("db1", port, &new), KeyVerdict::Known | KeyVerdict::Revoked(_)));
        // Another host keeps what it had; its lines may have other numbers.
        for key in [&old, &new] {
            let kind = |keys: &HostKeys| std::mem::discriminant(&keys.judge("db2", port, key));
            assert_eq!(kind(&after), kind(&before), "db2");
        }
    });
}

/// An ordinary pillar file: the key addressed gets the new value, every other keeps its own.
pub fn yaml_edit(data: &[u8]) {
    let mut bytes = Bytes(data);
    let key = bytes.one(&["a", "b", "a:b", "masterdb", "db:master:host"]);
    let new = bytes.text(24);
    let text = bytes.rest();
    let Ok(after) = crate::runbook::set_yaml(&text, key, &new) else { return };
    // Lines may be Jinja, which no reader of YAML takes.
    let Ok(before) = yaml(&text) else { return };
    let after = yaml(&after).unwrap_or_else(|e| panic!("no YAML any more: {e}\n{after}"));
    let mut wanted = before;
    *at(&mut wanted, key).expect("a key was changed that is not there") = serde_json::Value::Null;
    let mut found = after;
    let changed = at(&mut found, key).expect("the key is gone").take();
    assert_eq!(wanted, found, "another key changed");
    let spelled = yaml(&new).ok().filter(|v| v.is_number() || v.is_boolean());
    assert!(changed.as_str() == Some(&new) || Some(&changed) == spelled.as_ref(), "{changed} for {new:?}");
}

fn yaml(text: &str) -> Result<serde_json::Value, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}

fn at<'v>(value: &'v mut serde_json::Value, path: &str) -> Option<&'v mut serde_json::Value> {
    path.split(':').try_fold(value, |value, key| value.get_mut(key))
}

pub(super) mod tempfolder {
    use std::path::PathBuf;

    /// A folder of this thread's own. `fuzz/run` lets it be in memory, and removes what a crash leaves.
    pub(in crate::fuzzing) struct Folder(pub(in crate::fuzzing) PathBuf);

    impl Folder {
        pub(in crate::fuzzing) fn new(what: &str) -> Self {
            let number = std::thread::current().id();
            let path =
                std::env::temp_dir().join(format!("jumpdeck-fuzz-{what}-{}-{number:?}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
