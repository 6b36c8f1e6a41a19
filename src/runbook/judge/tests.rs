#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use super::*;

#[test]
fn parts_of_answers() {
    let one = HostAnswer::of_sql("a\tb\n1\tx\\ty\n");
    assert_eq!(one.pick(&Pick::Column("B".into())).unwrap(), "x\ty");
    assert_eq!(one.pick(&Pick::Rows).unwrap(), "1");
    assert!(one.pick(&Pick::Column("c".into())).unwrap_err().contains("no column c"));
    assert_eq!(HostAnswer::of_sql("@@read_only\n1\n").pick(&Pick::Whole).unwrap(), "1");
    assert_eq!(HostAnswer::of_sql("").pick(&Pick::Rows).unwrap(), "0");
    assert!(HostAnswer::of_sql("").pick(&Pick::Column("a".into())).is_err());
    assert!(
        HostAnswer::of_sql("a\n1\n2\n")
            .pick(&Pick::Column("a".into()))
            .unwrap_err()
            .contains("expected 1 row, got 2")
    );
    let json = HostAnswer::of_text(r#"{"db2": {"x": [{"result": true}]}}"#);
    assert_eq!(json.pick(&Pick::Json("db2.x.0.result".into())).unwrap(), "true");
    assert!(json.pick(&Pick::Json("db2.y".into())).is_err());
    let text = HostAnswer::of_text("job ID: 2026\n");
    assert_eq!(text.pick(&Pick::Match(regex::Regex::new(r"ID: (\d+)").unwrap())).unwrap(), "2026");
}

#[test]
fn what_is_not_as_expected_is_shown_by_its_first_lines_with_their_number() {
    let no_secrets = |text: &str| text.to_owned();
    assert_eq!(
        wrong_value("app1 names db1\napp2 names db1\n", &no_secrets),
        "app1 names db1 / app2 names db1"
    );
    let many: String = (1..=60).map(|n| format!("app{n:02} still names db1-masterdb\n")).collect();
    let shown = wrong_value(&many, &no_secrets);
    assert!(shown.starts_with("app01 still names db1-masterdb / app02 "), "{shown}");
    assert!(shown.ends_with("app14 still names db1-masterdb / … (14 of 60 lines)"), "{shown}");
    let long = wrong_value(&"ä".repeat(1000), &no_secrets);
    assert_eq!(long.chars().count(), SHOWN_WRONG + 1);
    let hidden = wrong_value("password: hunter22", &|text| text.replace("hunter22", "[secret]"));
    assert_eq!(hidden, "password: [secret]");
}

#[test]
fn why_a_step_does_not_apply_is_said_without_a_double_negative() {
    let template = |text: &str| Template::parse(text).unwrap();
    let said = |seen: &str, test: &Test| differs("{action}", seen, test, &|t| t.to_string());
    assert_eq!(said("show", &Test::IsNot(template("show"))), r#"{action} is "show""#);
    assert_eq!(said("show", &Test::Is(template("add"))), r#"{action} is "show", not "add""#);
    assert_eq!(said("x", &Test::Empty(true)), "{action} is not empty");
    assert_eq!(said("", &Test::Empty(false)), "{action} is empty");
    assert_eq!(said("0", &Test::AtLeast(1.0)), r#"{action} is "0", not at least 1"#);
}
