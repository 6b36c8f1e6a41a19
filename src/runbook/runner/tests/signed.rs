//! What people say is signed: the journal proves it to others; without a key the run says so and goes on, except where
//! signatures are demanded.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::openssh::sshsig::{AllowedSigners, TextSigner};
use crate::runbook::approval::Approved;
use crate::runbook::evidence::{Head, NAMESPACE, Signing};
use crate::runbook::examine::{Examination, Examined, Grade, examine};
use crate::runbook::journal::Journal;
use crate::transport::ask::RefuseAll;
use crate::transport::ssh::ring::KeyRing;
use crate::transport::ssh::signing::signer_for;
use jumpdeck_fleet::fleet::Signatures;

/// A folder with a key, who may sign, and perhaps an agent.
struct Rig {
    folder: tempfile::TempDir,
    agent: Option<Child>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.end_agent();
    }
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mine", "bens"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-f"]);
            assert!(made_at(&mut make, &folder.path().join(name)));
        }
        Self { folder, agent: None }
    }

    fn allowed(&self) -> AllowedSigners {
        let key =
            |name: &str| std::fs::read_to_string(self.folder.path().join(format!("{name}.pub"))).unwrap();
        AllowedSigners::read(&format!("me@* {}ben@* {}", key("mine"), key("bens")))
    }

    fn start_agent(&mut self) -> PathBuf {
        let socket = self.folder.path().join("agent");
        let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn();
        self.agent = Some(agent.unwrap());
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        let mut add = Command::new("ssh-add");
        add.arg("-q").env("SSH_AUTH_SOCK", &socket);
        assert!(made_at(&mut add, &self.folder.path().join("mine")));
        socket
    }

    fn end_agent(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _ = agent.kill();
            let _ = agent.wait();
        }
    }

    async fn signer(&self, key: &str, agent: Option<&Path>) -> TextSigner {
        let (ring, path) = (KeyRing::new(), self.folder.path().join(key));
        let env = EnvName::new("test").unwrap();
        signer_for(&env, &ring, Arc::new(RefuseAll), Some(&path), agent).await.unwrap()
    }

    fn signing(&self, signer: Result<TextSigner, String>) -> Signing {
        Signing { signer, named: true, allowed: Ok(self.allowed()) }
    }

    /// A run of a book with a journal of its own.
    fn begin(&self, world: &Arc<World>, book: &str, change: impl FnOnce(&mut Needs)) -> RunHandle {
        let machine = machine_of(book, false);
        let mut journal = Journal::create(&self.folder.path().join("runs"), "run").unwrap();
        let entry = journal.append(&started(&machine)).unwrap();
        let mut needs = needs(world, &Paper::default());
        needs.entries = vec![entry];
        needs.record = Recorder::new(journal);
        change(&mut needs);
        launch(machine, needs)
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("runs/run.jsonl")
    }

    fn examined(&self) -> Examination {
        let (bytes, head) = (std::fs::read(self.journal()).unwrap(), Head::of(&self.journal()).unwrap());
        examine(&Examined { run: "run", journal: &bytes, head: &head, elsewhere: None }, &self.allowed())
    }

    fn events(&self) -> Vec<Event> {
        crate::runbook::journal::read(&self.journal()).unwrap().into_iter().map(|entry| entry.event).collect()
    }
}

fn made_at(command: &mut Command, path: &Path) -> bool {
    command.arg(path).stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

fn troubles(events: &[Event]) -> Vec<&str> {
    let troubles = events.iter().filter_map(|event| match event {
        Event::Trouble { text } => Some(text.as_str()),
        _ => None,
    });
    troubles.collect()
}

fn demanding(needs: &mut Needs) {
    needs.env = Arc::new(Environment { signatures: Signatures::Required, ..(*needs.env).clone() });
}

#[tokio::test]
async fn every_answer_and_the_end_are_signed_and_the_run_is_proved() {
    let rig = Rig::new();
    let (world, signer) = (Arc::new(World::default()), rig.signer("mine", None).await);
    let handle = rig.begin(&world, &whole_book(), |needs| needs.signing = rig.signing(Ok(signer)));
    assert_eq!(drive(handle, yes).await.0, RunState::Finished);
    let found = rig.examined();
    assert_eq!((found.grade(), found.remarks.as_slice()), (Grade::Proved, &[][..]));
    let of: Vec<&str> = found.signatures.iter().map(|seen| seen.of.as_str()).collect();
    assert_eq!(of, ["answered", "answered", "answered", "answered", "ended"]);
}

#[tokio::test]
async fn an_agent_that_dies_makes_the_rest_unsigned_and_that_is_said_once() {
    let mut rig = Rig::new();
    let socket = rig.start_agent();
    let (world, signer) = (Arc::new(World::default()), rig.signer("mine.pub", Some(&socket)).await);
    let handle = rig.begin(&world, &whole_book(), |needs| needs.signing = rig.signing(Ok(signer)));
    let view = handle.view.clone();
    let state = drive(handle, |prompt| {
        if prompt.title.as_str().starts_with("Second on app1") {
            rig.end_agent();
        }
        yes(prompt)
    });
    assert_eq!(state.await.0, RunState::Finished);
    let found = rig.examined();
    assert_eq!((found.grade(), found.signatures.len()), (Grade::Unproved, 1), "{found:?}");
    let events = rig.events();
    let said = troubles(&events);
    assert!(said.len() == 1 && said[0].starts_with("unsigned: no signing key"), "{said:?}");
    let notes: Vec<String> = view.borrow().notes.iter().map(|(_, _, text)| text.to_string()).collect();
    assert!(notes.len() == 1 && notes[0].starts_with("unsigned: no signing key"), "{notes:?}");
}

#[tokio::test]
async fn where_signatures_are_demanded_an_answer_that_cannot_be_signed_does_not_count() {
    let mut rig = Rig::new();
    let socket = rig.start_agent();
    let (world, signer) = (Arc::new(World::default()), rig.signer("mine.pub", Some(&socket)).await);
    let handle = rig.begin(&world, &whole_book(), |needs| {
        needs.signing = rig.signing(Ok(signer));
        demanding(needs);
    });
    let (state, _) = drive(handle, |prompt| {
        if prompt.title.as_str().starts_with("Second on app1") {
            rig.end_agent();
        }
        yes(prompt)
    })
    .await;
    assert!(
        matches!(&state, RunState::Stopped(why) if why.as_str().contains("demands signatures")),
        "{state:?}"
    );
    let done = world.done.lock().unwrap().clone();
    assert_eq!(done, ["app1 set first"], "nothing that was agreed to without a signature");
    let answers = rig.events().iter().filter(|event| matches!(event, Event::Answered { .. })).count();
    assert_eq!(answers, 1);
}

#[tokio::test]
async fn a_rehearsal_is_not_signed_and_says_nothing() {
    let rig = Rig::new();
    let world = Arc::new(World::default());
    let handle = rig.begin(&world, &whole_book(), |_| {});
    assert_eq!(drive(handle, yes).await.0, RunState::Finished);
    assert_eq!(troubles(&rig.events()), Vec::<&str>::new());
    assert_eq!(rig.examined().grade(), Grade::Unproved);
}

const TWO: &str = r#"
[[step]]
id = "two"
kind = "approve"
title = "Two"
text = "Look."
"#;

#[tokio::test]
async fn an_approval_counts_when_a_known_person_signed_it() {
    let rig = Rig::new();
    let world = Arc::new(World::default());
    let (mine, bens) = (rig.signer("mine", None).await, rig.signer("bens", None).await);
    // Unsigned, then in Ben's name with the operator's own key, then with Ben's a text with something more, then with Ben's.
    let mut keys = [None, Some((mine.clone(), "")), Some((bens.clone(), "x")), Some((bens, ""))].into_iter();
    let lent = Lent::with_second(move |question| {
        let mut approval = Approval::to(question, "ben@there");
        if let Some((key, more)) = keys.next()? {
            let text = approval.text() + more;
            let signing = key.sign(NAMESPACE, text.as_bytes(), Duration::from_secs(60), || {});
            approval.sig = futures::FutureExt::now_or_never(signing).unwrap().unwrap().to_base64();
        }
        Some(Approved { approval, uid: 1001, account: Clean::new("ben") })
    });
    let book = book(&format!("{TWO}{}", sets_for_good("last")));
    let handle = rig.begin(&world, &book, |needs| {
        needs.signing = rig.signing(Ok(mine));
        needs.lease = lent.lease();
        demanding(needs);
    });
    let (state, _) = drive(handle, yes).await;
    assert_eq!(state, RunState::Finished);
    let events = rig.events();
    let said = troubles(&events);
    let why = ["is not signed", "your own key", "does not match the approval"];
    assert!(said.len() == 3 && said.iter().zip(why).all(|(said, why)| said.contains(why)), "{said:?}");
    let found = rig.examined();
    assert_eq!((found.grade(), found.remarks.as_slice()), (Grade::Proved, &[][..]));
    assert!(
        found.signatures.iter().any(|seen| seen.of == "approval" && seen.by == "ben@there" && seen.proved)
    );
}
