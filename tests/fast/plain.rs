//! Runbooks on a simulated fleet without Salt: what moves the database is in the inventory, and is done over SSH.

use crate::support::rehearsal;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jumpdeck_fleet::fleet::DatabaseFile;
use jumpdeck_fleet::names::{HostName, RoleName};
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};
use rehearsal::{Stage, Told, Wrong};

/// What replicas log in with in the simulated worlds.
const PASSWORD: &str = "repl-simulated";

fn file(role: &str, file: &str, line: &str, reload: Option<&str>) -> DatabaseFile {
    DatabaseFile {
        role: RoleName::new(role).unwrap(),
        file: file.to_owned(),
        line: line.to_owned(),
        reload: reload.map(str::to_owned),
        check: None,
        built_in: false,
    }
}

/// The small fleet without Salt, and which of its files name the database.
fn plain() -> Stage {
    plain_with("service fxa-auth-server restart", None)
}

/// The same, with the command by which the accounts' service reads its file again, and the one that accepts the next db.ini.
fn plain_with(reload: &str, check: Option<&str>) -> Stage {
    Stage::new("wpd-2015", "staging", false).without_salt(vec![
        DatabaseFile {
            check: check.map(str::to_owned),
            ..file("app", "/etc/webplatform/db.ini", "host = {address}", Some("service apache2 reload"))
        },
        file("accounts", "/etc/fxa/auth-db.json", "\"host\": \"{address}\"", Some(reload)),
        file(
            "salt",
            "/etc/gdnsd/zones/staging.wpdn",
            "masterdb 60 IN A {address}",
            Some("service gdnsd reload"),
        ),
    ])
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(view) if view.name.as_str() == "repl_password" => {
            Reply::Text(PASSWORD.to_owned().into())
        }
        PromptKind::Input(view) => {
            let value = view.default.as_ref().or(view.choices.first());
            Reply::Text(value.map(ToString::to_string).unwrap_or_else(|| "seen".to_owned()).into())
        }
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Approve(_) => Reply::No,
    }
}

const SETUP: &[(&str, &str)] = &[
    ("master", "db1-masterdb"),
    ("replica", "db2"),
    ("source", "db1-masterdb"),
    ("ca_file", "/etc/mysql/ssl/ca-cert.pem"),
];

const PROMOTE: &[(&str, &str)] = &[("old", "db1-masterdb"), ("candidate", "db2")];
const FAIL_OVER: &[(&str, &str)] = &[("old", "db1-masterdb")];

/// The same fleet, its master dead.
fn dead() -> Stage {
    let stage = plain();
    stage.world(|world| assert!(world.stop_server("db1-masterdb").is_ok()));
    stage
}

/// That nobody names the old master any more, and that every application writes to the new one and lost nothing.
fn moved(stage: &Stage, told: &Told) {
    let old = HostName::new("db1-masterdb").unwrap();
    let before = stage.world(|world| {
        world.advance(Duration::from_secs(60));
        world.applications()
    });
    let (left, after) = stage.world(|world| {
        world.advance(Duration::from_secs(60));
        let mut left = world.mentions_of(&old);
        // A server that is down can neither be asked nor changed.
        left.retain(|mention| world.is_up(&mention.host));
        (left, world.applications())
    });
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(left, Vec::<String>::new(), "{}", told.story());
    assert!(after.len() >= 4, "{}", after.len());
    for (before, after) in before.iter().zip(&after) {
        let what = format!("{} on {}", after.kind.name, after.host);
        assert_eq!(after.server.as_deref(), Some("db2"), "{what}");
        assert!(after.acknowledged > before.acknowledged, "{what} writes nothing");
        assert_eq!(after.refused, before.refused, "{what}: {:?}", after.last_error);
        assert_eq!(after.lost, Some(0), "{what}");
    }
}

/// Issue 10, part 8: promote-masterdb comes to its end over SSH alone, every application follows, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_is_switched_over_without_salt_and_every_application_follows() {
    let stage = plain();
    let mode = stage.shell("app1", "stat -c '%a %U' /etc/webplatform/db.ini").await;
    let mut guard = Vec::new();
    let told = stage
        .run("promote-masterdb", PROMOTE, None, |prompt| {
            let title = prompt.title.as_str();
            if title.contains("Move writes") || title.contains("Repoint the other databases") {
                let free = "mysql -N -e \"SELECT IS_FREE_LOCK('jumpdeck_guard')\"";
                // It stands down beside the run: on a busy machine the next question can come first.
                let wanted = if title.contains("Move writes") { "0" } else { "1" };
                let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
                let ask = async || loop {
                    let free = stage.shell("db1-masterdb", free).await;
                    if free == wanted || std::time::Instant::now() > until {
                        return free;
                    }
                };
                guard.push(tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ask())));
            }
            agrees(prompt)
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(told.decisions(), Vec::<String>::new());
    // The guard is there before writes move, and stands down when they have moved: not only when the run ends.
    assert_eq!(guard, ["0", "1"], "{}", told.story());
    moved(&stage, &told);
    let file = stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await;
    assert!(file.contains("user = wiki") && !file.contains(".next"), "{file}");
    assert_eq!(stage.shell("app1", "stat -c '%a %U' /etc/webplatform/db.ini").await, mode);
    assert!(!stage.journals_text().contains(PASSWORD), "the password is in the journal");
}

/// Issue 10, part 8: failover-masterdb comes to its end over SSH alone, and asks for no password: replicas keep theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_master_is_failed_over_without_salt_and_without_a_password() {
    let stage = dead();
    let told = stage.run("failover-masterdb", FAIL_OVER, None, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(told.decisions(), Vec::<String>::new());
    assert!(!told.prompts.iter().any(|prompt| prompt.title.as_str().contains("assword")), "{}", told.story());
    moved(&stage, &told);
    let file = stage.shell("app1", "ls /etc/webplatform").await;
    assert!(!file.contains(".next"), "{file}");
}

/// Nothing of a failover that is not agreed to is left: replicas try to receive again, and files stand as they did.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_that_is_rolled_back_before_the_promotion_leaves_everything_as_it_was() {
    for wrong in [None, Some(("switch", "promote"))] {
        let stage = dead();
        let before = stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await;
        let spoil = wrong.map(|(_, step)| (step, Wrong::Fails));
        let told = stage
            .run("failover-masterdb", FAIL_OVER, spoil, |prompt| match &prompt.kind {
                PromptKind::Challenge(_) if wrong.is_none() => Reply::No,
                PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'b') => {
                    Reply::Chosen('b', None)
                }
                _ => agrees(prompt),
            })
            .await;
        assert_eq!(told.view.state, RunState::RolledBack, "{wrong:?}: {}", told.story());
        assert_eq!(stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await, before);
        let status = stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS\\G'").await;
        assert!(status.contains("Slave_SQL_Running: Yes"), "{wrong:?}: {status}");
        assert!(!status.contains("Slave_IO_Running: No\n"), "{wrong:?}: {status}");
        assert_eq!(stage.shell("db2", "mysql -N -e 'SELECT @@global.read_only'").await, "1", "{wrong:?}");
    }
}

/// Whatever goes wrong once with a file, the run says so and comes to its end with every application moved.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_wrong_once_is_seen_and_moved_in_the_end() {
    for (step, wrong) in [
        ("ready/files", Wrong::Lies),
        ("ready/files", Wrong::CutAfter),
        ("moved/files", Wrong::Lies),
        ("moved/files", Wrong::Fails),
        ("moved/files", Wrong::CutBefore),
        ("moved/files", Wrong::CutAfter),
    ] {
        for (runbook, inputs, stage) in
            [("promote-masterdb", PROMOTE, plain()), ("failover-masterdb", FAIL_OVER, dead())]
        {
            let told = stage
                .run(runbook, inputs, Some((step, wrong)), |prompt| match &prompt.kind {
                    PromptKind::Choose(choices) => {
                        let key = "lr".chars().find(|key| choices.iter().any(|choice| choice.key == *key));
                        Reply::Chosen(key.unwrap_or('s'), None)
                    }
                    _ => agrees(prompt),
                })
                .await;
            let what = format!("{runbook}, {step} {wrong:?}");
            assert_eq!(told.view.state, RunState::Finished, "{what}: {}", told.story());
            moved(&stage, &told);
        }
    }
}

/// Issue 10, part 4: what reads a file says before writes stop whether it accepts the next version; one that it does not accept is
/// named with the command and what it said, and nothing is frozen.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_version_that_is_not_accepted_stops_the_run_before_writes_move() {
    let stage = plain_with("service fxa-auth-server restart", Some("grep -q '^user = wiki' {file}"));
    let told = stage.run("promote-masterdb", PROMOTE, None, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    moved(&stage, &told);
    for (check, said) in [
        (
            "grep -q nothing {file}",
            &["the command said nothing", "is not accepted by: grep -q nothing {file}"][..],
        ),
        ("echo line 14: unknown keyword; false {file}", &["line 14: unknown keyword"]),
        ("cat {file} >/dev/null; exit 3", &["is not accepted by: cat {file}"]),
    ] {
        for (runbook, inputs) in [("promote-masterdb", PROMOTE), ("failover-masterdb", FAIL_OVER)] {
            let stage = plain_with("service fxa-auth-server restart", Some(check));
            if runbook == "failover-masterdb" {
                stage.world(|world| assert!(world.stop_server("db1-masterdb").is_ok()));
            }
            let before = stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await;
            let told = stage
                .run(runbook, inputs, None, |prompt| match &prompt.kind {
                    PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'b') => {
                        Reply::Chosen('b', None)
                    }
                    _ => agrees(prompt),
                })
                .await;
            let story = told.story();
            assert_eq!(told.view.state, RunState::RolledBack, "{runbook}, {check}: {story}");
            for words in ["ready/accepted", "/etc/webplatform/db.ini.next"].iter().chain(said) {
                assert!(story.contains(words), "{runbook}, {check}: {words}: {story}");
            }
            assert_eq!(stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await, before);
            if runbook == "promote-masterdb" {
                let writable = stage.shell("db1-masterdb", "mysql -N -e 'SELECT @@global.read_only'").await;
                assert_eq!(writable, "0", "{check}: {story}");
            }
        }
    }
}

/// Issue 10, part 4: a reload that ends with 0 and did nothing is done once more without a question.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_did_nothing_the_first_time_is_done_once_more() {
    let second = "if [ -e /root/told ]; then service fxa-auth-server restart; else : >/root/told; fi";
    let stage = plain_with(second, None);
    let told = stage.run("promote-masterdb", PROMOTE, None, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(told.decisions(), Vec::<String>::new(), "{}", told.story());
    moved(&stage, &told);
}

/// Issue 10, part 4: what keeps its connection to the old master after two reloads is named, with its host; once it is restarted by
/// hand the run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_stays_with_the_old_master_after_two_reloads_is_named() {
    let stage = plain_with("true", None);
    let mut named = Vec::new();
    let told = stage
        .run("promote-masterdb", PROMOTE, None, |prompt| match &prompt.kind {
            PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'r') => {
                named.push(format!("{}: {:?}", prompt.title, prompt.text));
                let restart = stage.shell("accounts", "service fxa-auth-server restart");
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(restart));
                Reply::Chosen('r', None)
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    assert_eq!(named.len(), 1, "{named:#?}\n{}", told.story());
    for words in ["(moved/reloaded) failed", "accounts", "is connected to 10.20."] {
        assert!(named[0].contains(words), "{words}: {named:#?}");
    }
    moved(&stage, &told);
}

/// A script of a part, the `number`th of its file.
fn script(part: &str, number: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("runbooks/{part}.toml"));
    let text = std::fs::read_to_string(path).unwrap();
    let begin = regex::Regex::new("run *= '''\n").unwrap();
    let found = begin.find_iter(&text).nth(number).unwrap();
    text[found.end()..].split("\n'''").next().unwrap().to_owned()
}

/// Runs a script in a shell of this machine, as a host would.
fn on_this_machine(shell: &[&str], folder: &Path, script: &str) -> String {
    let files = format!(
        "file {0}/db.ini\nline host = {{address}}\nreload echo told >>{0}/told\nfile {0}/plain.ini\nline @{{address}}:\nreload echo told >>{0}/told\n",
        folder.display()
    );
    let ran = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .envs([
            ("host_database_files", files.as_str()),
            ("old_address", "10.0.0.1"),
            ("candidate_address", "10.0.0.2"),
        ])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{shell:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Through a symbolic link the file that it leads to is changed, and the link stays: the next deployment keeps the new address.
/// Nothing but the address changes, and what reads several of the files is told once.
#[test]
fn a_file_behind_a_symbolic_link_is_moved_and_the_link_stays() {
    const BEFORE: &str = "user = wiki\nhost = 10.0.0.1\nother = 10.0.0.11\nhost = 10.0.0.1";
    let has = |program: &str| Command::new(program).arg("--help").output().is_ok();
    for shell in [&["sh"][..], &["bash", "--posix"], &["busybox", "sh"], &["zsh"]] {
        if !has(shell[0]) {
            println!("{} is not here: not tried", shell[0]);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("shared")).unwrap();
        std::fs::write(at("shared/db.ini"), BEFORE).unwrap();
        std::fs::set_permissions(at("shared/db.ini"), std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(at("shared/db.ini"), at("db.ini")).unwrap();
        std::fs::write(at("plain.ini"), "url = mysql://wiki@10.0.0.1:3306/\n").unwrap();
        let run = |part, number| on_this_machine(shell, folder.path(), &script(part, number));

        run("database-files-ready", 0);
        assert_eq!(
            std::fs::read_to_string(at("db.ini")).unwrap(),
            BEFORE,
            "{shell:?}: nothing is in use yet"
        );
        assert_eq!(run("database-files-ready", 1), "", "{shell:?}: the next versions are as they should be");
        assert_ne!(run("database-files-moved", 1), "", "{shell:?}: the files in use name the old master");

        run("database-files-moved", 0);
        assert_eq!(run("database-files-moved", 1), "", "{shell:?}");
        let after = std::fs::read_to_string(at("shared/db.ini")).unwrap();
        assert_eq!(
            after,
            BEFORE
                .replace("host = 10.0.0.1\n", "host = 10.0.0.2\n")
                .replace("\nhost = 10.0.0.1", "\nhost = 10.0.0.2"),
            "{shell:?}"
        );
        assert_eq!(std::fs::read_link(at("db.ini")).unwrap(), at("shared/db.ini"), "{shell:?}");
        let mode = std::fs::metadata(at("shared/db.ini")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640, "{shell:?}");
        assert_eq!(std::fs::read_to_string(at("told")).unwrap(), "told\n", "{shell:?}");
        let url = std::fs::read_to_string(at("plain.ini")).unwrap();
        assert_eq!(url, "url = mysql://wiki@10.0.0.2:3306/\n", "{shell:?}");
        let left = std::fs::read_dir(at("shared")).unwrap().count();
        assert_eq!(left, 1, "{shell:?}: a next version is left");

        // What is undone before anything moved leaves no next version behind.
        std::fs::write(at("shared/db.ini"), BEFORE).unwrap();
        std::fs::write(at("plain.ini"), "url = mysql://wiki@10.0.0.1:3306/\n").unwrap();
        run("database-files-ready", 0);
        assert_ne!(run("database-files-ready", 3), "", "{shell:?}: it is seen that they are there");
        run("database-files-ready", 2);
        assert_eq!(run("database-files-ready", 3), "", "{shell:?}");
        assert_eq!(std::fs::read_dir(at("shared")).unwrap().count(), 1, "{shell:?}");
    }
}

/// The command `check` gets the file beside the one in use as one argument, whatever its path is, once for a file, and what it printed is
/// shown; a file that is accepted says nothing.
#[test]
fn a_check_gets_the_next_version_as_one_argument() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a folder; $(touch here) `touch here` it's");
    std::fs::create_dir(&odd).unwrap();
    let file = odd.join("haproxy.cfg");
    let log = folder.path().join("log");
    let count = format!("for one in {{file}}; do echo \"$one\" >>{}; done; echo seen", log.display());
    let files = |check: &str| {
        let entry = |line: &str| format!("file {}\nline {line}\nreload \ncheck {check}\n", file.display());
        entry("server a {address}") + &entry("server b {address}")
    };
    for (check, wanted) in [(count.clone(), ""), (format!("{count}; exit 4"), "seen")] {
        for shell in [&["sh"][..], &["bash", "--posix"], &["busybox", "sh"], &["zsh"]] {
            if Command::new(shell[0]).arg("--help").output().is_err() {
                continue;
            }
            let ran = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &script("database-files-ready", 4)])
                .env("host_database_files", files(&check))
                .current_dir(folder.path())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            let err = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(ran.status.success() && err.is_empty(), "{shell:?}: {said}{err}");
            let refused = [
                wanted.to_owned(),
                format!("{}.next is not accepted by: {check}", file.display()),
                wanted.to_owned(),
            ];
            let expected = if wanted.is_empty() { &[][..] } else { &refused };
            assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{shell:?}");
            assert_eq!(std::fs::read_to_string(&log).unwrap(), format!("{}.next\n", file.display()));
            std::fs::remove_file(&log).unwrap();
        }
    }
    assert!(!folder.path().join("here").exists());
}

/// HAProxy itself, where it is installed, accepts a file that it can read and says which line it cannot.
#[test]
fn haproxy_says_which_line_of_the_next_version_it_does_not_accept() {
    if Command::new("haproxy").arg("-v").output().is_err() {
        println!("skipped: haproxy is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    let files = format!(
        "file {}\nline server master {{address}}:3306\nreload \ncheck haproxy -c -f {{file}}\n",
        file.display()
    );
    let good = "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\nlisten masterdb\n  \
                bind 127.0.0.1:3306\n  server master 10.0.0.2:3306\n";
    for (text, words) in [(good.to_owned(), None), (good.replace("bind", "bnid"), Some("haproxy.cfg.next:7"))]
    {
        std::fs::write(folder.path().join("haproxy.cfg.next"), text).unwrap();
        let ran = Command::new("sh")
            .args(["-c", &script("database-files-ready", 4)])
            .env("host_database_files", &files)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        match words {
            None => assert_eq!(said, ""),
            Some(words) => {
                let first = said.lines().next().unwrap();
                assert!(first.contains(words) && first.contains("unknown keyword 'bnid'"), "{said}");
            }
        }
    }
}

/// What stands beside the files goes again when the run is rolled back before writes move.
#[tokio::test(flavor = "multi_thread")]
async fn a_switchover_that_is_rolled_back_leaves_the_files_as_they_were() {
    let stage = plain();
    let before = stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await;
    let told = stage
        .run("promote-masterdb", PROMOTE, Some(("freeze", Wrong::Fails)), |prompt| match &prompt.kind {
            PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'b') => {
                Reply::Chosen('b', None)
            }
            _ => agrees(prompt),
        })
        .await;
    assert_eq!(told.view.state, RunState::RolledBack, "{}", told.story());
    assert_eq!(stage.shell("app1", "cat /etc/webplatform/db.ini; ls /etc/webplatform").await, before);
}

/// An inventory that is wrong about a file is found before anything is changed, with the file and what was looked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_the_inventory_has_and_the_file_has_not_stops_the_run_before_writes_move() {
    for (line, words) in [
        ("server = {address}", "no line has server = 10.20.20."),
        ("host = {address}0", "no line has host = 10.20.20."),
    ] {
        let files = vec![file("app", "/etc/webplatform/db.ini", line, None)];
        let stage = Stage::new("wpd-2015", "staging", false).without_salt(files);
        let told = stage
            .run("promote-masterdb", PROMOTE, None, |prompt| match &prompt.kind {
                PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'k') => {
                    Reply::Chosen('k', Some("by hand".to_owned()))
                }
                _ => agrees(prompt),
            })
            .await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{line}: {}", told.story());
        assert!(told.story().contains(words), "{line}: {}", told.story());
        assert_eq!(stage.shell("db1-masterdb", "mysql -N -e 'SELECT @@global.read_only'").await, "0");
    }
}

/// db2 is made a replica again, after its settings were lost.
async fn set_up(stage: &Stage, answer: impl FnMut(&Prompt) -> Reply) -> Told {
    stage.shell("db2", "mysql -e \"STOP ALL SLAVES; RESET SLAVE ALL\"").await;
    stage.run("setup-replica", SETUP, None, answer).await
}

/// Issue 10, part 8: setup-replica on a fleet without Salt comes to its end; the password is typed, and is in no entry of the journal.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_set_up_without_salt_and_its_password_is_asked() {
    let stage = plain();
    let told = set_up(&stage, agrees).await;
    assert_eq!(told.view.state, RunState::Finished, "{}", told.story());
    let status = stage.shell("db2", "mysql -e 'SHOW ALL SLAVES STATUS\\G'").await;
    assert!(
        status.contains("Slave_IO_Running: Yes") && status.contains("Master_SSL_Allowed: Yes"),
        "{status}"
    );
    let kept = stage.journals_text();
    assert!(kept.contains("repl-password"), "{kept}");
    assert!(!kept.contains(PASSWORD), "the password is in the journal");
    assert!(told.prompts.iter().all(|prompt| !format!("{prompt:?}").contains(PASSWORD)));
}

/// The inventory says nothing of Salt, and there is none: the first check says so, and what to write. Nothing is begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_does_not_say_that_it_has_no_salt_is_told_so_by_the_first_check() {
    for (runbook, inputs) in
        [("setup-replica", SETUP), ("promote-masterdb", PROMOTE), ("failover-masterdb", FAIL_OVER)]
    {
        let stage = Stage::new("wpd-2015", "staging", false);
        stage.world(jumpdeck_sim::world::World::remove_salt);
        let told = stage.run(runbook, inputs, None, agrees).await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{runbook}: {}", told.story());
        assert_eq!(told.decisions().len(), 1, "{runbook}: {}", told.story());
        let asked: Vec<String> =
            told.prompts.iter().map(|prompt| format!("{}: {:?}", prompt.title, prompt.text)).collect();
        let said = asked.iter().find(|said| said.contains("failed")).unwrap_or_else(|| panic!("{asked:#?}"));
        assert!(
            said.contains("This jump box has no Salt") && said.contains("salt = false"),
            "{runbook}: {said}"
        );
        assert!(!said.contains("disk"), "{runbook}: {said}");
    }
}

/// A runbook that knows Salt alone says before anything is run that it cannot be used, and by which steps.
#[tokio::test(flavor = "multi_thread")]
async fn a_runbook_that_needs_salt_is_refused_where_the_inventory_says_that_there_is_none() {
    let stage = plain();
    let problems = stage.problems("deploy-code", &[("canary", "app1")]).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let refused = "deploy-code works through Salt, but the inventory says that staging has no Salt: ";
    assert!(problems[0].starts_with(refused), "{problems:?}");
    for (runbook, inputs) in
        [("setup-replica", SETUP), ("promote-masterdb", PROMOTE), ("failover-masterdb", FAIL_OVER)]
    {
        assert_eq!(stage.problems(runbook, inputs).await, Vec::<String>::new(), "{runbook}");
    }
}

/// procedures.md 2.2: on MySQL the first check says in one sentence what the runbook needs, and no raw error comes before it.
#[tokio::test(flavor = "multi_thread")]
async fn on_mysql_the_first_check_says_that_the_runbook_needs_mariadb() {
    for (runbook, inputs) in [
        ("setup-replica", &[("master", "db1"), ("replica", "db2"), ("source", "db1")][..]),
        ("promote-masterdb", &[("old", "db1"), ("candidate", "db2")][..]),
    ] {
        let stage = Stage::new("wpd-2013", "production", false);
        let told = stage.run(runbook, inputs, None, agrees).await;
        assert!(matches!(told.view.state, RunState::Stopped(_)), "{runbook}: {}", told.story());
        let asked: Vec<String> =
            told.prompts.iter().map(|prompt| format!("{}: {:?}", prompt.title, prompt.text)).collect();
        let said = asked.iter().find(|said| said.contains("failed")).unwrap_or_else(|| panic!("{asked:#?}"));
        assert!(said.contains("(can/mariadb) failed"), "{runbook}: {said}");
        assert!(
            said.contains("This runbook needs MariaDB 10.0.2 or newer; this server is MySQL 5.1."),
            "{runbook}: {said}"
        );
        assert!(!said.contains("ERROR"), "{runbook}: {said}");
    }
}

/// Every other runbook, too: that Salt is missing is told as such, and not as a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_salt_where_there_is_none_is_told_as_such() {
    let mut stage = Stage::new("wpd-2015", "staging", false);
    stage.world(jumpdeck_sim::world::World::remove_salt);
    let asks = r#"
name    = "asks-salt"
title   = "Ask Salt"
summary = "Asks every minion, and does not look whether there is Salt."
danger  = "reads"

[[target]]
name = "apps"
role = "app"

[[step]]
id     = "asks"
kind   = "check"
title  = "Every minion answers"
on     = "apps"
salt   = "test.ping"
expect = [{ is = "true" }]
"#;
    stage.add("asks-salt", asks);
    let told = stage.run("asks-salt", &[], None, agrees).await;
    assert!(matches!(told.view.state, RunState::Stopped(_)), "{}", told.story());
    let said = told.story();
    assert!(
        said.contains("the jump box has no program \\\"salt\\\"") && said.contains("salt = false"),
        "{said}"
    );
    assert!(!said.contains("the room on its disks"), "{said}");
}
