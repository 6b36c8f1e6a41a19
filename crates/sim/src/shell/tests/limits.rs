//! What has no end, no bottom, or no room: each script ends with an error of the simulated shell, and the process that it
//! runs in goes on.

use std::time::Duration;

use super::run;

/// Runs a script and requires that the shell after it still works. Nothing here may take longer than the limit of `run`.
async fn survives(script: &str) -> (String, String, u8) {
    let what: String = script.chars().take(60).collect();
    println!("{what}");
    let said = run(script, "").await;
    assert_eq!(run("echo alive", "").await.0, "alive\n", "{what}");
    said
}

#[tokio::test]
async fn scripts_that_nest_without_end_are_refused() {
    let levels = 3_000;
    for (open, close) in [
        ("if ", ""),
        ("if :; then ", "; fi"),
        ("if echo fi; then ", "; fi"),
        ("while ", ""),
        ("while false; do ", "; done"),
        ("until echo done; do ", "; done"),
        ("for i in a; do ", "; done"),
        ("case a in a) ", ""),
        ("case a in a) ", " ;; esac"),
        ("case a in (a) ", "\nesac"),
        ("{ ", "; }"),
        ("{ echo '}'; ", "; }"),
        ("(", ""),
        ("( ", ")"),
        ("((", "))"),
        ("((", ""),
        ("(( 1 + (", ""),
        ("! ", ":"),
        ("[[ ! ", " ]]"),
        ("[[ ( ", ") ]]"),
        ("f() { ", "; }"),
        ("function f { ", "; }"),
        ("coproc x { ", "; }"),
        ("echo $(", ")"),
        ("echo $(", ""),
        ("echo $(: ')' ; ", ")"),
        ("echo \"$(", ")\""),
        ("echo ${x:-", "}"),
        ("echo ${x:-'}'", "}"),
        ("echo \"${x:-\"", "\"}\""),
        ("echo $((", "))"),
        ("echo `", "`"),
        ("echo \\`", "\\`"),
        ("eval ", ":"),
        ("time ", ":"),
    ] {
        for levels in [13, 49, levels] {
            survives(&format!("{} : {}", open.repeat(levels), close.repeat(levels))).await;
        }
    }
}

#[tokio::test]
async fn ordinary_nesting_is_read() {
    let script = "if :; then case a in a) for i in 1; do { ( echo $(echo \"${x:-$(echo $((1 + (2))))}\") ); }; done;; esac; fi";
    assert_eq!(run(script, "").await.0, "3\n");
    let many = "if [ ! -e x ]; then (echo a); fi; case x in x) echo b;; esac\n".repeat(200);
    assert_eq!(run(&many, "").await.0, "a\nb\n".repeat(200));
    assert_eq!(run("echo if if for case { while 12>/dev/null", "").await.0, "if if for case { while\n");
}

#[tokio::test]
async fn expressions_that_nest_without_end_are_refused() {
    for (open, close) in [("a[", ""), ("a[", "]"), ("(", ")"), ("(", ""), ("!", ""), ("- ", ""), ("1?", ":1")]
    {
        for levels in [20, 60, 1_500] {
            let (_, err, _) =
                survives(&format!("echo $(({}1{}))", open.repeat(levels), close.repeat(levels))).await;
            assert!(levels < 1_500 || !err.is_empty(), "{open} {err}");
        }
    }
    for term in ["1+", "x=", "2**", "1,", "1&&", "1<"] {
        survives(&format!("echo $(({}1))", term.repeat(1_000))).await;
    }
    // Nothing of that keeps a long sum from being worked out.
    assert_eq!(run(&format!("echo $(({}1))", "1+".repeat(40)), "").await.0, "41\n");
}

#[tokio::test]
async fn large_numbers_of_descriptors_are_no_panic() {
    for script in
        ["echo a 99999999999>x", "echo a 2147483648</dev/null", "echo a >&99999999999", "exec 999999999>x"]
    {
        assert!(!survives(script).await.1.is_empty(), "{script}");
    }
    assert_eq!(run("echo a 99999999999 >/dev/stdout", "").await.0, "a 99999999999\n");
}

#[tokio::test]
async fn memory_has_a_bound() {
    for script in [
        "printf '%.*d' 99999999999 1 | wc -c",
        "printf '%*s' 99999999999 1 | wc -c",
        "printf '%.*f' 70000 1 | wc -c",
        "printf '%.70000e' 1 | wc -c",
        "set -- a; while :; do set -- \"$@\" \"$@\"; done",
        "f() { f \"$@\" \"$@\"; }; f a",
        "x=aaaaaaaaaaaaaaaa; i=0; while [ $i -lt 18 ]; do x=$x$x; i=$((i+1)); done; echo $x$x$x$x$x$x$x$x >/dev/null",
        "x=aaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9; do x=${x//a/aaaaaaaaaaaaaaaa}; done",
        "x=$(seq 1 200000); while :; do i=$((i+1)); eval \"x$i=\\$x\"; done",
        "x=$(seq 1 9000); printf '%4096s' $x $x | wc -c",
        "while :; do sleep 100 >/dev/null 2>&1 & done",
    ] {
        survives(script).await;
    }
    survives(&format!("{}:", ":&".repeat(20_000))).await;
    survives(&format!("{}:", ":|".repeat(5_000))).await;
    survives(&"cat <<A\n".repeat(9_000)).await;
}

#[tokio::test]
async fn what_writes_without_end_can_be_stopped() {
    for script in [
        "seq 1 9223372036854775807 > /tmp/f",
        "seq 1 9223372036854775807 > /dev/null",
        "seq 1 9223372036854775807 | cat > /tmp/f",
        "while :; do echo a > /tmp/f; done",
        "for i in $(seq 1 100000); do :; done; while :; do i=$((i + 1)); done",
        "yes > /dev/null",
    ] {
        println!("{script}");
        // One thread, which the endless one must let go of.
        let _ = tokio::time::timeout(Duration::from_millis(300), run(script, "")).await;
        assert_eq!(run("echo alive", "").await.0, "alive\n", "{script}");
    }
}
