//! fastly-backends: what it changes, what it refuses, and that the token is nowhere but in its file.

use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck_sim::world::World;

use super::rehearsal::{Stage, Told, Wrong};
use super::{PLAIN, SMALL, each, way};

const SERVICE: &str = "docs.webplatform.org";
/// A host that is not behind the CDN comes in.
pub(super) const ADD: Inputs = &[("vm", "app1-jobrunner"), ("action", "add")];
const REMOVE: Inputs = &[("vm", "app2"), ("action", "remove")];

type Inputs = &'static [(&'static str, &'static str)];

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn public(stage: &Stage, name: &str) -> String {
    stage.world(|w| {
        let server = w.cloud().find(name, 0.0).unwrap();
        w.cloud().public_address(server).unwrap().to_owned()
    })
}

/// The backends that are active, and the number of their version.
fn pool(stage: &Stage) -> (Vec<(String, String)>, u64) {
    stage.world(|w| (w.cdn().backends(SERVICE), w.cdn().active_version(SERVICE).unwrap()))
}

fn named(pool: &[(String, String)], name: &str) -> Option<String> {
    pool.iter().find(|(own, _)| own == name).map(|(_, address)| address.clone())
}

fn token(stage: &Stage) -> String {
    let file = stage.world(|w| w.read_file(&host("salt"), "/root/.fastly-token")).unwrap();
    String::from_utf8(file).unwrap().trim().to_owned()
}

async fn run(stage: &Stage, inputs: &[(&str, &str)], wrong: Option<(&str, Wrong)>, ways: &str) -> Told {
    let told = stage
        .run("fastly-backends", inputs, wrong, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, ways),
            _ => PLAIN.agrees(stage, prompt),
        })
        .await;
    // Whatever happens: no journal, no question and no answer has it.
    let token = token(stage);
    assert!(token.len() > 20 && !stage.journals_text().contains(&token), "the journal has the token");
    assert!(!told.story().contains(&token), "the token was shown");
    told
}

fn words(prompt: &Prompt) -> String {
    prompt.text.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The drafts that there are.
fn drafts(stage: &Stage) -> usize {
    stage.world(|w| w.cdn().drafts(SERVICE))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_shown_added_removed_and_replaced() {
    let stage = PLAIN.stage(false).await;
    let before = pool(&stage);
    let (in1, in2, other) =
        (public(&stage, "app1"), public(&stage, "app2"), public(&stage, "app1-jobrunner"));
    assert_eq!(named(&before.0, "app1").as_deref(), Some(in1.as_str()));

    let told = run(&stage, &[("vm", "app1")], None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!((pool(&stage), drafts(&stage)), (before.clone(), 0), "it was only shown");
    assert!(stage.journals_text().contains(&format!("app1 is the backend app1: {in1}, port 80")));

    // The settings of the backend that it is to be like come along.
    stage.world(|w| w.cdn().set_backend(SERVICE, "app2", "weight", "37"));
    let told = run(&stage, &[ADD, &[("like", "app2")]].concat(), None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert!(told.decisions().is_empty(), "{:?}", told.decisions());
    let added = pool(&stage);
    assert_eq!((named(&added.0, "app1-jobrunner"), added.1), (Some(other.clone()), before.1 + 1));
    let weights = stage.world(|w| w.cdn().settings(SERVICE, "weight"));
    assert_eq!(weights.iter().filter(|(_, weight)| weight == "37").count(), 2, "{weights:?}");

    let told = run(&stage, REMOVE, None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(named(&pool(&stage).0, "app2"), None);

    let replace = [("vm", "app2"), ("action", "replace"), ("former", other.as_str())];
    let told = run(&stage, &replace, None, "s").await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let replaced = pool(&stage);
    assert_eq!(named(&replaced.0, "app1-jobrunner"), Some(in2), "the settings and the name stay");
    assert_eq!(replaced.1, before.1 + 3);
    let page = stage.shell("salt", "curl -s http://docs.webplatform.org/").await;
    assert!(page.contains("MediaWiki"), "{page}");
}

/// The changes that only some actions have lie, fail, are cut off (those of all are among every runbook's): what is active is what
/// was active before, or what was wanted.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_that_goes_wrong_leaves_the_service_half_way() {
    let cases = [
        ("remove", Wrong::Lies, "bs"),
        ("remove", Wrong::CutAfter, "lrs"),
        ("replace", Wrong::Fails, "bs"),
        ("replace", Wrong::CutBefore, "lrs"),
    ];
    let cases = cases.map(|case| (format!("{case:?}"), case)).to_vec();
    let wrong = each(cases, |(action, wrong, ways)| async move {
        let stage = PLAIN.stage(true).await;
        let former = public(&stage, "app3");
        let replace = [("vm", "app1-jobrunner"), ("action", "replace"), ("former", former.as_str())];
        let (inputs, gone) = if action == "remove" { (REMOVE, "app2") } else { (&replace[..], "app3") };
        let before = pool(&stage);
        let told = run(&stage, inputs, Some((action, wrong)), ways).await;
        let after = pool(&stage);
        let well = match told.view.state {
            RunState::Finished => ways == "lrs" && named(&after.0, gone) != named(&before.0, gone),
            RunState::RolledBack | RunState::Stopped(_) => ways == "bs" && after == before,
            _ => false,
        };
        if well { Ok(()) } else { Err(told.story()) }
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

/// Refused with that sentence at that step, before anything is touched.
async fn refuses(stage: &Stage, inputs: &[(&str, &str)], step: &str, sentence: &str) {
    let before = pool(stage);
    let told = run(stage, inputs, None, "s").await;
    let last = told.prompts.last().unwrap();
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{sentence}\n{}", told.story());
    assert!(
        last.title.as_str().contains(&format!("({step})")),
        "{}: {sentence}\n{}",
        last.title,
        words(last)
    );
    assert!(words(last).contains(sentence), "{sentence}\n{}", words(last));
    assert_eq!((pool(stage), drafts(stage)), (before, 0), "{sentence}");
}

fn file(text: &'static str, mode: u32) -> impl Fn(&mut World) {
    move |w| {
        w.write_file(&host("salt"), "/root/.fastly-token", text.as_bytes().to_vec());
        w.set_attributes(&host("salt"), "/root/.fastly-token", |attributes| attributes.mode = mode);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_right_is_refused_before_anything_is_touched() {
    let stage = PLAIN.stage(false).await;
    let sees = "has no access to a service wiki, only to: code.webplatform.org docs.webplatform.org www.webplatform.org";
    refuses(&stage, &[ADD, &[("service", "wiki")]].concat(), "api", sees).await;
    let other = [ADD, &[("site", "blog.webplatform.org")]].concat();
    refuses(&stage, &other, "site", "does not have the public name blog.webplatform.org").await;
    let foreign = [ADD, &[("address", "192.0.2.7")]].concat();
    let says = "app1-jobrunner does not have the address 192.0.2.7: the inventory has 10.";
    refuses(&stage, &foreign, "which", says).await;
    let inner = [("vm", "memcache1"), ("action", "add")];
    refuses(&stage, &inner, "which", "is not a public address, so Fastly cannot reach memcache1 there").await;
    refuses(&stage, &[("vm", "app1"), ("action", "replace")], "which", "replaces is missing").await;
    refuses(&stage, &[("vm", "app1"), ("action", "add")], "may", "already: there is nothing to add").await;
    let away = [("vm", "app1-jobrunner"), ("action", "remove")];
    refuses(&stage, &away, "may", "has no backend with the address").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_in_a_state_that_forbids_it_is_refused_before_anything_is_touched() {
    type Refused = (Inputs, fn(&mut World), &'static str, &'static str);
    let cases: &[Refused] = &[
        (ADD, |w| w.cdn().faults.revoked = true, "api", "Fastly refuses the token"),
        (ADD, |w| w.cdn().faults.status = Some(503), "api", "does not answer as expected"),
        (ADD, |w| w.cdn().set_director(SERVICE, "all"), "may", "groups its backends with directors"),
        (
            ADD,
            |w| w.cdn().set_backend(SERVICE, "app1", "ssl_client_key", "-----BEGIN KEY"),
            "may",
            "has a certificate or key of its own",
        ),
        (ADD, |w| w.set_web_fault(&host("app1-jobrunner"), Some(500)), "comes-answers", "no page (HTTP 500)"),
        // The last one that answers; one that gets no requests counts for nothing.
        (
            REMOVE,
            |w| {
                w.set_web_fault(&host("app1"), Some(503));
                w.cdn().set_backend(SERVICE, "app3", "weight", "0");
            },
            "others-answer",
            "is the last backend of docs.webplatform.org that answers",
        ),
    ];
    let cases = cases.iter().map(|case| (case.3.to_owned(), *case)).collect();
    let wrong = each(cases, |(inputs, broken, step, sentence): Refused| async move {
        let stage = PLAIN.stage(false).await;
        stage.world(broken);
        refuses(&stage, inputs, step, sentence).await;
        Ok(())
    })
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

/// A fleet without Fastly, and one where everybody could read the token.
#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_without_a_token_is_refused_in_one_sentence() {
    let stage = SMALL.stage(false).await;
    let told = stage
        .run("fastly-backends", &[("vm", "app1")], None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => way(choices, "s"),
            _ => Reply::Yes,
        })
        .await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = words(told.prompts.last().unwrap());
    assert!(said.contains("salt has no file /root/.fastly-token: if this fleet uses Fastly"), "{said}");
    for (broken, sentence) in [
        (
            Box::new(file("abcdefghijklmnopqrstuvwxyz\n", 0o644)) as Box<dyn Fn(&mut World)>,
            "Users other than root can read",
        ),
        (Box::new(file("url = \"http://x/\"; # not a token at all\n", 0o600)), "is not an API token"),
    ] {
        let stage = PLAIN.stage(false).await;
        stage.world(|w| broken(w));
        let told = run(&stage, ADD, None, "s").await;
        let said = words(told.prompts.last().unwrap());
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
}

/// What goes wrong at Fastly, and what is said of it.
#[derive(Clone, Copy)]
struct Case {
    /// A piece of the title of the question at which it goes wrong.
    at: &'static str,
    broken: fn(&mut World),
    step: &'static str,
    says: &'static str,
}

/// What goes wrong between the first question and the end: nothing else becomes active, or what was is active again.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_at_fastly_is_seen_and_nothing_half_done_is_active() {
    let cases = [
        Case {
            at: "Create a draft",
            broken: |w| w.cdn().faults.invalid = Some("Unknown backend F_app9".to_owned()),
            step: "valid",
            says: "so it is not activated: Unknown backend F_app9",
        },
        Case {
            at: "Create a draft",
            broken: |w| w.cdn().changed_elsewhere(SERVICE, true),
            step: "clone",
            says: "version 7 is still active",
        },
        Case {
            at: "Activate version",
            broken: |w| w.cdn().changed_elsewhere(SERVICE, true),
            step: "activate",
            says: "version 7 is still active",
        },
        Case {
            at: "Create a draft",
            broken: |w| w.cdn().changed_elsewhere(SERVICE, false),
            step: "alone",
            says: "Version 8 was created during this run by somebody else",
        },
        Case {
            at: "Create a draft",
            broken: |w| w.cdn().faults.changes_left = Some(1),
            step: "clone",
            says: "without the comment",
        },
        Case {
            at: "Activate version",
            broken: |w| w.cdn().faults.changes_left = Some(0),
            step: "activate",
            says: "not activated: {\"msg\":\"You have exceeded your hourly rate limit",
        },
        Case {
            at: "Activate version",
            broken: |w| w.cdn().faults.activation_lies = true,
            step: "activate",
            says: "version 8 is active",
        },
        Case {
            at: "Activate version",
            broken: |w| w.cdn().faults.status = Some(500),
            step: "activate",
            says: "\"version 7 is still active\" does not hold",
        },
        Case {
            at: "Activate version",
            broken: |w| w.cdn().faults.edge_down = true,
            step: "activate",
            says: "answers through the CDN",
        },
    ];
    let cases = cases.map(|case| (case.says.to_owned(), case)).into();
    let wrong = each(cases, goes_wrong).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

async fn goes_wrong(case: Case) -> Result<(), String> {
    let stage = PLAIN.stage(true).await;
    let before = pool(&stage).0;
    let mut seen = String::new();
    let told = stage
        .run("fastly-backends", ADD, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                if prompt.title.as_str().contains(&format!("({})", case.step)) {
                    seen.push_str(&words(prompt));
                }
                // The API is well again when it is rolled back.
                stage.world(|w| w.cdn().faults.status = None);
                way(choices, "bs")
            }
            _ => {
                if prompt.title.as_str().contains(case.at) {
                    stage.world(case.broken);
                }
                PLAIN.agrees(&stage, prompt)
            }
        })
        .await;
    let closed = matches!(told.view.state, RunState::RolledBack | RunState::Stopped(_));
    let well = seen.contains(case.says) && closed && pool(&stage).0 == before;
    if well { Ok(()) } else { Err(format!("{seen}\n{}", told.story())) }
}

/// What somebody else activated after this run is theirs: a rollback leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_does_not_undo_what_somebody_else_activated() {
    let stage = PLAIN.stage(true).await;
    let mut decisions = 0;
    let told = stage
        .run("fastly-backends", ADD, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                decisions += 1;
                stage.world(|w| w.cdn().faults.edge_down = false);
                if decisions == 1 {
                    stage.world(|w| w.cdn().changed_elsewhere(SERVICE, true));
                }
                way(choices, if decisions > 2 { "s" } else { "bs" })
            }
            _ => {
                if prompt.title.as_str().contains("Activate version") {
                    stage.world(|w| w.cdn().faults.edge_down = true);
                }
                PLAIN.agrees(&stage, prompt)
            }
        })
        .await;
    assert!(decisions > 1, "{}", told.story());
    assert_ne!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert!(told.story().contains("which this run did not create"), "{}", told.story());
    assert_eq!(pool(&stage).1, 9, "{}", told.story());
}

/// A token in a command line or an environment is everybody's on the jump box: no program but curl's standard input gets it.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_command() {
    let stage = PLAIN.stage(false).await;
    let told = run(&stage, ADD, None, "s").await;
    assert_eq!(told.state_of("activate"), StepState::Done, "{}", told.story());
    let text = stage.text("fastly-backends");
    let uses: Vec<&str> =
        text.lines().filter(|line| line.contains("$token\"") || line.contains("$token ")).collect();
    assert!(uses.len() > 10);
    for line in uses {
        let allowed = line.contains("api() { printf 'header = \"Fastly-Key: %s\"\\n' \"$token\" | curl ")
            && line.contains("--config - ");
        assert!(allowed || line.trim() == "case $token in", "{line}");
    }
}
