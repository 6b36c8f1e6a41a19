//! Every file of `tests/invalid/{inventory,theme,keymap,views,runbook}` is refused, with the text that stands beside it in
//! `NAME.stderr`. `UPDATE_EXPECT=1 cargo test --test fast invalid_config::` writes those texts anew: read the difference.

use std::fs;
use std::path::{Path, PathBuf};

use jumpdeck::app::opening::view_rules;
use jumpdeck::collect::probes::PROBES;
use jumpdeck::config::diagnostic::Diagnostic;
use jumpdeck::config::inventory::{self, Context};
use jumpdeck::config::keymap::{self, Keymap};
use jumpdeck::config::theme;
use jumpdeck::config::views::parse_views;
use jumpdeck::runbook::definition::Runbook;
use jumpdeck::view::fleet_columns;
use jumpdeck_fleet::declared::{DeclaredService, PROBED_SERVICES};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

use crate::support::shell::host;

fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

fn check(kind: &str, at_least: usize, read: impl Fn(&str, &str) -> Result<(), Vec<Diagnostic>>) {
    let files = cases(kind);
    assert!(files.len() >= at_least, "{} {kind} files", files.len());
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut differ = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let errors = match read(name, &fs::read_to_string(path).unwrap()) {
            Ok(()) => {
                differ.push(format!("{name}: was accepted"));
                continue;
            }
            Err(errors) => errors,
        };
        assert!(!errors.is_empty(), "{name}");
        let shown: String = errors.iter().map(|e| format!("{}\n\n", e.render(false))).collect();
        for error in &errors {
            let (line, column) = error.position().unwrap();
            let shown = error.render(false);
            assert!(shown.contains(&format!("{name}:{line}:{column}")), "{name}: {shown}");
            assert!(shown.contains('^') && shown.contains("help: "), "{name}: no caret or no help: {shown}");
        }
        let expected = path.with_extension("stderr");
        if update {
            fs::write(&expected, &shown).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            differ.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(differ.is_empty(), "differ from what is expected:\n{}", differ.join("\n"));
}

#[test]
fn inventories() {
    let context = Context { home: "/home/ada".into(), user: "ada".into(), ..Context::default() };
    check("inventory", 25, |name, text| inventory::parse(name, text, &context).map(drop));
}

/// The services that an inventory may name without saying what they are.
#[test]
fn the_list_of_services_with_a_probe_is_true() {
    let expected = |name: &str| DeclaredService {
        name: name.to_owned(),
        roles: Vec::new(),
        units: Vec::new(),
        processes: Vec::new(),
        ..DeclaredService::default()
    };
    let services = PROBES.iter().map(|probe| expected(&probe.name().replace('_', "-")).into()).collect();
    let mut facts = HostFacts::default();
    facts.services.follow(&Host { services, ..host("app1") });
    for probe in PROBES {
        probe.ingest(Err(Gap::TimedOut), Moment(0), &mut facts);
    }
    let probed = facts.services.iter().filter(|entry| entry.declared().is_none());
    let names: Vec<&str> = probed.map(|entry| entry.name()).collect();
    assert_eq!(names, PROBED_SERVICES);
}

#[test]
fn themes() {
    check("theme", 5, |name, text| theme::parse_theme(name, text).map(drop));
}

#[test]
fn keymaps() {
    let base = Keymap::builtin_default();
    check("keymap", 5, |name, text| keymap::parse_onto(&base, name, text).map(drop));
}

#[test]
fn saved_views() {
    let rules = view_rules(&fleet_columns());
    check("views", 10, |name, text| parse_views(name, text, &rules).map(drop));
}

#[test]
fn runbooks() {
    let parts = |name: &str| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/invalid/runbook/parts/{name}.toml"));
        Some((format!("{name}.toml"), fs::read_to_string(path).ok()?))
    };
    check("runbook", 20, |name, text| Runbook::read(name, text, &parts).map(drop));
}
