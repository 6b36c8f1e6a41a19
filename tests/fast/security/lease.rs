//! Other accounts of a jump box, and consoles that were stopped, against leases, entries and approvals.

#[path = "lease/consoles.rs"]
mod consoles;
#[path = "lease/full.rs"]
mod full;
#[path = "lease/rig.rs"]
mod rig;

use jumpdeck::runbook::approval::{Approval, ApprovalQuestion};
use jumpdeck::runbook::event::Event;
use jumpdeck::runbook::journal::Journal;
use jumpdeck::runbook::lease::{Holder, Lease, LeaseError, approve, look};

use rig::{ANNA, BOB, FOLDER, GROUP, ODD_NAME, RIGHT, Rig, WEB, runtime};

fn keys() -> Vec<String> {
    vec!["production.host.db1".to_owned()]
}

fn question(nonce: &str) -> ApprovalQuestion {
    ApprovalQuestion {
        run: "first".to_owned(),
        step: "fence".to_owned(),
        nonce: nonce.repeat(32),
        plan: "a".repeat(64),
        commands: "b".repeat(64),
        doubts: vec!["db1: exit status 1".to_owned()],
    }
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
            "is not a folder",
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
        let yes = |asked: &ApprovalQuestion, who: &str| Approval::to(asked, who);
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
        let other = ApprovalQuestion { commands: "c".repeat(64), ..second.clone() };
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
