//! File programs, in a shell's hands. What they say and leave is compared with the real ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::process::Command;

use crate::programs::tests::{Shared, shell, world};

/// Scripts whose output and status are the same with GNU's programs, `$D` being an empty directory.
const TABLE: &[&str] = &[
    "mkdir -p a/b/c; rmdir a/b/c; ls a; rmdir a; echo $?; ls a/b",
    "mkdir a; mkdir a; echo $?; mkdir x/y; echo $?; mkdir -m 700 m; stat -c %a m",
    "echo one > f; cp f g; cp -p f h; mv g i; ls; cat i; cp f nodir/x; echo $?; mv none x; echo $?",
    "mkdir d; echo 1 > a; echo 2 > b; mv a b d; ls d; cp -r d e; ls e; cp d x; echo $?; rm d; echo $?; rm -r d; ls",
    "rm none; echo $?; rm -f none; echo $?; touch a; rm -v a",
    "touch a; chmod 640 a; stat -c '%a %A %s %F %n' a; chmod u+x,o=r a; stat -c %a a; chmod -w a; chmod g-r a; stat -c %a a",
    "echo hi > a; chmod 600 a; mv a b; stat -c '%a %s' b; cp b c; stat -c %a c; echo more >> b; stat -c '%a %s' b",
    "echo x > a; echo y > b; cmp a b | cut -c 1-12; cmp -s a b; echo $?; cmp a a; echo $?; printf xy > c; printf x > d; cmp -s c d; echo $?",
    "printf '1\\n2\\n3\\n' > a; printf '1\\n2b\\n3\\n4\\n' > b; diff -u --label old --label new a b; echo $?; diff -q a b; diff a a; echo $?",
    "printf 'a\\nb' > x; printf 'a\\nc\\n' > y; diff -u -L x -L y x y",
    "echo hello > a; sha256sum a > sums; cat sums; sha256sum -c sums; echo bye > a; sha256sum -c sums 2>/dev/null; echo $?; sha1sum < a",
    "t=$(mktemp -p . up.XXXXXX); stat -c %a $t; test -s $t; echo $?; echo \"$t\" | sed 's/\\..\\{6\\}$/.X/'; u=$(mktemp -d -p .); stat -c '%a %F' $u; mktemp aXX 2>/dev/null; echo $?",
    "mkdir -p d/e; echo 12345 > d/x.log; echo 1 > d/e/y.log; touch d/z; find d -name '*.log' -type f | sort; find d -empty; find d -maxdepth 1 -type d; find d -mindepth 1 ! -name '*.log' | sort; find d -name x.log -printf '%f %s %d %y\\n'",
    "touch -d @1000000000 old; touch new; find . -type f -mtime +30; find . -type f -mmin -5; find . -type f -mtime +30 -delete; ls; find . -type f -newer new; stat -c %Y new >/dev/null; echo $?",
    "mkdir d; printf '%1990s' x > d/a; find . -size +1k -type f; find . -size -2 -type f; find . -type f -size 4; find d -delete; ls",
    "mkdir d; printf '%3000s%3000s' x y > d/a; printf x > d/b; du -b d/a; du -k d/a",
    "touch a; readlink a; echo $?; realpath --no-such 2>/dev/null; echo $?; test a -ef ./a; echo $?; touch -d @5 o; test a -nt o; echo $?; test o -nt a; echo $?",
    "echo a > f; ln=$(stat -c %U f); echo $ln; chown root:root f; stat -c '%U %G' f; chown nobody f 2>/dev/null; stat -c %U f",
    "printf 'a=1\\nb=2\\n' > f; sed -i s/1/9/ f; cat f; sed -i.bak -e /b/d f; cat f f.bak; sed -i s/x/y/ none 2>/dev/null; echo $?",
    "echo data > .tmp.$$ && mv -f .tmp.$$ final && cat final; ls -A",
];

fn real(script: &str) -> (String, i32) {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory.path())
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap())
}

fn simulated(world: &Shared, script: &str) -> (String, i32, String) {
    let setup = "rm -rf /tmp/files; mkdir /tmp/files; cd /tmp/files";
    let (out, err, status) = shell(world, "app1", &format!("{setup}; {script}"));
    (out, i32::from(status), err)
}

#[test]
fn they_do_what_the_real_ones_do() {
    let world = world("wpd-2015", 0);
    let mut wrong = Vec::new();
    for script in TABLE {
        let (truth, code) = real(script);
        let (out, status, err) = simulated(&world, script);
        if (truth.as_str(), code) != (out.as_str(), status) {
            wrong.push(format!(
                "{script}\n  real      {truth:?} {code}\n  simulated {out:?} {status}\n  {err}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_ones_own_stays_closed() {
    let world = world("wpd-2015", 0);
    let (out, err, _) = shell(
        &world,
        "app1",
        "umask 077; echo secret > /srv/key; sudo -u renoirb cat /srv/key; sudo -u renoirb rm /srv/key; \
         sudo -u renoirb sh -c 'echo x > /etc/new'; sudo -u renoirb sh -c 'echo mine > /tmp/mine; cat /tmp/mine'; \
         stat -c '%a %U' /srv/key /tmp/mine; ls -l /srv/key | cut -c 1-10",
    );
    assert_eq!(out, "mine\n600 root\n600 renoirb\n-rw-------\n");
    assert!(err.contains("cat: /srv/key: Permission denied"), "{err}");
    assert!(err.contains("cannot create /etc/new: Permission denied"), "{err}");
}
