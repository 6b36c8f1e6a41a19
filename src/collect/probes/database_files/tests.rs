#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

fn said(text: &str) -> Result<Vec<NamingFile>, Gap> {
    let mut facts = HostFacts::default();
    DatabaseFiles.ingest(Ok(&Raw { status: 0, text: text.to_owned() }), Moment(1), &mut facts);
    facts.database_files.current().cloned().ok_or_else(|| facts.database_files.gap.clone().unwrap())
}

fn words(file: &NamingFile) -> Vec<String> {
    file.servers.as_ref().unwrap().iter().map(NamedServer::words).collect()
}

#[test]
fn servers_are_read_once_each_and_names_with_their_address_in_etc_hosts() {
    assert_eq!(said("").unwrap(), []);
    let files = said(
        "@file 0 named /etc/a b.ini\n@server 10.0.0.5\n@like 10.0.0.9\n@server masterdb\n@server 10.0.0.5\n\
         @file 0 named /etc/c\n@like fd00::5\n@hosts 10.0.0.6 masterdb\n@hosts 10.0.0.7 masterdb\n",
    )
    .unwrap();
    assert_eq!(files[0].file.as_str(), "/etc/a b.ini");
    assert_eq!(words(&files[0]), ["10.0.0.5", "masterdb (10.0.0.6 by /etc/hosts)"]);
    assert_eq!(words(&files[1]), ["fd00::5"]);
    assert_eq!(files[1].servers.as_ref().unwrap()[0].address(), Some("fd00::5".parse().unwrap()));
}

#[test]
fn a_file_that_was_not_read_says_why_and_a_built_in_one_that_is_missing_is_none() {
    assert_eq!(said("@file 3 built-in /etc/webplatform/db.ini\n").unwrap(), []);
    for (status, words) in [
        ("3", "failed: the file is missing"),
        ("4", "failed: it is not a file"),
        ("126", "not permitted: the account may not read it. Set sudo = true in the inventory"),
        (
            "0",
            "failed: no line has the text of database_files with a name or an address in the place of {address}",
        ),
        ("77", "unreadable: 77"),
    ] {
        let files = said(&format!("@file {status} named /etc/app.ini\n")).unwrap();
        let gap = files[0].servers.as_ref().unwrap_err();
        assert!(gap.describe().starts_with(words), "{status}: {gap:?}");
    }
}

#[test]
fn what_is_not_of_the_section_is_unreadable() {
    for text in ["hello", "@server 10.0.0.1", "@file 0", "@file 0 named /a\n@owned x", "\u{1b}[2J x"] {
        assert!(matches!(said(text), Err(Gap::Unreadable(_))), "{text:?}");
    }
    let many: String = (0..30).map(|n| format!("@file 0 named /etc/{n}\n@server 10.0.0.1\n")).collect();
    assert!(matches!(said(&many), Err(Gap::Unreadable(_))));
}
