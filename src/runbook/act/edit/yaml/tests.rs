#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;

use super::*;

const PILLAR: &str = "\
{% set tld = 'wpdn' %}
infra:
  current:
    tld: {{ tld }}
  hosts_entries:
    masterdb: 10.10.10.11  # db1
    mail: '10.10.10.3'
  db_servers:
    mysql:
      # who takes writes
      writes: 10.10.10.11
      masterdb: 10.10.10.11
  gdnsd_timestamp: 2015031001
";

fn to(text: &str, path: &str, value: &str) -> Result<String, String> {
    set(text, path, |_| Ok(value.to_owned()))
}

#[test]
fn only_the_line_meant_changes() {
    let changed = to(PILLAR, "infra:hosts_entries:masterdb", "10.10.10.12").unwrap();
    assert_eq!(changed, PILLAR.replace("masterdb: 10.10.10.11  # db1", "masterdb: 10.10.10.12  # db1"));
    let changed = to(PILLAR, "infra:db_servers:mysql:masterdb", "10.10.10.12").unwrap();
    assert_eq!(changed, PILLAR.replace("      masterdb: 10.10.10.11\n", "      masterdb: 10.10.10.12\n"));
    assert!(to(PILLAR, "infra:hosts_entries:mail", "10.0.0.9").unwrap().contains("mail: '10.0.0.9'\n"));
    let bumped =
        set(PILLAR, "infra:gdnsd_timestamp", |old| Ok((old.parse::<u64>().unwrap() + 1).to_string()));
    assert!(bumped.unwrap().ends_with("gdnsd_timestamp: 2015031002\n"));
}

/// A text, the key's path, the new value, and the text then.
const CHANGED: [(&str, &str, &str, &str); 30] = [
    (
        "infra:\r\n  masterdb: 10.0.0.1\r\n  other: x\r\n",
        "infra:masterdb",
        "10.0.0.2",
        "infra:\r\n  masterdb: 10.0.0.2\r\n  other: x\r\n",
    ),
    ("a: 1  # c\r\n", "a", "2", "a: 2  # c\r\n"),
    ("a: 1\r", "a", "2", "a: 2\r"),
    ("a: 1", "a", "2", "a: 2"),
    ("a:\t1\n", "a", "2", "a:\t2\n"),
    ("a: ''\n", "a", "x", "a: 'x'\n"),
    ("a: 1\n", "a", "x: y", "a: 'x: y'\n"),
    ("a: 1\n", "a", "", "a: ''\n"),
    ("a: 1\n", "a", "[x", "a: '[x'\n"),
    ("a: 1\n", "a", "*x", "a: '*x'\n"),
    ("a: 1\n", "a", "- x", "a: '- x'\n"),
    ("a: 1\n", "a", "!x", "a: '!x'\n"),
    ("a: 1\n", "a", "@x # y", "a: '@x # y'\n"),
    ("a: 1\n", "a", " x ", "a: ' x '\n"),
    ("a: 1\n", "a", "it's", "a: 'it''s'\n"),
    ("a: 1\n", "a", "010", "a: '010'\n"),
    ("a: x\n", "a", "10", "a: '10'\n"),
    ("a: x\n", "a", "no", "a: 'no'\n"),
    ("a: 'no'\n", "a", "yes", "a: 'yes'\n"),
    ("a: \"x\"\n", "a", "a\\b", "a: \"a\\\\b\"\n"),
    ("a: \"x\"\n", "a", "\"\\", "a: \"\\\"\\\\\"\n"),
    ("a: \"x # y\"\nb: 1\n", "a", "new", "a: \"new\"\nb: 1\n"),
    ("a: 'x # y'  # z\n", "a", "new", "a: 'new'  # z\n"),
    ("\"a\": 1\n'b': 2\n", "a", "x", "\"a\": x\n'b': 2\n"),
    ("a:\n  b: 1\na2:\n    b: 2\n", "a2:b", "9", "a:\n  b: 1\na2:\n    b: 9\n"),
    ("# a: 1\na: 2\n", "a", "9", "# a: 1\na: 9\n"),
    ("{% if x %}\na: 1\n{% endif %}\n", "a", "2", "{% if x %}\na: 2\n{% endif %}\n"),
    ("t: |\n  a: 1\n\n  a: 2\na: 3\n", "a", "9", "t: |\n  a: 1\n\n  a: 2\na: 9\n"),
    (
        "t: {a: 1,\n  b: 2}\nl:\n- a: 1\n  b: 2\nb: 3\n",
        "b",
        "9",
        "t: {a: 1,\n  b: 2}\nl:\n- a: 1\n  b: 2\nb: 9\n",
    ),
    ("{#\na: 1\n#}\na: -5\n", "a", "-6", "{#\na: 1\n#}\na: -6\n"),
];

#[test]
fn values_are_written_so_that_they_mean_the_text_and_the_rest_stays() {
    for (text, path, new, wanted) in CHANGED {
        assert_eq!(to(text, path, new).as_deref(), Ok(wanted), "{text:?} {path} = {new:?}");
    }
}

#[test]
fn what_is_not_one_plain_value_in_its_line_is_refused_with_the_line_and_what_to_do() {
    for (text, path, new, why) in [
        (PILLAR, "infra:nothing", "x", "no key"),
        (PILLAR, "masterdb", "x", "no key"),
        (PILLAR, "infra:db_servers:mysql", "x", "has no value on its line"),
        (PILLAR, "infra:current:tld", "x", "line 4: infra:current:tld is produced by Jinja"),
        ("a: one\n  two\nb: 3\n", "a", "new", "line 1: the value of a continues on"),
        ("a: 'x\n  y'\nb: 1\n", "a", "new", "continues on the next line"),
        ("a: |\n  b: 1\nc: 2\n", "a:b", "9", "no key"),
        ("a: |\n  b: 1\nc: 2\n", "a", "9", "not a plain value"),
        ("l:\n  - a: 1\n    b: 2\n", "l:b", "9", "no key"),
        ("l:\n- b: 2\n  c: 1\n", "l:c", "9", "no key"),
        ("a: {x: 1,\n  b: 2}\n", "a:b", "9", "no key"),
        ("a: {x: 1}\n", "a", "9", "not a plain value"),
        ("a: &x 1\nb: *x\n", "a", "9", "not a plain value"),
        ("a: &x\n  k: 1\nb: *x\n", "a:k", "9", "change more than a:k"),
        ("\"a: b\": c\n", "a", "new", "no key"),
        ("a: 'x' y\n", "a", "new", "not a plain value"),
        ("a: \"x'\n", "a", "y", "continues on"),
        ("a: 1\n---\na: 2\n", "a", "9", "2 times, on lines 1, 3"),
        ("a: 1\n---\nb: 2\n", "a", "9", "not a single YAML document"),
        ("a: 1\n", "a", "{{ x }}", "would be run as Jinja"),
        ("a: 1\n", "a", "{% raw", "would be run as Jinja"),
        ("a: 'x'\n", "a", "a\u{7}", "cannot be written in one line"),
        ("a: 'x'\n", "a", "a\u{85}b", "cannot be written in one line"),
        ("a: 1\n", "a", "a\nb", "cannot be written in one line"),
        ("a: '{{ b }}'\n", "a", "x", "produced by Jinja"),
        ("a: [\n", "b", "x", "no key"),
        ("b: 1\na: ]\n", "b", "x", "not a single YAML document"),
    ] {
        let error = to(text, path, new).unwrap_err();
        assert!(error.contains(why) && error.ends_with("edit it by hand"), "{text:?} {path}: {error}");
    }
}

/// A text, a key's path, and the text with `new` as its value; none where it is refused.
const SHAPES: [(&str, &str, Option<&str>); 69] = [
    // Anchors, aliases and merges.
    ("a: &x 1\nb: 2\n", "b", Some("a: &x 1\nb: new\n")),
    ("a: &x 1\nb: 2\n", "a", None),
    ("d: &d\n  k: 1\ne:\n  <<: *d\n  k: 2\n", "e:k", Some("d: &d\n  k: 1\ne:\n  <<: *d\n  k: new\n")),
    ("d: &d\n  k: 1\ne:\n  <<: *d\n", "e:k", None),
    ("d: &d\n  k: 1\ne:\n  <<: *d\n", "d:k", None),
    ("a: &x 1\nb: *x\n", "b", None),
    // Tags.
    ("a: !!str 1\nb: 1\n", "b", Some("a: !!str 1\nb: new\n")),
    ("a: !!str 1\nb: 1\n", "a", None),
    // Block texts.
    ("t: |2\n    a: 1\n  b: 2\na: 3\n", "a", Some("t: |2\n    a: 1\n  b: 2\na: new\n")),
    ("t: >-\n\n  a: 1\n\na: 3\n", "a", Some("t: >-\n\n  a: 1\n\na: new\n")),
    ("t: |+\n  x\n\n\na: 3\n", "a", Some("t: |+\n  x\n\n\na: new\n")),
    ("t: | # c\n  a: 1\na: 3\n", "a", Some("t: | # c\n  a: 1\na: new\n")),
    ("t: &x |\n  a: 1\na: 3\n", "a", Some("t: &x |\n  a: 1\na: new\n")),
    ("t: |\na: 3\n", "a", Some("t: |\na: new\n")),
    ("t:\n  - |\n    a: 1\n  - a: 2\na: 3\n", "a", Some("t:\n  - |\n    a: 1\n  - a: 2\na: new\n")),
    ("t: |\r\n  a: 1\r\na: 2\r\n", "a", Some("t: |\r\n  a: 1\r\na: new\r\n")),
    ("- |\n a: 1\n", "a", None),
    ("t: |\n   x\n  a: 1\n", "a", None),
    ("? |\n  a: 1\n: x\n", "a", None),
    // Comments and blank lines between.
    ("a:\n  # c\n\n  b: 1\n  # d\n", "a:b", Some("a:\n  # c\n\n  b: new\n  # d\n")),
    ("a:\n# c\n  b: 1\n", "a:b", Some("a:\n# c\n  b: new\n")),
    ("a: 1\n  # c\nb: 2\n", "a", Some("a: new\n  # c\nb: 2\n")),
    ("a: 1 # x: y\n", "a", Some("a: new # x: y\n")),
    ("a: 1# x\n", "a", Some("a: new\n")),
    ("a: 'x'   # c  \n", "a", Some("a: 'new'   # c  \n")),
    // Ends of lines, marks of bytes, tabs.
    ("a: 1\r\nb: 2\n", "b", Some("a: 1\r\nb: new\n")),
    ("a: 1\rb: 2\n", "a", None),
    ("\u{feff}a: 1\nb: 2\n", "b", Some("\u{feff}a: 1\nb: new\n")),
    ("\u{feff}a: 1\nb: 2\n", "a", None),
    ("a:\n\tb: 1\n", "a:b", None),
    ("a:\t1\t# c\n", "a", Some("a:\tnew\t# c\n")),
    ("a: 1\t\n", "a", Some("a: new\t\n")),
    ("a: 1   \n", "a", Some("a: new   \n")),
    // Keys twice.
    ("a: 1\nb: 2\na: 3\n", "a", None),
    ("a: 1\nb: 2\na: 3\n", "b", Some("a: 1\nb: new\na: 3\n")),
    ("a:\n  x: 2\na: {x: 1}\n", "a:x", None),
    ("a:\n  x: 1\nb: 1\na:\n  y: 2\n", "a:x", None),
    ("1: x\n'1': y\n", "1", None),
    // Flow within blocks.
    ("a:\n  b: {c: 1, d: [2, 3]}\n  e: 1\n", "a:e", Some("a:\n  b: {c: 1, d: [2, 3]}\n  e: new\n")),
    ("a:\n  b: {c: 1, d: [2, 3]}\n  e: 1\n", "a:b:c", None),
    ("a:\n  b: {c: 1, d: [2, 3]}\n  e: 1\n", "a:b", None),
    ("a: [\"]\",\n  b: 1]\nb: 2\n", "b", Some("a: [\"]\",\n  b: 1]\nb: new\n")),
    ("a: [it's,\n  b: 1]\nb: 2\n", "b", None),
    ("{a: 1}\n", "a", None),
    ("{\na: 1\n}\n", "a", None),
    // Documents.
    ("---\na: 1\n", "a", Some("---\na: new\n")),
    ("# c\n---\na: 1\n...\n", "a", Some("# c\n---\na: new\n...\n")),
    ("a: 1\n---\n- b\n", "a", None),
    // Keys: quoted, with blanks, numbers.
    ("'a b': 1\n", "a b", Some("'a b': new\n")),
    ("\"a\" : 1\na b : 2\n", "a", Some("\"a\" : new\na b : 2\n")),
    ("a : 1\n", "a", Some("a : new\n")),
    ("\"\\x61\": 1\n", "a", None),
    ("'a''b': 1\n", "a'b", None),
    ("? a\n: 1\n", "a", None),
    ("80: x\n8080: y\n", "80", Some("80: new\n8080: y\n")),
    // Values: none, null, over several lines, with signs that mean something elsewhere.
    ("a:\nb: 1\n", "a", None),
    ("a: # c\nb: 1\n", "a", None),
    ("a: ~\nb: null\n", "a", Some("a: new\nb: null\n")),
    ("a: x y  z\n", "a", Some("a: new\n")),
    ("a: http://x:80/y#z\n", "a", Some("a: new\n")),
    ("a:\n  b\n  c\nd: 1\n", "a", None),
    ("a: x\n  y: z\n", "a", None),
    ("a: b: c\n", "a", None),
    ("a: 1\n b: 2\n", "a", None),
    ("a: \"x\\\n  y\"\n", "a", None),
    // Jinja.
    ("{% if x %}\na: 1\n{% else %}\na: 2\n{% endif %}\n", "a", None),
    ("a: 1 {# c #}\n", "a", None),
    ("a: x{% if y %}z{% endif %}\n", "a", None),
    ("x: {{ y }}\na: 1\n", "a", Some("x: {{ y }}\na: new\n")),
];

/// A line that Jinja takes is the second line of a value to whoever reads the file without rendering it.
#[test]
fn a_second_line_that_is_jinja_or_text_is_refused() {
    for second in
        ["{# a note #}", "{# a note", "{% if x %}", "{%- endif %}", "x {# y #}", "{{ more", "\"{# z #}"]
    {
        let text = format!("masterdb: 10.0.0.1\n  {second}\nmail: 10.0.0.2\n");
        if serde_saphyr::from_str::<Value>(&text).is_ok() {
            assert!(to(&text, "masterdb", "10.0.0.9").is_err(), "{text}");
        }
        let other = to(&text, "mail", "10.0.0.9");
        assert!(
            other.is_err() || other.as_deref() == Ok(text.replace("10.0.0.2", "10.0.0.9").as_str()),
            "{other:?}"
        );
    }
    // Jinja between the lines of a mapping is no part of a value in either reading.
    for between in ["# a note", "{# a note #}", "{% if x %}"] {
        let text = format!("masterdb: 10.0.0.1\n{between}\nmail: 10.0.0.2\n");
        assert_eq!(to(&text, "masterdb", "10.0.0.9").unwrap(), text.replace("0.1", "0.9"), "{between}");
    }
}

#[test]
fn in_every_shape_of_yaml_only_the_key_meant_changes_or_it_is_refused() {
    for (text, path, wanted) in SHAPES {
        match (to(text, path, "new"), wanted) {
            (Ok(changed), Some(wanted)) => assert_eq!(changed, wanted, "{text:?} {path}"),
            (Err(why), None) => assert!(why.ends_with("edit it by hand"), "{text:?} {path}: {why}"),
            (done, _) => panic!("{text:?} {path}: {done:?}"),
        }
    }
}

/// Any text arrives as that text, or is refused; nothing else changes.
#[test]
fn any_text_reads_back_as_it_is() {
    let pieces = [
        "'", "\"", "\\", ":", ": ", " ", "#", " #", "-", "!", "&", "*", "a", "é", "0", "1", ".", "{", "}",
        "[", "]", ",", "%", "|", ">", "~", "?", "=", "<<", "😀",
    ];
    let mut seed: u64 = 7;
    let mut next = move |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % most
    };
    let mut changed = 0;
    for _ in 0..3000 {
        let new: String = (0..1 + next(5)).map(|_| *pieces.get(next(pieces.len())).unwrap()).collect();
        let old = ["x", "'x'", "\"x\"", "7", "true"].get(next(5)).unwrap().to_string();
        let end = ["\n", "\r\n"].get(next(2)).unwrap().to_string();
        let text = format!("k:{end}  a: {old}{end}  b: [1, 'a: 2']{end}c: 1{end}");
        let Ok(after) = to(&text, "k:a", &new) else {
            assert!(
                new.contains("{{") || new.contains("{%") || new.contains("{#"),
                "{new:?} was refused in {text:?}"
            );
            continue;
        };
        changed += 1;
        let read: Value = serde_saphyr::from_str(&after).unwrap();
        let value = read.get("k").unwrap().get("a").unwrap();
        let seen = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(seen, new, "{after:?}");
        assert_eq!(after.lines().count(), text.lines().count());
        assert_eq!(after.ends_with("\r\n"), end == "\r\n");
    }
    assert!(changed > 2000);
}
