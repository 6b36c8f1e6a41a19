//! The console itself, on a simulated fleet, in a pseudo-terminal: promote-masterdb from the list of runbooks to its
//! report, with every confirmation, as docs/runbooks.md tells it.

use crate::support::asked::{read, title, wanted};
use crate::support::{program, terminal};

use terminal::Terminal;

/// The console in the demo, with a home of its own.
fn console(home: &std::path::Path) -> Terminal {
    Terminal::run(program::console(home, &["demo"]))
}

/// From the list to a run under way, live, between these two.
fn begin(console: &mut Terminal) {
    console.until_it_shows("the fleet", |s| s.contains("25 of 25 hosts up"));
    console.types("A");
    console.until_it_shows("the question what for", |s| s.contains("Arm PRODUCTION"));
    console.types("a rehearsal\r");
    console.until_it_shows("the arming", |s| s.contains("ARMED"));
    console.types("b");
    console.until_it_shows("the list", |s| s.contains("setup-replica"));
    console.types("/planned switchover\r");
    console.until_it_shows("one runbook", |s| !s.contains("failover-masterdb  "));
    console.types("\r");
    console.until_it_shows("the first question", |s| s.contains("▸ Which server is the master now?"));
    console.types("\x1b[B\r");
    console.until_it_shows("the second", |s| s.contains("▸ Which replica becomes masterdb?"));
    console.types("\x1b[B\x1b[B\r");
    console.until_it_shows("the third", |s| s.contains("▸ Which account do replicas"));
    console.types("\r");
    console.until_it_shows("the last", |s| s.contains("▸ Which account do the applications"));
    console.types("\r");
    let plan = console.until_it_shows("the plan", |s| s.contains("to start"));
    assert!(plan.contains("candidate db2") && plan.contains("old       db1-masterdb"), "{plan}");
    console.types("\r");
    console.until_it_shows("the way to run it", |s| s.contains("▸ dry run"));
    console.types("\t");
    console.until_it_shows("LIVE", |s| s.contains("▸ LIVE"));
    console.types("planned maintenance\r");
    console.until_it_shows("the run", |s| s.contains("by ") && s.contains("planned maintenance"));
}

#[test]
fn a_switchover_goes_from_the_list_to_its_report() {
    let home = tempfile::tempdir().unwrap();
    let mut console = console(home.path());
    begin(&mut console);
    let mut answered: Vec<String> = Vec::new();
    let mut busy = 0;
    loop {
        let last = answered.last().cloned();
        let shown = console.until_it_shows("a question or the end", |s| {
            s.contains("✓ finished") || title(s).is_some_and(|t| Some(t) != last.as_deref())
        });
        if shown.contains("✓ finished") {
            break;
        }
        let asks = title(&shown).unwrap().to_owned();
        read(&mut console);
        if asks.contains("The window failed") {
            // Three seconds are little on a busy machine; writes run again by then.
            busy += 1;
            assert!(busy < 10, "{shown}");
            console.types("r");
            console.until_it_shows("the window again", |s| title(s) != Some(asks.as_str()));
            continue;
        }
        if asks.contains("(heard) failed") {
            console.types("k");
            console.until_it_shows("the question why", |s| s.contains(": why?"));
            console.types("it is re-pointed by hand\r");
        } else if ["by-hand) failed", "nobody-left) failed", "(nobody-connected) failed"]
            .iter()
            .any(|failed| asks.contains(failed))
        {
            let left = asks.contains("nobody-left)");
            assert!(asks.contains("(nobody-connected)") || shown.contains("/srv/bots/pierc.conf"), "{shown}");
            console.types(if left { "x" } else { "k" });
            console.until_it_shows("the question why", |s| s.contains(": why?"));
            console.types("the bots wait until tomorrow\r");
        } else if let Some(value) = wanted(&shown) {
            console.types(&format!("{value}\r"));
        } else {
            assert!(shown.contains("y yes"), "{shown}");
            console.types("y");
        }
        answered.push(asks);
    }
    assert_eq!(answered.len(), 9, "{answered:#?}");
    for told in ["Finished", "REPORT", "no writes", "freeze to writes-arrive"] {
        console.until_it_shows(told, |s| s.contains(told)); // Its first look may be at half a screen.
    }
    console.types("\x1b[6~");
    console.until_it_shows("the rest of the report", |s| s.contains("SKIPPED BY THE OPERATOR"));
    console.types("2");
    console.until_it_shows("the new master", |s| {
        s.lines().any(|l| l.contains("└ db1-masterdb") && l.contains("replica"))
    }); // The inventory, read again, agrees with what is writable.
    console.until_it_shows("no contradiction", |s| !s.contains("the masterdb is db1-masterdb"));
    console.types("3");
    console.until_it_shows("the role", |s| {
        s.lines().any(|l| l.contains("masterdb") && l.contains("db2") && !l.contains("db1-masterdb"))
    });
}
