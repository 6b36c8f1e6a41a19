//! What the simulated fleet owes the product: every command that a runbook, a probe or a script of the product's own uses
//! is there, with every option that it is given. What is missing fails here, before a rehearsal ends in "not found"; what nothing uses is on a list with a
//! reason, so that it is kept on purpose.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use jumpdeck_sim::programs::PROGRAMS;
use jumpdeck_sim::shell::known::knows;
use jumpdeck_sim::shell::uses;

use uses::{Argument, Used, uses as uses_of};

/// Programs that do not declare their options yet: what they do not know they refuse in their own way, or not at all.
/// This list only gets shorter.
const UNDECLARED: &[&str] = &[
    "find",
    "seq",
    "chpasswd",
    "gpasswd",
    "pkill",
    "neutron",
    "nova",
    "openstack",
    "curl",
    "df",
    "mariabackup",
    "mysqldump",
    "exim",
    "exim4",
    "exiqgrep",
    "git",
    "blkid",
    "mount",
    "umount",
    "mariadb",
    "mysql",
    "dig",
    "getent",
    "gdnsd",
    "host",
    "nscd",
    "openssl",
    "base64",
    "gunzip",
    "gzip",
    "tar",
    "zcat",
    "php",
    "mailq",
    "postcat",
    "postconf",
    "postfix",
    "postqueue",
    "postsuper",
    "pgrep",
    "ps",
    "ss",
    "ssh-keygen",
    "ssh-keyscan",
    "redis-cli",
    "rsync",
    "systemctl",
    "salt-call",
    "salt-key",
    "salt",
    "salt-run",
];

/// Options that nothing of the product uses, by program: people type them in the demo's shell.
const UNUSED_OPTIONS: &[(&str, &str)] = &[
    ("chmod", "-R"),
    ("cp", "-a -r -R -f -v -n -T"),
    ("du", "-s -h -m -b -a -c -S -d"),
    ("mkdir", "-v"),
    ("mktemp", "-d -u -q -t -p"),
    ("mv", "-v -T -n"),
    ("readlink", "-e -m -n -q -s -z"),
    ("rm", "-R -v -i"),
    ("sha256sum", "-b -t"),
    ("stat", "-t"),
    ("cat", "-n -u -A -E"),
    ("cut", "-s -b"),
    ("date", "-R"),
    ("grep", "-G -P -n -H -m"),
    ("head", "-q -v"),
    ("id", "-g"),
    ("ls", "-1 -a -A -h -r -F -p"),
    ("sed", "-r -s"),
    ("sort", "-h -f -b -V -s -t -o"),
    ("tail", "-q -v -f -F"),
    ("tr", "-C"),
    ("uniq", "-u -i"),
    ("wc", "-w -m"),
    ("usermod", "-U"),
    ("crontab", "-i"),
    ("hostname", "-s -f -d -i"),
    ("nproc", "--all"),
    ("sync", "-f"),
    ("uname", "-a -v -m -o"),
];

/// Commands that the product looks for and the simulated fleet has on no machine, and what happens without them.
const MISSING: &[(&str, &str)] = &[
    ("ceph", "asked only where `command -v` finds it and a key is there: hosts of a Ceph cluster"),
    ("dd", "the probe writes its report in pieces where there is none"),
    ("drbdadm", "asked only where /proc/drbd is of DRBD 9"),
    ("dnf", "asked only where `command -v` finds it: systems with RPM packages"),
    ("yum", "asked only where `command -v` finds it: systems with RPM packages"),
    ("smartctl", "asked only where `command -v` finds it: hosts with disks of their own"),
    ("wget", "Elasticsearch is asked with it where there is no curl"),
    ("journalctl", "asked only where `command -v` finds it: systems with a journal"),
    ("initctl", "asked only where `command -v` finds it: Ubuntu before 15.04"),
    ("my_print_defaults", "asked only where `command -v` finds it; else the file is read"),
];

/// Options that the product uses and the simulated fleet refuses, and what happens then. This list only gets shorter.
const MISSING_OPTIONS: &[(&str, &str)] = &[
    ("ls -i", "a holder of a lease does not see that the file of a lock was removed"),
    ("stat -f", "a holder of a lease takes every disk for one that keeps what was written"),
];

/// Programs of the simulated fleet that nothing of the product uses, and why they are there.
const UNUSED: &[(&str, &str)] = &[
    ("basename", TYPED),
    ("chown", TYPED),
    ("diff", TYPED),
    ("dirname", TYPED),
    ("exiqgrep", "an operator looks through Exim's queue with it"),
    ("free", TYPED),
    ("host", TYPED),
    ("mailq", "an operator looks at the queue with it"),
    ("mariabackup", "setup-replica tells the operator to seed with it by hand"),
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

/// A word as the program would get it: what only a machine can know is a text without a dash.
fn given(word: &Argument) -> String {
    let text = word.texts.first().map(String::as_str).unwrap_or_default();
    if word.whole && !word.texts.is_empty() { text.to_owned() } else { format!("{text}1") }
}

#[test]
fn every_option_that_is_used_is_simulated() {
    let mut missing = BTreeMap::new();
    for (place, found) in used() {
        for one in found {
            let name = one.name.rsplit('/').next().unwrap_or(&one.name);
            let Some(program) = PROGRAMS.iter().find(|program| program.name() == name) else { continue };
            let words: Vec<String> = one.arguments.iter().map(given).collect();
            if let Some(Err(option)) = program.options().map(|options| options.letters_in(&words)) {
                missing.entry(format!("{name} {option}")).or_insert_with(|| place.clone());
            }
        }
    }
    compare("the simulated program has no such option", &missing, MISSING_OPTIONS);
}

#[test]
fn programs_that_declare_no_options_get_fewer() {
    let undeclared: Vec<&str> =
        PROGRAMS.iter().filter(|program| program.options().is_none()).map(|program| program.name()).collect();
    assert_eq!(
        undeclared, UNDECLARED,
        "declare its options (trait Program); take it off the list when it does"
    );
}

#[test]
fn every_option_is_used_or_kept_for_people() {
    let all: Vec<Used> = used().into_iter().flat_map(|(_, found)| found).collect();
    let mut unused = Vec::new();
    for program in PROGRAMS {
        let Some(options) = program.options() else { continue };
        let mut letters = BTreeSet::new();
        for one in all.iter().filter(|one| one.name.rsplit('/').next() == Some(program.name())) {
            letters.extend(
                options.letters_in(&one.arguments.iter().map(given).collect::<Vec<_>>()).unwrap_or_default(),
            );
        }
        let rest = options.all().into_iter().filter(|(letter, _)| !letters.contains(letter));
        let rest: Vec<String> = rest.map(|(_, name)| name).collect();
        if !rest.is_empty() && !UNUSED.iter().any(|(name, _)| *name == program.name()) {
            unused.push((program.name(), rest.join(" ")));
        }
    }
    let found: Vec<(&str, &str)> = unused.iter().map(|(name, rest)| (*name, rest.as_str())).collect();
    assert_eq!(found, UNUSED_OPTIONS, "remove an option that nothing uses, or list it here");
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
