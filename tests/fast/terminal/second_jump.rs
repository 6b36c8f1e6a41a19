//! The jump box goes silent under a console, on real sshds: the screen says through which other one it looks and why, no run is begun,
//! and a key goes back.

use super::*;
use crate::exec::Site;

#[test]
fn the_console_goes_on_through_the_second_jump_box_and_back() {
    let Some(site) = Site::new("") else { return };
    let _second = site.with_second_jump();
    let home = format!("HOME={}", site.dir.path().display());
    let inventory = site.path("inventory.toml");
    let inventory = inventory.to_str().unwrap();
    let env = "env -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u TMUX -u STY";
    let program: Vec<&str> =
        env.split(' ').chain([home.as_str(), JUMPDECK, "--inventory", inventory]).collect();
    let mut pty = Pty::run(&program);
    pty.until("the console", |p| {
        p.contents().contains("via gate") && p.contents().contains("3 of 3 hosts up")
    });
    pty.type_text("J");
    pty.until("that there is nothing to go back from", |p| {
        p.contents().contains("the second jump box is not in use")
    });
    site.jump.signal_listener("-STOP");
    site.jump.signal_sessions("-STOP");
    pty.until("the banner", |p| p.contents().contains("SECOND JUMP BOX gw2 in use"));
    pty.until("every host", |p| p.contents().contains("via gw2") && p.contents().contains("3 of 3 hosts up"));
    let screen = pty.contents();
    for part in ["gate timed out for", "No runs."] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    pty.type_text("b");
    pty.until("the runbooks", |p| p.contents().contains("backup-disk-full"));
    pty.type_text("\r");
    pty.until("that none is begun", |p| p.contents().contains("No runs through gw2"));
    pty.type_text("\r");
    pty.until("the list", |p| !p.contents().contains("No runs through gw2"));
    pty.type_text("1$");
    pty.until("a shell", |p| {
        !p.screen.screen().alternate_screen() && p.contents().trim_end().ends_with(['#', '$'])
    });
    pty.type_text("exit\r");
    site.jump.signal_sessions("-CONT");
    site.jump.signal_listener("-CONT");
    pty.until("that it answers again", |p| p.is_taken() && p.contents().contains("gate answers again"));
    pty.until("the key that goes back", |p| p.contents().contains("J goes back."));
    pty.type_text("J");
    pty.until("the first again", |p| {
        let screen = p.contents();
        screen.contains("via gate")
            && !screen.contains("SECOND JUMP BOX")
            && screen.contains("3 of 3 hosts up")
    });
    pty.type_text("qq");
    let (status, _) = pty.exit();
    assert_eq!(status.code(), Some(0));
    pty.assert_given_back();
}
