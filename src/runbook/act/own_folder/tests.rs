#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;
use crate::runbook::act::ticket;

pub(in crate::runbook::act) const SHELLS: [&[&str]; 3] =
    [&["dash"], &["bash", "--posix"], &["busybox", "sh"]];
/// The account that changes things, when the test is root: it must not be root, whose folder is the machine's own.
const ACCOUNT: u32 = 65_534;

/// A home of that account.
pub(in crate::runbook::act) fn home() -> tempfile::TempDir {
    let home = tempfile::Builder::new().prefix("own folder *").tempdir().unwrap();
    let _ = chown(home.path(), Some(ACCOUNT), Some(ACCOUNT));
    home
}

pub(in crate::runbook::act) fn run(shell: &[&str], home: &Path, script: &str) -> Output {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", script]).current_dir("/").stdin(Stdio::null()).env("HOME", home);
    if rustix::process::getuid().is_root() {
        command.uid(ACCOUNT).gid(ACCOUNT);
    }
    command.output().unwrap()
}

pub(in crate::runbook::act) fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).trim().to_owned())
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn it_may_stand_within_single_quotes_of_any_login_shell() {
    let all = [PROVE.to_owned(), ticket::begin("run-step-1-host.now"), ticket::end("run-step-1-host.now")];
    for text in all {
        assert!(!text.contains(['\'', '\\', '!', '\n', '`']), "{text}");
    }
}

#[test]
fn it_is_made_for_the_account_alone_and_found_again() {
    for shell in SHELLS {
        let home = home();
        for _ in 0..2 {
            let output = run(shell, home.path(), &format!("umask 000; {PROVE}; echo \"$jd\""));
            let folder = home.path().join(".jumpdeck");
            assert_eq!(said(&output), (0, folder.display().to_string()), "{shell:?}");
            assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        }
    }
}

#[test]
fn what_others_could_have_put_there_is_refused_with_what_to_do() {
    type Prepare = fn(&Path, &Path);
    let root = rustix::process::getuid().is_root();
    let prepared: [(&str, Prepare, &str); 10] = [
        ("a link", |_, own| symlink("/tmp", own).unwrap(), "must be a folder of uid"),
        ("a link to an own folder", |home, own| symlink(home, own).unwrap(), "must be a folder of uid"),
        ("a file", |_, own| std::fs::write(own, "").unwrap(), "must be a folder of uid"),
        (
            "a pipe",
            |_, own| assert!(Command::new("mkfifo").arg(own).status().unwrap().success()),
            "must be a folder of uid",
        ),
        ("readable by others", |_, own| made(own, 0o755), "with mode 0700; it is drwxr-xr-x"),
        ("writable by the group", |_, own| made(own, 0o770), "with mode 0700; it is drwxrwx---"),
        ("sticky and for everybody", |_, own| made(own, 0o1777), "Remove it or correct it"),
        ("in a home that others write to", |home, _| mode(home, 0o777), "no other account can write to"),
        ("in no home", |home, _| std::fs::remove_dir(home).unwrap(), "is missing"),
        (
            "in a home of root's",
            |home, _| {
                let _ = chown(home, Some(0), Some(0));
                mode(home, 0o755);
            },
            "install -d -m 700 -o 65534 ",
        ),
    ];
    for shell in SHELLS {
        for (what, prepare, why) in prepared.iter().filter(|(what, ..)| root || !what.contains("root")) {
            let home = home();
            prepare(home.path(), &home.path().join(".jumpdeck"));
            let (status, text) = said(&run(shell, home.path(), &format!("{PROVE}; echo \"$jd\"")));
            assert_eq!(status, 78, "{shell:?} {what}: {text}");
            assert!(text.contains(why), "{shell:?} {what}: {text}");
        }
        if root {
            let home = home();
            let own = home.path().join(".jumpdeck");
            made(&own, 0o700);
            chown(&own, Some(33), Some(33)).unwrap();
            let (status, text) = said(&run(shell, home.path(), PROVE));
            assert!(status == 78 && text.contains("it is drwx------:33"), "{shell:?}: {text}");
        }
    }
}

#[test]
fn an_account_without_a_home_is_told_to_get_one() {
    for shell in SHELLS {
        for (home, why) in
            [("", "is not set"), ("here", "is here"), ("/nonexistent", "/nonexistent is missing")]
        {
            let (status, text) = said(&run(shell, Path::new(home), &format!("{PROVE}; echo \"$jd\"")));
            assert!(
                status == 78 && text.contains(why) && text.contains("repeat the step"),
                "{shell:?}: {text}"
            );
        }
        let (status, text) = said(&run(shell, Path::new("/"), &format!("unset HOME; {PROVE}")));
        assert!(status == 78 && text.contains("is not set: give the account a home"), "{shell:?}: {text}");
        if rustix::process::getuid().is_root() {
            let (status, text) = said(&run(shell, Path::new("/"), PROVE));
            assert!(status == 78 && text.contains("-o 65534 /.jumpdeck,"), "{shell:?}: {text}");
        }
    }
}

#[test]
fn root_without_its_folder_is_told_to_make_it() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    for shell in SHELLS {
        for (proof, root) in [(PROVE, "/run"), (PROVE_LASTING, "/var/lib")] {
            let missing = proof.replace(&format!("jd_in={root};"), "jd_in=/nonexistent/run;");
            assert_ne!(missing, proof);
            let output = Command::new(shell[0]).args(&shell[1..]).args(["-c", &missing]).output().unwrap();
            let (status, text) = said(&output);
            assert!(status == 78 && text.starts_with("/nonexistent/run is missing"), "{shell:?}: {text}");
            assert!(text.contains("make it") && text.ends_with("then repeat the step"), "{shell:?}: {text}");
        }
    }
}

#[test]
fn usual_homes_are_taken_and_those_that_others_can_write_to_are_not() {
    for shell in SHELLS {
        for bits in [0o700, 0o711, 0o750, 0o755, 0o2755, 0o1755] {
            let home = home();
            mode(home.path(), bits);
            let link = home.path().with_extension("link");
            symlink(home.path(), &link).unwrap();
            let (status, text) = said(&run(shell, &link, &format!("umask 002; {PROVE}; echo \"$jd\"")));
            std::fs::remove_file(&link).unwrap();
            assert_eq!(
                (status, text),
                (0, link.join(".jumpdeck").display().to_string()),
                "{shell:?} {bits:o}"
            );
        }
        for bits in [0o770, 0o775, 0o2770, 0o707, 0o1777] {
            let home = home();
            mode(home.path(), bits);
            let (status, text) = said(&run(shell, home.path(), PROVE));
            assert!(status == 78 && text.contains("chmod go-w"), "{shell:?} {bits:o}: {text}");
        }
    }
}

fn made(own: &Path, bits: u32) {
    std::fs::create_dir(own).unwrap();
    let _ = chown(own, Some(ACCOUNT), Some(ACCOUNT));
    mode(own, bits);
}

#[test]
fn a_change_is_begun_once_and_not_after_a_look() {
    for shell in SHELLS {
        let home = home();
        let change = |name: &str, text: &str| {
            let script =
                format!("{{ {}\n(\n{text}\n) </dev/null\n{}; }}", ticket::begin(name), ticket::end(name));
            said(&run(shell, home.path(), &script))
        };
        let look = |name: &str| said(&run(shell, home.path(), &ticket::look(name)));
        assert_eq!(change("a", "echo done; exit 3"), (3, "done".to_owned()), "{shell:?}");
        assert_eq!(change("a", "echo done"), (0, "done".to_owned()), "{shell:?}: it ended before");
        assert_eq!(look("b"), (0, "over".to_owned()), "{shell:?}");
        let (status, text) = change("b", "echo done");
        assert!(status == 75 && text.contains("is given up"), "{shell:?}: {text}");
        assert_eq!(look("b"), (0, "over".to_owned()), "{shell:?}");
        let inner = format!("sh -c '{}'; :", ticket::begin("c"));
        assert!(change("c", &inner).1.contains("it was begun before"), "{shell:?}");
    }
}

#[test]
fn a_process_number_is_read_from_a_plain_file_and_no_link_is_written_through() {
    for shell in SHELLS {
        let home = home();
        let folder = home.path().join(".jumpdeck");
        run(shell, home.path(), PROVE);
        let look = |name: &str| said(&run(shell, home.path(), &ticket::look(name)));
        let put = |name: &str, prepare: &dyn Fn(&Path)| {
            let at = folder.join(name);
            made(&at, 0o700);
            prepare(&at);
        };
        put("pipe", &|at| assert!(Command::new("mkfifo").arg(at.join("pid")).status().unwrap().success()));
        assert!(look("pipe").1.contains("has no process yet"), "{shell:?}");
        let number = home.path().join("number");
        std::fs::write(&number, "999999999").unwrap();
        put("link", &|at| symlink(&number, at.join("pid")).unwrap());
        assert!(look("link").1.contains("has no process yet"), "{shell:?}");
        put("over", &|at| {
            std::fs::write(at.join("pid"), "999999999").unwrap();
            symlink(home.path().join("nothing"), at.join("over")).unwrap();
        });
        look("over");
        assert!(!home.path().join("nothing").exists(), "{shell:?}");
        put("dead", &|at| std::fs::write(at.join("pid"), "999999999").unwrap());
        assert_eq!(look("dead").1, "over", "{shell:?}");
        let alive = format!(
            "mkdir \"$HOME/.jumpdeck/alive\"; echo $$ >\"$HOME/.jumpdeck/alive/pid\"; {}",
            ticket::look("alive")
        );
        let (_, text) = said(&run(shell, home.path(), &alive));
        assert!(text.starts_with("process "), "{shell:?}: {text}");
        // A crash may leave the file without its number: nothing is known then.
        std::fs::write(home.path().join(".jumpdeck/alive/pid"), "").unwrap();
        let (_, text) = said(&run(shell, home.path(), &ticket::look("alive")));
        assert!(text.ends_with("has no process yet"), "{shell:?}: {text}");
        // The same number, written before the host restarted, may be anybody's now.
        let before = alive.replace("echo $$", "echo $$ 0-1-2").replace("alive", "before");
        let (_, text) = said(&run(shell, home.path(), &before));
        assert_eq!(text, "over", "{shell:?}");
        let since = alive.replace("echo $$", &format!("echo $$ {START}")).replace("alive", "since");
        let (_, text) = said(&run(shell, home.path(), &since));
        assert!(text.starts_with("process "), "{shell:?}: {text}");
    }
}
