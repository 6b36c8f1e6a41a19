//! Statements without bottom, end or room: the server refuses them, and answers the next one.

use super::{big, run};

/// What the server says, having answered another statement after it.
fn said(statement: &str) -> (String, String) {
    let what: String = statement.chars().take(50).collect();
    println!("{what}");
    let world = big();
    let (out, err, _) =
        run(&world, "db1-masterdb", &["mariadb", "--force"], &format!("{statement};\nSELECT 'alive';\n"));
    assert!(out.ends_with("alive\n"), "{what}: {out} {err}");
    (out, err)
}

#[test]
fn expressions_that_nest_without_end_are_refused() {
    for (open, inner, close) in [
        ("NOT ", "1", ""),
        ("!", "1", ""),
        ("- ", "1", ""),
        ("(", "1", ")"),
        ("(", "", ""),
        ("1+", "1", ""),
        ("1*", "1", ""),
        ("1 AND ", "1", ""),
        ("1 OR ", "1", ""),
        ("1 = ", "1", ""),
        ("1 IN (", "1", ")"),
        ("(1 BETWEEN 0 AND ", "1", ")"),
        ("IF(1,", "1", ",0)"),
        ("CONCAT(", "1", ")"),
        ("CASE WHEN 1 THEN ", "1", " END"),
        ("CASE ", "1", " WHEN 1 THEN 1 END"),
        ("(SELECT ", "1", ")"),
        ("'a' LIKE ", "'a'", ""),
        ("NOW() - INTERVAL ", "1", " DAY"),
    ] {
        let (_, err) = said(&format!("SELECT {}{inner}{}", open.repeat(9_000), close.repeat(9_000)));
        assert!(err.contains("ERROR"), "{open}: {err}");
    }
    for suffix in [" IS NULL", " IS NOT NULL", " BETWEEN 0 AND 1", " LIKE 'a'", " IN (1)"] {
        let (_, err) = said(&format!("SELECT 1{}", suffix.repeat(9_000)));
        assert!(err.contains("ERROR"), "{suffix}: {err}");
    }
    let between = format!("SELECT {}1{}", "(".repeat(60), " BETWEEN 0 AND 2)".repeat(60));
    said(&between);
    assert!(
        said("SELECT 2 BETWEEN 1 AND 3, 4 BETWEEN 1 AND 3, CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END")
            .0
            .contains("1\t0\tb")
    );
}

#[test]
fn times_beyond_time_are_null_and_no_panic() {
    for unit in ["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"] {
        for much in ["20000000000", "-20000000000", "9223372036854775807", "-9223372036854775808", "1e300"] {
            said(&format!("SELECT NOW() - INTERVAL {much} {unit}, DATE_ADD(NOW(), INTERVAL {much} {unit})"));
        }
    }
    said("SELECT UNIX_TIMESTAMP('99999-01-01'), TIMESTAMPDIFF(SECOND, '0001-01-01', '9999-12-31')");
    said("SELECT - (-9223372036854775807 - 1), ABS(-9223372036854775807 - 1)");
}

#[test]
fn patterns_are_compared_without_trying_every_way() {
    let text = "a".repeat(2_000);
    for pattern in ["%a".repeat(500) + "%b", "%a_%".repeat(300) + "b", "%".repeat(5_000)] {
        let (out, _) = said(&format!("SELECT '{text}' LIKE '{pattern}' AS x"));
        let wanted = if pattern.ends_with('b') { "0" } else { "1" };
        assert_eq!(out.lines().nth(1), Some(wanted), "{out}");
    }
    let yes = said(
        "SELECT 'abcabd' LIKE '%ab_' , 'a%' LIKE 'a\\\\%', 'ab' LIKE 'a\\\\%', '' LIKE '%', 'x' LIKE ''",
    )
    .0;
    assert!(yes.contains("1\t1\t0\t1\t0"), "{yes}");
}

#[test]
fn memory_has_a_bound() {
    let doubling = "SET @a = REPEAT_A;\n".replace("REPEAT_A", "'aaaaaaaaaaaaaaaa'")
        + &"SET @a = CONCAT(@a, @a);\n".repeat(40);
    said(&doubling);
    let many = "SET @a = 'aaaaaaaaaaaaaaaa';\n".to_owned()
        + &"SET @a = CONCAT(@a, @a);\n".repeat(19)
        + &(0..200).map(|n| format!("SET @b{n} = @a;\n")).collect::<String>();
    assert!(said(&many).1.contains("Out of memory"));
    let columns = "SET @a = 'aaaaaaaaaaaaaaaa';\n".to_owned()
        + &"SET @a = CONCAT(@a, @a);\n".repeat(18)
        + &format!("SELECT LENGTH(CONCAT({}'')) AS x", "@a,".repeat(2_000));
    let (out, err) = said(&columns);
    assert!(err.contains("Out of memory"), "{out} {err}");
    let replaced = format!("SELECT LENGTH({}'aaaa'{})", "REPLACE(".repeat(40), ",'a','aaaaaaaa')".repeat(40));
    said(&replaced);
}
