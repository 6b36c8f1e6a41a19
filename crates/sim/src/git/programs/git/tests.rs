#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::process::Command;

use crate::programs::tests::{shell, world};

/// Scripts in an empty repository with one commit of `a` (one, two, three); git says the same.
const TABLE: &[&str] = &[
    "git status --porcelain; echo new > b; echo four >> a; git status --porcelain; git add a; git status -s; echo five >> a; git status --porcelain; rm a; git status --porcelain",
    "echo four >> a; git diff; git diff --quiet; echo $?; git diff --name-only; git add a; git diff; git diff --cached | grep '^[+-]'; git diff HEAD --stat | tail -n 1",
    "printf '0\\ntwo\\nthree\\n' > a; git add a; git commit -q -m 'Zero'; git log -1 --format=%s; git log --format='%an %s'; git rev-list --count HEAD; git show HEAD~1:a; git show HEAD:a | head -n 1",
    "echo x > b; git add -A; printf 'From\\n\\nbody\\n' | git commit -F - | tail -n +2; git log -1 --format=%B; git log --oneline | wc -l; git commit -m nothing >/dev/null; echo $?",
    "echo x >> a; git add a; git commit -qm x; git revert --no-edit HEAD | tail -n 1; cat a; git log -1 --format=%s; git status --porcelain",
    "echo x >> a; git checkout -- a; cat a; echo y >> a; git add a; git reset -q; git status --porcelain; git reset -q --hard; cat a; git checkout -- none 2>/dev/null; echo $?",
    "h=$(git rev-parse HEAD); echo ${#h}; test $(git log -1 --format=%H) = $h; echo $?; git rev-parse --short HEAD | wc -c; cd /; git -C \"$OLDPWD\" rev-parse --abbrev-ref HEAD; git rev-parse HEAD 2>/dev/null; echo $?",
    "mkdir d; echo 1 > d/x; echo 2 > y; git add d; git commit -q -m only -- d; git status --porcelain; git ls-files; git log --format=%s -- d; git rm -q d/x; git status --porcelain",
    "echo x > b; git add b; git commit -q -m Second; git log --format=%s HEAD~1..HEAD; git log --format=%s HEAD..HEAD; git merge-base --is-ancestor HEAD~1 HEAD; echo $?; git merge-base --is-ancestor HEAD HEAD~1; echo $?; git reset -q --hard HEAD~1; git log --format=%s; ls",
    "echo 1 > new; git add new; git diff --cached; rm a; git add -u; git commit -m both | tail -n 1",
];

#[test]
fn it_says_what_git_says() {
    let setup = "printf 'one\\ntwo\\nthree\\n' > a; git add a; git commit -q -m First;";
    let mut wrong = Vec::new();
    for script in TABLE {
        let directory = tempfile::tempdir().unwrap();
        let start = "git init -q -b master 2>/dev/null;";
        let output = Command::new("bash")
            .args(["-c", &format!("{start} {setup} {script}")])
            .current_dir(directory.path())
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("HOME", "/nonexistent")])
            .envs([("GIT_AUTHOR_NAME", "root"), ("GIT_AUTHOR_EMAIL", "r@x")])
            .envs([("GIT_COMMITTER_NAME", "root"), ("GIT_COMMITTER_EMAIL", "r@x")])
            .output()
            .unwrap();
        let truth = String::from_utf8_lossy(&output.stdout).into_owned();
        let place = "mkdir /srv/repo; cd /srv/repo; git init >/dev/null;";
        let (out, err, _) = shell(&world("wpd-2015", 0), "salt", &format!("{place} {setup} {script}"));
        if truth != out {
            wrong.push(format!("{script}\n  real      {truth:?}\n  simulated {out:?}\n  {err}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
