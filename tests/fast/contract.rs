//! What the simulated fleet owes the product: every command that a runbook, a probe or a script of the product's own uses
//! is there. What is missing fails here, before a rehearsal ends in "not found"; what nothing uses is on a list with a
//! reason, so that it is kept on purpose.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use jumpdeck_sim::programs::PROGRAMS;
use jumpdeck_sim::shell::{knows, uses};

use uses::{Used, uses as uses_of};

/// Commands that the product looks for and the simulated fleet has on no machine, and what happens without them.
const MISSING: &[(&str, &str)] = &[
    ("dd", "the probe writes its report in pieces where there is none"),
    ("initctl", "asked only where `command -v` finds it: Ubuntu before 15.04"),
    ("my_print_defaults", "asked only where `command -v` finds it; else the file is read"),
];

/// Programs of the simulated fleet that nothing of the product uses, and why they are there.
const UNUSED: &[(&str, &str)] = &[
    ("basename", TYPED),
    ("chown", TYPED),
    ("diff", TYPED),
    ("dirname", TYPED),
    ("exim", "another name of exim4"),
    ("exiqgrep", "an operator looks through Exim's queue with it"),
    ("free", TYPED),
    ("host", TYPED),
    ("mailq", "an operator looks at the queue with it"),
    ("mariabackup", "setup-replica tells the operator to seed with it by hand"),
    ("mawk", "another name of awk"),
    ("monit", "the services of the old fleet are held up by it, and an operator asks it"),
    ("postfix", TYPED),
    ("realpath", "another name of readlink -f"),
    ("reboot", TYPED),
    ("rsync", "rebuild-salt-master tells the operator to copy with it by hand"),
    ("seq", TYPED),
    ("sha1sum", "another name of sha256sum"),
    ("tee", TYPED),
    ("touch", TYPED),
    ("uptime", TYPED),
    ("whoami", TYPED),
];

/// Why most of them are there.
const TYPED: &str = "people type it in the demo's shell";

/// What every script uses, by where it is.
fn used() -> Vec<(String, BTreeSet<Used>)> {
    let read = |sent: sources::Sent| {
        let scripts: Vec<&str> = sent.scripts.iter().map(String::as_str).collect();
        let found = uses_of(&scripts).unwrap_or_else(|why| panic!("{}: {why}", sent.place));
        (sent.place, found)
    };
    sources::all().into_iter().map(read).collect()
}

/// Two lists of names that must be the same.
fn compare(what: &str, found: &BTreeMap<String, String>, listed: &[(&str, &str)]) {
    let new: Vec<String> = found
        .iter()
        .filter(|(name, _)| !listed.iter().any(|(listed, _)| listed == name))
        .map(|(name, at)| format!("  {name} ({at})"))
        .collect();
    let gone: Vec<&str> =
        listed.iter().map(|(name, _)| *name).filter(|name| !found.contains_key(*name)).collect();
    assert!(new.is_empty(), "{what}:\n{}", new.join("\n"));
    assert!(gone.is_empty(), "no longer so, take it off the list: {}", gone.join(", "));
}

#[test]
fn every_command_that_is_used_is_simulated() {
    let mut missing = BTreeMap::new();
    for (place, found) in used() {
        for one in found.iter().filter(|one| !one.maybe && !knows(&one.name)) {
            // A file that the script itself made or found is no program.
            if !one.name.contains('/') {
                missing.entry(one.name.clone()).or_insert_with(|| place.clone());
            }
        }
    }
    compare("the simulated fleet has no such program", &missing, MISSING);
}

#[test]
fn every_program_is_used_or_kept_for_a_reason() {
    let all: Vec<(String, BTreeSet<Used>)> = used();
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|(_, found)| found)
        .map(|one| one.name.rsplit('/').next().unwrap_or(&one.name))
        .collect();
    let unused = PROGRAMS.iter().map(|program| program.name()).filter(|name| !names.contains(name));
    let unused = unused.map(|name| (name.to_owned(), "crates/sim/src/programs.rs".to_owned())).collect();
    compare("nothing of the product uses this program: remove it, or list it with a reason", &unused, UNUSED);
    for (name, reason) in UNUSED.iter().chain(MISSING) {
        assert!(!reason.is_empty(), "{name} is listed without a reason");
    }
}

#[test]
fn scripts_are_found_where_they_are() {
    let all = sources::all();
    let count = |start: &str| all.iter().filter(|sent| sent.place.starts_with(start)).count();
    assert!(sources::runbooks().len() > 600, "{}", sources::runbooks().len());
    for file in ["detached", "edit", "own_folder", "salt", "script", "sql", "ticket", "script/stop"] {
        assert_eq!(count(&format!("src/runbook/act/{file}.rs")), 1, "no script is found in {file}.rs");
    }
    let found: Vec<Used> = used().into_iter().flat_map(|(_, found)| found).collect();
    for (name, option) in [
        ("mysql", "--unbuffered"),
        ("mariadb", "--batch"),
        ("salt", "--static"),
        ("git", "--porcelain"),
        ("systemd-run", "--collect"),
        ("flock", "-n"),
        ("grep", "-la"),
        ("redis-cli", "-h"),
        ("df", "-k"),
        ("exim4", "-Mvl"),
    ] {
        let there = found.iter().any(|one| {
            one.name == name && one.arguments.iter().any(|word| word.texts.iter().any(|text| text == option))
        });
        assert!(there, "the use of {name} {option} is not found");
    }
}

#[test]
fn a_text_that_a_shell_reads_is_found_in_code() {
    let code = r#"const OPTIONS: &str = "--batch \
        --force"; let c = '"'; format!("exec /bin/sh -c '{sudo}mysql {OPTIONS}; {{ echo {} >&2; }}'"); say("no program");
        concat!("a=$(one); ", $root, "two");"#;
    let expected =
        ["exec /bin/sh -c 'sudo -n mysql --batch --force; { echo ${hole} >&2; }'", "a=$(one); two"];
    assert_eq!(sources::scripts_in(code), expected);
}
