//! What an operator does between two looks, on real hosts: a command on all of them, logs that are followed, a shell that is killed.

use super::*;
use crate::support::terminal::Terminal;

/// A console over every host, on a terminal of 100 × 40.
fn console(fleet: &Fleet, home: &tempfile::TempDir) -> Terminal {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
    command.arg("--inventory").arg(fleet.inventory()).env_clear();
    command.envs([
        ("HOME", home.path().to_str().unwrap()),
        ("TERM", "xterm-256color"),
        ("PATH", "/usr/bin:/bin"),
    ]);
    let mut console = Terminal::run(command);
    console.until_it_shows("every host", |page| page.contains("15 of 15 hosts up"));
    console
}

/// Types a line into a field of the console, letter by letter: what comes at once was pasted, and a paste confirms nothing. What is
/// typed in the moment in which a question appears was meant for something else, and is dropped: it is typed again.
fn enter(console: &mut Terminal, text: &str) {
    for (at, letter) in text.char_indices() {
        if letter == ' ' {
            // It leaves no trace on the screen.
            console.types(" ");
            continue;
        }
        let typed = format!("> {}", &text[..=at]);
        let (end, mut again) = (Instant::now() + Duration::from_secs(60), Instant::now());
        while !console.shows().contains(&typed) {
            if Instant::now() >= again {
                console.types(&letter.to_string());
                again = Instant::now() + Duration::from_secs(3);
            }
            assert!(Instant::now() < end, "{typed} is not taken; on screen:\n{}", console.shows());
            console.pump();
        }
    }
    console.types("\r");
}

#[test]
fn a_command_logs_and_a_shell_on_real_hosts() {
    let Some(fleet) = Fleet::hold() else { return };
    let home = tempfile::tempdir().unwrap();
    let mut console = console(&fleet, &home);

    console.types("*!");
    console.until_it_shows("where it runs", |page| page.contains("A command on 15 hosts of production"));
    enter(&mut console, "id -un; exit 3");
    console.until_it_shows("the question", |page| page.contains("Run it on 15 hosts? Type  production"));
    enter(&mut console, "production");
    let page = console.until_it_shows("the answers", |page| page.contains("15 other exit"));
    assert!(page.contains("13 hosts") && page.contains("2 hosts"), "root on 13, ops on 2:\n{page}");

    console.types("\x1b");
    console.until_it_shows("the fleet", |page| {
        page.contains("15 of 15 hosts up") && page.contains("REPLICATION")
    });
    let log = |script| fleet.verb(&["exec", "app1", "sh", "-c", script]);
    log("echo begin >>/var/log/syslog");
    let _removed = fleet.undo(&[&["exec", "app1", "rm", "/var/log/syslog"]]);
    console.types("L");
    console.until_it_shows("the logs", |page| page.contains("logs of 15 of 15 hosts"));
    log("echo a line of this test >>/var/log/syslog");
    console.until_it_shows("a new line of a real log", |page| page.contains("a line of this test"));
    console.types("\x1b");
    console.until_it_shows("the fleet", |page| page.contains("REPLICATION"));

    // Of the shell's process and of the session above it: what a host that dies leaves is less.
    for (ends, says) in
        [("exit 4", "exit status 4"), ("kill -9 $$", "signal KILL"), ("kill -9 $PPID", "was lost")]
    {
        console.types("$");
        console.until_it_shows("a prompt", |page| page.trim_end().ends_with(['#', '$']));
        console.types(&format!("stty raw -echo; {ends}\r"));
        console.until_it_shows("the console", |page| page.contains("REPLICATION") && page.contains(says));
        console.types("\r");
        console.until_it_shows("every host", |page| {
            page.contains("15 of 15 hosts up") && !page.contains("was lost")
        });
    }
    // What is typed in the moment in which the dialog closes acts on nothing.
    let mut again = Instant::now();
    while !console.has_ended() {
        if Instant::now() >= again {
            console.types("q");
            again = Instant::now() + Duration::from_secs(3);
        }
        console.pump();
    }
    assert_eq!(console.ends(), 0, "{}", console.said);
    assert!(console.shows_what_is_typed());
}
