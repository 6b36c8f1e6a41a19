//! Whether it is safe to pause follows from what users notice, not from which step is next.

use super::*;
use crate::runbook::replay;
use crate::runbook::watched;
use jumpdeck_fleet::run::{RunView, Safety};

/// For a master that is dead: a check that looks around, one that finds that nobody can write, a change, the promotion, the rest.
fn outage_book() -> String {
    let check = |id: &str, more: &str| {
        format!(
            "\n[[step]]\nid = \"{id}\"\nkind = \"check\"\ntitle = \"Look {id}\"\non = \"one\"\nrun = \"get {id}\"\n\
             expect = [{{ is = \"0\" }}]\n{more}"
        )
    };
    let found = check("found", "writes = \"found_stopped\"\nimpact = \"Users cannot write: db1 is dead\"\n");
    let promote = sets_for_good("promote") + "writes = \"resume\"\n";
    book(&[sets("before"), check("look", ""), found, sets("drain"), promote, sets_for_good("after")].concat())
}

fn word(safety: &Safety) -> String {
    match safety {
        Safety::Safe => "safe".to_owned(),
        Safety::Meanwhile(says) => format!("meanwhile {says}"),
        Safety::Until { until: _, cost } => format!("until {cost}"),
        Safety::NoWrites { since: _, says } => format!("no {says}"),
        Safety::Unknown(what) => format!("unknown {what}"),
    }
}

/// What is said at each question, and the run's last picture. Questions whose title begins so are answered so; when something
/// fails, the run stops.
async fn asked_until(
    (book, dry): (&str, bool),
    world: &Arc<World>,
    paper: &Paper,
    (at, reply): (&str, fn(&Prompt) -> Reply),
) -> (Vec<String>, Arc<RunView>) {
    let handle = begin(machine_of(book, dry), needs(world, paper));
    let mut views = handle.view.clone();
    let mut said = Vec::new();
    drive(handle, |prompt| {
        said.push(format!("{}: {}", prompt.title, word(&views.borrow().safety)));
        match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ if prompt.title.as_str().starts_with(at) => reply(prompt),
            _ => yes(prompt),
        }
    })
    .await;
    (said, views.borrow_and_update().clone())
}

const DEAD: &str = "no Users cannot write: db1 is dead";
const NOT_KNOWN: &str = "unknown Whether users can write is unknown: step found (Look found) has no result.";

/// Fleet 16: while the master is dead no wait is "safe, as long as you like".
#[tokio::test]
async fn while_nobody_can_write_it_is_not_safe_to_pause() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (said, view) = asked_until((&outage_book(), false), &world, &paper, ("nothing", yes)).await;
    assert_eq!(
        said,
        [
            format!("Before: {NOT_KNOWN}"),
            format!("Drain: {DEAD}"),
            format!("Promote: {DEAD}"),
            "After: safe".to_owned(),
        ]
    );
    assert_eq!((view.in_effect.as_slice(), word(&view.safety)), (&[][..], "safe".to_owned()));
}

#[tokio::test]
async fn an_outage_that_was_not_found_is_not_known() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.set.lock().unwrap().insert(("app1".to_owned(), "found".to_owned()), 1);
    let (said, view) = asked_until((&outage_book(), false), &world, &paper, ("nothing", yes)).await;
    assert_eq!(said.last().unwrap(), &format!("Step 3 (found) failed: {NOT_KNOWN}"), "{said:?}");
    assert!(matches!(view.state, RunState::Stopped(_)));
    assert_eq!((view.in_effect.len(), word(&view.safety)), (0, NOT_KNOWN.to_owned()));
}

#[tokio::test]
async fn a_run_that_stops_in_an_outage_names_it_and_since_when() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (_, view) = asked_until((&outage_book(), false), &world, &paper, ("Promote", |_| Reply::No)).await;
    let lines: Vec<String> = view.in_effect.iter().map(|one| one.line()).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("Users cannot write: db1 is dead since 1970-01-01 "), "{lines:?}");
    assert!(lines[0].ends_with(" or earlier"), "{lines:?}");
}

/// A run that is over says what it found, and that nobody knows whether it still is so.
#[tokio::test]
async fn after_a_rollback_or_an_abort_the_outage_is_not_claimed_to_go_on() {
    for (letter, over) in [('b', "rolled back"), ('a', "aborted")] {
        let (world, paper) = (Arc::new(World::default()), Paper::default());
        world.idle.lock().unwrap().push("set drain".to_owned());
        let handle = begin(machine_of(&outage_book(), false), needs(&world, &paper));
        let mut views = handle.view.clone();
        drive(handle, |prompt| match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen(letter, (letter == 'a').then(|| "enough".to_owned())),
            _ => Reply::Yes,
        })
        .await;
        let view = views.borrow_and_update().clone();
        assert!(
            matches!(view.state, RunState::RolledBack | RunState::Abandoned(_)),
            "{over}: {:?}",
            view.state
        );
        let line = view.in_effect.last().unwrap().line();
        assert!(line.ends_with("whether it still holds is unknown"), "{over}: {line}");
    }
}

/// In a dry run nothing is in effect, but what its checks find is so all the same.
#[tokio::test]
async fn a_dry_run_in_an_outage_is_no_time_to_pause() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (_, view) = asked_until((&outage_book(), true), &world, &paper, ("nothing", yes)).await;
    assert_eq!((view.in_effect.len(), word(&view.safety)), (0, DEAD.to_owned()));
}

/// Another console that takes over, and all who watch, say what the operator's console said.
#[tokio::test]
async fn resuming_and_watching_say_the_same() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (_, stopped) = asked_until((&outage_book(), false), &world, &paper, ("Drain", |_| Reply::No)).await;
    let mut entries = vec![Paper::default().append(&started(&machine_of(&outage_book(), false))).unwrap()];
    entries.extend(paper.entries.lock().unwrap().iter().cloned());
    let seen = watched::view(&entries, (Moment(0), Timestamp::now())).unwrap();
    assert_eq!(word(&seen.safety), word(&stopped.safety));
    assert_eq!(word(&seen.safety), DEAD);

    let machine = replay::machine(&entries).unwrap();
    let handle = begin(machine, Needs { entries, ..needs(&world, &Paper::default()) });
    let mut views = handle.view.clone();
    let mut first = None;
    drive(handle, |prompt| {
        first.get_or_insert_with(|| word(&views.borrow().safety));
        match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ => Reply::No,
        }
    })
    .await;
    assert_eq!(first.as_deref(), Some(DEAD));
    assert_eq!(word(&views.borrow_and_update().safety), DEAD);
}

/// What was begun on one of two hosts only is in effect there, and its time runs.
#[tokio::test]
async fn a_change_whose_outcome_is_unknown_leaves_it_unknown() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    world.cut.lock().unwrap().push("set before".to_owned());
    let steps = book(&[sets("before"), sets("after")].concat());
    let (said, view) = asked_until((&steps, false), &world, &paper, ("nothing", yes)).await;
    let unknown = "unknown The outcome of step before (Before) is unknown.";
    assert_eq!(said.last().unwrap(), &format!("Step 1 (before): outcome unknown: {unknown}"), "{said:?}");
    assert_eq!(word(&view.safety), unknown);
}

/// A step with a time limit, and one that only lasts.
#[tokio::test]
async fn what_is_in_effect_is_named_and_its_time_ends_with_it() {
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let lasts = "lasts = { says = \"Highstate is disabled\", until = [\"allow\"] }\n";
    let timed = "max_dwell = \"10m\"\nimpact = \"Cron is off.\"\nlasts = { says = \"Cron is off\", until = [\"on\"] }\n";
    let steps = [sets("hold") + lasts, sets("off") + timed, sets("on"), sets("allow"), sets("rest")].concat();
    let (said, _) = asked_until((&book(&steps), false), &world, &paper, ("nothing", yes)).await;
    assert_eq!(
        said,
        [
            "Hold: safe",
            "Off: meanwhile Highstate is disabled",
            "On: until Cron is off.",
            "Allow: meanwhile Highstate is disabled",
            "Rest: safe",
        ]
    );
}
