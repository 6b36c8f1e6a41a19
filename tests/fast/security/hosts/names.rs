//! Names and files of other accounts, against the runbooks that work on them as root.

use std::fs;
use std::path::Path;

use jumpdeck_fleet::run::{Prompt, PromptKind, Reply, RunState};

use super::rig::{Beside, Rig, other};
use crate::support::operator::{self, story};
use crate::support::sshd::run;

/// Agrees, types what is wanted, and skips what does not hold on this machine (how full its disks are).
fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) => Reply::Text("1".to_owned().into()),
        PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'k') => {
            Reply::Chosen('k', Some("a test".to_owned()))
        }
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Approve(_) => Reply::No,
    }
}

/// `backup` below the rig's folder, with a good dump of today, and a folder of the other account's.
fn backup(rig: &Rig) -> String {
    let dir = rig.dir.path().display();
    let dump = "CREATE TABLE one (id INT);\\n-- Dump completed\\n";
    run(
        "sh",
        &[
            "-c",
            &format!(
                "mkdir -p {dir}/backup/app1 {dir}/important && printf '{dump}' | gzip >{dir}/backup/a.sql.gz && \
                 chmod 700 {dir}/important && chown nobody {dir}/backup/app1"
            ),
        ],
    );
    format!("{dir}/backup")
}

#[test]
fn a_dump_is_unpacked_where_no_other_account_gets_at_it() {
    let Some(rig) = Rig::new("") else { return };
    let root = backup(&rig);
    let victim = rig.dir.path().join("important/shadow");
    for pipe in [false, true] {
        fs::write(&victim, "root's own words").unwrap();
        let stolen = rig.shared().join("stolen");
        let console = tokio::runtime::Runtime::new().unwrap();
        let handle = console.block_on(rig.start("backup-restore-test", None, &[("root", &root)]));
        let name = format!("restore-test-{}", handle.id);
        let taken = format!("/var/tmp/{name}");
        let put = match pipe {
            false => format!("ln -s {} {taken}/dump.sql", victim.display()),
            true => format!("mkfifo {taken}/dump.sql; cat {taken}/dump.sql >{}", stolen.display()),
        };
        let attack = Beside::start(&format!("umask 022; mkdir {taken} && {put}"));
        let (view, prompts) = console.block_on(operator::drive(handle, agrees));
        assert_eq!(view.state, RunState::Finished, "{}", story(&view, &prompts));
        drop(attack);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "root's own words");
        assert_eq!(fs::read_to_string(&stolen).unwrap_or_default(), "");
        assert!(!Path::new("/var/lib").join(name).exists(), "it was not tidied up");
        other(&format!("rm -rf {taken}")).status().unwrap();
    }
}

/// A path below the other account's folder whose lines are: something, `line`, the ending.
fn forge(root: &str, number: usize, head: &str, path: &Path, ending: &str) {
    let (folder, name) = (path.parent().unwrap().display(), path.file_name().unwrap().to_string_lossy());
    let script = format!(
        "cd {root}/app1 || exit; d=$(printf 'x{number}\\n{head}x'); d=${{d%x}}{folder}; mkdir -p \"$d\"; \
         n=$(printf '{name}{ending}x'); echo forged >\"$d/${{n%x}}\"; touch -d @1000000000 \"$d/${{n%x}}\""
    );
    assert!(other(&script).status().unwrap().success());
}

#[test]
fn a_forged_name_does_not_choose_the_dump_that_root_unpacks() {
    let Some(rig) = Rig::new("") else { return };
    let root = backup(&rig);
    let secret = rig.dir.path().join("important/secret.sql.gz");
    fs::copy(rig.dir.path().join("backup/a.sql.gz"), &secret).unwrap();
    forge(&root, 1, "", &secret, "");
    let console = tokio::runtime::Runtime::new().unwrap();
    let (view, prompts) =
        console.block_on(rig.run(("backup-restore-test", None), &[("root", &root)], agrees));
    let told = story(&view, &prompts);
    assert_eq!(view.state, RunState::Finished, "{told}");
    assert!(!format!("{view:?}").contains("important/secret"), "{told}");
}

#[test]
fn a_dump_that_grows_after_it_was_counted_does_not_fill_the_disk() {
    let Some(rig) = Rig::new("") else { return };
    let root = backup(&rig);
    let counted = "CREATE TABLE one (id INT);\n-- Dump completed\n".len();
    let console = tokio::runtime::Runtime::new().unwrap();
    let handle = console.block_on(rig.start("backup-restore-test", None, &[("root", &root)]));
    let unpacked = Path::new("/var/lib").join(format!("restore-test-{}", handle.id)).join("dump.sql");
    let mut seen = None;
    let (view, prompts) = console.block_on(operator::drive(handle, |prompt| {
        if prompt.title.as_str().starts_with("Unpack the dump") {
            run("sh", &["-c", &format!("head -c 64M /dev/zero | gzip >{root}/a.sql.gz")]);
        } else if let Ok(file) = unpacked.metadata() {
            seen = Some(file.len());
        }
        match &prompt.kind {
            // What fails is rolled back.
            PromptKind::Choose(choices) if choices.iter().any(|c| c.key == 'b') => Reply::Chosen('b', None),
            _ => agrees(prompt),
        }
    }));
    let told = story(&view, &prompts);
    assert_eq!(seen, Some(counted as u64), "{told}");
    assert_ne!(view.state, RunState::Finished, "{told}");
    assert!(!unpacked.exists(), "{told}");
}

#[test]
fn a_forged_name_makes_root_remove_no_other_file() {
    let Some(rig) = Rig::new("") else { return };
    let root = backup(&rig);
    let victim = rig.dir.path().join("important/shadow");
    fs::write(&victim, "root's own words").unwrap();
    forge(&root, 0, "1 1 ", &victim, "\\n.gz");
    for number in 1..=3 {
        forge(&root, number, "9999999999 1 ", &victim.with_file_name(format!("late{number}")), "\\n.gz");
    }
    // The first lines of the forged names are files, too.
    let first = format!("cd {root}/app1; touch -d @1000000000 x0 x1 x2 x3");
    assert!(other(&first).status().unwrap().success());
    // Five good ones of its own, so that there is something to remove.
    let own = (1..=5).map(|n| format!("echo {n} >o{n}.gz; touch -d @100000000{n} o{n}.gz; "));
    assert!(other(&format!("cd {root}/app1; {}", own.collect::<String>())).status().unwrap().success());
    let console = tokio::runtime::Runtime::new().unwrap();
    let inputs = [("backup", "backup"), ("mount", root.as_str())];
    let (view, prompts) = console.block_on(rig.run(("backup-disk-full", None), &inputs, agrees));
    let told = story(&view, &prompts);
    assert_eq!(view.state, RunState::Finished, "{told}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "root's own words");
    assert!(!Path::new(&format!("{root}/app1/o1.gz")).exists(), "{told}");
    assert!(Path::new(&format!("{root}/app1/o5.gz")).exists(), "{told}");
}

#[test]
fn a_folder_that_becomes_a_link_after_the_list_leads_nowhere() {
    let Some(rig) = Rig::new("") else { return };
    let root = backup(&rig);
    let victim = rig.dir.path().join("important/o1.gz");
    // All that is listed is there, too.
    for number in [1, 2] {
        fs::write(victim.with_file_name(format!("o{number}.gz")), format!("{number}\n")).unwrap();
    }
    let own = (1..=5).map(|n| format!("echo {n} >d/o{n}.gz; touch -d @100000000{n} d/o{n}.gz; "));
    assert!(
        other(&format!("cd {root}/app1; mkdir d; {}", own.collect::<String>())).status().unwrap().success()
    );
    let swap = format!("cd {root}/app1; mv d e; ln -s {}/important d", rig.dir.path().display());
    let inputs = [("backup", "backup"), ("mount", root.as_str())];
    let console = tokio::runtime::Runtime::new().unwrap();
    let (view, prompts) = console.block_on(rig.run(("backup-disk-full", None), &inputs, |prompt| {
        if matches!(prompt.kind, PromptKind::Challenge(_)) {
            assert!(other(&swap).status().unwrap().success());
        }
        agrees(prompt)
    }));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "1\n", "{}", story(&view, &prompts));
}
