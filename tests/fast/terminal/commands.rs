//! A command on marked hosts of the simulated fleet, from the key to the answers.

use super::*;

/// Types a key again and again until the screen says so: keys count only once what they answer was seen for a moment.
fn type_until(pty: &mut Pty, keys: &str, said: &str) {
    let mut typed = Instant::now();
    pty.type_text(keys);
    pty.until(said, |pty| {
        if typed.elapsed() > Duration::from_millis(600) {
            typed = Instant::now();
            pty.type_text(keys);
        }
        pty.contents().contains(said)
    });
}

fn asked(pty: &mut Pty, command: &str) {
    pty.until("hosts that answer", |pty| pty.contents().contains("hosts up"));
    pty.type_text("!");
    pty.until("the dialog", |pty| pty.contents().contains("It runs under /bin/sh"));
    pty.type_text(command);
    pty.until("the command", |pty| pty.contents().contains(command));
    pty.type_text("\r");
    pty.until("what is said before", |pty| pty.contents().contains("no run is under way"));
}

#[test]
fn a_command_runs_on_the_marked_hosts_and_its_answers_are_grouped() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--filter", "role:db", "--sort", "host"]);
    pty.type_text("*");
    pty.until("the marks", |pty| pty.contents().contains(" marked"));
    asked(&mut pty, "hostname; exit 3");
    assert!(pty.contents().contains("marked: "), "{}", pty.contents());
    let yes = if pty.contents().contains("Type  production") { "production\r" } else { "y" };
    type_until(&mut pty, yes, "over after");
    let screen = pty.contents();
    assert!(screen.contains("other exit") && screen.contains("exit 3"), "{screen}");
    assert!(screen.contains("$ hostname; exit 3") && screen.contains(" | db"), "{screen}");
    // Left, and come back to.
    pty.type_text("1");
    pty.until("the fleet", |pty| !pty.contents().contains("over after"));
    pty.type_text("O");
    pty.until("the answers", |pty| pty.contents().contains("over after"));
    // Nothing that is kept has the command.
    let state = home.path().join(".local");
    let kept = std::process::Command::new("grep").args(["-rl", "exit 3"]).arg(&state).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "");
}

#[test]
fn hosts_that_do_not_answer_are_left_alone_when_it_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::demo_with(&home, &[], &["--sort", "host"]);
    asked(&mut pty, "sleep 300");
    let yes = if pty.contents().contains("Type  production") { "production\r" } else { "y" };
    type_until(&mut pty, yes, "0 of 1 answered");
    pty.type_text("x");
    pty.until("its end", |pty| pty.contents().contains("over after"));
    let screen = pty.contents();
    assert!(
        screen.contains("outcome unknown") && screen.contains("it may still be running there")
            || screen.contains("interrupted by you before its turn"),
        "{screen}"
    );
}
