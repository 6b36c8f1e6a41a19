//! `ps` and `pgrep`: what every host runs, its services, and what cron and others started.

use crate::posix::processes::Process;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, failure, output};

pub(crate) static PS: Quick = Quick { name: "ps", options: None, answer };
pub(crate) static PGREP: Quick = Quick { name: "pgrep", options: None, answer: pgrep };

/// `[[DD-]hh:]mm:ss`.
fn elapsed(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let rest = seconds % 60;
    match (days, hours) {
        (0, 0) => format!("{minutes:02}:{rest:02}"),
        (0, _) => format!("{hours:02}:{minutes:02}:{rest:02}"),
        _ => format!("{days}-{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// A name that is too long for its column ends with `+`.
fn short_user(user: &str) -> String {
    if user.chars().count() > 8 { format!("{user:.7}+") } else { user.to_owned() }
}

impl Process {
    /// A column of `-o`: its head, its text, and whether it stands at the right.
    fn column(&self, name: &str) -> Option<(&'static str, String, bool)> {
        Some(match name {
            "pid" => ("PID", self.pid.to_string(), true),
            "ppid" => ("PPID", u8::from(self.pid != 1).to_string(), true),
            "user" | "euser" => ("USER", short_user(&self.user), false),
            "etime" => ("ELAPSED", elapsed(self.seconds), true),
            "etimes" => ("ELAPSED", self.seconds.to_string(), true),
            "stat" => ("STAT", "Ss".to_owned(), false),
            "comm" | "ucmd" => ("COMMAND", self.name.clone(), false),
            "args" | "cmd" | "command" => ("COMMAND", self.command.clone(), false),
            _ => return None,
        })
    }
}

fn answer(ask: &Ask<'_>) -> Reply {
    let mut columns: Vec<String> = Vec::new();
    let (mut all, mut user_style, mut full, mut heads) = (false, false, false, true);
    let (mut only, mut named): (Vec<u32>, Option<String>) = (Vec::new(), None);
    let mut args = ask.args.iter();
    while let Some(arg) = args.next() {
        let letters = match arg.as_str() {
            "--no-headers" | "--no-heading" => {
                heads = false;
                continue;
            }
            other => other.trim_start_matches('-'),
        };
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let mut value = || {
                let glued: String = rest.by_ref().collect();
                if glued.is_empty() { args.next().cloned().unwrap_or_default() } else { glued }
            };
            match letter {
                'o' => columns.extend(value().split([',', ' ']).map(str::to_owned)),
                'p' => only.extend(value().split(',').filter_map(|pid| pid.parse::<u32>().ok())),
                'C' => named = Some(value()),
                'e' | 'A' | 'a' | 'x' => all = true,
                'u' if !arg.starts_with('-') => user_style = true,
                'f' => full = true,
                'w' | 'u' | 'l' => {}
                _ => return failure(1, "error: unsupported SysV option"),
            }
        }
    }
    let selected = all || !only.is_empty() || named.is_some();
    let found: Vec<Process> = ask
        .world
        .processes(ask.host)
        .into_iter()
        .filter(|p| selected && (only.is_empty() || only.contains(&p.pid)))
        .filter(|p| named.as_ref().is_none_or(|name| p.name == *name))
        .collect();
    let nobody = found.is_empty() && (!only.is_empty() || named.is_some());
    let mut reply = if !columns.is_empty() {
        match table(&found, &columns, heads) {
            Ok(text) => output(text),
            Err(unknown) => {
                return failure(1, &format!("error: unknown user-defined format specifier \"{unknown}\""));
            }
        }
    } else {
        output(lines(&found, user_style, full, heads))
    };
    reply.status = u8::from(nobody);
    reply
}

fn lines(found: &[Process], user_style: bool, full: bool, heads: bool) -> String {
    let head = match (user_style, full) {
        (true, _) => "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n",
        (_, true) => "UID          PID    PPID  C STIME TTY          TIME CMD\n",
        _ => "    PID TTY          TIME CMD\n",
    };
    let mut text = if heads { head.to_owned() } else { String::new() };
    for process in found {
        let Process { pid, user, command, .. } = process;
        let parent = u8::from(*pid != 1);
        text.push_str(&match (user_style, full) {
            (true, _) => {
                format!("{user:<8} {pid:>7}  0.0  0.1  14720  2208 ?        Ss   Mar01   0:02 {command}\n")
            }
            (_, true) => format!("{user:<8} {pid:>7} {parent:>7}  0 Mar01 ?        00:00:02 {command}\n"),
            _ => format!("{pid:>7} ?        00:00:02 {}\n", process.name),
        });
    }
    text
}

fn table(found: &[Process], columns: &[String], heads: bool) -> Result<String, String> {
    // `pid=` is a column without a head.
    let names: Vec<&str> = columns.iter().map(|column| column.trim_end_matches('=')).collect();
    let heads = heads && !columns.iter().any(|column| column.ends_with('='));
    let template = Process::default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut right = Vec::new();
    let mut head = Vec::new();
    for name in &names {
        let (title, _, at_right) = template.column(name).ok_or_else(|| (*name).to_owned())?;
        head.push(title.to_owned());
        right.push(at_right);
    }
    if heads {
        rows.push(head);
    }
    for process in found {
        rows.push(names.iter().filter_map(|name| process.column(name)).map(|(_, text, _)| text).collect());
    }
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(&right).map(|((cell, width), right)| {
            if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned() + "\n"
    };
    Ok(rows.iter().map(line).collect())
}

fn pgrep(ask: &Ask<'_>) -> Reply {
    let (mut whole, mut count, mut list, mut command) = (false, false, false, false);
    let (mut pattern, mut user) = (None, None);
    let mut args = ask.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-u" => user = args.next(),
            option if option.len() > 1 && option.starts_with('-') => {
                for letter in option.chars().skip(1) {
                    match letter {
                        'f' => whole = true,
                        'c' => count = true,
                        'l' => list = true,
                        'a' => command = true,
                        _ => return failure(2, &format!("pgrep: invalid option -- '{letter}'")),
                    }
                }
            }
            _ => pattern = Some(arg),
        }
    }
    let Some(pattern) = pattern.and_then(|pattern| regex::Regex::new(pattern).ok()) else {
        return failure(2, "pgrep: no matching criteria specified\nTry `pgrep --help' for more information.");
    };
    let found: Vec<Process> = ask
        .world
        .processes(ask.host)
        .into_iter()
        .filter(|p| pattern.is_match(if whole { &p.command } else { &p.name }))
        .filter(|p| user.is_none_or(|user| p.user == *user))
        .collect();
    let text: String = if count {
        format!("{}\n", found.len())
    } else {
        let line = |p: &Process| match (command, list) {
            (true, _) => format!("{} {}\n", p.pid, p.command),
            (_, true) => format!("{} {}\n", p.pid, &p.name),
            _ => format!("{}\n", p.pid),
        };
        found.iter().map(line).collect()
    };
    Reply { status: u8::from(found.is_empty()), ..output(text) }
}
