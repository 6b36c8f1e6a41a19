//! Every script that the product sends: of its runbooks, its probes, its lease, and the texts in its own code.

use std::fs;
use std::path::{Path, PathBuf};

use jumpdeck::collect::probes::PROBES;
use jumpdeck_fleet::fleet::{Host, database_files_of_salt};
use regex::{Captures, Regex};
use toml::Value;

use crate::support::shell::host;

/// Scripts that are sent together, and where they are.
pub(super) struct Sent {
    pub(super) place: String,
    pub(super) scripts: Vec<String>,
}

impl Sent {
    fn one(place: &str, script: String) -> Self {
        Self { place: place.to_owned(), scripts: vec![script] }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// All of them.
pub(super) fn all() -> Vec<Sent> {
    let mut all = runbooks();
    all.push(probes());
    for own in ["holder.sh", "ask.sh"] {
        let scripts = ["place.sh", own].map(|file| text(&format!("src/runbook/lease/{file}")));
        all.push(Sent { place: own.to_owned(), scripts: scripts.into() });
    }
    all.push(Sent::one("read.sh", text("src/operator/logs/read.sh")));
    all.push(Sent::one("look.sh", text("src/operator/look/look.sh")));
    all.extend(code());
    all
}

/// What a step found out and hands to others, where it is a command: the beginning of a place, and a script that says so.
const HANDED: &[(&str, &str)] = &[("mail-queue ", "exim=exim4 queue='postqueue -p'; exim4 -bp")];

/// Every `run` of every runbook, and its calls of Salt as the command that makes them.
pub(super) fn runbooks() -> Vec<Sent> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("runbooks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        let read: Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        of_table(&read, name, &mut all);
    }
    all
}

fn of_table(value: &Value, name: &str, all: &mut Vec<Sent>) {
    match value {
        Value::Table(table) => {
            let word = |key: &str| table.get(key).and_then(Value::as_str);
            let place = format!("{name} {}", word("id").unwrap_or("(within a step)"));
            if let Some(script) = word("run") {
                let handed = HANDED.iter().filter(|(start, _)| place.starts_with(start));
                let mut scripts: Vec<String> = handed.map(|(_, script)| (*script).to_owned()).collect();
                scripts.push(script.to_owned());
                all.push(Sent { place: place.clone(), scripts });
            }
            if let Some(function) = word("salt") {
                let arguments = table.get("arguments").and_then(Value::as_array).into_iter().flatten();
                let words = arguments.filter_map(Value::as_str).map(|word| shlex::try_quote(word).unwrap());
                let words: Vec<_> = words.collect();
                all.push(Sent::one(&place, format!("salt -L host {function} {}", words.join(" "))));
            }
            for inner in table.values() {
                of_table(inner, name, all);
            }
        }
        Value::Array(values) => values.iter().for_each(|inner| of_table(inner, name, all)),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// The resident probe with its sections, one program.
fn probes() -> Sent {
    let mut scripts = vec![text("src/collect/resident.sh"), "SUDO='sudo -n'".to_owned()];
    // Of an application's host, which is sent how its files are read.
    let app = Host { database_files: database_files_of_salt().into(), ..host("app1") };
    for probe in PROBES {
        scripts.extend(probe.settings(&app));
        scripts.push(probe.script().to_owned());
    }
    Sent { place: "probes".to_owned(), scripts }
}

/// The scripts that are texts in the product's own code, file by file.
fn code() -> Vec<Sent> {
    let mut paths = vec![root().join("src/runbook/planner/identity.rs")];
    rust_files(&root().join("src/runbook/act"), &mut paths);
    paths.sort();
    let mut all = Vec::new();
    // What it defines is sent before what uses it.
    let shared = scripts_in(&text("src/runbook/act/own_folder.rs"));
    for path in paths {
        let place = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if place.ends_with("tests.rs") || place.contains("/tests/") {
            continue;
        }
        let mut scripts = scripts_in(&fs::read_to_string(&path).unwrap());
        if !scripts.is_empty() {
            scripts.splice(0..0, shared.iter().cloned());
            all.push(Sent { place, scripts });
        }
    }
    all
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push(path);
        }
    }
}

/// The texts of a file of code that only a shell would read, with the constants of that file put in.
pub(super) fn scripts_in(source: &str) -> Vec<String> {
    let code = source.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let constant = Regex::new(r#"const ([A-Z_]+): &str = "((?:[^"\\]|\\(?s:.))*)";"#).unwrap();
    let constants: Vec<(&str, String)> = constant
        .captures_iter(&code)
        .map(|found| (found.get(1).unwrap().as_str(), unescaped(&found[2])))
        .collect();
    // Of a raw text, a text, and a character, whichever begins first. Texts of one `concat!` are one text.
    let literal = Regex::new(r##"r#"((?s:.*?))"#|"((?:[^"\\]|\\(?s:.))*)"|'(?:[^'\\]|\\.)'"##).unwrap();
    let joined = Regex::new(r"^\s*,\s*(?:\$[a-z]+\s*,\s*)?$").unwrap();
    let mut texts: Vec<String> = Vec::new();
    let mut end = 0;
    for found in literal.captures_iter(&code) {
        let whole = found.get(0).unwrap();
        let text = match (found.get(1), found.get(2)) {
            (Some(raw), _) => raw.as_str().to_owned(),
            (None, Some(text)) => unescaped(text.as_str()),
            (None, None) => continue,
        };
        let between = code.get(end..whole.start()).unwrap_or_default();
        match texts.last_mut() {
            Some(last) if joined.is_match(between) && is_script(last) => last.push_str(&text),
            _ => texts.push(text),
        }
        end = whole.end();
    }
    texts.iter().filter(|text| is_script(text)).map(|text| filled(text, &constants)).collect()
}

fn is_script(text: &str) -> bool {
    let mark = Regex::new(r"\$[a-z(]|>&2|2>|&& |^exec |-- \{|^salt |^tail -").unwrap();
    mark.is_match(text)
}

fn unescaped(text: &str) -> String {
    let escape = Regex::new(r"\\(\n\s*|.)").unwrap();
    let one = |found: &Captures<'_>| match &found[1] {
        "n" => "\n".to_owned(),
        "t" => "\t".to_owned(),
        line if line.starts_with('\n') => String::new(),
        other => other.to_owned(),
    };
    escape.replace_all(text, one).into_owned()
}

/// A text of `format!` with something in each of its places.
fn filled(text: &str, constants: &[(&str, String)]) -> String {
    // In `{{` and `}}` a brace stands for itself, as in every text of `format!`; others have no such pair of a name.
    let hole = Regex::new(r"\{\{|\}\}|\{([A-Za-z_]*)\}").unwrap();
    if !text.contains("{{") && !Regex::new(r"(?:^|[^$])\{[A-Za-z_]*\}").unwrap().is_match(text) {
        return text.to_owned();
    }
    let one = |found: &Captures<'_>| match (&found[0], found.get(1).map(|name| name.as_str())) {
        ("{{", _) => "{".to_owned(),
        ("}}", _) => "}".to_owned(),
        (_, Some("sudo")) => "sudo -n ".to_owned(),
        (_, name) => {
            let known = constants.iter().find(|(constant, _)| Some(*constant) == name);
            known.map_or_else(|| "${hole}".to_owned(), |(_, text)| text.clone())
        }
    };
    hole.replace_all(text, one).into_owned()
}
