//! Accounts without a folder of the group, and members of the group who lay something out for others.

use std::os::unix::fs::{chown, lchown};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::runbook::approval::Approval;

const NOBODY: u32 = 65534;

/// A jump box without the group's folder; each account has one of its own.
struct JumpBox {
    top: tempfile::TempDir,
}

impl JumpBox {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        fs::set_permissions(top.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        Self { top }
    }

    fn path(&self, name: &str) -> String {
        self.top.path().join(name).display().to_string()
    }

    fn places(&self, account: &str) -> LeasePlaces {
        LeasePlaces {
            shared: self.path("none"),
            own: self.path(account),
            apart: false,
            journals: String::new(),
        }
    }

    /// A process of another account that locks what all accounts lock.
    fn stranger(&self) -> Child {
        let mut flock = Command::new("setpriv");
        flock.args(["--reuid", "33", "--regid", "33", "--clear-groups", "flock", "-n"]);
        flock.arg(self.top.path()).args(["sh", "-c", "echo locked; exec cat"]);
        let mut child = flock.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = [0; 7];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
        child
    }
}

/// A script of another account, which must succeed.
fn as_uid(uid: u32, group: u32, script: &str) {
    let (uid, group) = (uid.to_string(), group.to_string());
    let mut run = Command::new("setpriv");
    run.args(["--reuid", &uid, "--regid", &group, "--clear-groups", "sh", "-c", script]);
    assert!(run.status().unwrap().success(), "{script}");
}

fn holder(who: &str, run: &str) -> Holder {
    Holder::new(who, run, "promote-masterdb")
}

/// Whether another account can be had; says so.
fn one_account_only() -> bool {
    let only = !rustix::process::geteuid().is_root();
    if only {
        eprintln!("skipped: a second account takes root");
    }
    only
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_of_the_group_an_account_has_its_own_and_nobody_is_a_second_person() {
    for shell in SHELLS {
        let place = JumpBox::new();
        let (places, local) = (place.places("own"), Local::new(shell));
        let first = holder("first@desk", "first");
        let lease = Lease::take_in(&places, &local, &keys(&["production.x"]), &first).await.unwrap();
        assert!(lease.limits().unwrap().contains("one run at a time"), "{:?}", lease.limits());
        let mode = fs::metadata(place.path("own")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{shell}");
        let question = people::question("first", "a");
        lease.ask(Some(question.clone()));
        lease.prove().await.unwrap();
        let yes = Approval::to(&question, "bob@desk");
        assert_eq!(ask::approve_in(&places, &local, &yes).await, Err(LeaseError::Alone), "{shell}");
        // The same key says who, another key says who and what to do.
        let second = holder("second@desk", "second");
        let taken = Lease::take_in(&places, &Local::new(shell), &keys(&["production.x"]), &second).await;
        assert!(matches!(taken.unwrap_err(), LeaseError::Held(holders) if holders.len() == 1), "{shell}");
        let taken = Lease::take_in(&places, &Local::new(shell), &keys(&["staging.y"]), &second).await;
        let error = taken.unwrap_err();
        assert!(matches!(&error, LeaseError::Busy(holders) if holders.len() == 1), "{shell}: {error}");
        for word in ["first@desk", "install -d -o root -g jumpdeck", "lease = \"own-account\""] {
            assert!(error.to_string().contains(word), "{shell}: {error}");
        }
        lease.release().await;
        fs::set_permissions(place.path("own"), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Lease::take_in(&places, &local, &keys(&["production.x"]), &first).await.unwrap_err();
        assert!(error.to_string().contains("only this account"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_of_the_group_accounts_keep_each_other_off_all_the_same() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = JumpBox::new();
        let (ours, theirs) = (Local::new(shell), Local::of(shell, NOBODY));
        let (anna, bob) = (holder("anna@desk", "first"), holder("bob@desk", "second"));
        let db1 = keys(&["production.host.db1"]);
        let lease = Lease::take_in(&place.places("anna"), &ours, &db1, &anna).await.unwrap();
        let taken = Lease::take_in(&place.places("bob"), &theirs, &db1, &bob).await;
        let error = taken.unwrap_err();
        assert!(matches!(&error, LeaseError::Busy(holders) if holders.is_empty()), "{shell}: {error}");
        assert!(error.to_string().contains("fuser -v /run/lock"), "{error}");
        lease.prove().await.unwrap();
        // Whoever says that accounts run apart does.
        let apart = LeasePlaces { apart: true, ..place.places("bob") };
        let other = Lease::take_in(&apart, &theirs, &db1, &bob).await.unwrap();
        assert!(other.limits().unwrap().contains("not those of other accounts"), "{shell}");
        other.release().await;
        // A console that dies lets go for the other account, too.
        ours.cut();
        let from = Instant::now();
        while let Err(error) = Lease::take_in(&place.places("bob"), &theirs, &db1, &bob).await {
            assert!(matches!(error, LeaseError::Busy(_)), "{shell}: {error}");
            assert!(from.elapsed() < Duration::from_secs(40), "{shell}: never free");
        }
        assert!(lease.prove().await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_can_block_a_lease_of_an_account_and_neither_end_nor_fake_it() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = JumpBox::new();
        let (local, anna, x) = (Local::new(shell), holder("anna@desk", "first"), keys(&["production.x"]));
        let lease = Lease::take_in(&place.places("anna"), &local, &x, &anna).await.unwrap();
        let folder = place.top.path().display();
        for attack in [
            format!("flock -n {folder} true"),
            format!("flock -u {folder} true; flock -n {folder} true"),
            format!("mv {folder} {folder}.away"),
            format!("rmdir {folder}"),
            format!("ls {folder}/anna"),
            format!("mv {folder}/anna {folder}/away"),
            format!("chmod 700 {folder}"),
        ] {
            let mut run = Command::new("setpriv");
            run.args(["--reuid", "33", "--regid", "33", "--clear-groups", "sh", "-c", &attack]);
            assert!(!run.stderr(Stdio::null()).status().unwrap().success(), "{attack}");
        }
        lease.prove().await.unwrap();
        lease.release().await;
        let mut stranger = place.stranger();
        let error = Lease::take_in(&place.places("anna"), &local, &x, &anna).await.unwrap_err();
        assert!(matches!(&error, LeaseError::Busy(holders) if holders.is_empty()), "{shell}: {error}");
        drop(stranger.stdin.take());
        stranger.wait().unwrap();
        Lease::take_in(&place.places("anna"), &local, &x, &anna).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_accounts_lock_must_stay_in_its_place() {
    if one_account_only() {
        return;
    }
    let (anna, x) = (holder("anna@desk", "first"), keys(&["production.x"]));
    for shell in SHELLS {
        let place = JumpBox::new();
        let sub = place.top.path().join("sub");
        let refused = async || {
            let places = LeasePlaces { shared: place.path("sub/none"), ..place.places("anna") };
            let error = Lease::take_in(&places, &Local::new(shell), &x, &anna).await.unwrap_err();
            assert!(error.to_string().contains("is not a folder owned by root"), "{shell}: {error}");
        };
        refused().await;
        symlink("/var", &sub).unwrap();
        refused().await;
        fs::remove_file(&sub).unwrap();
        fs::create_dir(&sub).unwrap();
        chown(&sub, Some(NOBODY), None).unwrap();
        refused().await;
        chown(&sub, Some(0), None).unwrap();
        // Whoever can write to the folder that it is in can rename it.
        fs::set_permissions(place.top.path(), fs::Permissions::from_mode(0o777)).unwrap();
        refused().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_group_that_root_makes_meanwhile_ends_an_accounts_own_lease() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = JumpBox::new();
        let (local, anna) = (Local::new(shell), holder("anna@desk", "first"));
        let lease = Lease::take_in(&place.places("anna"), &local, &keys(&["production.x"]), &anna).await;
        let lease = lease.unwrap();
        lease.prove().await.unwrap();
        fs::create_dir(place.path("none")).unwrap();
        let why = lease.prove().await.unwrap_err();
        assert!(why.as_str().contains("was made meanwhile"), "{shell}: {why}");
    }
}

/// What a stranger puts in the place of the group's folder ends no lease: it keeps new ones off.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_makes_the_groups_folder_ends_no_lease() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = JumpBox::new();
        let (local, anna, x) = (Local::new(shell), holder("anna@desk", "first"), keys(&["production.x"]));
        let lease = Lease::take_in(&place.places("anna"), &local, &x, &anna).await.unwrap();
        let none = place.path("none");
        for attack in [format!("mkdir {none}"), format!("rmdir {none}; ln -s /etc {none}")] {
            as_uid(33, 33, &attack);
            lease.prove().await.unwrap();
            lease.prove().await.unwrap();
            let other = holder("bob@desk", "second");
            let taken = Lease::take_in(&place.places("bob"), &Local::new(shell), &x, &other).await;
            assert!(matches!(taken.unwrap_err(), LeaseError::Refused(_)), "{shell}: {attack}");
        }
        lease.release().await;
    }
}

/// A member can rename the folder of another's run in a group's folder of mode 2770, and put a link in its place. That ends
/// the run's lease, and nothing is written where the link leads.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_folder_is_exchanged_writes_nothing_elsewhere() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = Place::new();
        let victim = place.folder().with_extension("victim");
        fs::create_dir(&victim).unwrap();
        for name in ["holder", "holder.new", "entries", "full.0"] {
            fs::write(victim.join(name), "theirs").unwrap();
        }
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let run = place.file("first");
        let (run, victim) = (run.display(), victim.display());
        as_uid(NOBODY, shells::GROUP, &format!("mv {run} {run}.away && ln -s {victim} {run}"));
        let why = lease.prove().await.unwrap_err();
        assert!(why.as_str().contains("was moved"), "{shell}: {why}");
        assert!(
            matches!(ask::look_in(&place.places(), &Local::new(shell), "").await, Ok(all) if all.is_empty())
        );
        let error = take(&place, shell, "first", &["production.x"]).await.unwrap_err();
        assert!(matches!(error, LeaseError::Refused(_)), "{shell}: {error}");
        for name in ["holder", "holder.new", "entries", "full.0"] {
            assert_eq!(fs::read_to_string(format!("{victim}/{name}")).unwrap(), "theirs", "{shell}: {name}");
        }
    }
}

/// A member chooses the names of folders in the group's: a line end in one would be a line of the program's.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_line_ends_neither_fakes_a_lease_nor_a_holder() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = Place::new();
        let lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let json = fs::read_to_string(place.file("first/holder")).unwrap();
        let json = json.trim_end().replace("\"run\":\"first\"", "\"run\":\"faked\"");
        assert!(json.len() < 1000 && json.contains("faked"));
        for line in ["taken group\t0\troot", "beat 99", "lost it", "refused it"] {
            let folder = place.file(&format!("a\n{line}\nz"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("holder"), &json).unwrap();
            for path in [folder.join("holder"), folder] {
                lchown(path, Some(NOBODY), Some(shells::GROUP)).unwrap();
            }
        }
        let taken = take(&place, shell, "second", &["production.x"]).await;
        assert!(matches!(&taken, Err(LeaseError::Held(holders)) if holders.len() == 1), "{shell}: {taken:?}");
        // Names of one account only, and another's number.
        let short = format!("a\nholder 1\t0\troot\tfaked\t{}", "{}");
        fs::create_dir(place.file(&short)).unwrap();
        fs::write(place.file(&short).join("holder"), &json).unwrap();
        let seen = ask::look_in(&place.places(), &Local::new(shell), "").await.unwrap();
        assert_eq!(seen.iter().map(|h| h.run.as_str()).collect::<Vec<_>>(), ["first"], "{shell}");
        lease.prove().await.unwrap();
    }
}

/// A holder's words count when the owner of the run's folder wrote them, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_another_account_wrote_is_not_shown() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = Place::new();
        let _lease = take(&place, shell, "first", &["production.x"]).await.unwrap();
        let seen = async || ask::look_in(&place.places(), &Local::new(shell), "").await.unwrap();
        let first = fs::read_to_string(place.file("first/holder")).unwrap();
        fs::create_dir(place.file("copy")).unwrap();
        fs::set_permissions(place.file("copy"), fs::Permissions::from_mode(0o750)).unwrap();
        let copy = place.file("copy/holder");
        fs::write(&copy, first.replace("\"run\":\"first\"", "\"run\":\"copy\"")).unwrap();
        assert_eq!(seen().await.len(), 2, "{shell}: the same account's is shown");
        lchown(&copy, Some(NOBODY), None).unwrap();
        assert_eq!(seen().await.len(), 1, "{shell}");
        // Nor is one in a folder that others can write to.
        lchown(&copy, Some(0), None).unwrap();
        fs::set_permissions(place.file("copy"), fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(seen().await.len(), 1, "{shell}");
    }
}

/// What an account's earlier runs left goes, and nothing that a member put into its way.
#[tokio::test(flavor = "multi_thread")]
async fn leftovers_are_removed_without_entering_a_folder_of_another_account() {
    if one_account_only() {
        return;
    }
    for shell in SHELLS {
        let place = Place::new();
        for run in ["old", "littered", "young"] {
            let lease = take(&place, shell, run, &["production.x"]).await.unwrap();
            lease.release().await;
            fs::write(place.file(&format!("{run}/yes/note")), "").unwrap();
        }
        let litter = place.file("littered/yes/folder");
        fs::create_dir(&litter).unwrap();
        fs::write(litter.join("kept"), "").unwrap();
        symlink(&litter, place.file("old/yes/link")).unwrap();
        for run in ["old", "littered"] {
            let touched = Command::new("touch").args(["-d", "2 hours ago"]).arg(place.file(run)).status();
            assert!(touched.unwrap().success());
        }
        take(&place, shell, "next", &["production.x"]).await.unwrap().release().await;
        assert!(!shells::exists(&place.file("old")), "{shell}");
        assert!(shells::exists(&place.file("young/entries")), "{shell}");
        assert!(shells::exists(&litter.join("kept")), "{shell}");
        assert!(!shells::exists(&place.file("littered/entries")), "{shell}");
    }
}
