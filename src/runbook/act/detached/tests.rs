//! What is sent for a script that outlives its connection, in real shells.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::time::Instant;

use super::*;
use crate::runbook::act::own_folder::tests::{SHELLS, home, run, said};

/// What a look says once it is no longer `running`.
fn at_its_end(shell: &[&str], home: &Path) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let (status, text) = said(&run(shell, home, &look_script("one", false)));
        assert_eq!(status, 0, "{shell:?}: {text}");
        if text != "running" {
            return text;
        }
        assert!(Instant::now() < until, "{shell:?}: it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn begin(shell: &[&str], home: &Path, body: &str) -> (i32, String) {
    said(&run(shell, home, &begin_script("one", body)))
}

#[test]
fn a_value_in_a_script_is_never_a_part_of_what_begins_it() {
    let value = "one\nJUMPDECK_END_OF_SCRIPT\ntouch \"$HOME/other\"\n'\nEOF\n$(touch \"$HOME/other\")\n\\";
    for shell in SHELLS {
        let home = home();
        let body = format!("x={}\nprintf '%s' \"$x\"", quoted(value));
        assert_eq!(begin(shell, home.path(), &body), (0, String::new()), "{shell:?}");
        assert_eq!(at_its_end(shell, home.path()), format!("0\n{value}"), "{shell:?}");
        assert!(!home.path().join("other").exists(), "{shell:?}");
    }
}

#[test]
fn it_is_begun_once_and_its_end_is_found() {
    for shell in SHELLS {
        let home = home();
        assert_eq!(at_its_end(shell, home.path()), "none", "{shell:?}");
        assert_eq!(begin(shell, home.path(), "echo out; echo why >&2; exit 3").0, 0, "{shell:?}");
        let (status, text) = begin(shell, home.path(), "echo again");
        assert!(status == 75 && text.contains("begun before"), "{shell:?}: {text}");
        let Some(Err(Trouble::Failed(why))) = ended(&at_its_end(shell, home.path())) else {
            panic!("{shell:?}")
        };
        assert_eq!(why, "exit status 3: why", "{shell:?}");
    }
}

#[test]
fn what_it_prints_is_never_its_state() {
    for said in ["none", "running", "lost", "0", "7", "large /etc/shadow", "0\n0\nlost", ""] {
        let home = home();
        assert_eq!(begin(&["dash"], home.path(), &format!("printf '%s' {}", quoted(said))).0, 0);
        let text = at_its_end(&["dash"], home.path());
        let Some(Ok(answer)) = ended(&text) else { panic!("{said:?}: {text:?}") };
        assert_eq!(answer.text.trim_end(), said);
        // So it is where it fails.
        let home = self::home();
        let body = format!("printf '%s' {} | tee /dev/stderr; exit 9", quoted(said));
        assert_eq!(begin(&["dash"], home.path(), &body).0, 0);
        let text = at_its_end(&["dash"], home.path());
        let Some(Err(Trouble::Failed(why))) = ended(&text) else { panic!("{said:?}: {text:?}") };
        assert!(why.starts_with("exit status 9: "), "{said:?}: {why}");
    }
}

#[test]
fn one_that_was_killed_or_is_of_before_a_restart_is_lost() {
    for shell in SHELLS {
        let home = home();
        let folder = home.path().join(".jumpdeck/one");
        assert_eq!(begin(shell, home.path(), "sleep 60").0, 0, "{shell:?}");
        let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
        let pid: i32 = pid.split_whitespace().next().unwrap().parse().unwrap();
        let group = rustix::process::Pid::from_raw(pid).unwrap();
        assert_eq!(said(&run(shell, home.path(), &look_script("one", false))).1, "running", "{shell:?}");
        // It leads a group of its own, once setsid has run, and has begun when its output has a file.
        let until = Instant::now() + Duration::from_secs(60);
        while !folder.join("out").exists() {
            assert!(Instant::now() < until, "{shell:?}");
        }
        while rustix::process::kill_process_group(group, rustix::process::Signal::KILL).is_err() {
            assert!(Instant::now() < until, "{shell:?}");
        }
        assert_eq!(at_its_end(shell, home.path()), "lost", "{shell:?}");
        // The number is another process's after a restart.
        std::fs::write(folder.join("pid"), format!("{} 0-1-2", std::process::id())).unwrap();
        assert_eq!(at_its_end(shell, home.path()), "lost", "{shell:?}");
        std::fs::remove_file(folder.join("pid")).unwrap();
        std::fs::write(folder.join("start"), "0-1-2\n").unwrap();
        assert_eq!(at_its_end(shell, home.path()), "lost", "{shell:?}: a unit of systemd");
        std::fs::write(folder.join("status"), "0\n").unwrap();
        assert_eq!(at_its_end(shell, home.path()), "0", "{shell:?}");
    }
}

#[test]
fn a_script_that_has_no_room_is_not_begun() {
    for shell in SHELLS {
        let home = home();
        // Files may have no byte.
        let script = format!("trap '' XFSZ; ulimit -f 0; {}", begin_script("one", "touch \"$HOME/ran\""));
        let (status, _) = said(&run(shell, home.path(), &script));
        assert_ne!(status, 0, "{shell:?}");
        assert!(!home.path().join("ran").exists(), "{shell:?}");
    }
}
