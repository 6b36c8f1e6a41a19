//! No form of a secret stays readable, whole or across pieces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;

use super::*;

mod encoders;
mod programs;

fn knowing(secrets: &[&str]) -> Redactor {
    let redactor = Redactor::new();
    for secret in secrets {
        redactor.add(secret).unwrap();
    }
    redactor
}

#[test]
fn every_form_gives_way() {
    let secret = "pa'ss\"w/ö\\rd $1!";
    let redactor = knowing(&[secret]);
    let forms = [
        secret.to_owned(),
        shlex::try_quote(secret).unwrap().into_owned(),
        r#"'pa'\''ss"w/ö\rd $1!'"#.to_owned(),
        r#""pa'ss\"w/ö\\rd \$1!""#.to_owned(),
        r#"pa\'ss\"w/ö\\rd\ \$1\!"#.to_owned(),
        r#"IDENTIFIED BY 'pa''ss"w/ö\rd $1!'"#.to_owned(),
        r#"IDENTIFIED BY 'pa''ss"w/ö\\rd $1!'"#.to_owned(),
        r#"IDENTIFIED BY 'pa\'ss\"w/ö\\rd $1!'"#.to_owned(),
        r#"IDENTIFIED BY "pa'ss""w/ö\rd $1!""#.to_owned(),
        serde_json::to_string(secret).unwrap(),
        r#""pa'ss\"w\/ö\\rd $1!""#.to_owned(),
        r#""pa'ss\"w/\u00f6\\rd $1!""#.to_owned(),
        "mysql://wiki:pa%27ss%22w%2F%C3%B6%5Crd%20%241%21@db1/".to_owned(),
        "mysql://wiki:pa%27ss%22w%2f%c3%b6%5crd%20%241%21@db1/".to_owned(),
        "pw=pa%27ss%22w%2F%C3%B6%5Crd+%241%21&x=1".to_owned(),
        STANDARD.encode(secret),
        STANDARD.encode(format!("wiki:{secret}\n")),
        STANDARD_NO_PAD.encode(format!("a:{secret}")),
        URL_SAFE.encode(format!("ab:{secret}:c")),
        secret.bytes().map(|b| format!("{b:02x}")).collect(),
        format!("0x{}", secret.bytes().map(|b| format!("{b:02X}")).collect::<String>()),
    ];
    for form in forms {
        let text = redactor.text(&format!("before {form} after"));
        assert!(text.contains(MARK), "{form}\n{text}");
        assert!(!text.contains("ss\"w") && !text.contains("rd") && !text.contains("ss%22"), "{form}\n{text}");
        assert!(text.starts_with("before ") && text.ends_with(" after"), "{form}\n{text}");
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    let redactor = knowing(&["hunter22"]);
    let text = "hunter2 hunte r22 HUNTER22 db1-masterdb read_only=1";
    assert_eq!(redactor.text(text), text);
    assert_eq!(Redactor::new().text(text), text);
    assert_eq!(redactor.text("xhunter22hunter22y"), format!("x{MARK}{MARK}y"));
}

#[test]
fn secrets_that_overlap_leave_no_part_of_either() {
    let redactor = knowing(&["abcdef", "defghi", "aaaa"]);
    assert_eq!(redactor.text("-abcdefghi-"), format!("-{MARK}-"));
    assert_eq!(redactor.text("-aaaaaaa-"), format!("-{MARK}-"));
}

#[test]
fn too_short_a_secret_is_refused() {
    assert_eq!(Redactor::new().add("abc"), Err(NotHidable::TooShort));
    assert_eq!(Redactor::new().add("öäü"), Err(NotHidable::TooShort));
    assert_eq!(Redactor::new().add("öäüß"), Ok(()));
    assert_eq!(Redactor::new().add("pass•word"), Err(NotHidable::SpellsMark));
}

#[test]
fn copies_know_what_is_added_later_and_tell_nobody() {
    let redactor = Redactor::new();
    let copy = redactor.clone();
    redactor.add("hunter22").unwrap();
    assert_eq!(copy.text("hunter22"), MARK);
    assert!(!format!("{copy:?}").contains("hunter"));
}

#[test]
fn a_stream_keeps_only_what_may_begin_a_secret() {
    let mut stream = knowing(&["hunter22"]).stream();
    assert_eq!(stream.push("one\ntwo hun"), "one\ntwo ");
    assert_eq!(stream.push("ter22\nx"), format!("{MARK}\nx"));
    assert_eq!(stream.finish(), "");
    let mut stream = Redactor::new().stream();
    assert_eq!(stream.push("no secrets"), "no secrets");
}

#[test]
fn a_secret_that_overlaps_itself_makes_nothing_slow() {
    // A quadratic reader takes minutes for these.
    let redactor = knowing(&["aaaa"]);
    let text = "a".repeat(2_000_000);
    assert_eq!(redactor.text(&text), MARK);
    for piece in [1, 64] {
        let mut stream = redactor.stream();
        let mut said = String::new();
        for piece in text.as_bytes().chunks(piece) {
            said.push_str(&stream.push(std::str::from_utf8(piece).unwrap()));
        }
        assert_eq!(said, MARK, "it is shown at once");
        assert_eq!(stream.finish(), "");
    }
}

#[test]
fn a_secret_that_is_learned_in_the_middle_of_a_text_is_found_from_there() {
    let redactor = knowing(&["hunter22"]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push("a hunter"), "a ");
    redactor.add("terrible").unwrap();
    assert_eq!(stream.push("rible 22"), format!("hun{MARK} 22"));
}

#[test]
fn each_line_of_a_secret_of_several_is_hidden() {
    let redactor = knowing(&["-----BEGIN\nb3BlbnNzaC1rZXk\n  AAAAB3NzaC1\n-----END"]);
    assert_eq!(redactor.text("+AAAAB3NzaC1 / b3BlbnNzaC1rZXk"), format!("+{MARK} / {MARK}"));
}

#[test]
fn what_was_made_printable_is_found_too() {
    let redactor = knowing(&["grö\u{ad}be-key\u{200d}X9", "tab\there"]);
    for text in
        ["gr\u{f6}<U+00AD>be-key<U+200D>X9", "tab     here", "x tab   here", "tab^Ihere", "tab\\there"]
    {
        assert!(redactor.text(text).contains(MARK), "{text}");
        assert!(!redactor.text(text).contains("be-key") && !redactor.text(text).contains("here"), "{text}");
    }
    for column in 0..20 {
        let line = format!("{}tab\there", "x".repeat(column));
        let clean = jumpdeck_fleet::text::Clean::lines(&line).remove(0);
        assert!(redactor.text(clean.as_str()).ends_with(MARK), "{clean}");
    }
}

/// Texts where secrets, their forms and their parts are likely.
fn text_with(secret: &str) -> impl Strategy<Value = String> + use<> {
    let secret = secret.to_owned();
    let part = secret.chars().take(secret.chars().count() / 2).collect::<String>();
    let pieces = vec![
        secret.clone(),
        part,
        serde_json::to_string(&secret).unwrap(),
        STANDARD.encode(format!("u:{secret}")),
        secret.replace('\'', "''"),
        "\n".to_owned(),
    ];
    prop::collection::vec(prop_oneof![prop::sample::select(pieces), "\\PC{0,6}"], 0..12)
        .prop_map(|p| p.concat())
}

proptest! {
    #[test]
    fn no_secret_is_left(secret in "\\PC{4,20}", texts in prop::collection::vec("\\PC{0,20}", 1..4)) {
        let redactor = Redactor::new();
        // One that cannot be hidden is refused.
        prop_assert_eq!(redactor.add(&secret).is_err(), secret.contains('•'));
        prop_assume!(!secret.contains('•'));
        let text = redactor.text(&texts.join(&secret));
        prop_assert!(!text.split(MARK).any(|t| t.contains(&secret)));
    }

    #[test]
    fn base64_of_anything_around_it_gives_way(before in "\\PC{0,9}", secret in "[!-~]{6,30}", after in "\\PC{0,9}") {
        let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
        prop_assert!(knowing(&[&secret]).text(&encoded).contains(MARK));
    }

    #[test]
    fn a_stream_says_what_the_whole_text_says(
        (secret, text) in "[a-c'\"\\\\ ö]{4,9}".prop_flat_map(|s| { let t = text_with(&s); (Just(s), t) }),
        cuts in prop::collection::vec(0usize..60, 0..8),
    ) {
        let redactor = knowing(&[&secret]);
        let mut stream = redactor.stream();
        let mut said = String::new();
        let mut rest = text.as_str();
        for cut in cuts {
            let mut at = cut.min(rest.len());
            while !rest.is_char_boundary(at) {
                at -= 1;
            }
            said.push_str(&stream.push(&rest[..at]));
            rest = &rest[at..];
        }
        said.push_str(&stream.push(rest));
        said.push_str(&stream.finish());
        prop_assert_eq!(said, redactor.text(&text));
    }
}
