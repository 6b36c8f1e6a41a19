//! Secrets are read again: what was not written is asked of hosts after a resume and before a rollback.

use super::*;

#[tokio::test]
async fn a_value_that_is_not_written_is_read_again_and_no_change_is_repeated() {
    let secrets = ["prod"];
    let (_, entries, _) = run_with(&captures(), &secrets).await;
    for at in 1..=entries.len() {
        for written in [false, true] {
            let world = Arc::new(World::default());
            let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
            let needs = needs_of(&world, &dying, &Arc::<Lent>::default(), &secrets);
            drive(launch(machine_with(&captures(), &secrets), needs), yes).await;
            let mut alive = Paper { dies_at: None, ..dying };
            let machine = resumed(machine_with(&captures(), &secrets), &mut alive);
            let needs = needs_of(&world, &alive, &Arc::<Lent>::default(), &secrets);
            let (state, _) = drive(launch(machine, needs), yes).await;
            assert_eq!(state, RunState::Finished, "{at} {written}");
            assert_eq!(*world.done.lock().unwrap(), ["app1 set freeze", "app1 set thaw"], "{at} {written}");
            let scripts = world.scripts.lock().unwrap().clone();
            let freezes = scripts.iter().filter(|s| s.contains("set freeze"));
            freezes.for_each(|s| assert!(s.contains("folder=/srv/production\n"), "{at} {written}: {s}"));
            let entries = alive.entries.lock().unwrap().clone();
            assert!(!texts(&entries).iter().any(|t| t.contains("prod")), "{at} {written}: {entries:?}");
        }
    }
}

/// A secret that is read, and an undo that needs it.
const UNDO_NEEDS_IT: &str = r#"
[[step]]
id = "token"
kind = "check"
title = "Token"
on = "one"
run = "say Zq7-Strong-Secret"
sensitive = true
capture = [{ name = "token", kind = "text", sensitive = true }]

[[step]]
id = "open"
kind = "run"
title = "Open"
on = "one"
run = "set open"
effect = "mutate"
read_back = [{ says = "it is set", run = "get open", expect = [{ is = "1" }] }]
undo = { run = "unset open", secrets = ["token"], read_back = [{ says = "it is gone", run = "get open", expect = [{ is = "0" }] }] }
"#;

/// Rolls back where that is offered, else takes the first way on; stops when it is asked without end.
fn back() -> impl FnMut(&Prompt) -> Reply {
    let mut left = 10;
    move |prompt| match &prompt.kind {
        PromptKind::Choose(choices) => {
            left -= 1;
            let back = choices.iter().map(|choice| choice.key).find(|key| *key == 'b');
            let key = if left == 0 { 's' } else { back.unwrap_or(choices[0].key) };
            Reply::Chosen(key, Some("because".to_owned()))
        }
        _ => yes(prompt),
    }
}

/// Killed at any entry, the last ones in the middle of the rollback: the secret is read again before its undo needs it.
#[tokio::test]
async fn a_rollback_that_is_resumed_reads_the_secrets_of_its_undos_again() {
    let book = book(&format!("{UNDO_NEEDS_IT}{FAILS}"));
    let (world, paper) = (Arc::new(World::default()), Paper::default());
    let (state, _) = drive(launch(machine_of(&book, false), needs(&world, &paper)), back()).await;
    assert_eq!(state, RunState::RolledBack);
    let all = paper.entries.lock().unwrap().len();
    for (at, written) in (1..=all).flat_map(|at| [(at, false), (at, true)]) {
        let world = Arc::new(World::default());
        let dying = Paper { dies_at: Some((at, written)), ..Paper::default() };
        drive(launch(machine_of(&book, false), needs(&world, &dying)), back()).await;
        let mut alive = Paper { dies_at: None, ..dying };
        let machine = resumed(machine_of(&book, false), &mut alive);
        let (state, _) = drive(launch(machine, needs(&world, &alive)), back()).await;
        assert_eq!(state, RunState::RolledBack, "{at} {written}");
        assert_eq!(*world.done.lock().unwrap(), ["app1 set open", "app1 unset open"], "{at} {written}");
        let scripts = world.scripts.lock().unwrap();
        let mut undos = scripts.iter().filter(|script| script.contains("unset open"));
        assert!(
            undos.all(|script| script.contains("token=Zq7-Strong-Secret")),
            "{at} {written}: {scripts:?}"
        );
        let texts = texts(&alive.entries.lock().unwrap());
        let shown: Vec<_> =
            texts.iter().filter(|t| t.contains("Zq7") && *t != "say Zq7-Strong-Secret").collect();
        assert!(shown.is_empty(), "{at} {written}: {shown:?}");
    }
}

/// A change that tells a value: it is not made again to have that value again.
const TELLS: &str = r#"
[[step]]
id = "make"
kind = "run"
title = "Make"
on = "one"
run = "say /srv/production"
effect = "mutate"
capture = [{ name = "folder", kind = "text" }]
read_back = [{ says = "nothing is wrong", run = "get nothing", expect = [{ is = "0" }] }]
undo = { not_needed = "a test" }

[[step]]
id = "thaw"
kind = "run"
title = "Thaw"
on = "one"
USES
run = "set thaw"
effect = "mutate"
read_back = [{ says = "it is set", run = "get thaw", expect = [{ is = "1" }] }]
undo = { not_needed = "a test" }
"#;

#[tokio::test]
async fn a_value_of_a_change_that_was_not_written_is_missing_after_a_resume_and_that_is_said() {
    let uses = ["with = [\"folder\"]", "when = [{ value = \"{folder}\", is = \"/srv/production\" }]"];
    for uses in uses {
        let (world, secrets) = (Arc::new(World::default()), ["prod"]);
        let book = book(&TELLS.replace("USES", uses));
        // Killed before the intent of the second step is written.
        let dying = Paper { dies_at: Some((5, false)), ..Paper::default() };
        let lent = Arc::<Lent>::default();
        drive(launch(machine_with(&book, &secrets), needs_of(&world, &dying, &lent, &secrets)), yes).await;
        let mut alive = Paper { dies_at: None, ..dying };
        let machine = resumed(machine_with(&book, &secrets), &mut alive);
        assert_eq!(
            machine.find(&crate::runbook::ids::StepId::new("make").unwrap()).unwrap().record().status,
            crate::runbook::machine::StepStatus::Done
        );
        let handle = launch(machine, needs_of(&world, &alive, &lent, &secrets));
        let (state, _) = drive(handle, |prompt| match &prompt.kind {
            PromptKind::Choose(_) => Reply::Chosen('s', None),
            _ => yes(prompt),
        })
        .await;
        let wanted = "{folder} is no longer known: make";
        assert!(
            matches!(&state, RunState::Stopped(why) if why.to_string().contains(wanted)),
            "{uses}: {state:?}"
        );
        assert!(world.done.lock().unwrap().is_empty(), "{uses}");
        let made = world.scripts.lock().unwrap().iter().filter(|s| s.contains("say /srv")).count();
        assert_eq!(made, 1, "{uses}");
    }
}

/// What a script that went on without its console printed is not kept, where the step is sensitive.
#[tokio::test]
async fn what_is_found_of_a_sensitive_script_is_not_kept() {
    for (sensitive, status, kept) in [(true, 0, false), (true, 1, false), (false, 0, true)] {
        let step =
            sets_for_good("it").replace("undo", &format!("detached = true\nsensitive = {sensitive}\nundo"));
        let world = Arc::new(World::default());
        let dying = Paper { dies_at: Some((2, true)), ..Paper::default() };
        drive(launch(machine_of(&book(&step), false), needs(&world, &dying)), yes).await;
        // On a host the first line of a failed one that is sensitive is followed by its errors only.
        *world.detached.lock().unwrap() = Some(match status {
            0 => "0\nZq7-Strong-Secret\n".to_owned(),
            status => format!("{status}\n"),
        });
        set_on_app1(&world, "it");
        let mut alive = Paper { dies_at: None, ..dying };
        let machine = resumed(machine_of(&book(&step), false), &mut alive);
        let (state, _) = drive(launch(machine, needs(&world, &alive)), |_| Reply::Chosen('s', None)).await;
        assert_eq!(state == RunState::Finished, status == 0, "{sensitive} {status}: {state:?}");
        let texts = texts(&alive.entries.lock().unwrap()).join("\n");
        assert_eq!(texts.contains("Zq7"), kept, "{sensitive} {status}: {texts}");
        let looked = world
            .scripts
            .lock()
            .unwrap()
            .iter()
            .filter(|s| s.contains("echo running"))
            .cloned()
            .collect::<Vec<_>>();
        assert!(!looked.is_empty());
        assert_eq!(
            looked.iter().any(|s| s.contains("cat \"$jd/status\"; tail -c 1000 \"$jd/out\"")),
            !sensitive
        );
    }
}

fn set_on_app1(world: &World, name: &str) {
    world.set.lock().unwrap().insert(("app1".to_owned(), name.to_owned()), 1);
}
