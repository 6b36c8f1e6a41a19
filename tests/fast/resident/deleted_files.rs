//! The probe of deleted files under every shell: a real one, held by a process of the test's own, on a disk that a stand-in of `df`
//! calls full.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::storage::DeletedFiles;

use crate::support::shell::{Resident, host, script, shells_here};

const SECTIONS: &[&str] = &["filesystems", "deleted_files"];

/// A process whose input is a file without a name.
struct Holder(Child);

impl Holder {
    fn start(dir: &Path) -> Self {
        let path = dir.join("held");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&vec![1; 4 << 20]).unwrap();
        file.sync_all().unwrap();
        let held = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        Self(Command::new("sleep").arg("600").stdin(held).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A `df` for which the test's folder is a disk that is that full.
fn df(dir: &Path, percent: u8) {
    let place = dir.display();
    let text = format!(
        "case $* in *--output=*) ;; *) exit 1 ;; esac\n\
         echo 'Filesystem 1K-blocks Used Avail Use% Inodes IUse% Mounted on'\n\
         echo '/dev/vda1 10000000 9000000 1000000 {percent}% 100 1% {place}'\n\
         echo '/dev/vdb1 10000000 7900000 2100000 79% 100 1% /'"
    );
    script(dir, "df", &text);
}

fn start(shell: &[&str], dir: &Path, holder: &Holder) -> Resident {
    let own = format!("/proc/{}/fd -maxdepth", holder.0.id());
    let (it, _) = Resident::start_long(shell, &host("db1"), dir, |program| {
        assert!(program.contains("/proc/[0-9]*/fd -maxdepth") && program.contains("deleted_files_wait=19"));
        program
            .replace("/proc/[0-9]*/fd -maxdepth", &own)
            .replace("deleted_files_wait=19", "deleted_files_wait=1")
            // Its answer is 50 s older than it is.
            .replace("deleted_files_at=$jd_up", "deleted_files_at=$((jd_up - 5000))")
    });
    it
}

fn known(it: &Resident) -> &[DeletedFiles] {
    it.facts.deleted_files.current().unwrap()
}

#[test]
fn every_shell_finds_a_deleted_file_and_who_holds_it() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder::start(dir.path());
        df(dir.path(), 79);
        let mut it = start(shell, dir.path(), &holder);
        assert_eq!(known(&it), [], "{shell:?}: no disk is full");

        df(dir.path(), 91);
        it.poll(SECTIONS);
        let found = known(&it).to_vec();
        assert_eq!(found.len(), 1, "{shell:?}: {found:?}");
        assert_eq!(found[0].mount.as_str(), dir.path().display().to_string(), "{shell:?}");
        let held = found[0].held.as_ref().unwrap();
        assert!((4096..4200).contains(&held.kb) && held.files == 1 && !held.at_least, "{shell:?}: {held:?}");
        let who = held.holder.as_ref().unwrap();
        assert_eq!((who.program.as_str(), who.process), ("sleep", holder.0.id()), "{shell:?}");

        // What it said is shown until it is asked again.
        drop(holder);
        it.poll(SECTIONS);
        let kept = known(&it)[0].held.as_ref().unwrap();
        assert!(kept.age.is_some_and(|age| (50..80).contains(&age)), "{shell:?}: {kept:?}");
        assert_eq!((kept.files, kept.holder.as_ref()), (1, held.holder.as_ref()), "{shell:?}");
        df(dir.path(), 100);
        it.poll(SECTIONS);
        assert!(known(&it)[0].held.as_ref().is_ok_and(|held| held.files == 0), "{shell:?}: {:?}", known(&it));
        df(dir.path(), 5);
        it.poll(SECTIONS);
        assert_eq!(known(&it), [], "{shell:?}: the disk has room again");
        assert!(it.finish().success(), "{shell:?}");
    }
}

#[test]
fn every_shell_says_what_it_may_not_see_and_waits_for_no_look_that_hangs() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder::start(dir.path());
        df(dir.path(), 91);
        let denied = "find: '/proc/1/fd': Permission denied";
        script(dir.path(), "find", &format!("echo \"{denied}\" >&2; exit 1"));
        let mut it = start(shell, dir.path(), &holder);
        assert!(matches!(known(&it)[0].held, Err(Gap::NotPermitted(_))), "{shell:?}: {:?}", known(&it));

        script(
            dir.path(),
            "find",
            &format!("echo /proc/{}/fd/0; echo \"{denied}\" >&2; exit 1", holder.0.id()),
        );
        (0..2).for_each(|_| drop(it.poll(SECTIONS)));
        assert!(
            known(&it)[0].held.as_ref().is_ok_and(|held| held.at_least && held.files == 1),
            "{shell:?}: {:?}",
            known(&it)
        );

        // Another reason is none of rights, and a process that ended while it was looked at is no reason at all.
        for (said, is_zero) in
            [("find: unrecognized: -links", false), ("find: '/proc/9/fd': No such file or directory", true)]
        {
            script(dir.path(), "find", &format!("echo \"{said}\" >&2; exit 1"));
            (0..2).for_each(|_| drop(it.poll(SECTIONS)));
            let held = &known(&it)[0].held;
            let fits = match held {
                Ok(held) => is_zero && held.files == 0 && !held.at_least,
                Err(gap) => !is_zero && *gap == Gap::Failed(said.into()),
            };
            assert!(fits, "{shell:?}: {said}: {held:?}");
        }

        script(dir.path(), "find", "exec sleep 20 > /dev/null 2>&1 3>&1 4>&1");
        for gap in [Gap::TimedOut, Gap::Stuck] {
            let (_, took) = (it.poll(SECTIONS), it.poll(SECTIONS).1);
            assert_eq!(known(&it)[0].held, Err(gap), "{shell:?}");
            assert!(took.as_secs() < 8, "{shell:?}: {took:?}");
        }
        assert!(it.finish().success(), "{shell:?}");
    }
}

/// With `hidepid=2` nothing is refused: processes of others are not listed.
#[test]
fn every_shell_knows_no_sum_where_processes_are_hidden() {
    for shell in shells_here() {
        let dir = tempfile::tempdir().unwrap();
        df(dir.path(), 91);
        script(dir.path(), "find", "exit 0");
        let see = "[ -r /proc/1/comm ] || echo hidden";
        let (it, _) = Resident::start_long(shell, &host("db1"), dir.path(), |program| {
            assert!(program.contains(see));
            program.replace(see, "[ -r /proc/hidden/comm ] || echo hidden")
        });
        assert!(matches!(known(&it)[0].held, Err(Gap::NotPermitted(_))), "{shell:?}: {:?}", known(&it));
        assert!(it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_busybox_without_find_is_unknown() {
    let shell = shells_here()[0];
    let dir = tempfile::tempdir().unwrap();
    let holder = Holder::start(dir.path());
    df(dir.path(), 91);
    let (it, _) = Resident::start_long(shell, &host("db1"), dir.path(), |program| {
        program.replace("lacks find", "lacks no-such-find")
    });
    drop(holder);
    assert_eq!(known(&it)[0].held, Err(Gap::NoTool("no-such-find".into())));
}
