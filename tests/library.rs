//! Every runbook of the library in the simulated world: to its end, and with each of its changes going wrong. A runbook
//! that is added has to be given inputs here, or the tests fail.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "support/operator.rs"]
mod operator;
#[path = "support/rehearsal.rs"]
mod rehearsal;

use std::time::Instant;

use jumpdeck::domain::names::HostName;
use jumpdeck::domain::run::{Choice, Prompt, PromptKind, Reply, RunState, StepState};
use jumpdeck::sim::world::World;
use rehearsal::{Stage, Told, Wrong};

/// Where and with what a runbook is rehearsed.
struct Scene {
    world: &'static str,
    env: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    /// What a person says at `manual` steps and inputs in mid-run: a piece of the prompt's title, and the value.
    says: &'static [(&'static str, &'static str)],
    /// What was wrong in the world before, so that there is something to do.
    before: fn(&mut World),
}

const PLAIN: Scene = Scene { world: "wpd-2015", env: "staging", inputs: &[], says: &[], before: |_| () };

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn scene(runbook: &str) -> Scene {
    match runbook {
        "elasticsearch-rolling-restart" => PLAIN,
        "elasticsearch-snapshot" => Scene { inputs: &[("node", "elastic")], ..PLAIN },
        "mail-queue" => {
            Scene { inputs: &[("mail", "mail"), ("sender", "www-data@project.production.wpdn")], ..PLAIN }
        }
        other => panic!("{other} is rehearsed nowhere: give it a scene"),
    }
}

impl Scene {
    fn stage(&self, impatient: bool) -> Stage {
        let stage = Stage::new(self.world, self.env, impatient);
        stage.world(|w| (self.before)(w));
        stage
    }

    /// What a person who agrees says.
    fn agrees(&self, prompt: &Prompt) -> Reply {
        match &prompt.kind {
            PromptKind::Confirm => Reply::Yes,
            PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
            PromptKind::Input(view) => {
                let told = self.says.iter().find(|(title, _)| prompt.title.contains(title)).map(|(_, v)| *v);
                let told = told.or(view.default.as_ref().map(|d| d.as_str()));
                Reply::Text(told.or(view.choices.first().map(|c| c.as_str())).unwrap_or("seen").to_owned().into())
            }
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            PromptKind::Approve(_) => Reply::No,
        }
    }
}

/// The runbooks to rehearse: all, or what `JUMPDECK_ONLY` names.
fn runbooks() -> Vec<String> {
    let only = std::env::var("JUMPDECK_ONLY").ok();
    rehearsal::names().into_iter().filter(|n| only.as_ref().is_none_or(|o| o.split(',').any(|o| o == n))).collect()
}

/// Takes the first of these ways that is there. A reason is given with it.
fn way(choices: &[Choice], wanted: &str) -> Reply {
    let found = wanted.chars().find(|key| choices.iter().any(|c| c.key == *key));
    Reply::Chosen(found.unwrap_or('s'), Some("a rehearsal".to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_runbook_comes_to_its_end() {
    for name in runbooks() {
        let scene = scene(&name);
        let stage = scene.stage(false);
        let began = Instant::now();
        let told = stage.run(&name, scene.inputs, None, |p| scene.agrees(p)).await;
        println!("{name}: {:.1} s", began.elapsed().as_secs_f64());
        assert_eq!(told.view.state, RunState::Finished, "{name}\n{}", told.story());
        assert!(told.decisions().is_empty(), "{name}: {:?}", told.decisions());
        told.nothing_repeated(&stage.runbook(&name));
        told.closed(&stage.runbook(&name));
    }
}

/// A run in which one step goes wrong once; at each decision the first way there is of `ways` is taken.
async fn with(name: &str, step: &str, wrong: Wrong, ways: &str) -> (Stage, Told) {
    let scene = scene(name);
    let stage = scene.stage(true);
    let mut decisions = 0;
    let told = stage
        .run(name, scene.inputs, Some((step, wrong)), |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                decisions += 1;
                if decisions > 12 { Reply::Chosen('s', None) } else { way(choices, ways) }
            }
            _ => scene.agrees(prompt),
        })
        .await;
    told.nothing_repeated(&stage.runbook(name));
    (stage, told)
}

/// The changes of a runbook, as its run on the happy path has them: those that are left out by a condition are not there.
async fn changes(name: &str) -> Vec<String> {
    let scene = scene(name);
    let stage = scene.stage(false);
    let told = stage.run(name, scene.inputs, None, |p| scene.agrees(p)).await;
    let done = |id: &String| told.state_of(id) == StepState::Done;
    rehearsal::changes(&told.plan).into_iter().filter(done).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_says_it_was_done_and_was_not_is_seen_and_the_run_given_up_closes() {
    for name in runbooks() {
        for step in changes(&name).await {
            let (stage, told) = with(&name, &step, Wrong::Lies, "a").await;
            let runbook = stage.runbook(&name);
            let seen = format!("{name}: {step}\n{}", told.story());
            let closing = runbook.steps.iter().any(|s| s.always && s.id == step);
            let titles = told.decisions();
            assert!(titles.iter().any(|t| t.contains(&step)), "nobody saw it: {seen}");
            if !closing {
                assert!(matches!(told.view.state, RunState::Abandoned(_)), "{seen}");
                told.closed(&runbook);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_is_taken_back_as_far_as_that_goes() {
    for name in runbooks() {
        for step in changes(&name).await {
            let (stage, told) = with(&name, &step, Wrong::Fails, "bs").await;
            let seen = format!("{name}: {step}\n{}", told.story());
            assert!(told.decisions().iter().any(|t| t.contains(&step)), "nobody saw it: {seen}");
            match &told.view.state {
                RunState::RolledBack => told.closed(&stage.runbook(&name)),
                RunState::Stopped(_) => {}
                _ => panic!("{seen}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_cut_in_mid_step_leads_to_looking_and_nothing_is_done_twice() {
    for name in runbooks() {
        for (number, step) in changes(&name).await.into_iter().enumerate() {
            let wrong = if number % 2 == 0 { Wrong::CutAfter } else { Wrong::CutBefore };
            // Looks first; what was not done is done again by one's word, what was done is gone on with.
            let (stage, told) = with(&name, &step, wrong, "lrs").await;
            let seen = format!("{name}: {step} {wrong:?}\n{}", told.story());
            assert!(told.was_unknown(&step), "it was never unknown: {seen}");
            assert_eq!(told.view.state, RunState::Finished, "{seen}");
            told.closed(&stage.runbook(&name));
        }
    }
}
