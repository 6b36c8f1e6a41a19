//! Other accounts of a jump box, and consoles that were stopped, against leases, entries and approvals.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::domain::access::Access;
use jumpdeck::domain::names::EnvName;
use jumpdeck::runbook::approval::{Approval, Question};
use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::Journal;
use jumpdeck::runbook::lease::{Holder, Lease, LeaseError, approve, look};
use jumpdeck::runbook::over_ssh::OverSsh;
use jumpdeck::runbook::reach::{Reach, Session};
use jumpdeck::ssh::ask::RefuseAll;
use jumpdeck::ssh::dial::TcpDial;

use crate::fleet::{access, environment, remote};
use crate::sshd::{Sshd, keygen, missing, not_root, public, run};
use crate::terminal::Terminal;

/// The group of operators, and accounts of the jump box: two of the group, one of the group with a name that some programs
/// shorten, and one outside.
const GROUP: u32 = 61_000;
const ANNA: u32 = 61_001;
const BOB: u32 = 61_002;
const ODD: u32 = 61_003;
const WEB: u32 = 61_004;
const ODD_NAME: &str = "corp+bob";

const FOLDER: &str = "/run/lock/jumpdeck";
const RIGHT: &str = "install -d -o root -g 61000 -m 2770 /run/lock/jumpdeck";

/// A jump box with accounts of its own.
struct Rig {
    dir: tempfile::TempDir,
    jump: Sshd,
}

impl Rig {
    /// None, and said so, where this is not root. `folder` makes the folder of leases, or something else in its place.
    fn new(folder: &str) -> Option<Self> {
        if missing(&["sshd", "ssh-keygen", "setpriv", "unshare", "nsenter", "flock"]) || not_root() {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        keygen(&path.join("key"), "ed25519", "");
        std::fs::write(path.join("authorized_keys"), public(&path.join("key")) + "\n").unwrap();
        let mut passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let mut group = std::fs::read_to_string("/etc/group").unwrap();
        for (name, uid) in [("anna", ANNA), ("bob", BOB), (ODD_NAME, ODD), ("web", WEB)] {
            let home = path.join(uid.to_string());
            std::fs::create_dir(&home).unwrap();
            std::os::unix::fs::chown(&home, Some(uid), Some(uid)).unwrap();
            passwd.push_str(&format!("{name}:x:{uid}:{uid}::{}:/bin/sh\n", home.display()));
            group.push_str(&format!("{name}:x:{uid}:\n"));
        }
        group.push_str(&format!("jumpdeck:x:{GROUP}:anna,bob,{ODD_NAME}\n"));
        std::fs::write(path.join("passwd"), passwd).unwrap();
        std::fs::write(path.join("group"), group).unwrap();
        let before = format!(
            "mount --bind {dir}/passwd /etc/passwd && mount --bind {dir}/group /etc/group && {{ {folder}; }}",
            dir = path.display()
        );
        let jump = Sshd::behind(path, "jump", "", &before);
        std::fs::write(path.join("known"), jump.known()).unwrap();
        Some(Self { dir, jump })
    }

    /// A session of an account, and what keeps its connection.
    async fn session(&self, account: &str) -> (OverSsh, Arc<dyn Session>) {
        let access = Access {
            user: account.to_owned(),
            ..access(&self.dir.path().join("key"), self.dir.path().join("known"))
        };
        let mut env = environment(remote(self.jump.port, access), Duration::from_secs(30));
        env.name = EnvName::new("production").unwrap();
        let reach = OverSsh::new(Arc::new(env), Arc::new(TcpDial), Arc::new(RefuseAll));
        let session = reach.host(reach.jump()).await.unwrap();
        (reach, session)
    }

    /// A script of an account on the jump box, without any capability: whether it succeeded, and what it printed.
    fn by(&self, uid: u32, groups: &str, script: &str) -> (bool, String) {
        let (pid, id) = (self.jump.child.id().to_string(), uid.to_string());
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "setpriv", "--reuid", &id, "--regid", &id, "--bounding-set=-all"]);
        match groups {
            "" => command.arg("--clear-groups"),
            groups => command.args(["--groups", groups]),
        };
        let out = command.args(["sh", "-c", script]).stdin(Stdio::null()).output().unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What root sees there.
    fn root(&self, script: &str) -> String {
        let pid = self.jump.child.id().to_string();
        run("nsenter", &["-t", &pid, "-m", "sh", "-c", script])
    }
}

fn keys() -> Vec<String> {
    vec!["production.host.db1".to_owned()]
}

fn question(nonce: &str) -> Question {
    Question {
        run: "first".to_owned(),
        step: "fence".to_owned(),
        nonce: nonce.repeat(32),
        plan: "a".repeat(64),
        commands: "b".repeat(64),
        doubts: vec!["db1: exit status 1".to_owned()],
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn an_account_outside_the_group_cannot_end_block_fake_or_read_a_lease() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    runtime().block_on(async {
        let (_anna, ours) = rig.session("anna").await;
        let lease =
            Lease::take(ours.as_ref(), &keys(), &Holder::new("anna@desk", "first", "promote")).await.unwrap();
        let mut journal = Journal::create(&rig.dir.path().join("runs"), "first").unwrap();
        let note = Event::Note { who: "anna".to_owned(), text: "an output".to_owned() };
        lease.say(&journal.append(&note).unwrap());
        lease.ask(Some(question("1")));
        lease.prove().await.unwrap();
        assert!(rig.root(&format!("cat {FOLDER}/first/entries")).contains("an output"));
        let modes = rig.root(&format!("cd {FOLDER} && stat -c '%a %U:%G' first first/entries first/holder"));
        assert_eq!(modes, "2750 anna:jumpdeck\n640 anna:jumpdeck\n640 anna:jumpdeck\n");
        for attack in [
            "ls .",
            "cat first/entries",
            "cat first/holder",
            "head -c 1 first/yes/*",
            ": > first/holder",
            ": > first/holder.new",
            ": > first.holder.$(pgrep -n -u anna sh)",
            "mkdir second",
            "flock -n production.host.db1.lock true",
            "rm -f production.host.db1.lock && [ ! -e production.host.db1.lock ] && : > production.host.db1.lock",
            ": > production.host.db2.lock",
            "i=0; while [ $i -lt 3000 ]; do : > first/yes/x.$i || exit 1; i=$((i + 1)); done",
            "echo '{\"holder\":{\"who\":\"boss@hq\"}}' > boss.holder",
            "chmod 777 .",
            "mv . ../away",
            "ln -s /etc/shadow first/entries.new",
        ] {
            // Within the folder where that is possible; by its whole name where not.
            let (within, said) = rig.by(WEB, "", &format!("cd {FOLDER} && {{ {attack}; }}"));
            assert!(!within, "{attack}: {said}");
            let named = attack.replace(" first", &format!(" {FOLDER}/first")).replace(
                " production",
                &format!(" {FOLDER}/production"),
            );
            if named != attack {
                let (by_name, said) = rig.by(WEB, "", &named);
                assert!(!by_name, "{named}: {said}");
            }
        }
        let (renamed, _) = rig.by(WEB, "", &format!("mv {FOLDER} {FOLDER}.away"));
        assert!(!renamed);
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None);
        // It is still held, and by the account that the system names.
        let (_bob, others) = rig.session("bob").await;
        let holder = Holder::new("bob@desk", "second", "promote");
        match Lease::take(others.as_ref(), &keys(), &holder).await {
            Err(LeaseError::Held(holders)) => {
                assert_eq!((holders[0].uid, holders[0].account.as_str()), (ANNA, "anna"));
                assert_eq!(holders[0].asks, Some(question("1")));
            }
            other => panic!("{other:?}"),
        }
        // With the program itself the other account is told what is missing, and gets no folder of its own.
        let (_web, theirs) = rig.session("web").await;
        let holder = Holder::new("web@server", "third", "promote");
        for refused in [
            Lease::take(theirs.as_ref(), &keys(), &holder).await.map(drop).unwrap_err(),
            approve(theirs.as_ref(), &Approval::to(&question("1"), "boss@hq")).await.unwrap_err(),
            look(theirs.as_ref(), "").await.map(drop).unwrap_err(),
        ] {
            assert!(refused.to_string().contains("is not in the group"), "{refused}");
        }
        lease.prove().await.unwrap();
        lease.release().await;
    });
}

#[test]
fn a_folder_that_others_can_write_to_or_made_first_is_refused() {
    for (folder, says) in [
        ("install -d -m 1777 /run/lock/jumpdeck", "has the mode drwxrwxrwt"),
        ("install -d -m 2777 -g 61000 /run/lock/jumpdeck", "has the mode drwxrwsrwx"),
        (
            "setpriv --reuid 61004 --regid 61004 --clear-groups mkdir -m 2770 /run/lock/jumpdeck",
            "is not made by root",
        ),
        (
            "install -d /run/lock/elsewhere -g 61000 -m 2770; ln -s elsewhere /run/lock/jumpdeck",
            "is no folder",
        ),
    ] {
        let Some(rig) = Rig::new(folder) else { return };
        runtime().block_on(async {
            let (_anna, ours) = rig.session("anna").await;
            let holder = Holder::new("anna@desk", "first", "promote");
            let refused =
                Lease::take(ours.as_ref(), &keys(), &holder).await.map(drop).unwrap_err().to_string();
            assert!(
                refused.contains(says) && refused.contains("install -d -o root -g jumpdeck"),
                "{refused}"
            );
            let seen = look(ours.as_ref(), "").await.map(drop).unwrap_err().to_string();
            assert!(seen.contains(says), "{seen}");
        });
    }
}

#[test]
fn an_approval_counts_for_the_question_that_stands_and_is_its_owners() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    let group = GROUP.to_string();
    runtime().block_on(async {
        let (_anna, ours) = rig.session("anna").await;
        let (_bob, others) = rig.session("bob").await;
        let lease =
            Lease::take(ours.as_ref(), &keys(), &Holder::new("anna@desk", "first", "promote")).await.unwrap();
        lease.step("fence");
        lease.prove().await.unwrap();
        let yes = |asked: &Question, who: &str| Approval::to(asked, who);
        let (first, second) = (question("1"), question("2"));
        // Before anything is asked: refused by the program, and worth nothing by hand.
        assert_eq!(approve(others.as_ref(), &yes(&first, "bob@desk")).await, Err(LeaseError::NotAsked));
        let by_hand = |uid: u32, approval: &Approval, name: &str| {
            let json = serde_json::to_string(approval).unwrap();
            rig.by(uid, &group, &format!("umask 007; echo '{json}' > {FOLDER}/first/yes/{name}"))
        };
        assert!(by_hand(BOB, &yes(&question("0"), "bob@desk"), &format!("{}.1", "1".repeat(32))).0);
        lease.ask(Some(first.clone()));
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None, "given before the question, for another one");
        // By who runs it, in another name: by the program and by hand.
        let same = approve(ours.as_ref(), &yes(&first, "boss@hq")).await;
        assert!(matches!(same, Err(LeaseError::SamePerson(_))), "{same:?}");
        assert!(by_hand(ANNA, &yes(&first, "boss@hq"), &format!("{}.2", first.nonce)).0);
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None, "one account is one person");
        // By another person, in the name of somebody else: it counts, and says whose account it was.
        approve(others.as_ref(), &yes(&first, "boss@hq")).await.unwrap();
        lease.prove().await.unwrap();
        let approved = lease.approved().unwrap();
        assert_eq!((approved.uid, approved.to_string().as_str()), (BOB, "boss@hq (as bob)"));
        // Asked again, it must be said again, and what was said does not come back.
        lease.ask(Some(second.clone()));
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None);
        assert_eq!(approve(others.as_ref(), &yes(&first, "bob@desk")).await, Err(LeaseError::NotAsked));
        let other = Question { commands: "c".repeat(64), ..second.clone() };
        assert_eq!(approve(others.as_ref(), &yes(&other, "bob@desk")).await, Err(LeaseError::NotAsked));
        assert!(by_hand(BOB, &yes(&other, "bob@desk"), &format!("{}.3", second.nonce)).0);
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None, "for other commands");
        approve(others.as_ref(), &yes(&second, "bob@desk")).await.unwrap();
        lease.prove().await.unwrap();
        assert_eq!(lease.approved().unwrap().uid, BOB);
        lease.release().await;
    });
}

#[test]
fn an_account_with_an_odd_name_is_one_person_too() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    runtime().block_on(async {
        let (_odd, session) = rig.session(ODD_NAME).await;
        let holder = Holder::new("bob@desk", "first", "promote");
        let lease = Lease::take(session.as_ref(), &keys(), &holder).await.unwrap();
        lease.step("fence");
        lease.ask(Some(question("1")));
        lease.prove().await.unwrap();
        let same = approve(session.as_ref(), &Approval::to(&question("1"), "carol@desk")).await;
        assert!(matches!(same, Err(LeaseError::SamePerson(_))), "{same:?}");
        lease.prove().await.unwrap();
        assert_eq!(lease.approved(), None);
        lease.release().await;
    });
}

/// A change that leaves a line each time it is made.
fn book(file: &Path) -> String {
    let file = file.display();
    format!(
        r#"
name = "change"
title = "A change"
summary = "For tests."
danger = "changes"
[[target]]
name = "one"
host = "app1"
[[step]]
id = "change"
kind = "run"
title = "Change"
on = "one"
run = "echo changed >> {file}"
effect = "mutate"
read_back = [{{ says = "it is there", run = "[ -s {file} ] && echo yes || echo no", expect = [{{ is = "yes" }}] }}]
undo = {{ not_needed = "a line of a test" }}
"#
    )
}

/// Two operators of one environment, each with a home, an account on the jump box and an inventory.
struct Lane {
    dir: tempfile::TempDir,
    changes: std::path::PathBuf,
}

impl Lane {
    fn new(rig: &Rig, host: &Sshd, number: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let changes = dir.path().join("changes");
        std::fs::write(rig.dir.path().join("known"), rig.jump.known() + &host.known()).unwrap();
        for account in ["anna", "bob"] {
            let home = dir.path().join(account);
            let runbooks = home.join(".config/jumpdeck/runbooks");
            std::fs::create_dir_all(&runbooks).unwrap();
            std::fs::write(runbooks.join("change.toml"), book(&changes)).unwrap();
            let inventory = format!(
                "user = \"root\"\nkeys = [\"{rig}/key\"]\nknown_hosts = [\"{rig}/known\"]\nagent = false\n\
                 [environments.lane{number}]\nlevel = \"test\"\n\
                 jump = {{ name = \"gate\", address = \"127.0.0.1\", port = {}, user = \"{account}\" }}\n\
                 [environments.lane{number}.hosts]\n\
                 app1 = {{ address = \"127.0.0.1\", port = {}, user = \"root\", hostname = \"{}\" }}\n",
                rig.jump.port,
                host.port,
                run("hostname", &[]).trim(),
                rig = rig.dir.path().display()
            );
            std::fs::write(home.join("inventory.toml"), inventory).unwrap();
        }
        Self { dir, changes }
    }

    /// The account's console, as it stands at the yes. None: the lease is held.
    fn at_the_yes(&self, account: &str) -> Option<Terminal> {
        let home = self.dir.path().join(account);
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumpdeck"));
        command.args(["runbook", "run", "change", "--why", "a test", "--inventory"]);
        command.arg(home.join("inventory.toml"));
        for variable in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "JUMPDECK_INVENTORY", "NO_COLOR"] {
            command.env_remove(variable);
        }
        command.env("HOME", &home).env("JUMPDECK_WHO", account).env("TERM", "xterm");
        let mut terminal = Terminal::run(command);
        terminal.until("type yes to begin> ");
        terminal.types("yes\n");
        terminal.until_or_end("to do it> ").then_some(terminal)
    }

    fn changes(&self) -> usize {
        std::fs::read_to_string(&self.changes).unwrap_or_default().lines().count()
    }

    /// A console that is stopped at the yes until another has the lease, and then goes on.
    fn round(&self, typed_while_stopped: bool) {
        let before = self.changes();
        let mut anna = self.at_the_yes("anna").expect("the lease is free");
        signal(anna.pid(), "-STOP");
        if typed_while_stopped {
            anna.types("yes\n");
        }
        let end = Instant::now() + Duration::from_secs(90);
        let mut bob = loop {
            if let Some(bob) = self.at_the_yes("bob") {
                break bob;
            }
            assert!(Instant::now() < end, "the lease of a stopped console is never free");
        };
        signal(anna.pid(), "-CONT");
        if !typed_while_stopped {
            anna.types("yes\n");
        }
        assert_ne!(anna.ends(), 0, "{}", anna.said);
        assert_eq!(self.changes(), before, "changed without the lease:\n{}", anna.said);
        assert!(anna.said.contains("the lease on the jump box is lost"), "{}", anna.said);
        bob.types("yes\n");
        assert_eq!(bob.ends(), 0, "{}", bob.said);
        assert_eq!(self.changes(), before + 1, "{}", bob.said);
    }
}

fn signal(pid: u32, signal: &str) {
    run("kill", &[signal, &pid.to_string()]);
}

#[test]
fn a_console_that_was_stopped_at_the_yes_changes_nothing_twenty_times() {
    let Some(rig) = Rig::new(RIGHT) else { return };
    let host = Sshd::start(rig.dir.path(), "host", "");
    let lanes: Vec<Lane> = (0..4).map(|number| Lane::new(&rig, &host, number)).collect();
    std::thread::scope(|scope| {
        for lane in &lanes {
            scope.spawn(move || (0..5).for_each(|round| lane.round(round % 2 == 0)));
        }
    });
    assert_eq!(lanes.iter().map(Lane::changes).sum::<usize>(), 20);
}
