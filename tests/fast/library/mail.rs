//! mail-queue: the queue of Postfix and of Exim, delivered or deleted; what it refuses, and what it shows.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{PromptKind, Reply, RunState};
use jumpdeck_sim::mail::{MailQueue, Queue};

use super::rehearsal::{Stage, Told, Wrong};
use super::{PLAIN, way};

const SENDER: &str = "www-data@project.production.wpdn";
type Inputs<'a> = &'a [(&'a str, &'a str)];
const EXIM: Inputs<'_> = &[("mail", "project"), ("sender", SENDER)];
const EXIM_DELIVERS: Inputs<'_> = &[("mail", "project"), ("sender", SENDER), ("task", "deliver")];
const POSTFIX_DELIVERS: Inputs<'_> = &[("mail", "mail"), ("sender", SENDER), ("task", "deliver")];

fn stage() -> Stage {
    Stage::new("wpd-2015", "production", true)
}

fn queue<T>(stage: &Stage, host: &str, look: impl FnOnce(&mut MailQueue) -> T) -> T {
    stage.world(|w| look(w.mail(&HostName::new(host).unwrap()).unwrap()))
}

/// The messages of a sender that are in the queue.
fn left(stage: &Stage, host: &str, sender: &str) -> Vec<String> {
    queue(stage, host, |q| q.messages().iter().filter(|m| m.sender == sender).map(|m| m.id.clone()).collect())
}

/// Lets the other side take what it refused.
fn cause_is_gone(stage: &Stage, host: &str) {
    queue(stage, host, |q| q.recipient_accepts("bugs@lists.example.org"));
}

async fn run(stage: &Stage, inputs: Inputs<'_>, wrong: Option<(&str, Wrong)>, ways: &str) -> Told {
    let mut decisions = 0;
    stage
        .run("mail-queue", inputs, wrong, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                decisions += 1;
                way(choices, if decisions > 6 { "s" } else { ways })
            }
            _ => PLAIN.agrees(stage, prompt),
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_exim_exactly_the_messages_of_one_sender_are_deleted() {
    let stage = stage();
    assert_eq!(
        (left(&stage, "project", SENDER).len(), left(&stage, "project", "MAILER-DAEMON").len()),
        (9, 2)
    );
    let told = run(&stage, EXIM, None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    assert_eq!(
        (left(&stage, "project", SENDER).len(), left(&stage, "project", "MAILER-DAEMON").len()),
        (0, 2)
    );
    let journal = stage.journals_text();
    for shown in
        ["rate limited", "closed: to a stranger it says 550 relay not permitted", "Subject: [Bug Genie]"]
    {
        assert!(journal.contains(shown), "{shown}");
    }
}

/// A bounce is `<>` in Exim's list, and frozen already: there is nothing to put on hold.
#[tokio::test(flavor = "multi_thread")]
async fn frozen_bounces_are_deleted_by_the_name_that_postfix_gives_them() {
    let stage = stage();
    let told = run(&stage, &[("mail", "project"), ("sender", "MAILER-DAEMON")], None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(!told.was_done("hold"), "{}", told.story());
    assert_eq!(
        (left(&stage, "project", SENDER).len(), left(&stage, "project", "MAILER-DAEMON").len()),
        (9, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_cause_is_gone_what_waits_is_delivered_held_or_not() {
    for (host, inputs) in [("project", EXIM_DELIVERS), ("mail", POSTFIX_DELIVERS)] {
        let stage = stage();
        let ids = left(&stage, host, SENDER);
        let others = queue(&stage, host, |q| q.messages().len()) - ids.len();
        let delivered = queue(&stage, host, |q| {
            assert!(q.hold(&ids[0], true));
            q.recipient_accepts("bugs@lists.example.org");
            q.delivered()
        });
        let told = run(&stage, inputs, None, "s").await;
        assert_eq!(told.view.state, RunState::Finished, "{host}: {}", told.story());
        assert!(told.decisions().is_empty(), "{host}: {:?}", told.decisions());
        assert_eq!(left(&stage, host, SENDER), Vec::<String>::new(), "{host}");
        let (there, gone) = queue(&stage, host, |q| (q.messages().len(), q.delivered()));
        assert!(
            there >= others && gone >= delivered + 9,
            "{host}: {there} of {others} others, {gone} delivered"
        );
    }
}

/// What is refused again is said, and stays where it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_again_is_named_and_waits_on() {
    for (host, inputs, count) in [("project", EXIM_DELIVERS, 9), ("mail", POSTFIX_DELIVERS, 37)] {
        let stage = stage();
        let told = run(&stage, inputs, None, "ks").await;
        assert!(told.decisions()[0].contains("delivered"), "{host}: {:?}", told.decisions());
        assert_eq!(left(&stage, host, SENDER).len(), count, "{host}");
    }
}

/// Each change of the ways that the rehearsal of every runbook does not take: it lies, fails, or the link is cut.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_goes_wrong_is_seen() {
    for (inputs, steps) in [(EXIM, &["hold", "delete"][..]), (EXIM_DELIVERS, &["deliver"])] {
        for step in steps {
            for wrong in [Wrong::Lies, Wrong::Fails, Wrong::CutBefore, Wrong::CutAfter] {
                let stage = stage();
                cause_is_gone(&stage, "project");
                let told = run(&stage, inputs, Some((step, wrong)), "lrs").await;
                let asked = told.decisions();
                assert!(asked.iter().any(|title| title.contains(step)), "{step} {wrong:?}: {asked:?}");
                assert_eq!(told.view.state, RunState::Finished, "{step} {wrong:?}: {}", told.story());
                assert!(left(&stage, "project", SENDER).is_empty(), "{step} {wrong:?}");
                told.nothing_repeated(&stage.runbook("mail-queue"));
            }
        }
    }
}

/// Going back thaws what the run froze, and nothing that was frozen before.
#[tokio::test(flavor = "multi_thread")]
async fn going_back_releases_only_what_the_run_put_on_hold() {
    for (host, inputs) in [("project", EXIM), ("mail", &[("mail", "mail"), ("sender", SENDER)][..])] {
        let stage = stage();
        let held = left(&stage, host, SENDER).remove(0);
        queue(&stage, host, |q| assert!(q.hold(&held, true)));
        let told = stage
            .run("mail-queue", inputs, None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => way(choices, "bs"),
                PromptKind::Challenge(_) if prompt.title.as_str().contains("for good") => Reply::No,
                _ => PLAIN.agrees(&stage, prompt),
            })
            .await;
        assert_eq!(told.view.state, RunState::RolledBack, "{host}: {}", told.story());
        let mine: Vec<(String, Queue)> = queue(&stage, host, |q| {
            let of = q.messages().iter().filter(|m| m.sender == SENDER);
            of.map(|m| (m.id.clone(), m.queue)).collect()
        });
        for (id, place) in mine {
            assert_eq!(place == Queue::Hold, id == held, "{host}: {id}: {}", told.story());
        }
    }
}

/// A delivery that hangs holds its message: it is named as left, and goes when the delivery has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_delivery_holds_is_not_said_to_be_deleted() {
    let stage = stage();
    let id = left(&stage, "project", SENDER).remove(0);
    queue(&stage, "project", |q| assert!(q.hold(&id, true) && q.lock(&id, true)));
    let told = run(&stage, EXIM, None, "s").await;
    assert!(told.decisions()[0].contains("delete"), "{:?}", told.decisions());
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert_eq!(left(&stage, "project", SENDER), [id]);
}

/// Neither server: one sentence, and nothing else is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_a_mail_server_is_refused() {
    let stage = Stage::new("wpd-2013", "production", true);
    let told = run(&stage, &[("mail", "backup"), ("sender", SENDER)], None, "s").await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    assert_eq!(told.prompts.len(), 1, "{}", told.story());
    let said = told.prompts[0].text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let sentence = "This host has neither Postfix nor Exim: name the host whose mail server has the queue.";
    assert!(said.contains(sentence), "{said}");
}

/// Document 002: only the fleet's own machines may relay.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_relay_and_a_server_that_does_not_run_are_shown() {
    let networks = |networks: &str| format!("postconf -e 'mynetworks = {networks}'");
    for (host, script, step, words) in [
        ("mail", networks("10.0.0.0/8 0.0.0.0/0"), "relay", "mynetworks has 0.0.0.0/0"),
        ("mail", networks("127.0.0.0/8 198.51.100.0/24"), "relay", "mynetworks has 198.51.100.0/24"),
        (
            "mail",
            "postconf -e 'smtpd_relay_restrictions = permit_mynetworks, permit'".to_owned(),
            "relay",
            "has reject_unauth_destination",
        ),
        (
            "project",
            "sed -i \"s|dc_relay_nets=''|dc_relay_nets='0.0.0.0/0'|\" /etc/exim4/update-exim4.conf.conf"
                .to_owned(),
            "relay",
            "open: to a stranger it says 250 Accepted",
        ),
        ("project", "service exim4 stop".to_owned(), "runs", "Exim does not run"),
        ("mail", "service postfix stop".to_owned(), "runs", "Postfix does not run"),
    ] {
        let stage = stage();
        stage.shell(host, &script).await;
        let told = run(&stage, &[("mail", host), ("sender", SENDER)], None, "ks").await;
        assert_eq!(told.view.state, RunState::Finished, "{words}: {}", told.story());
        assert!(told.decisions().len() == 1 && told.decisions()[0].contains(step), "{:?}", told.decisions());
        assert!(told.story().contains(words), "{words}: {}", told.story());
    }
}
