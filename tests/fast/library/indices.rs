//! elasticsearch-restore: an index that lost documents has them back, a rollback has it as it was, and what cannot be restored
//! is refused in one sentence before anything is touched.

use jumpdeck_fleet::names::HostName;

use super::*;

const RUNBOOK: &str = "elasticsearch-restore";

/// Inputs, what is broken before, and what the refusal says.
type Refused = (&'static [(&'static str, &'static str)], fn(&mut World), &'static str);

/// Documents of the index that is searched; `None`: there is none, or it is closed.
fn documents(stage: &Stage) -> Option<u64> {
    stage.world(|w| {
        let found = w.elastic().indices().iter().find(|index| index.name == "annotator" && index.open)?;
        Some(found.documents)
    })
}

fn names(stage: &Stage) -> Vec<String> {
    stage.world(|w| w.elastic().indices().iter().map(|index| index.name.clone()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_lost_documents_or_is_gone_has_them_back() {
    for gone in [false, true] {
        let stage = Stage::new("wpd-2015", "production", false);
        let (before, all) = (documents(&stage), names(&stage));
        stage.world(|w| match gone {
            true => assert!(w.elastic().delete_index("annotator")),
            false => assert!(w.elastic().keep_documents("annotator", 3)),
        });
        let told = stage.run(RUNBOOK, &[("node", "elastic")], None, |p| PLAIN.agrees(&stage, p)).await;
        assert_eq!(told.view.state, RunState::Finished, "gone: {gone}\n{}", told.story());
        assert_eq!((documents(&stage), names(&stage)), (before, all), "gone: {gone}\n{}", told.story());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_after_the_restore_has_the_index_as_it_was() {
    for gone in [false, true] {
        let stage = Stage::new("wpd-2015", "production", true);
        stage.world(|w| match gone {
            true => assert!(w.elastic().delete_index("annotator")),
            false => assert!(w.elastic().keep_documents("annotator", 3)),
        });
        let all = names(&stage);
        let told = stage
            .run(RUNBOOK, &[("node", "elastic")], Some(("tidy", Wrong::Fails)), |prompt| match &prompt.kind {
                PromptKind::Choose(choices) => way(choices, "brs"),
                _ => PLAIN.agrees(&stage, prompt),
            })
            .await;
        assert_eq!(told.view.state, RunState::RolledBack, "gone: {gone}\n{}", told.story());
        assert_eq!(documents(&stage), if gone { None } else { Some(3) }, "gone: {gone}\n{}", told.story());
        assert_eq!(names(&stage), all, "gone: {gone}\n{}", told.story());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_before_anything_is_touched() {
    const UNKNOWN: &str =
        "The cluster does not know the repository nowhere: the runbook elasticsearch-snapshot registers it.";
    const MISSING: &str = "nfsshared has no complete snapshot snapshot-19990101 that contains annotator.";
    const OTHER: &str = "No complete snapshot in nfsshared contains nothing-of-that-name.";
    let cases: [Refused; 5] = [
        (&[("repository", "nowhere")], |_| (), UNKNOWN),
        (&[("wanted", "snapshot-19990101")], |_| (), MISSING),
        (&[("index", "nothing-of-that-name")], |_| (), OTHER),
        (&[], |w| assert!(w.elastic().open("annotator", false)), "A closed index is not part of a snapshot"),
        (&[], |w| assert!(w.stop_elastic(&HostName::new("elastic").unwrap())), "does not answer: start it"),
    ];
    for (inputs, broken, says) in cases {
        let stage = Stage::new("wpd-2015", "production", false);
        stage.world(broken);
        let before = names(&stage);
        let inputs = [&[("node", "elastic")], inputs].concat();
        let told = stage
            .run(RUNBOOK, &inputs, None, |prompt| match &prompt.kind {
                PromptKind::Choose(_) => Reply::Chosen('s', None),
                _ => PLAIN.agrees(&stage, prompt),
            })
            .await;
        let story = told.story();
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{says}\n{story}");
        assert!(story.contains(says), "{says}\n{story}");
        assert_eq!(names(&stage), before, "{says}\n{story}");
        for step in rehearsal::changes(&told.plan) {
            assert_ne!(told.state_of(&step), StepState::Done, "{step}\n{story}");
        }
    }
}
