#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::program::{Program, Reply};
use crate::programs::tests::{call, run, world};

use super::{Awk, beside, parse, run as awk};

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

#[test]
fn programs_without_end_or_bottom_or_room_are_stopped() {
    let world = world("big-4", 0);
    let begin = |what: &str| format!("BEGIN {{ x = 1; {what} }}");
    let deep = |open: &str, inner: &str, close: &str| {
        begin(&format!("{}{inner}{}", open.repeat(20_000), close.repeat(20_000)))
    };
    let endless = [
        "{ $1000 = 1; while (1) $1 = $0 }".to_owned(),
        "{ while (1) $0 = $0 $0 }".to_owned(),
        begin("y = \"aaaaaaaaaaaaaaaa\"; while (1) y = y y"),
        begin("while (1) y = y y \"a\""),
        begin("y = \"aaaaaaaaaaaaaaaa\"; for (i = 0; i < 30; i++) gsub(/a/, \"aaaaaaaaaaaaaaaa\", y)"),
        begin("y = \"aaaaaaaaaaaaaaaa\"; for (i = 0; i < 30; i++) gsub(/.*/, \"&&&&&&&&\", y)"),
        begin("while (1) if (\"a\" ~ /\\w{200}[a-z]{50}|(x|y){90}/) n++"),
        begin("while (1) if (\"a\" ~ i++ \"\\\\w{99}\") n++"),
        begin("while (1) a[i++] = \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\" i"),
        begin("while (1) y = sprintf(\"%4096s\", y)  y"),
        begin("while (1);"),
        begin("for (;;) { split(y, parts, \"ab\"); y = y \"xabx\" }"),
    ];
    for program in &endless {
        println!("{program}");
        let (_, err, status) = run(&world, "app1", &["awk", program], "a b\n");
        assert!(status == 2 && err.contains("awk: "), "{program}: {status} {err}");
    }
    for program in [
        deep("!", "1", ""),
        deep("- ", "1", ""),
        deep("$", "1", ""),
        deep("(", "1", ")"),
        deep("(", "", ""),
        deep("x = ", "1", ""),
        deep("2^", "2", ""),
        deep("1+", "1", ""),
        deep("1 ", "1", ""),
        deep("1*", "1", ""),
        deep("", "1", " in a"),
        deep("1 && ", "1", ""),
        deep("1 ~ ", "1", ""),
        deep("1?", "1", ":1"),
        deep("1?1:", "1", ""),
        deep("a[", "1", "]"),
        deep("a[1,", "1", "]"),
        deep("length(", "1", ")"),
        deep("++", "x", ""),
        deep("if (1) ", "x", ""),
        deep("while (1) ", "x", ""),
        deep("for (;;) ", "x", ""),
        deep("if (1) { ", "x", " }"),
    ] {
        let what: String = program.chars().take(40).collect();
        println!("{what}");
        let (_, err, status) = run(&world, "app1", &["awk", &program], "");
        assert!(status == 2 && err.contains("awk: "), "{what}: {status} {err}");
    }
    for program in [
        "printf \"%99999999999s\", \"a\"",
        "printf \"%*s\", 1e15, \"a\"",
        "printf \"%.99999f\", 1",
        "printf \"%.99999e\", 1",
        "printf \"%.99999g\", 0.1",
        "printf \"%.99999d\", 1",
        "print 1e308 * 10, -1e308 * 10, log(0)",
        "print substr(\"abc\", -1e300, 1e300), $1e300",
    ] {
        println!("{program}");
        let (out, _, _) = run(&world, "app1", &["awk", &begin(program)], "");
        assert!(out.len() < 10_000, "{program}");
    }
    // What people write is far from every limit.
    let rows = "db1 12 x\n".repeat(20_000);
    let program = "{ n[$1] += $2; gsub(/x/, \"yy\"); if ($3 ~ /^y+$/) m++ } END { print n[\"db1\"], m }";
    assert_eq!(run(&world, "app1", &["awk", program], &rows).0, "240000 20000\n");
}

/// A program that is stopped as one without an end after some seconds, not before.
const LONG: &str = "BEGIN { while (1) n += 1 }";

#[tokio::test]
async fn a_long_program_holds_up_nothing_else() {
    let world = world("wpd-2015", 0);
    let (call, _out, _err) = call(&world, "app1", &["awk", LONG], "");
    let mut long = Awk("awk").run(call);
    for _ in 0..3 {
        tokio::select! {
            biased;
            status = &mut long => panic!("it ran on the thread of everything else: {status}"),
            () = tokio::task::yield_now() => {}
        }
    }
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_ends() {
    let (tell, told) = mpsc::channel();
    let mut program = Box::pin(beside(move |ended| {
        while !ended.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        tell.send(()).unwrap();
        Reply::default()
    }));
    tokio::select! {
        biased;
        _ = &mut program => panic!("it ended of itself"),
        () = tokio::task::yield_now() => {}
    }
    drop(program);
    told.recv_timeout(Duration::from_secs(60)).expect("it goes on");

    let said = awk::run(&parse::read(LONG).unwrap(), &[], None, &[], &AtomicBool::new(true));
    assert_eq!((said.stderr, said.status), (b"awk: Terminated\n".to_vec(), 2));
}

/// Runs a program that must have ended within a minute, whatever the machine does beside it.
fn ran(program: &str, input: String) -> Reply {
    let rules = parse::read(program).unwrap_or_else(|why| panic!("{program}: {why}"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        tell.send(awk::run(&rules, &[(None, input.into_bytes())], None, &[], &AtomicBool::new(false)))
    });
    let what: String = program.chars().take(80).collect();
    println!("{what}");
    told.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("{what}: it goes on"))
}

#[test]
fn whatever_takes_time_or_memory_counts_as_work() {
    // A text of `16 << doublings` bytes.
    let begin = |doublings: u32, what: &str| {
        format!("BEGIN {{ y = \"aaaaaaaaaaaaaaaa\"; for (i = 0; i < {doublings}; i++) y = y y; {what} }}")
    };
    let (line, lines) = (|| "a b\n".to_owned(), "a b\n".repeat(30_000));
    for (program, input) in [
        // Texts that the program goes by, and that no expression names.
        ("{ for (i = 0; i < 16; i++) $0 = $0 $0; while (1) n += length + length }".to_owned(), line()),
        (begin(16, "FS = y") + " { n++ }", lines.clone()),
        (begin(16, "OFS = y; while (1) $2 = 1"), line()),
        (begin(16, &format!("OFS = y; print 1{}", ", 1".repeat(300))), line()),
        (begin(16, &format!("print y{}", ", y".repeat(300))), line()),
        ("1;".repeat(1_000), lines.clone()),
        // Parts, elements and keys, however short.
        (begin(18, "split(y, p, \"a\")"), line()),
        (begin(14, "split(y, p, \"\"); while (1) for (k in p) ;"), line()),
        // Expressions: their length, their size, how often they look through the rest.
        (begin(10, "\"a\" ~ y"), line()),
        (begin(12, "for (i = 0; i < 30; i++) n += y ~ /^b[01]{3000}/"), line()),
        (begin(12, "gsub(/.*[^a-z]|[a-z]/, \"b\", y)"), line()),
        // Figures that are made and not kept.
        (begin(0, &format!("while (1) y = sprintf(\"{}\", 1)", "%.4095g".repeat(100))), line()),
        (begin(0, "$1001 = 1"), line()),
    ] {
        let what: String = program.chars().take(120).collect();
        let said = ran(&program, input);
        assert!(said.status == 2 && said.stderr.starts_with(b"awk: "), "{what}: {}", said.status);
        assert!(said.stdout.len() <= 4 << 20, "{what}: {} bytes", said.stdout.len());
    }
    // Many rules and long numbers are quick.
    let ranges = "1,0 { n++ }\n".repeat(10_000) + "END { print n }";
    assert_eq!(ran(&ranges, "a\n".repeat(100)).stdout, b"1000000\n");
    let figures = "1".repeat(390);
    let sums = format!(
        "BEGIN {{ x = \"{figures}\"; for (i = 0; i < 100000; i++) if (x + 0 > 1e300) n++; print n }}"
    );
    assert_eq!(ran(&sums, line()).stdout, b"100000\n");
    // A long file is far from every limit.
    let rows =
        "Nov 28 10:15:03 db1 mysqld[4121]: Aborted connection 42 to db: 'shop' user: 'app'\n".repeat(40_000);
    let everyday = "/Aborted/ && $5 ~ /^mysqld\\[[0-9]+\\]:$/ { gsub(/\x27/, \"\"); n[$4 \":\" $NF] += $8; m++ } \
                    END { for (k in n) printf \"%-12s %6d\\n\", k, n[k]; print m }";
    assert_eq!(String::from_utf8_lossy(&ran(everyday, rows).stdout), "db1:app      1680000\n40000\n");
}

#[test]
fn a_number_ends_where_awks_does() {
    let texts = [
        "12x", "-3.5e2y", "+4", ".5.5", "5.", "5.e1", "1e", "1e+", "1e-2x", "--1", "-", ".", "x1", " 7 ",
        "1_0", "é1", "1é",
    ];
    let program = "{ print $0 + 0 }";
    let world = world("wpd-2015", 0);
    let input = texts.join("\n") + "\n";
    let mut child = Command::new("awk")
        .arg(program)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let truth = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(run(&world, "app1", &["awk", program], &input).0, truth, "{texts:?}");
}
