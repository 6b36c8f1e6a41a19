//! Every command that a text of the program or its documents tells people to type is accepted by the command line.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::ErrorKind;
use regex::Regex;

use super::Cli;

fn files(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ends, found);
        } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| ends.contains(&e)) {
            found.push(path);
        }
    }
}

/// The commands of a text: in backquotes, after a prompt, and where a message of the program names one.
fn commands(path: &Path, text: &str) -> Vec<String> {
    let is_code = path.extension().is_some_and(|e| e == "rs");
    let quoted = Regex::new(r"`jumpdeck ([^`]+)`").unwrap();
    let prompted = Regex::new(r"^\s*\$ jumpdeck ([^#]+)").unwrap();
    let message = Regex::new(r#"(?:[":,(] ?|\bor |\bwith )jumpdeck ((?:runbook|status|exec|power|ssh|check|demo|info|console|sim|man|completions)\b[^"`;,()]*)"#).unwrap();
    let mut found = Vec::new();
    for line in text.lines() {
        let line = if is_code && line.trim_start().starts_with("//!") { continue } else { line };
        let patterns: &[&Regex] = if is_code { &[&quoted, &message] } else { &[&quoted, &prompted] };
        for pattern in patterns {
            found.extend(pattern.captures_iter(line).map(|all| all[1].trim().to_owned()));
        }
    }
    found
}

/// The words of a command, with something in place of what stands for a value.
fn words(command: &str) -> Option<Vec<String>> {
    // `{run}{tail}`: the tail is more arguments, see `operator::commands`.
    let command = command.replace("{tail}", "").replace("{TAIL}", "");
    let filled = Regex::new(r"\{[^}]*\}").unwrap().replace_all(&command, "x").into_owned();
    // Optional parts and alternatives of a table of commands.
    let filled = Regex::new(r"…").unwrap().replace_all(&filled, "").into_owned();
    let filled = filled.replace("\\|", "|").replace(['[', ']'], " ");
    let filled = Regex::new(r"\b(\w+)(\|\w+)+").unwrap().replace_all(&filled, "$1").into_owned();
    // Where its output goes is the shell's.
    let filled = filled.split(" > ").next().unwrap_or_default();
    let words = shlex::split(filled.trim_end_matches(['.', ':', '\\']))?;
    Some(std::iter::once("jumpdeck".to_owned()).chain(words).collect())
}

#[test]
fn every_command_that_is_advised_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(&root.join("src"), &["rs"], &mut all);
    files(&root.join("runbooks"), &["toml"], &mut all);
    files(&root.join("docs"), &["md"], &mut all);
    all.extend(["README.md", "inventory.example.toml"].map(|name| root.join(name)));
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in all.iter().filter(|path| !path.ends_with("advice_tests.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        for command in commands(path, &text) {
            // Where a text goes on behind the command, its first words must still be one.
            let Some(words) = words(&command) else { continue };
            seen += 1;
            let Err(error) = Cli::try_parse_from(super::whole_demo(words.iter().map(Into::into))) else {
                continue;
            };
            match error.kind() {
                // Named without its arguments, in running text.
                ErrorKind::MissingRequiredArgument
                | ErrorKind::DisplayHelp
                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::DisplayVersion
                | ErrorKind::MissingSubcommand => {}
                _ => wrong.push(format!("{}: jumpdeck {command}: {error}", path.display())),
            }
        }
    }
    assert!(seen > 40, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The test above sees a command that is wrong.
#[test]
fn a_command_that_is_not_there_is_seen() {
    let parse = |command: &str| Cli::try_parse_from(words(command).unwrap()).is_ok();
    assert!(parse("runbook rollback {run}{tail}") && parse("status --format json"));
    assert!(!parse("runbook undo {run}") && !parse("status --fromat json") && !parse("chekc"));
    let found = commands(Path::new("x.rs"), "\"say so: jumpdeck runbook undo RUN\"\n`jumpdeck chekc`\n");
    assert_eq!(found, ["runbook undo RUN", "chekc"]);
}
