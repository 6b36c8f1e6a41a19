//! Nothing is changed while the environment is read-only, whatever is answered.

use proptest::prelude::*;

use super::*;

/// Nobody is asked about its changes one by one.
fn covered() -> String {
    let sure = "\n[[step]]\nid = \"sure\"\nkind = \"confirm\"\ntitle = \"Sure?\"\ncovers = [\"first\", \"second\"]\n";
    book(&[sure, &sets("first"), &sets("second"), FAILS].concat())
}

fn read_only(world: &World, is: bool) {
    world.read_only.store(is, Ordering::SeqCst);
}

#[tokio::test]
async fn a_change_that_is_covered_waits_until_armed() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    read_only(&world, true);
    let handle = launch(machine_of(&covered(), false), needs(&world, &paper));
    let mut yes_while_read_only = 0;
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        _ => {
            yes_while_read_only += 1;
            assert!(world.done.lock().unwrap().is_empty() || yes_while_read_only > 3);
            // Said twice in vain: a yes alone arms nothing.
            if yes_while_read_only == 3 {
                read_only(&world, false);
            }
            Reply::Yes
        }
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    assert_eq!(
        asked,
        ["Sure?", "test is read-only. First?", "test is read-only. First?", "Step 4 (fails) failed"]
    );
    assert_eq!(*world.done.lock().unwrap(), ["app1 set first", "app1 set second"]);
    assert!(world.unarmed.lock().unwrap().is_empty());
    // What was said while it was read-only agreed to nothing.
    assert_eq!(answers(&paper), [("sure", "yes"), ("first", "yes"), ("fails", "stop")].map(words));
}

fn words((step, answer): (&str, &str)) -> (String, String) {
    (step.to_owned(), answer.to_owned())
}

/// The answers in a journal: step and word.
fn answers(paper: &Paper) -> Vec<(String, String)> {
    let entries = paper.entries.lock().unwrap();
    let answers = entries.iter().filter_map(|entry| match &entry.event {
        Event::Answered { step, answer, .. } => Some((step.to_string(), answer.words().to_owned())),
        _ => None,
    });
    answers.collect()
}

#[tokio::test]
async fn a_rollback_stands_where_arming_ends_and_goes_on_when_armed() {
    for goes_on in [true, false] {
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        *world.ends_arming.lock().unwrap() = Some("unset second".to_owned());
        let handle = launch(machine_of(&covered(), false), needs(&world, &paper));
        let (state, asked) = drive(handle, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) => {
                assert!(choices.iter().find(|c| c.key == 'b').unwrap().changes, "{choices:?}");
                Reply::Chosen('b', None)
            }
            _ if prompt.title.as_str() != "test is read-only. Undo: First?" => Reply::Yes,
            _ if goes_on => {
                read_only(&world, false);
                Reply::Yes
            }
            _ => Reply::No,
        })
        .await;
        assert_eq!(asked.last().unwrap(), "test is read-only. Undo: First?");
        let done = world.done.lock().unwrap().clone();
        assert_eq!(done[..3], ["app1 set first", "app1 set second", "app1 unset second"]);
        match goes_on {
            true => {
                assert_eq!((state, &done[3..]), (RunState::RolledBack, &["app1 unset first".to_owned()][..]))
            }
            false => {
                assert!(
                    matches!(&state, RunState::Stopped(why) if why.as_str().contains("resume")),
                    "{state:?}"
                );
                assert_eq!(done.len(), 3);
            }
        }
        assert!(world.unarmed.lock().unwrap().is_empty());
        let answer = if goes_on { "yes" } else { "no" };
        assert_eq!(answers(&paper).last(), Some(&words(("first", answer))));
    }
}

#[tokio::test]
async fn arming_that_ends_while_a_change_is_agreed_to_holds_it_back() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let handle = launch(machine(), needs(&world, &paper));
    let mut first = 0;
    let (state, asked) = drive(handle, |prompt| {
        if prompt.title.as_str() == "First" {
            first += 1;
            read_only(&world, first == 1);
        }
        yes(prompt)
    })
    .await;
    assert_eq!(state, RunState::Finished);
    assert_eq!(asked[..2], ["First", "First"]);
    assert!(world.unarmed.lock().unwrap().is_empty());
}

/// What somebody does at a prompt: arms or disarms first, then answers.
#[derive(Debug, Clone, Copy)]
struct Act {
    read_only: bool,
    answer: u8,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (any::<bool>(), 0u8..6).prop_map(|(read_only, answer)| Act { read_only, answer });
    prop::collection::vec(act, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_answered_nothing_is_changed_while_read_only(acts in acts(), book in 0usize..2) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = Arc::new(World::default());
        read_only(&world, true);
        runtime.block_on(async {
            let machine = machine_of(&[covered(), whole_book()][book], false);
            let handle = launch(machine, needs(&world, &Paper::default()));
            let commands = handle.commands.clone();
            let mut acts = acts.into_iter();
            drive(handle, |prompt| {
                let Some(act) = acts.next() else {
                    let _ = commands.try_send(RunCommand::Stop);
                    return Reply::No;
                };
                read_only(&world, act.read_only);
                if act.answer == 0 {
                    let _ = commands.try_send(RunCommand::Rollback);
                }
                match (&prompt.kind, act.answer) {
                    (_, 1) => Reply::No,
                    (PromptKind::Challenge(value), _) => Reply::Text(value.to_string().into()),
                    (PromptKind::Choose(choices), n) => {
                        let choice = &choices[usize::from(n) % choices.len()];
                        Reply::Chosen(choice.key, Some("because".to_owned()))
                    }
                    _ => Reply::Yes,
                }
            })
            .await;
        });
        let unarmed = world.unarmed.lock().unwrap().clone();
        prop_assert!(unarmed.is_empty(), "{unarmed:?}");
    }
}
