//! The walls: imports go downward only, and some layers never name some libraries. Reads the source text, so that a
//! wrong `use` fails here before anybody builds on it.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// A layer and what it may import of this crate. What the crates below it may know, their `Cargo.toml` says.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("ownership", &[]),
    ("config", &["ownership"]),
    ("listening", &[]),
    ("openssh", &["ownership", "listening"]),
    ("transport", &["openssh", "listening"]),
    ("demo", &["transport"]),
    ("collect", &["transport", "openssh", "listening", "ownership"]),
    ("runbook", &["transport", "openssh", "config", "ownership", "listening"]),
    ("operator", &["runbook", "collect", "config", "transport", "openssh", "ownership"]),
    ("app", &["config"]),
    ("view", &["app", "config"]),
    ("runtime", &["view", "app", "operator", "runbook", "collect", "config", "transport"]),
    // Test code, and in no build that people use.
    ("fuzzing", &["view", "app", "operator", "runbook", "collect", "config", "transport", "openssh"]),
    (
        "cli",
        &[
            "runtime",
            "view",
            "app",
            "operator",
            "runbook",
            "collect",
            "config",
            "transport",
            "openssh",
            "ownership",
            "listening",
        ],
    ),
];

/// Libraries a layer never names.
const NEVER: &[(&str, &[&str])] = &[
    ("ownership", &["ratatui", "crossterm", "tokio", "russh", "clap", "jumpdeck_sim"]),
    ("config", &["ratatui", "crossterm", "tokio", "russh", "clap", "jumpdeck_sim"]),
    ("openssh", &["ratatui", "crossterm", "clap", "jumpdeck_sim"]),
    ("transport", &["ratatui", "crossterm", "clap", "jumpdeck_sim"]),
    ("collect", &["ratatui", "crossterm", "russh", "clap", "jumpdeck_sim"]),
    ("runbook", &["ratatui", "crossterm", "russh", "clap", "jumpdeck_sim"]),
    ("operator", &["ratatui", "crossterm", "russh", "clap", "jumpdeck_sim"]),
    ("app", &["ratatui", "crossterm", "tokio", "russh", "clap", "jumpdeck_sim"]),
    ("view", &["tokio", "russh", "clap", "jumpdeck_sim"]),
    ("runtime", &["jumpdeck_sim"]),
];

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every source file with its layer: `src/view/screens/fleet.rs` → `view`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths
        .into_iter()
        .filter_map(|path| {
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let layer = relative.split(['/', '.']).next().unwrap().to_owned();
            (layer != "main" && layer != "lib").then(|| {
                let text = fs::read_to_string(&path).unwrap();
                (layer, path, text)
            })
        })
        .collect()
}

/// The words that follow `crate::` in a text: `crate::config::theme` → `config`; `crate::{app, config}` → both.
fn imported(text: &str) -> Vec<String> {
    let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut word = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => found.push(std::mem::take(&mut word)),
                        _ if depth == 0 => word.push(c),
                        _ => {}
                    }
                }
                found.push(word);
            }
            None => found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()),
        }
    }
    found
        .into_iter()
        .map(|w| w.trim().split("::").next().unwrap_or_default().to_owned())
        .filter(|w| !w.is_empty())
        .collect()
}

#[test]
fn imports_go_downward_only() {
    let mut wrong = Vec::new();
    for (layer, path, text) in sources() {
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("{}: layer {layer} is not on the map of this test", path.display()));
        for word in imported(&text) {
            let is_layer = MAY_IMPORT.iter().any(|(name, _)| *name == word);
            if is_layer && word != layer && !allowed.contains(&word.as_str()) {
                wrong.push(format!("{}: {layer} imports {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn layers_do_not_name_libraries_that_are_not_theirs() {
    let mut wrong = Vec::new();
    for (layer, path, text) in sources() {
        let never = NEVER.iter().find(|(name, _)| *name == layer).map_or(&[][..], |(_, n)| n);
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for library in never.iter().filter(|library| line.contains(&format!("{library}::"))) {
                wrong.push(format!("{}:{}: {layer} names {library}", path.display(), i + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files that may name SSH as the way to reach machines: where the program is put together, and the simulated fleet, which
/// speaks it. Everything else has a `Connectors`, a `Connector` or sessions, and works with another transport as it is.
const NAMES_SSH: &[&str] = &["src/cli/setup.rs", "src/demo.rs"];

/// Finds code that names the concrete transport: by its module or by its types, also within a group of imports.
fn names_ssh(code: &str, is_of_transport: bool) -> bool {
    let by_path = Regex::new(r"\btransport::(ssh\b|\{[^;]*\bssh\b)|\bSshConnectors?\b").unwrap();
    let beside = Regex::new(r"\b(super|self)::(ssh\b|\{[^;]*\bssh\b)").unwrap();
    by_path.is_match(code) || (is_of_transport && beside.is_match(code))
}

#[test]
fn only_where_the_program_is_put_together_is_the_transport_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = Vec::new();
    for (layer, path, text) in sources() {
        let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let is_test = file.contains("/tests/") || file.ends_with("tests.rs") || layer == "fuzzing";
        let own = file == "src/transport/ssh.rs" || file.starts_with("src/transport/ssh/");
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        if !own && !is_test && names_ssh(&code.join("\n"), layer == "transport") {
            named.push(file);
        }
    }
    named.sort();
    assert_eq!(named, NAMES_SSH, "the others use what src/transport.rs gives");
}

#[test]
fn code_that_names_the_transport_is_seen() {
    for code in [
        "use crate::transport::ssh::SshConnector;",
        "use crate::transport::{\n    Lane,\n    ssh::link::JumpLink,\n};",
        "let link: crate::transport::ssh::link::JumpLink;",
        "fn reach() -> SshConnectors {",
    ] {
        assert!(names_ssh(code, false), "{code}");
    }
    assert!(names_ssh("use super::ssh::link::JumpLink;", true));
    for code in ["use crate::transport::{Lane, Session};", "use super::ssh_keys;", "let ssh = 1;"] {
        assert!(!names_ssh(code, false), "{code}");
    }
}

/// Words of kinds of steps that mean something else in a comparison: the file's end, the word, and what it means there.
const OTHER_MEANINGS: &[(&str, &str, &str)] = &[
    ("src/collect/probes/postfix/queue.rs", "hold", "the queue of Postfix with that name"),
    ("src/cli/runbook/answer.rs", "note", "what an operator types"),
    ("src/config/check.rs", "input", "a table of a runbook"),
    ("src/runbook/scope.rs", "run", "a variable"),
    ("src/runbook/examine.rs", "approve", "a question in a journal"),
];

/// The kinds of steps: the files of their folder, and the list in `kinds.rs`.
fn kinds_of_steps() -> (Vec<String>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runbook");
    let mut paths = Vec::new();
    files(&root.join("kinds"), &mut paths);
    let mut there: Vec<String> =
        paths.iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let text = fs::read_to_string(root.join("kinds.rs")).unwrap();
    let list = text.split("\nkinds! {").nth(1).unwrap().split('}').next().unwrap();
    let mut listed: Vec<String> =
        list.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
    there.sort();
    listed.sort();
    (there, listed)
}

/// Finds lines of code that take a kind of step for themselves: by its module, by its type, or by comparing with its word.
fn names_kind(kind: &str) -> Regex {
    let camel: String = kind.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
    let word = format!(r#""{kind}""#);
    let patterns = [
        format!(r"\bkinds::{kind}\b"),
        format!(r"\b{camel}Step\b"),
        format!(r"{word}\s*(=>|\||if\b)"),
        format!(r"(\||[=!]=|matches!\(.*,)\s*{word}"),
    ];
    Regex::new(&patterns.join("|")).unwrap()
}

#[test]
fn a_kind_of_step_is_one_file_and_one_line() {
    let (there, listed) = kinds_of_steps();
    assert!(there.len() > 15, "{there:?}");
    assert_eq!(
        there, listed,
        "every file of src/runbook/kinds is a line of the list in src/runbook/kinds.rs"
    );
    let patterns: Vec<(&String, Regex)> = there.iter().map(|kind| (kind, names_kind(kind))).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let own = file.starts_with("src/runbook/kinds/");
        let is_test = name.ends_with("tests") || name.contains("fixture") || file.contains("/tests/");
        if is_test {
            continue;
        }
        // Tests within a file stand at its end.
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        for (at, line) in code.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for (kind, _) in
                patterns.iter().filter(|(kind, names)| !(own && *kind == name) && names.is_match(line))
            {
                let other = OTHER_MEANINGS.iter().any(|(end, word, _)| file.ends_with(end) && word == kind);
                if !other {
                    wrong.push(format!("{file}:{}: names the kind {kind}: {}", at + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "ask the kind instead (trait StepKind):\n{}", wrong.join("\n"));
}

/// Places outside its own files that name a screen, and why each must: the file, the line, the reason.
const NAMES_A_SCREEN: &[(&str, &str, &str)] = &[
    ("src/app/screens.rs", "pub const ROOT: Self = Screen::Fleet;", "one screen is the first"),
    (
        "src/view/widgets/strip.rs",
        "let list = key(scene, Action::Screen(Destination::Runbooks));",
        "what is still in effect says the key that leads to its runs",
    ),
    (
        "src/view/widgets/strip.rs",
        "let list = key(scene, Action::Screen(Destination::Problems));",
        "what is wrong with the environment says the key that leads to all problems",
    ),
    (
        "src/view/screens/problems.rs",
        "let list = key(scene, Action::Screen(Destination::Runbooks));",
        "a problem says the key that leads to the runbooks for it",
    ),
];

/// The lines of the list of screens of a layer: file and variant.
fn listed_screens(layer: &str, list: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = fs::read_to_string(root.join(layer).join("screens.rs")).unwrap();
    let list = text.split(&format!("\n{list}! {{")).nth(1).unwrap().split('}').next().unwrap();
    let line = Regex::new(r"(\w+) => (\w+)").unwrap();
    let listed: Vec<_> = line.captures_iter(list).map(|c| (c[1].to_owned(), c[2].to_owned())).collect();
    for (file, _) in &listed {
        let path = root.join(layer).join(format!("screens/{file}.rs"));
        assert!(path.is_file(), "{} is a line of the list", path.display());
    }
    listed
}

/// Finds lines of code that take a screen for themselves: by its variant, by its key, by its file.
fn names_screen(file: &str, variant: &str) -> Regex {
    Regex::new(&format!(
        r"\b(Screen|Destination)::{variant}\b|\bscreens::{file}\b|\bscreens::\{{.*\b{file}::"
    ))
    .unwrap()
}

#[test]
fn a_screen_is_two_files_and_two_lines() {
    let screens = listed_screens("app", "screens");
    assert!(screens.len() > 9, "{screens:?}");
    assert_eq!(screens, listed_screens("view", "drawings"), "each screen is a line of both lists");
    let patterns: Vec<_> =
        screens.iter().map(|(file, variant)| (file, names_screen(file, variant))).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut wrong, mut known) = (Vec::new(), Vec::new());
    for (layer, path, text) in sources() {
        let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let is_test = file.contains("tests") || file.contains("fixture") || layer == "fuzzing";
        if is_test || !["app", "view", "runtime", "cli", "config"].contains(&layer.as_str()) {
            continue;
        }
        let inside = |name: &str| {
            ["app", "view"].iter().any(|layer| {
                let own = format!("src/{layer}/screens/{name}");
                file == format!("{own}.rs") || file.starts_with(&format!("{own}/"))
            })
        };
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        for (at, line) in code.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            // A screen says by its key which main screen it belongs to, and which keys lead on.
            let of_a_screen = file.starts_with("src/app/screens/") && line.contains("Destination::");
            // Among screens, what lies beside a file is a screen.
            let beside = file.contains("/screens/");
            let in_full = if beside { line.replace("super::", "screens::") } else { line.to_owned() };
            for (name, names) in &patterns {
                if inside(name) || of_a_screen || !names.is_match(&in_full) {
                    continue;
                }
                match NAMES_A_SCREEN.iter().find(|(f, l, _)| *f == file && *l == line.trim()) {
                    Some(place) => known.push(place),
                    None => {
                        wrong.push(format!("{file}:{}: names the screen {name}: {}", at + 1, line.trim()))
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "ask the screen instead (trait ScreenKind):\n{}", wrong.join("\n"));
    assert_eq!(known.len(), NAMES_A_SCREEN.len(), "a place that no longer names a screen leaves the list");
}

#[test]
fn a_line_that_takes_a_screen_for_itself_is_seen() {
    for line in [
        "if *model.screen() == Screen::PastRuns {",
        "matches!(screen, Screen::Fleet | Screen::PastRuns)",
        "let key = Action::Screen(Destination::PastRuns);",
        "use crate::app::screens::past::past_rows;",
        "use crate::app::screens::{fleet::fleet_rows, past::past_rows};",
        "screens::past::draw(buf, area)",
    ] {
        assert!(names_screen("past", "PastRuns").is_match(line), "{line}");
    }
    for line in ["Screen::PastRun(run)", "use super::screens::past_run;", "model.screens.push(screen)"] {
        assert!(!names_screen("past", "PastRuns").is_match(line), "{line}");
    }
}

/// The files of `src/collect/probes` with their text, but for what they share.
fn probe_files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/probes");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") {
            paths.push(path);
        }
    }
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        (name != "df" && name != "mail_queue").then_some((name, text))
    };
    paths.into_iter().filter_map(named).collect()
}

/// Lines of code, outside tests and comments, in which a word stands, whatever its case: `file:line: text`.
fn lines_with(word: &str, text: &str, file: &str) -> Vec<String> {
    let pattern = Regex::new(&format!(r"(?i)(\b|_){word}(\b|_)")).unwrap();
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    code.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//") && pattern.is_match(line))
        .map(|(at, line)| format!("{file}:{}: {}", at + 1, line.trim()))
        .collect()
}

#[test]
fn a_probe_of_a_service_is_one_file_and_one_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("src/collect/probes.rs")).unwrap();
    let list = list.split("\nprobes! {").nth(1).unwrap().split('}').next().unwrap();
    let listed: Vec<&str> = list
        .lines()
        .filter_map(|line| Some(line.trim().split_once("::")?.0))
        .filter(|w| !w.starts_with("//"))
        .collect();
    let probes = probe_files();
    for (name, _) in &probes {
        assert_eq!(listed.iter().filter(|word| *word == name).count(), 1, "{name} is one line of the list");
    }
    assert_eq!(listed.len(), probes.len(), "{listed:?}");
    let mut paths = Vec::new();
    files(&root.join("src"), &mut paths);
    files(&root.join("crates/fleet/src"), &mut paths);
    for (name, _) in probes.iter().filter(|(_, text)| text.contains(": ServiceProbe =")) {
        let mut named = Vec::new();
        for path in &paths {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap();
            let own = file == format!("src/collect/probes/{name}.rs")
                || file.starts_with(&format!("src/collect/probes/{name}/"));
            let is_test = file.ends_with("tests.rs") || file.contains("fixture") || file.contains("tests/");
            if !own && !is_test {
                let mut text = fs::read_to_string(path).unwrap();
                // The names that an inventory may write are a list below it, which another test keeps true.
                if file == "crates/fleet/src/declared.rs" {
                    let list = text.find("pub const PROBED_SERVICES").unwrap();
                    let end = list + text[list..].find("];").unwrap();
                    text.replace_range(list..end, "");
                }
                let lines = lines_with(name, &text, file);
                // The list of runbooks has their names: a service may be in one.
                named.extend(
                    lines.into_iter().filter(|line| !line.contains("include_str!(\"../../runbooks/")),
                );
            }
        }
        assert_eq!(named.len(), 1, "only the list of probes names {name}:\n{}", named.join("\n"));
        assert!(named[0].starts_with("src/collect/probes.rs:"), "{}", named[0]);
    }
}

#[test]
fn a_line_that_names_a_service_is_seen() {
    let text = "let a = facts.redis;\n// redis\nif kind == \"redis\" {}\nuse probes::Redis;\nfn ask_redis() {}\nredistribute();\n\
                #[cfg(test)]\nmod tests { redis }\n";
    assert_eq!(lines_with("redis", text, "f").len(), 4);
}

#[test]
fn a_line_that_takes_a_kind_for_itself_is_seen() {
    for line in [
        r#"    "host_key" => true,"#,
        r#"matches!(kind, "edit" | "host_key")"#,
        r#"matches!(kind, "host_key")"#,
        r#"if step.word() == "host_key" {"#,
        "let step = HostKeyStep { key };",
        "use super::kinds::host_key::KIND;",
    ] {
        assert!(names_kind("host_key").is_match(line), "{line}");
    }
    for line in [r#"let hint = "host_key and others";"#, r#"&["host_key", "edit"]"#] {
        assert!(!names_kind("host_key").is_match(line), "{line}");
    }
}

#[test]
fn the_reader_of_imports_sees_them() {
    assert_eq!(imported("use crate::config::theme::Theme;"), ["config"]);
    assert_eq!(imported("use crate::{app::{a, b}, config};"), ["app", "config"]);
    assert_eq!(imported("// crate::view"), Vec::<String>::new());
    assert_eq!(imported("let x = crate::transport::ssh::dial::TcpDial;"), ["transport"]);
}

/// A file that its program does not name is compiled by nobody, and one that no lane names is run by nobody.
#[test]
fn every_file_of_tests_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let lanes = fs::read_to_string(root.join("run")).unwrap();
    for program in ["fast", "real"] {
        let main = fs::read_to_string(root.join(program).join("main.rs")).unwrap();
        for entry in fs::read_dir(root.join(program)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() || name == "main" {
                continue;
            }
            assert!(main.contains(&format!("mod {name};")), "tests/{program}/main.rs does not name {name}");
            let mut words = lanes.split(|c: char| !c.is_alphanumeric() && c != '_');
            let run = program == "fast" || words.any(|word| word == name);
            assert!(run, "no lane of tests/run names {name}");
        }
    }
}
