//! The probe of git trees under every shell, with this machine's git and trees of the test's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;

use super::bench::{ServiceBench, Sudo, as_nobody};
use crate::support::shell::{find, host, script, shells_here};

const SECTION: &str = "code_trees";
const NAME: &str = "code-trees";

fn start(shell: &[&str], host: &Host, prepare: impl FnOnce(&Path)) -> ServiceBench {
    ServiceBench::start(shell, (host, SECTION), prepare, |program, here| {
        assert!(program.contains("/srv/*/.git"), "the probe looks elsewhere");
        let program = program.replace("/srv", &format!("{here}/srv"));
        program
            .replace("code_trees_wait=59", "code_trees_wait=0")
            .replace("code_trees_wait=11", "code_trees_wait=0")
    })
}

fn git(dir: &Path, arguments: &[&str]) {
    let settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=master"];
    let output = Command::new("git")
        .args(settings)
        .args(arguments)
        .current_dir(dir)
        .env("HOME", dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// A repository, and a clone of it in /srv/code/www/repo; /srv/salt follows none.
fn trees(dir: &Path) {
    let origin = dir.join("origin");
    fs::create_dir_all(&origin).unwrap();
    git(&origin, &["init", "-q"]);
    fs::write(origin.join("a"), "1\n").unwrap();
    git(&origin, &["add", "a"]);
    git(&origin, &["commit", "-q", "-m", "first"]);
    for tree in ["srv/code/www/repo", "srv/salt"] {
        git(dir, &["clone", "-q", "origin", tree]);
    }
    git(&dir.join("srv/salt"), &["remote", "remove", "origin"]);
    // A tree inside a tree is a part of that; what is no name of a folder is none of a command.
    for folder in ["srv/salt/inner", "srv/a b"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        git(&dir.join(folder), &["init", "-q"]);
    }
    fs::write(dir.join("srv/salt/.git/info/exclude"), "inner\n").unwrap();
}

#[test]
fn every_shell_sees_what_is_neither_committed_nor_pushed_and_changes_nothing() {
    if find("git").is_none() {
        eprintln!("skipped: git is not installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), trees);
        let well = bench.poll_of(NAME).unwrap();
        assert_eq!((well.detail.as_str(), well.gaps.len()), ("2 git trees", 0), "{shell:?}: {well:?}");
        assert_eq!(well.amount("no_upstream"), Some(1), "{shell:?}: {well:?}");

        let repo = bench.path().join("srv/code/www/repo");
        bench.says("srv/code/www/repo/a", "2\n");
        bench.says("srv/code/www/repo/b", "2\n");
        git(&repo, &["commit", "-q", "-a", "-m", "second"]);
        bench.says("srv/salt/a", "2\n");
        // A program that the repository names must not run.
        git(&repo, &["config", "core.fsmonitor", "touch ran; true"]);
        let index = fs::read(repo.join(".git/index")).unwrap();
        let found = bench.poll_of(NAME).unwrap();
        let here = bench.path().display().to_string();
        let long = |name: &str| found.text(name).map(|text| text.replace(&here, ""));
        assert_eq!((found.amount("uncommitted"), found.amount("unpushed")), (Some(2), Some(1)), "{shell:?}");
        assert_eq!(long("unpushed_trees").as_deref(), Some("/srv/code/www/repo (1 commit)"), "{shell:?}");
        assert!(!repo.join("ran").exists(), "{shell:?}");
        assert_eq!(fs::read(repo.join(".git/index")).unwrap(), index, "{shell:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn a_tree_that_names_programs_runs_none_under_any_shell() {
    if find("git").is_none() {
        eprintln!("skipped: git is not installed");
        return;
    }
    for shell in shells_here() {
        let mut bench = start(shell, &Host { sudo: true, ..host("salt") }, trees);
        let salt = bench.path().join("srv/salt");
        let ran = bench.path().join("ran");
        let more = bench.path().join("more");
        let program = format!("touch {}; cat", ran.display());
        bench.says("srv/salt/.gitattributes", "* filter=x\n");
        bench.says("srv/salt/a", "2\n");
        for (key, value) in [("filter.x.clean", program.as_str()), ("include.path", more.to_str().unwrap())] {
            bench.says("more", &format!("[filter \"x\"]\n\tclean = \"{program}\"\n"));
            git(&salt, &["config", key, value]);
            let said = bench.poll_of(NAME).unwrap();
            assert!(said.gaps.len() == 1, "{shell:?}: {said:?}");
            assert!(said.gaps[0].1.describe().contains("names programs"), "{shell:?}: {said:?}");
            assert!(!ran.exists(), "{shell:?}: {key}");
            git(&salt, &["config", "--unset", key]);
        }
        let said = bench.poll_of(NAME).unwrap();
        assert_eq!((said.amount("uncommitted"), said.gaps.len()), (Some(1), 0), "{shell:?}: {said:?}");
    }
}

/// git of the test's own, of 2014: it would write. And what a new one says beside its rows is no changed file.
#[test]
fn an_old_git_writes_to_no_tree_and_a_warning_is_no_change() {
    let rows = "echo '## master'; echo 'warning: could not open directory' >&2; echo ' M a'; echo '?? b'";
    for shell in shells_here() {
        for (version, gap) in [("1.9.1", "git 2.15 for /"), ("2.39.5", "warning: could not open")] {
            let mut bench = start(shell, &host("salt"), |dir| {
                fs::create_dir_all(dir.join("srv/salt/.git")).unwrap();
                let new = format!("case \"$*\" in --version) echo git version {version}; exit ;; ");
                script(dir, "git", &format!("{new}*' config '*) exit 1 ;; esac; {rows}"));
            });
            let said = bench.poll_of(NAME).unwrap();
            assert!(said.gaps.len() == 1, "{shell:?}: {said:?}");
            assert!(said.gaps[0].1.describe().contains(gap), "{shell:?}: {said:?}");
            let trees = said.text("uncommitted_trees").unwrap_or_default();
            assert_eq!(trees.ends_with("(2 files)"), version != "1.9.1", "{shell:?}: {said:?}");
        }
    }
}

/// git of the test's own: what a real one says of another account's tree, or nothing while it hangs.
fn refuses(dir: &Path) {
    fs::create_dir_all(dir.join("srv/salt/.git")).unwrap();
    let text = "fatal: detected dubious ownership in repository at '/srv/salt'";
    let git = format!(
        "case \"$*\" in --version) echo git version 2.40.1; exit ;; *' config '*) exit 1 ;; esac; \
         here=${{0%/*}}; if [ -e \"$here/hangs\" ]; then exec sleep 60; fi; \
         if [ -n \"$AS\" ]; then echo '## master'; echo \" M by-$AS\"; else echo \"{text}\" >&2; exit 128; fi"
    );
    script(dir, "git", &git);
    script(dir, "sudo", "[ \"$2\" = -u ] || exit 1; AS=$3; export AS; shift 3; exec \"$@\"");
}

#[test]
fn a_tree_that_is_closed_is_asked_as_its_owner() {
    for shell in shells_here() {
        let mut bench = start(shell, &host("salt"), refuses);
        let said = bench.poll_of(NAME).unwrap();
        let why =
            |gap: &Gap| matches!(gap, Gap::NotPermitted(why) if why.as_str().contains("set sudo = true"));
        assert!(said.gaps.len() == 1 && why(&said.gaps[0].1), "{shell:?}: {said:?}");
        let mut bench = start(shell, &Host { sudo: true, ..host("salt") }, refuses);
        let said = bench.poll_of(NAME).unwrap();
        assert_eq!((said.amount("uncommitted"), said.gaps.len()), (Some(1), 0), "{shell:?}: {said:?}");
    }
}

#[test]
fn a_tree_whose_git_hangs_is_unknown_and_delays_a_report_for_a_bounded_time() {
    let mut bench = start(shells_here()[0], &host("salt"), refuses);
    bench.says("hangs", "");
    let (_, took) = bench.it.poll(&[SECTION, "uptime"]);
    assert!(took < std::time::Duration::from_secs(8), "{took:?}");
    let said = bench.known(NAME).unwrap();
    assert!(said.gaps.len() == 1 && said.gaps[0].1.describe().contains("did not finish"), "{said:?}");
}

/// A folder that others may not enter may hold a tree: with sudo it is looked for there, and asked as its owner. A tree whose own folder is
/// closed is one, though git says that there is none.
#[test]
fn closed_folders_are_looked_into_by_root_or_named() {
    if find("git").is_none() {
        eprintln!("skipped: git is not installed");
        return;
    }
    for shell in shells_here() {
        let nobody = as_nobody();
        let nobody: Vec<&str> = nobody.iter().map(String::as_str).chain(shell.iter().copied()).collect();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for sudo in [false, true] {
            let mut served = None;
            let prepare = |dir: &Path| {
                mode(dir, 0o777);
                for tree in ["srv/pillar", "srv/code/www", "srv/salt"] {
                    fs::create_dir_all(dir.join(tree)).unwrap();
                    git(&dir.join(tree), &["init", "-q"]);
                }
                // What fsck makes holds no tree.
                fs::create_dir(dir.join("srv/lost+found")).unwrap();
                for closed in ["srv/pillar", "srv/code/www", "srv/salt/.git", "srv/lost+found"] {
                    mode(&dir.join(closed), 0o700);
                }
                served = sudo.then(|| Sudo::serve(dir));
            };
            let mut bench = start(&nobody, &Host { sudo, ..host("salt") }, prepare);
            let said = bench.poll_of(NAME).unwrap();
            if sudo {
                assert_eq!((said.amount("trees"), said.gaps.len()), (Some(3), 0), "{shell:?}: {said:?}");
                continue;
            }
            let gaps: Vec<String> =
                said.gaps.iter().map(|(name, gap)| format!("{name} {}", gap.describe())).collect();
            assert_eq!((said.amount("trees"), gaps.len()), (Some(1), 2), "{shell:?}: {said:?}");
            let told =
                |words: &str| gaps.iter().any(|gap| gap.contains(words) && gap.contains("set sudo = true"));
            assert!(
                told("tree not permitted: /") && told("srv/salt: another account's"),
                "{shell:?}: {gaps:?}"
            );
            assert!(
                told("other trees not permitted: /")
                    && told("srv/pillar and 1 more folder: this account sees no"),
                "{shell:?}: {gaps:?}"
            );
        }
    }
}
