//! Prompts and phones: what a server asks is shown line by line, and the time an operator takes does not count.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use crate::support::reach::over_ssh;
use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck::transport::ssh::link::JumpLink;
use jumpdeck::transport::{HostSessions, Limits};
use jumpdeck_fleet::access::Access;
use jumpdeck_fleet::event::{Answer, FleetEvent, LoginInstructions, QuestionKind};
use jumpdeck_fleet::fleet::{Environment, Fleet};
use jumpdeck_fleet::snapshot::{JumpSnapshot, LinkState, Retry};
use russh::Preferred;
use tokio::sync::mpsc;

use super::door::{Door, Plan, Turn};
use super::fleet::{Person, access, environment, open, remote, secret};
use super::sshd::{Sshd, keygen, missing, not_root, public};

const SHORT: Duration = Duration::from_millis(700);
const DUO: &str = "Duo two-factor login for deploy\n\nEnter a passcode or select one of the following options:\n\n \
                   1. Duo Push to XXX-XXX-1234\n 2. Phone call to XXX-XXX-1234\n 3. SMS passcodes to XXX-XXX-1234\n\n\
                   Passcode or option (1-3): ";

/// A server with these turns, and an environment behind it whose connections have `limit`.
async fn stage(turns: &[Turn], limit: Duration) -> (tempfile::TempDir, Door, Environment) {
    let dir = tempfile::tempdir().unwrap();
    let door = Door::open(Plan { turns: turns.to_vec(), preferred: Preferred::DEFAULT }).await;
    let known = dir.path().join("known_hosts");
    fs::write(&known, &door.known).unwrap();
    let login = Access { keys: Vec::new(), password: true, ..access(&known, known.clone()) };
    let env = environment(remote(door.port, login), limit);
    (dir, door, env)
}

async fn log_in(env: &Environment, person: &Arc<Person>) -> Result<JumpLink, TransportError> {
    open(env, person, &Arc::default()).await
}

fn texts<'a>(lines: impl IntoIterator<Item = &'a jumpdeck_fleet::text::Clean>) -> Vec<String> {
    lines.into_iter().map(ToString::to_string).collect()
}

/// Case 11: every line of a prompt is shown, blank ones too, and nothing that a terminal would obey.
#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_prompt_is_shown() {
    const LONG: &str = "\x1b]0;title\x07A\r\n\u{202e}B\n\nC\tD:";
    let asks = |text| Turn::Asks { name: "", instructions: "", prompts: text };
    let turns = [asks(&[(DUO, true)]), asks(&[(LONG, false)]), Turn::Opens];
    let (_dir, door, env) = stage(&turns, SHORT).await;
    let person = Person::new([secret("1"), secret("2")]);
    log_in(&env, &person).await.unwrap();
    let asked = person.asked();
    let shown = |at: usize| match &asked[at].1 {
        QuestionKind::Prompt { told, prompt, echo } => {
            assert_eq!(*told, LoginInstructions::default());
            (texts(prompt), *echo)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(0), (DUO.lines().map(str::to_owned).collect(), true));
    assert_eq!(shown(1).0, ["^[]0;title^GA", "<U+202E>B", "", "C       D:"]);
    assert_eq!(door.answers(), [["1"], ["2"]]);
}

/// Case 11: name, instructions and each prompt for itself; echo is off for the prompt that says so and no other.
#[tokio::test(flavor = "multi_thread")]
async fn each_prompt_is_asked_for_itself_under_the_name_and_the_instructions() {
    let turns = [
        Turn::Asks {
            name: "Corp login",
            instructions: "Use your AD account.\nThen the 6 digits of the app.",
            prompts: &[("Password: ", false), ("Verification code: ", true), ("PIN: ", false)],
        },
        Turn::Opens,
    ];
    let (_dir, door, env) = stage(&turns, SHORT).await;
    let person = Person::new([secret("pw"), secret("123456"), secret("0")]);
    log_in(&env, &person).await.unwrap();
    let mut seen = Vec::new();
    for (_, kind) in person.asked() {
        let QuestionKind::Prompt { told, prompt, echo } = kind else { panic!("{kind:?}") };
        assert_eq!(
            texts(told.lines()),
            ["Corp login", "Use your AD account.", "Then the 6 digits of the app."]
        );
        seen.push((prompt[0].to_string(), echo));
    }
    let expected = [("Password: ", false), ("Verification code: ", true), ("PIN: ", false)];
    assert_eq!(seen, expected.map(|(text, echo)| (text.to_owned(), echo)));
    assert_eq!(door.answers(), [["pw", "123456", "0"]]);
}

/// Case 12: the approval on a phone takes longer than the login's limit, with a message, without one, and after an answer.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_phone_does_not_count() {
    let push = "Autopushing login request to phone...";
    let wait = Turn::Waits(Duration::from_secs(3));
    let info = Turn::Asks { name: "", instructions: push, prompts: &[] };
    let question = Turn::Asks { name: "", instructions: "", prompts: &[("Option: ", true)] };
    for (turns, told) in [
        (vec![info, wait.clone(), Turn::Opens], push),
        (vec![wait.clone(), Turn::Opens], ""),
        (vec![question, wait, Turn::Opens], ""),
    ] {
        let (_dir, door, env) = stage(&turns, SHORT).await;
        let person = Person::new([secret("1")]);
        let link = log_in(&env, &person).await.unwrap();
        assert!(link.is_interactive());
        assert_eq!(door.logins(), 1, "one push");
        let waited = person.asked().into_iter().find_map(|(_, kind)| match kind {
            QuestionKind::Waiting { told } => Some(texts(told.lines()).concat()),
            _ => None,
        });
        assert_eq!(waited.as_deref(), Some(told), "it says what it waits for");
    }
}

/// The jump box after its next news that is not `pending`.
async fn settled(events: &mut mpsc::Receiver<FleetEvent>, not: LinkState) -> Arc<JumpSnapshot> {
    let waiting = async {
        loop {
            match events.recv().await.unwrap() {
                FleetEvent::Jump(jump) if ![LinkState::Pending, not].contains(&jump.link.state) => {
                    return jump;
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("news of the jump box")
}

/// Case 12: once a login was begun that may have sent a push or counted an attempt, nothing is tried again before an operator
/// says so: not after a failure, and not after a connection that stood is lost.
#[tokio::test(flavor = "multi_thread")]
async fn after_an_interactive_login_nothing_is_tried_again_without_an_operator() {
    let wait = Turn::Waits(Duration::from_millis(100));
    let question = Turn::Asks { name: "", instructions: "", prompts: &[("Code: ", false)] };
    for (turns, state) in [
        (vec![wait.clone(), Turn::HangsUp], LinkState::Unreachable),
        (vec![question.clone(), Turn::HangsUp], LinkState::Unreachable),
        (vec![wait, Turn::Refuses], LinkState::AuthFailed),
        (vec![question, Turn::Opens], LinkState::Unreachable),
    ] {
        let (_dir, door, env) = stage(&turns, SHORT).await;
        let opens = matches!(turns.last(), Some(Turn::Opens));
        let person = Person::new([secret("1"), secret("2")]);
        let (sender, mut events) = mpsc::channel(64);
        let name = env.name.clone();
        let fleet = Fleet { environments: vec![Arc::new(env)], simulated: false };
        let reach = Arc::new(SshConnector::new(Arc::new(TcpDial), person));
        let collector = Collector::new(Arc::new(fleet), reach, Clock::start(), sender);
        collector.activate(&name);
        if opens {
            assert_eq!(settled(&mut events, LinkState::Pending).await.link.state, LinkState::Up);
            door.drop_connections();
        }
        let jump = settled(&mut events, LinkState::Up).await;
        assert_eq!((jump.link.state, jump.link.retry_at), (state, None), "{}", jump.link.detail);
        assert_eq!(door.logins(), 1);
        let again = async {
            while door.logins() == 1 {
                // It may not have begun to wait for an operator yet.
                collector.retry(&name, None);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), again).await.expect("an operator wanted it");
    }
}

/// Case 12: without an operator no such login is begun at all: its beginning alone may send a push.
#[tokio::test(flavor = "multi_thread")]
async fn without_an_operator_no_push_is_sent() {
    let (_dir, door, env) = stage(&[Turn::Opens], SHORT).await;
    let refused =
        JumpLink::open(&env, Arc::new(TcpDial), Arc::new(RefuseAll), Arc::default()).await.unwrap_err();
    assert_eq!((refused.kind, door.logins()), (ErrorKind::NoCredentials, 0), "{refused}");
    assert!(refused.to_string().contains("nobody is here to answer"), "{refused}");
}

/// A cancelled login is the operator's, and not called a refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_the_operator_cancels_is_said_to_be_cancelled() {
    let question = Turn::Asks { name: "", instructions: "", prompts: &[("Code: ", false)] };
    let (_dir, _door, env) = stage(&[question], SHORT).await;
    let refused = log_in(&env, &Person::new([Answer::Refuse])).await.unwrap_err();
    assert_eq!((refused.state(), refused.retry), (LinkState::AuthFailed, Retry::ByOperator));
    assert!(refused.to_string().contains("cancelled"), "{refused}");
}

/// Case 12: a run whose connection is lost asks before it logs in again where that may send a push.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_asks_before_it_logs_in_again() {
    let question = Turn::Asks { name: "", instructions: "", prompts: &[("Code: ", false)] };
    let (_dir, door, env) = stage(&[question, Turn::Opens], SHORT).await;
    let person = Person::new([secret("1"), Answer::Refuse, Answer::Accept, secret("2")]);
    let reach = over_ssh(Arc::new(env), Arc::new(TcpDial), person.clone());
    let host = reach.jump().clone();
    let session = reach.host(&host).await.unwrap();
    assert_eq!(door.logins(), 1);
    door.drop_connections();
    // Until the end has been noticed.
    let limits = Limits { time: Duration::from_secs(20), bytes: 100 };
    session.exec("true", b"", limits, &mut |_| {}).await.map(drop).unwrap_err();
    let refused = reach.host(&host).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("not logged in again"), "{refused}");
    assert_eq!(door.logins(), 1, "the operator did not want it");
    reach.host(&host).await.map(drop).unwrap();
    assert_eq!(door.logins(), 2);
    let again =
        person.asked().into_iter().filter(|(_, kind)| matches!(kind, QuestionKind::LogInAgain { .. }));
    assert_eq!(again.count(), 2);
}

/// A server that wants a password beside the key: said as that, not as a key that was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_more_than_a_key_is_said_to_want_it() {
    if missing(&["sshd", "ssh-keygen"]) || not_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "ed25519", "");
    fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key"))).unwrap();
    let config = "PasswordAuthentication yes\nAuthenticationMethods publickey,password";
    let sshd = Sshd::start(dir.path(), "server", config);
    fs::write(dir.path().join("known_hosts"), sshd.known()).unwrap();
    for password in [true, false] {
        let login = Access { password, ..access(&dir.path().join("key"), dir.path().join("known_hosts")) };
        let env = environment(remote(sshd.port, login), Duration::from_secs(20));
        let refused =
            JumpLink::open(&env, Arc::new(TcpDial), Arc::new(RefuseAll), Arc::default()).await.unwrap_err();
        assert_eq!(refused.state(), LinkState::AuthFailed);
        let said = refused.to_string();
        assert!(said.contains("was accepted, but the server also requires password"), "{said}");
        assert_eq!(said.contains("nobody is here to answer"), password, "{said}");
        assert!(!said.contains("refused") && !said.contains("check user"), "{said}");
    }
}
