#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::sim::programs::tests::{run, world};

/// Arguments and input; the awk of this machine says the same.
const TABLE: &[(&[&str], &str)] = &[
    (&["{ print $2, $1; print NR, NF, $NF }"], "a b c\n d  e \n\n"),
    (&["-F:", "$3 >= 1000 { print $1 \"=\" $3 }"], "root:x:0\nann:x:1000\nbob:x:1001\n"),
    (&["-F", ",", "-v", "n=2", "NR == n { print $n; exit 3 } END { print \"end\" }"], "1,2\n3,4\n5,6\n"),
    (&["BEGIN { print 1+2*3, 7/2, 2^10, 7%3, -3, 1e3, 0.1+0.2, 1000000*1000000 }"], ""),
    (&["/b/ { n++ } END { print n+0; if (n > 1) print \"many\"; else print \"few\" }"], "ab\nb\nc\n"),
    (&["!seen[$1]++"], "a\nb\na\nc\nb\n"),
    (
        &["{ s[$1] += $2 } END { print s[\"a\"], s[\"b\"], length(s), (\"c\" in s), (\"a\" in s) }"],
        "a 1\nb 2\na 3\n",
    ),
    (&["BEGIN { printf \"%5d|%-5s|%05.1f|%s|%c|%%|%x\\n\", 42, \"ab\", 3.14159, \"x\", \"yz\", 255 }"], ""),
    (&["{ gsub(/o/, \"[&]\"); print; n = sub(\"l\", \"L\"); print n, $0 }"], "foo\nlolo\n"),
    (&["{ print length, substr($0, 2, 3), index($0, \"c\"), toupper($1), int(3.9) }"], "abcdef\nxc y\n"),
    (
        &[
            "BEGIN { n = split(\"a:b:c\", p, \":\"); for (i = n; i > 0; i--) printf \"%s \", p[i]; print \"\" }",
        ],
        "",
    ),
    (&["{ $2 = \"X\"; print; print NF }"], "a b c\nd\n"),
    (&["BEGIN { OFS = \"-\"; i = 0; while (i < 3) { i++; if (i == 2) continue; print i, \"n\" } }"], ""),
    (&["/start/,/end/ { print }"], "x\nstart\ny\nend\nz\n"),
    (
        &["$1 ~ /^d/ && $2 !~ \"no\" { print $1 } $1 == 10 { print \"ten\" } $1 < 9 { print \"less\", $1 }"],
        "db1 yes\ndb2 no\n10 x\n8 y\n",
    ),
    (&["{ print ($1 > 5 ? \"big\" : \"small\") }"], "3\n10\n"),
    (&["{ t = t $1 \",\" } END { print t; print length(t) }"], "a\nb\n"),
    (
        &["match($0, /[0-9]+/) { print RSTART, RLENGTH, substr($0, RSTART, RLENGTH) } # comment\n"],
        "ab123c\nnone\n",
    ),
    (&["$5+0 > 90 { print $6 }"], "dev 1 2 3 95% /mnt\ndev 1 2 3 40% /\n"),
    (&["NR > 1 && NF"], "head\nrow\n\nlast\n"),
];

#[test]
fn it_says_what_awk_says() {
    let world = world("wpd-2015", 0);
    let mut wrong = Vec::new();
    for (args, input) in TABLE {
        let mut child = Command::new("awk")
            .args(*args)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let truth = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap());
        let (out, err, status) = run(&world, "app1", &[&["awk"], *args].concat(), input);
        if truth != (out.clone(), i32::from(status)) {
            wrong.push(format!("{args:?}\n  real      {truth:?}\n  simulated {out:?} {status} {err}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_it_does_not_do_it_says() {
    let world = world("wpd-2015", 0);
    for script in [
        "{ print > \"/tmp/x\" }",
        "{ getline x }",
        "function f() { }",
        "BEGIN { system(\"ls\") }",
        "{ print ( }",
    ] {
        let (_, err, status) = run(&world, "app1", &["awk", script], "a\n");
        assert!(err.starts_with("awk: ") && status == 2, "{script}: {err}");
    }
    let (_, err, _) = run(&world, "app1", &["awk", "BEGIN { while (1) ; }"], "");
    assert!(err.contains("come to an end"), "{err}");
}
