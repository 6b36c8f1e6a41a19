//! Programs that run other commands: they need the shell layer, not only the world.

mod detach;
mod flock;
mod systemd_run;

use std::sync::Arc;
use std::time::Duration;

use super::builtins::is_builtin;
use super::process::{Group, signalled};
use super::state::{Fd, LARGEST, Shell};

/// Every name that is found here. The last row are builtins that are also programs.
pub(crate) const NAMES: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "timeout",
    "sudo",
    "env",
    "nohup",
    "xargs",
    "sleep",
    "nice",
    "ionice",
    "setsid",
    "stdbuf",
    "flock",
    "systemd-run",
    "echo",
    "printf",
    "test",
    "[",
    "true",
    "false",
    "pwd",
    "kill",
];

/// Runs one of them; `fields` starts with its name.
pub(crate) async fn run(shell: &mut Shell, fields: Vec<String>) -> u8 {
    let name =
        fields.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).unwrap_or_default();
    let arguments = fields.get(1..).unwrap_or_default();
    match name.as_str() {
        "sh" | "bash" | "dash" => sh(shell, &name, arguments).await,
        "timeout" => timeout(shell, arguments).await,
        "sudo" => sudo(shell, arguments).await,
        "env" => env(shell, arguments).await,
        "nohup" | "setsid" => detach::run(shell, &name, arguments).await,
        "systemd-run" => systemd_run::run(shell, arguments).await,
        "flock" => flock::run(shell, arguments).await,
        "nice" | "ionice" | "stdbuf" => after_options(shell, arguments).await,
        "xargs" => xargs(shell, arguments).await,
        "sleep" => sleep(shell, arguments).await,
        builtin if is_builtin(builtin) => {
            let mut fields = fields.clone();
            if let Some(first) = fields.first_mut() {
                *first = name;
            }
            shell.builtin(&fields).await;
            shell.status
        }
        _ => 127,
    }
}

/// `nice -n 5 cmd`, `ionice -c 3 cmd`, `stdbuf -oL cmd`.
async fn after_options(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = if matches!(flag.as_str(), "-n" | "-c") { tail.get(1..).unwrap_or_default() } else { tail };
    }
    if rest.is_empty() { 0 } else { shell.external(rest.to_vec()).await }
}

/// A shell of its own: `sh -c`, `sh -s`, `sh FILE`, or its script from standard input.
async fn sh(shell: &mut Shell, name: &str, arguments: &[String]) -> u8 {
    let mut child = shell.child();
    child.name = name.to_owned();
    let mut rest = arguments;
    let (mut command, mut from_stdin) = (false, false);
    while let [flag, tail @ ..] = rest
        && flag.len() > 1
        && flag.starts_with(['-', '+'])
    {
        rest = tail;
        match flag.as_str() {
            "--" => break,
            "-o" | "+o" => {
                let pair = [flag.clone(), tail.first().cloned().unwrap_or_default()];
                child.set_options(&pair).await;
                rest = tail.get(1..).unwrap_or_default();
            }
            long if long.starts_with("--") => {}
            letters => {
                for letter in letters.chars().skip(1) {
                    match letter {
                        'c' => command = true,
                        's' => from_stdin = true,
                        other => child.option(other, letters.starts_with('-')),
                    }
                }
            }
        }
    }
    if command {
        let [script, tail @ ..] = rest else {
            shell.complain("-c requires an argument").await;
            return 2;
        };
        if let [name, arguments @ ..] = tail {
            child.name.clone_from(name);
            child.arguments = Arc::new(arguments.to_vec());
        }
        return child.script(script).await;
    }
    if let ([file, arguments @ ..], false) = (rest, from_stdin) {
        let path = shell.absolute(file);
        let read = shell.machine.world().read_file(&shell.machine.host, &path);
        let Some(bytes) = read else {
            child.line = 0;
            child.complain(&format!("cannot open {file}: No such file")).await;
            return 2;
        };
        child.name.clone_from(file);
        child.arguments = Arc::new(arguments.to_vec());
        return child.script(&String::from_utf8_lossy(&bytes)).await;
    }
    child.arguments = Arc::new(rest.to_vec());
    match child.fd(0).clone() {
        Fd::Read(reader) => child.script_from(&reader).await,
        _ => 0,
    }
}

/// Ends what `timeout` started, also when `timeout` itself is dropped.
struct Reaper(Group);

impl Drop for Reaper {
    fn drop(&mut self) {
        self.0.kill();
    }
}

async fn timeout(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut rest = arguments;
    let mut killed = false;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = tail;
        match flag.as_str() {
            "-k" | "--kill-after" => rest = tail.get(1..).unwrap_or_default(),
            "-s" | "--signal" => {
                killed =
                    tail.first().is_some_and(|signal| matches!(signal.as_str(), "KILL" | "SIGKILL" | "9"));
                rest = tail.get(1..).unwrap_or_default();
            }
            other => killed |= matches!(other, "--signal=KILL" | "-sKILL" | "-s9"),
        }
    }
    let [limit, command @ ..] = rest else {
        shell.put(2, b"timeout: missing operand\nTry 'timeout --help' for more information.\n").await;
        return 125;
    };
    let Some(limit) = duration(limit) else {
        shell.put(2, format!("timeout: invalid time interval \u{2018}{limit}\u{2019}\n").as_bytes()).await;
        return 125;
    };
    if let Some(missing) = missing_program(shell, command) {
        let text =
            format!("timeout: failed to run command \u{2018}{missing}\u{2019}: No such file or directory\n");
        shell.put(2, text.as_bytes()).await;
        return 127;
    }
    let mut child = shell.subshell();
    child.group = Group::default();
    let reaper = Reaper(child.group.clone());
    let run = async {
        if limit.is_zero() {
            return Some(child.external(command.to_vec()).await);
        }
        tokio::select! {
            biased;
            status = child.external(command.to_vec()) => Some(status),
            () = passes(limit) => None,
        }
    };
    match run.await {
        Some(status) => {
            reaper.0.merge_into(&shell.group);
            status
        }
        None if killed => signalled(9),
        None => 124,
    }
}

/// Waits. A stall of the machine that simulates is none of the one that is simulated: time counts in short sleeps, each with
/// turns for what else is to be done.
async fn passes(mut limit: Duration) {
    while !limit.is_zero() {
        let tick = limit.min(Duration::from_millis(250));
        tokio::time::sleep(tick).await;
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        limit -= tick;
    }
}

/// The command's name when there is no such program: builtins do not count here.
fn missing_program<'a>(shell: &Shell, command: &'a [String]) -> Option<&'a str> {
    let name = command.first()?;
    matches!(shell.find(name), super::simple::Found::Nothing).then_some(name.as_str())
}

/// `2`, `1.5`, `10s`, `3m`, `1h`, `1d`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (text.get(..at)?, 1.0),
        (at, 'm') => (text.get(..at)?, 60.0),
        (at, 'h') => (text.get(..at)?, 3600.0),
        (at, 'd') => (text.get(..at)?, 86400.0),
        _ => (text, 1.0),
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}

async fn sleep(shell: &Shell, arguments: &[String]) -> u8 {
    let mut total = Duration::ZERO;
    for argument in arguments {
        if argument == "infinity" {
            std::future::pending::<()>().await;
        }
        let Some(part) = duration(argument) else {
            let text = format!("sleep: invalid time interval \u{2018}{argument}\u{2019}\n");
            shell.put(2, text.as_bytes()).await;
            return 1;
        };
        total = total.saturating_add(part);
    }
    tokio::time::sleep(total).await;
    0
}

async fn sudo(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut user = "root".to_owned();
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = tail;
        match flag.as_str() {
            "--" => break,
            "-u" | "-g" => {
                if flag == "-u" {
                    user = tail.first().cloned().unwrap_or_default();
                }
                rest = tail.get(1..).unwrap_or_default();
            }
            _ => {}
        }
    }
    let mut child = shell.subshell();
    child.export("SUDO_USER", &shell.user);
    child.export("USER", &user);
    child.export("LOGNAME", &user);
    let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
    child.export("HOME", &home);
    child.user = user;
    if let Some(missing) = missing_program(&child, rest) {
        child.put(2, format!("sudo: {missing}: command not found\n").as_bytes()).await;
        return 1;
    }
    if rest.is_empty() { 0 } else { child.external(rest.to_vec()).await }
}

async fn env(shell: &mut Shell, arguments: &[String]) -> u8 {
    let mut child = shell.subshell();
    let mut rest = arguments;
    while let [word, tail @ ..] = rest {
        match word.split_once('=') {
            Some((name, value)) => child.export(name, value),
            None if word == "-i" || word == "-" => {
                let variables = Arc::make_mut(&mut child.variables);
                variables.values_mut().for_each(|variable| variable.exported = false);
            }
            None if word == "-u" => {
                if let Some(name) = tail.first() {
                    Arc::make_mut(&mut child.variables).remove(name);
                }
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
            None if word == "--" => {}
            None => break,
        }
        rest = tail;
    }
    if rest.is_empty() {
        let lines: String =
            child.environment().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        return child.say(lines.as_bytes()).await;
    }
    if let Some(missing) = missing_program(&child, rest) {
        let text = format!("env: \u{2018}{missing}\u{2019}: No such file or directory\n");
        child.put(2, text.as_bytes()).await;
        return 127;
    }
    child.external(rest.to_vec()).await
}

async fn xargs(shell: &mut Shell, arguments: &[String]) -> u8 {
    let (mut most, mut replace, mut nul, mut no_empty) = (usize::MAX, None, false, false);
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest
        && flag.starts_with('-')
    {
        rest = tail;
        match flag.as_str() {
            "-0" | "--null" => nul = true,
            "-r" | "--no-run-if-empty" => no_empty = true,
            "-n" | "-L" => {
                most = tail.first().and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
                rest = tail.get(1..).unwrap_or_default();
            }
            "-I" => {
                replace = tail.first().cloned();
                rest = tail.get(1..).unwrap_or_default();
            }
            "-P" => rest = tail.get(1..).unwrap_or_default(),
            other => most = other.strip_prefix("-n").and_then(|n| n.parse().ok()).unwrap_or(most).max(1),
        }
    }
    let command = if rest.is_empty() { vec!["echo".to_owned()] } else { rest.to_vec() };
    let input = match shell.fd(0) {
        Fd::Read(reader) => reader.take_all(LARGEST).await,
        _ => Vec::new(),
    };
    let text = String::from_utf8_lossy(&input).into_owned();
    let items: Vec<String> = if nul {
        text.split('\0').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    } else if replace.is_some() {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    } else {
        shlex::split(&text).unwrap_or_else(|| text.split_whitespace().map(str::to_owned).collect())
    };
    let mut child = shell.subshell();
    child.set_fd(0, Fd::Null);
    let runs: Vec<Vec<String>> = match &replace {
        Some(mark) => {
            items.iter().map(|item| command.iter().map(|word| word.replace(mark, item)).collect()).collect()
        }
        None if items.is_empty() => {
            if no_empty {
                Vec::new()
            } else {
                vec![command]
            }
        }
        None => items.chunks(most).map(|chunk| [command.as_slice(), chunk].concat()).collect(),
    };
    let mut status = 0;
    for run in runs {
        match child.external(run).await {
            0 => {}
            code @ 126.. => return code,
            _ => status = 123,
        }
    }
    status
}
