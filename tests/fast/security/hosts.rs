//! Other accounts of a host, against changes that root makes there.

use std::sync::Arc;

use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState, RunView};

use crate::support::operator::{self, story};

#[path = "hosts/flood.rs"]
mod flood;
#[path = "hosts/names.rs"]
mod names;
#[path = "hosts/rig.rs"]
pub(crate) mod rig;

use rig::{Beside, Rig, has, other, until};

/// One change that takes as long as it is let, with its undo, on the host that is called backup.
fn book(dir: &str) -> String {
    format!(
        r#"
name = "touch"
title = "A change"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "backup"
[[step]]
id = "ask"
kind = "confirm"
title = "Now?"
covers = ["change"]
[[step]]
id = "change"
kind = "run"
title = "Change"
on = "one"
run = "touch {dir}/began; while [ ! -e {dir}/go ]; do sleep 0.05; done; touch {dir}/done"
timeout = "20s"
effect = "mutate"
read_back = [{{ says = "it is done", run = "[ -e {dir}/done ] && echo yes || echo no", expect = [{{ is = "yes" }}] }}]
undo = {{ run = "rm {dir}/done", read_back = [{{ says = "it is gone", run = "[ -e {dir}/done ] && echo yes || echo no", expect = [{{ is = "no" }}] }}] }}
[[step]]
id = "after"
kind = "confirm"
title = "Go on?"
"#
    )
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        other => panic!("{other:?}"),
    }
}

fn finished(view: &Arc<RunView>, prompts: &[Prompt]) {
    assert_eq!(view.state, RunState::Finished, "{}", story(view, prompts));
}

/// The names of a run's changes, as they were in `/tmp`: known from the run's id, which others can read.
fn names(id: &str) -> String {
    let all = |number: u32| {
        format!("jumpdeck-{id}-change-{number}-backup.now jumpdeck-{id}-change-1-backup-undo-{number}.now")
    };
    (1..=5).map(all).collect::<Vec<_>>().join(" ")
}

/// A console that dies while the change is under way, which then ends. Returns the run's id.
fn killed_in_the_middle(rig: &Rig) -> String {
    let dir = rig.dir.path().display().to_string();
    let console = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let text = book(&dir);
    let handle = console.block_on(rig.start("touch", Some(&text), &[]));
    let id = handle.id.clone();
    console.spawn(operator::drive(handle, agrees));
    until("the change begins", || rig.dir.path().join("began").exists());
    console.shutdown_background();
    id
}

#[test]
fn a_pipe_and_a_link_under_the_name_of_a_change_make_root_write_nowhere() {
    let Some(rig) = Rig::new("") else { return };
    let victim = rig.dir.path().join("victim");
    std::fs::write(&victim, "root's own words").unwrap();
    let id = killed_in_the_middle(&rig);
    std::fs::write(rig.dir.path().join("go"), "").unwrap();
    until("the change ends", || rig.dir.path().join("done").exists());
    for folder in ["/tmp", "/run/jumpdeck"] {
        until("its mark goes", || !has(folder, &format!("jumpdeck-{id}")) && !has(folder, &id));
    }
    // root's own reading of the pipe says when the link is to be made: nothing is left to luck.
    let _attack = Beside::start(&format!(
        "cd /tmp; for n in {}; do (umask 022; mkdir $n && mkfifo $n/pid && exec 3>$n/pid && \
         ln -s {} $n/over && echo 999999999 >&3) & done; wait",
        names(&id),
        victim.display()
    ));
    until("the names are taken", || has("/tmp", &format!("jumpdeck-{id}-change-1")));
    let console = tokio::runtime::Runtime::new().unwrap();
    let (view, prompts) = console.block_on(async { operator::drive(rig.resume(&id).await, agrees).await });
    finished(&view, &prompts);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "root's own words");
    other(&format!("cd /tmp; rm -rf {}", names(&id))).status().unwrap();
}

#[test]
fn names_that_were_taken_first_stop_neither_a_change_nor_its_undo() {
    let Some(rig) = Rig::new("") else { return };
    let dir = rig.dir.path().display().to_string();
    std::fs::write(rig.dir.path().join("go"), "").unwrap();
    let console = tokio::runtime::Runtime::new().unwrap();
    let handle = console.block_on(rig.start("touch", Some(&book(&dir)), &[]));
    let taken = names(&handle.id);
    assert!(other(&format!("cd /tmp; mkdir {taken}")).status().unwrap().success());
    let done = rig.dir.path().join("done");
    let (view, prompts) = console.block_on(operator::drive(handle, |prompt| match prompt.title.as_str() {
        "Go on?" => {
            assert!(done.exists(), "the change was stopped");
            Reply::No
        }
        _ if matches!(prompt.kind, PromptKind::Choose(_)) => Reply::Chosen('b', None),
        _ => agrees(prompt),
    }));
    assert_eq!(view.state, RunState::RolledBack, "{}", story(&view, &prompts));
    assert!(!done.exists(), "{}", story(&view, &prompts));
    other(&format!("cd /tmp; rm -rf {taken}")).status().unwrap();
}

#[test]
fn the_number_of_another_process_under_the_name_of_a_change_keeps_nobody_waiting() {
    let Some(rig) = Rig::new("") else { return };
    let id = killed_in_the_middle(&rig);
    std::fs::write(rig.dir.path().join("go"), "").unwrap();
    until("the change ends", || rig.dir.path().join("done").exists());
    for folder in ["/tmp", "/run/jumpdeck"] {
        until("its mark goes", || !has(folder, &format!("jumpdeck-{id}")) && !has(folder, &id));
    }
    let taken = names(&id);
    let fake = format!("cd /tmp; for n in {taken}; do mkdir $n && echo 1 >$n/pid; done");
    assert!(other(&fake).status().unwrap().success());
    let console = tokio::runtime::Runtime::new().unwrap();
    let (view, prompts) = console.block_on(async { operator::drive(rig.resume(&id).await, agrees).await });
    finished(&view, &prompts);
    other(&format!("cd /tmp; rm -rf {taken}")).status().unwrap();
}
