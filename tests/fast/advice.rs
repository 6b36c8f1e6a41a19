//! Advice that can be followed: every TOML line that a message tells people to write is accepted by the reader of the file it
//! is for. Reads the messages from the source text, so that new advice is tried without anybody thinking of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jumpdeck::config::files;
use jumpdeck::config::inventory::{self, Context};
use jumpdeck::config::keymap::{Keymap, parse_onto};
use jumpdeck::config::settings::parse_settings;
use jumpdeck::config::theme::parse_theme;
use regex::Regex;
use toml::{Table, Value};

/// A line that a message advises, and the source file of the message.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Advice {
    source: String,
    line: String,
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            sources(&path, out);
        } else if name.ends_with(".rs") && !name.contains("test") && !name.contains("fixture") {
            out.push(path);
        }
    }
}

/// The string literals of a source file outside of its comments and tests.
fn literals(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let literal = Regex::new(r#""((?:[^"\\]|\\(?s:.))*)""#).unwrap();
    let line_end = Regex::new(r"\\\n\s*").unwrap();
    let unescaped = |text: &str| {
        line_end.replace_all(text, "").replace("\\\"", "\"").replace("{{", "{").replace("}}", "}")
    };
    literal.captures_iter(&code.join("\n")).map(|found| unescaped(&found[1])).collect()
}

/// Every `key = value` of a message; what stands in braces of a format becomes a value of that kind.
fn lines(literal: &str) -> Vec<String> {
    let line = Regex::new(r#"\b[a-z_]+ = (?:"[^"]*"|\[[^\]]*\]|\{[^}]*\}|true|false|[0-9]+)"#).unwrap();
    let quoted = Regex::new(r#"\{[a-z_.]+:\?\}"#).unwrap();
    let within_quotes = Regex::new(r#""\{[a-z_.]+\}""#).unwrap();
    // A list is one of names.
    let filled =
        literal.replace("[{}]", "[\"app1\"]").replace("{}", "90").replace("port = {port}", "port = 22");
    let filled = quoted.replace_all(&filled, "\"app1\"");
    let filled = within_quotes.replace_all(&filled, "\"app1\"");
    line.find_iter(&filled)
        .map(|found| found.as_str().to_owned())
        .filter(|line| line.parse::<Table>().is_ok())
        .collect()
}

/// The advice of these folders and files of `src/`.
fn advice(of: &[&str]) -> BTreeSet<Advice> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let mut found = BTreeSet::new();
    for path in paths {
        let source = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if of.iter().any(|prefix| source.starts_with(prefix)) {
            let all = literals(&fs::read_to_string(&path).unwrap());
            let lines = all.iter().flat_map(|literal| lines(literal));
            found.extend(lines.map(|line| Advice { source: source.clone(), line }));
        }
    }
    found
}

/// A file with the advice put in at one of these places, as whoever follows it would do.
fn with(base: &str, place: &[&str], line: &str) -> String {
    let mut file: Table = base.parse().unwrap();
    let line: Table = line.parse().unwrap();
    let mut table = &mut file;
    for step in place {
        table = table.entry(*step).or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap();
    }
    table.extend(line);
    toml::to_string(&file).unwrap()
}

/// Every piece of advice is accepted at one of the places at least; and none is a tautology: each place refuses nonsense.
fn all_accepted(
    advice: &BTreeSet<Advice>,
    files: &[(&str, &[&[&str]])],
    accepts: impl Fn(&str) -> Result<(), String>,
) {
    for (base, places) in files {
        assert_eq!(accepts(base), Ok(()), "the file without any advice");
        for place in *places {
            assert!(accepts(&with(base, place, "nonsense = 1")).is_err(), "{place:?} takes anything");
        }
    }
    let tries: Vec<(&str, &[&str])> =
        files.iter().flat_map(|(base, places)| places.iter().map(|place| (*base, *place))).collect();
    for one in advice {
        let errors: Vec<String> =
            tries.iter().map_while(|(base, place)| accepts(&with(base, place, &one.line)).err()).collect();
        assert!(
            errors.len() < tries.len(),
            "{}: `{}` is refused:\n{}",
            one.source,
            one.line,
            errors.join("\n")
        );
    }
}

fn errors(found: &[jumpdeck::config::diagnostic::Diagnostic]) -> String {
    found.iter().map(|error| error.render(false)).collect()
}

const INVENTORY: &str = r#"
user = "ops"

[environments.production]
jump = { name = "salt", address = "203.0.113.7" }

[environments.production.hosts]
app1 = { address = "10.0.0.5" }
memcache1 = { address = "10.0.0.6" }

[checks]
jobs = { roles = ["app"], command = "php showJobs.php" }
"#;

const ON_THE_JUMP_BOX: &str = r#"
user = "ops"

[environments.production]
jump = "local"

[environments.production.hosts]
app1 = { address = "10.0.0.5" }
memcache1 = { address = "10.0.0.6" }
"#;

const WITHOUT_SALT: &str = r#"
user = "ops"

[environments.production]
jump = { name = "salt", address = "203.0.113.7" }
salt = false

[environments.production.hosts]
app1 = { address = "10.0.0.5" }
"#;

const PLACES: &[&[&str]] = &[
    &[],
    &["environments", "production"],
    &["environments", "production", "jump"],
    &["environments", "production", "hosts", "app1"],
    &["thresholds"],
    &["thresholds", "disk"],
    &["requirements"],
    &["requirements", "memcache"],
    &["services"],
    &["services", "apache"],
    &["checks"],
    &["checks", "jobs"],
    &["contacts"],
    &["contacts", "roles"],
    &["contacts", "roles", "db"],
    &["backups"],
    &["backups", "databases"],
    &["environments", "production", "hosts", "app1", "backups"],
    &["environments", "production", "outside"],
    &["environments", "production", "outside", "sites", "www.example.org"],
    &["environments", "production", "outside", "closed", "203.0.113.10"],
    &["environments", "production", "outside", "dns", "www.example.org"],
    &["environments", "production", "outside", "mail", "mail.example.org"],
    &["environments", "production", "hosts", "app1", "checks"],
    &["logs"],
    &["logs", "mysql"],
    &["environments", "production", "hosts", "app1", "logs"],
];

fn home() -> Context {
    Context { user: "ops".to_owned(), ..files::context().unwrap() }
}

#[test]
fn lines_for_the_inventory_are_accepted() {
    let all = advice(&[
        "config/inventory",
        "openssh/",
        "transport/",
        "collect/",
        "domain/",
        "runbook/lease",
        "cli/runbook/plan",
    ]);
    assert!(all.len() > 15, "{all:#?}");
    let here = |one: &Advice| !(one.line.starts_with("sign_with") || ELSEWHERE.contains(&one.line.as_str()));
    let all = all.into_iter().filter(here).collect();
    all_accepted(
        &all,
        &[
            (INVENTORY, PLACES),
            (ON_THE_JUMP_BOX, &[&["environments", "production"]]),
            (WITHOUT_SALT, &[&["environments", "production"]]),
        ],
        |text| inventory::parse("inventory.toml", text, &home()).map(|_| ()).map_err(|found| errors(&found)),
    );
}

/// Lines of tables that the places above do not have: of `[[hosts]]`, and of entries of `keys` and `database_files`. Tried below.
const ELSEWHERE: &[&str] = &[
    "name = \"app1\"",
    "environment = \"production\"",
    "file = \"…\"",
    "certificate = \"…\"",
    "name = \"salt\"",
    "file = \"/etc/webplatform/db.ini\"",
    "line = \"host = {address}\"",
    "check = \"haproxy -c -f {file}\"",
];

#[test]
fn lines_for_tables_of_lists_are_accepted() {
    let listed = format!(
        "{INVENTORY}\n[[hosts]]\nname = \"app2\"\nenvironment = \"production\"\naddress = \"10.0.0.7\"\n"
    );
    let keys = INVENTORY.replacen("user = \"ops\"", "keys = [{ file = \"/a\", certificate = \"/b\" }]", 1);
    let files = WITHOUT_SALT.replacen(
        "salt = false",
        "salt = false\ndatabase_files = [{ role = \"app\", file = \"/etc/webplatform/db.ini\", line = \"host = {address}\", check = \"haproxy -c -f {file}\" }]",
        1,
    );
    for text in [listed, keys, files] {
        let parsed = inventory::parse("inventory.toml", &text, &home());
        assert!(parsed.is_ok(), "{text}\n{}", errors(&parsed.unwrap_err()));
    }
}

#[test]
fn lines_for_the_settings_are_accepted() {
    let mut all = advice(&["config/settings"]);
    let signing = advice(&["transport/"]).into_iter().filter(|one| one.line.starts_with("sign_with"));
    all.extend(signing);
    assert!(all.len() > 1, "{all:#?}");
    all_accepted(&all, &[("", &[&[]])], |text| {
        parse_settings("config.toml", text, &home(), &jumpdeck::view::fleet_titles())
            .map(|_| ())
            .map_err(|found| errors(&found))
    });
}

#[test]
fn lines_for_themes_and_keymaps_are_accepted() {
    let theme = include_str!("../../themes/dark.toml");
    let all = advice(&["config/theme"]);
    assert!(!all.is_empty());
    all_accepted(&all, &[(theme, &[&[]])], |text| {
        parse_theme("mine.toml", text).map(|_| ()).map_err(|found| errors(&found))
    });
    let all = advice(&["config/keymap"]);
    assert!(!all.is_empty());
    all_accepted(&all, &[("[keys]\n", &[&["keys"]])], |text| {
        parse_onto(&Keymap::builtin_default(), "mine.toml", text).map(|_| ()).map_err(|found| errors(&found))
    });
}

/// Every key of a table and of the tables in it, with the kind of its value.
fn keys(table: &Table, out: &mut BTreeSet<(String, &'static str)>) {
    for (key, value) in table {
        out.insert((key.clone(), value.type_str()));
        match value {
            Value::Table(inner) => keys(inner, out),
            Value::Array(items) => {
                items.iter().filter_map(Value::as_table).for_each(|inner| keys(inner, out))
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {}
        }
    }
}

/// A runbook is too large a whole to put each line at its place. Every key that a message advises stands in a runbook that is
/// accepted, with a value of the same kind.
#[test]
fn lines_for_runbooks_are_keys_that_accepted_runbooks_have() {
    let rare = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/advice/rare-keys.toml");
    let check = Command::new(env!("CARGO_BIN_EXE_jumpdeck")).args(["check", rare]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    let folders =
        ["runbooks", "tests/fixtures/advice"].map(|f| Path::new(env!("CARGO_MANIFEST_DIR")).join(f));
    let mut known = BTreeSet::new();
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            keys(&fs::read_to_string(entry.unwrap().path()).unwrap().parse().unwrap(), &mut known);
        }
    }
    let all = advice(&["runbook/definition", "runbook/kinds"]);
    assert!(all.len() > 40, "{all:#?}");
    let mut missing = Vec::new();
    for one in &all {
        let mut advised = BTreeSet::new();
        keys(&one.line.parse().unwrap(), &mut advised);
        missing.extend(advised.difference(&known).map(|key| (one.source.clone(), key.clone())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
