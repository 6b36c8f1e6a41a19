#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::fixture::{env_name, host_name};

fn entry(name: &str, what: &str) -> PaletteEntry {
    let id = HostId { env: env_name("production"), host: host_name("app1") };
    PaletteEntry { target: PaletteTarget::Host(id), name: name.to_owned(), what: what.to_owned() }
}

fn found(typed: &str, entries: &[(&str, &str)]) -> Vec<String> {
    let entries = entries.iter().map(|(name, what)| entry(name, what)).collect();
    ranked(entries, &words(typed)).into_iter().map(|entry| entry.name).collect()
}

#[test]
fn the_best_match_comes_first_and_equal_ones_keep_their_order() {
    let hosts = [
        ("app10", "host of staging"),
        ("app1", "host of production"),
        ("app1", "host of staging"),
        ("db1-masterdb", "host of production"),
        ("stop the run at the next step", "action"),
    ];
    for (typed, expected) in [
        ("app1", &["app1", "app1", "app10"][..]),
        ("APP1", &["app1", "app1", "app10"]),
        ("app", &["app10", "app1", "app1"]),
        ("mdb", &["db1-masterdb"]),
        ("stop", &["stop the run at the next step"]),
        ("run stop", &["stop the run at the next step"]),
        ("stag", &["app10", "app1"]),
        ("app1 stag", &["app1", "app10"]),
        ("app1 app1", &["app1", "app1", "app10"]),
        ("host master", &["db1-masterdb"]),
        ("pap1", &[]),
        ("app1 !production ^x", &[]),
    ] {
        assert_eq!(found(typed, &hosts), expected, "{typed}");
    }
}

#[test]
fn a_name_counts_more_than_what_stands_beside_it() {
    let entries = [("app1", "runbook: Restarts nginx"), ("old-n-g-i-n-x", "host"), ("nginx1", "host")];
    assert_eq!(found("nginx", &entries), ["nginx1", "old-n-g-i-n-x", "app1"]);
}

#[test]
fn letters_of_any_script_are_found_and_marked() {
    let greek = entry("Βάση δεδομένων", "runbook: größer 東京");
    let marks = |typed: &str| LetterMarks::of(typed).find(&greek);
    assert_eq!(found("δεδο", &[("Βάση δεδομένων", "")]), ["Βάση δεδομένων"]);
    let marked = |text: &str, bytes: &[usize]| {
        text.char_indices().filter(|(at, _)| bytes.contains(at)).map(|(_, c)| c).collect::<String>()
    };
    let [in_name, in_what] = marks("δμ");
    assert_eq!((marked(&greek.name, &in_name).as_str(), in_what.len()), ("δμ", 0));
    let [in_name, in_what] = marks("京 ößer");
    assert_eq!((in_name.len(), marked(&greek.what, &in_what).as_str()), (0, "ößer京"));
}

proptest::proptest! {
    /// What is listed is what can be marked, whatever was typed or pasted.
    #[test]
    fn every_word_of_what_is_listed_is_marked(typed in "[a-c !^$'\\\\é]{0,12}", names in proptest::collection::vec("[a-cé -]{0,40}", 0..20)) {
        let entries: Vec<PaletteEntry> = names.iter().map(|name| entry(name, "host of production")).collect();
        let words = words(&typed);
        let mut letters = LetterMarks::of(&typed);
        for entry in ranked(entries, &words) {
            let [in_name, in_what] = letters.find(&entry);
            let marked: usize = in_name.len() + in_what.len();
            let longest = words.iter().map(|word| word.len()).max().unwrap_or(0);
            proptest::prop_assert!(marked >= longest, "{entry:?} {in_name:?} {in_what:?}");
            proptest::prop_assert!(in_name.iter().all(|at| *at < entry.name.len()));
            proptest::prop_assert!(in_what.iter().all(|at| *at < entry.what.len()));
        }
    }
}
