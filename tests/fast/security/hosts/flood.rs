//! Hosts that print without end, against the console's memory.

use jumpdeck_fleet::run::{PromptKind, Reply, RunState};

use super::agrees;
use super::rig::Rig;
use crate::support::alone::alone;
use crate::support::operator::story;

fn book(check: &str, change: &str) -> String {
    format!(
        r#"
name = "flood"
title = "Floods"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "backup"
[[step]]
id = "look"
kind = "check"
title = "Look"
on = "one"
run = "{check}"
timeout = "1m"
expect = [{{ empty = false }}]
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
run = "{change}"
timeout = "1m"
effect = "mutate"
read_back = [{{ says = "never", run = "echo no", expect = [{{ is = "yes" }}] }}]
undo = {{ not_needed = "a test" }}
"#
    )
}

/// Kilobytes that this process has in memory, and had at most.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_command_that_prints_without_end_is_ended_and_takes_no_memory() {
    alone(module_path!(), "a_command_that_prints_without_end_is_ended_and_takes_no_memory", &[], floods);
}

fn floods() {
    let Some(rig) = Rig::new("") else { return };
    let console = tokio::runtime::Runtime::new().unwrap();
    let before = memory("VmRSS");
    let floods = [("while head -c 300000 /dev/zero; do sleep 0.01; done", "look"), ("echo x", "change")];
    for (check, stands_at) in floods {
        // It goes on when nobody reads it any more.
        let endless = "trap '' PIPE; while :; do head -c 300000 /dev/zero 2>/dev/null; sleep 0.01; done";
        let text = book(check, endless);
        let (view, prompts) =
            console.block_on(rig.run(("flood", Some(&text)), &[], |prompt| match &prompt.kind {
                PromptKind::Choose(_) => Reply::Chosen('s', None),
                _ => agrees(prompt),
            }));
        let told = story(&view, &prompts);
        assert!(!matches!(view.state, RunState::Finished), "{told}");
        assert!(told.contains("more than 1024 KiB"), "{stands_at}: {told}");
        assert!(told.contains("it was stopped there"), "{stands_at}: {told}");
    }
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} kB more");
}
