//! `jumpdeck man`: one manual page with everything: commands and their options, keys, files, environment, exit codes.

use clap::{Arg, Command};

use super::exit_codes::EXIT_CODES;
use crate::config::action::Action;
use crate::config::keymap::Keymap;

/// The files in use, without the ones that an inventory names.
const FILES: &[(&str, &str)] = &[
    (
        "~/.config/jumpdeck/inventory.toml",
        "The fleet. --inventory, JUMPDECK_INVENTORY and config.toml come before it.",
    ),
    (
        "~/.config/jumpdeck/config.toml",
        "Your choices: theme, keymap, environment, color, inventory, sign_with.",
    ),
    ("~/.config/jumpdeck/themes/*.toml, keymaps/*.toml", "Your own themes and keymaps."),
    ("~/.config/jumpdeck/views.toml", "Your saved views."),
    ("~/.config/jumpdeck/runbooks/*.toml", "Your own runbooks; they replace built-in ones by name."),
    ("~/.config/jumpdeck/allowed_signers", "Whose signatures count for jumpdeck runbook verify."),
    ("~/.local/state/jumpdeck/runs/*.jsonl", "The journals of runs."),
    ("~/.local/state/jumpdeck/handoff/*.txt", "The views that were copied, the newest 50."),
    ("~/.local/state/jumpdeck/palette", "What you took from the command palette, the last 50."),
    ("~/.local/state/jumpdeck/jumpdeck.log", "The log, while JUMPDECK_LOG is set."),
];

/// What is read of the process environment.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("JUMPDECK_INVENTORY", "The inventory, as with --inventory."),
    ("JUMPDECK_LOG", "Writes a log: info, debug, jumpdeck=trace, and so on."),
    ("JUMPDECK_WHO", "The name that runs and signatures have for you, in place of the account."),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "In place of ~/.config and ~/.local/state."),
    ("SSH_AUTH_SOCK", "The SSH agent that is asked for keys."),
    ("NO_COLOR, TERM, COLORTERM", "Whether and how the terminal is coloured."),
];

/// The page, for man(1).
pub(super) fn page(command: &Command) -> String {
    let mut command = command.clone();
    command.build();
    let mut out = String::new();
    let version = command.get_version().unwrap_or_default();
    out.push_str(&format!(".TH JUMPDECK 1 \"\" \"jumpdeck {}\"\n", escaped(version)));
    section(&mut out, "NAME");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    line(&mut out, &format!("jumpdeck - {}", about.trim_end_matches('.')));
    section(&mut out, "SYNOPSIS");
    line(&mut out, "jumpdeck [OPTIONS] [COMMAND]");
    section(&mut out, "DESCRIPTION");
    line(&mut out, "Without a command the console opens on the inventory. jumpdeck demo needs no fleet.");
    section(&mut out, "OPTIONS");
    command.get_arguments().for_each(|argument| option(&mut out, argument));
    section(&mut out, "COMMANDS");
    commands(&mut out, &command, "jumpdeck");
    section(&mut out, "KEYS");
    line(&mut out, "Of the built-in keymap. Press ? in the console for those in use.");
    let keymap = Keymap::builtin_default();
    for action in Action::ALL {
        let keys: Vec<String> = keymap.keys(None, *action).map(|key| key.to_string()).collect();
        if !keys.is_empty() {
            entry(&mut out, &keys.join(", "), action.help());
        }
    }
    for (title, rows) in [("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXIT_CODES)] {
        section(&mut out, title);
        rows.iter().for_each(|(name, text)| entry(&mut out, name, text));
    }
    out
}

/// Each command with its arguments; what it holds comes after it.
fn commands(out: &mut String, command: &Command, path: &str) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()) {
        let name = format!("{path} {}", sub.get_name());
        let positionals: Vec<String> = sub
            .get_positionals()
            .map(|argument| {
                let name = argument.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
                let name = name.unwrap_or_else(|| argument.get_id().to_string());
                if argument.is_last_set() {
                    format!(" -- {name}")
                } else if argument.is_required_set() {
                    format!(" {name}")
                } else {
                    format!(" [{name}]")
                }
            })
            .collect();
        out.push_str(".SS ");
        line(out, &format!("\"{name}{}\"", positionals.concat()));
        line(out, &sub.get_about().map(ToString::to_string).unwrap_or_default());
        let own = sub.get_arguments().filter(|argument| !argument.is_global_set() && !argument.is_hide_set());
        own.filter(|argument| argument.get_id() != "help").for_each(|argument| option(out, argument));
        commands(out, sub, &name);
    }
}

fn option(out: &mut String, argument: &Arg) {
    let mut names: Vec<String> = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    if names.is_empty() {
        names.push(argument.get_id().to_string().to_uppercase());
    } else if let Some(value) =
        argument.get_value_names().and_then(<[_]>::first).filter(|_| argument.get_action().takes_values())
    {
        names.push(value.to_string());
    }
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    entry(out, &names.join(" "), &help);
}

fn section(out: &mut String, title: &str) {
    out.push_str(&format!(".SH \"{title}\"\n"));
}

fn entry(out: &mut String, name: &str, text: &str) {
    out.push_str(".TP\n.B ");
    line(out, name);
    line(out, text);
}

/// A line of text that means nothing to man(1).
fn line(out: &mut String, text: &str) {
    let text = escaped(text);
    if text.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    out.push_str(&text);
    out.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\n', " ")
}
