//! Commands that are part of the shell itself. One file each for the larger ones.

mod getopts;
mod printf;
mod read;
pub(crate) mod test;

use std::sync::Arc;

use super::simple::{Found, always_there};
use super::state::{Fd, Flow, Shell, Variable};

/// POSIX special builtins: found before functions, their assignments last.
pub(crate) fn is_special(name: &str) -> bool {
    matches!(
        name,
        ":" | "."
            | "source"
            | "break"
            | "continue"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "readonly"
            | "return"
            | "set"
            | "shift"
            | "times"
            | "trap"
            | "unset"
    )
}

pub(crate) fn is_builtin(name: &str) -> bool {
    is_special(name)
        || matches!(
            name,
            "[" | "test"
                | "echo"
                | "printf"
                | "read"
                | "cd"
                | "pwd"
                | "true"
                | "false"
                | "command"
                | "type"
                | "umask"
                | "ulimit"
                | "wait"
                | "kill"
                | "local"
                | "getopts"
                | "hash"
                | "alias"
                | "unalias"
                | "jobs"
        )
}

impl Shell {
    /// Runs a builtin; `fields` starts with its name.
    pub(crate) async fn builtin(&mut self, fields: &[String]) -> Flow {
        let (name, arguments) = match fields {
            [name, arguments @ ..] => (name.as_str(), arguments),
            [] => return Flow::Next,
        };
        self.status = match name {
            ":" | "true" | "umask" | "ulimit" | "hash" | "alias" | "unalias" | "jobs" => 0,
            "times" => self.say("0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n".as_bytes()).await,
            "false" => 1,
            "echo" => {
                let text = echo(arguments, self.is_bash());
                self.say(text.as_bytes()).await
            }
            "printf" => self.printf(arguments).await,
            "read" => return self.read(arguments).await,
            "test" | "[" => self.test(name, arguments).await,
            "cd" => self.cd(arguments).await,
            "pwd" => self.say(format!("{}\n", self.cwd).as_bytes()).await,
            "export" | "readonly" | "local" => return self.declare(name, arguments).await,
            "unset" => self.unset_all(arguments).await,
            "set" => self.set_options(arguments).await,
            "shift" => self.shift(arguments).await,
            "wait" => self.wait(arguments).await,
            "kill" => self.kill(arguments).await,
            "type" => self.describe(arguments, true).await,
            "getopts" => self.getopts(arguments).await,
            "trap" => self.trap(arguments).await,
            _ => return self.leaving(name, arguments).await,
        };
        // What a closed pipe does to a shell: SIGPIPE.
        if self.status == super::process::signalled(13) { Flow::Exit } else { Flow::Next }
    }

    /// The builtins that run something, or leave something.
    async fn leaving(&mut self, name: &str, arguments: &[String]) -> Flow {
        let number = arguments.first().and_then(|text| text.parse::<i64>().ok());
        let level = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
        match name {
            "break" | "continue" if self.loops == 0 => Flow::Next,
            "break" => {
                self.status = 0;
                Flow::Break(level.min(self.loops))
            }
            "continue" => {
                self.status = 0;
                Flow::Continue(level.min(self.loops))
            }
            "return" | "exit" => {
                if let Some(argument) = arguments.first() {
                    let Some(number) = number else {
                        self.complain(&format!("{name}: Illegal number: {argument}")).await;
                        self.status = 2;
                        return Flow::Exit;
                    };
                    self.status = u8::try_from(number & 0xff).unwrap_or(0);
                }
                self.leaving_for_good |= name == "exit";
                if name == "exit" { Flow::Exit } else { Flow::Return }
            }
            "eval" => self.evaluate_text(&arguments.join(" ")).await,
            "." | "source" => self.source(arguments).await,
            "exec" => self.replace(arguments).await,
            "command" => self.command_builtin(arguments).await,
            _ => Flow::Next,
        }
    }

    /// Writes to standard output; the status of having done so.
    pub(crate) async fn say(&self, bytes: &[u8]) -> u8 {
        if bytes.is_empty() || self.put(1, bytes).await {
            return 0;
        }
        match self.fd(1) {
            Fd::Write(_) => super::process::signalled(13),
            _ => 1,
        }
    }

    async fn cd(&mut self, arguments: &[String]) -> u8 {
        let arguments: Vec<&str> =
            arguments.iter().map(String::as_str).filter(|a| !matches!(*a, "-P" | "-L" | "--")).collect();
        let target = match arguments.first() {
            None => self.get("HOME").unwrap_or("/").to_owned(),
            Some(&"-") => self.get("OLDPWD").unwrap_or("/").to_owned(),
            Some(target) => (*target).to_owned(),
        };
        let path = self.absolute(&target);
        if !self.is_directory(&path) {
            self.complain(&format!("cd: can't cd to {target}")).await;
            return 2;
        }
        let old = std::mem::replace(&mut self.cwd, path.clone());
        self.raw_set("OLDPWD", &old);
        self.raw_set("PWD", &path);
        if arguments.first() == Some(&"-") { self.say(format!("{path}\n").as_bytes()).await } else { 0 }
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        always_there(path) || self.machine.world().list_dir(&self.machine.host, path).is_some()
    }

    async fn declare(&mut self, kind: &str, arguments: &[String]) -> Flow {
        self.status = 0;
        if arguments.is_empty() || arguments.first().is_some_and(|a| a == "-p") {
            let mut lines: Vec<String> = self
                .variables
                .iter()
                .filter(|(_, v)| if kind == "readonly" { v.readonly } else { v.exported })
                .filter_map(|(name, v)| Some(format!("{kind} {name}='{}'\n", v.value.as_ref()?)))
                .collect();
            lines.sort();
            self.status = self.say(lines.concat().as_bytes()).await;
            return Flow::Next;
        }
        for argument in arguments {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            if !is_name(name) {
                self.complain(&format!("{kind}: {name}: bad variable name")).await;
                self.status = 2;
                return Flow::Exit;
            }
            if kind == "local" {
                let before = self.variables.get(name).cloned();
                let Some(layer) = self.hidden.last_mut() else {
                    self.complain("local: not in a function").await;
                    self.status = 2;
                    return Flow::Exit;
                };
                layer.push((name.to_owned(), before));
            }
            if let Some(value) = value
                && let Err(message) = self.set(name, value)
            {
                self.complain(&message).await;
                self.status = 2;
                return Flow::Exit;
            }
            let variable: &mut Variable =
                Arc::make_mut(&mut self.variables).entry(name.to_owned()).or_default();
            variable.exported |= kind == "export";
            variable.readonly |= kind == "readonly";
        }
        Flow::Next
    }

    async fn unset_all(&mut self, arguments: &[String]) -> u8 {
        let functions = arguments.first().is_some_and(|a| a == "-f");
        for name in arguments.iter().filter(|a| !a.starts_with('-')) {
            if functions {
                Arc::make_mut(&mut self.functions).remove(name);
            } else if self.variables.get(name).is_some_and(|v| v.readonly) {
                self.complain(&format!("unset: {name}: is read only")).await;
                return 2;
            } else {
                Arc::make_mut(&mut self.variables).remove(name);
            }
        }
        0
    }

    /// `set`: options and positional parameters.
    pub(crate) async fn set_options(&mut self, arguments: &[String]) -> u8 {
        if arguments.is_empty() {
            let mut lines: Vec<String> = self
                .variables
                .iter()
                .filter_map(|(name, v)| Some(format!("{name}='{}'\n", v.value.as_ref()?)))
                .collect();
            lines.sort();
            return self.say(lines.concat().as_bytes()).await;
        }
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let on = argument.starts_with('-');
            match argument.as_str() {
                "--" => {
                    self.arguments = Arc::new(rest.cloned().collect());
                    return 0;
                }
                "-o" | "+o" => {
                    let name = rest.next().map(String::as_str).unwrap_or_default();
                    if !self.named_option(name, on) {
                        self.complain(&format!("set: Illegal option -o {name}")).await;
                        return 2;
                    }
                }
                letters if letters.len() > 1 && letters.starts_with(['-', '+']) => {
                    for letter in letters.chars().skip(1) {
                        self.option(letter, on);
                    }
                }
                _ => {
                    self.arguments = Arc::new(std::iter::once(argument).chain(rest).cloned().collect());
                    return 0;
                }
            }
        }
        0
    }

    fn named_option(&mut self, name: &str, on: bool) -> bool {
        match name {
            "errexit" => self.options.errexit = on,
            "nounset" => self.options.nounset = on,
            "noglob" => self.options.noglob = on,
            "xtrace" => self.options.xtrace = on,
            "pipefail" => self.options.pipefail = on,
            "posix" | "monitor" | "noclobber" | "verbose" | "vi" | "emacs" | "ignoreeof" => {}
            _ => return false,
        }
        true
    }

    pub(crate) fn option(&mut self, letter: char, on: bool) {
        match letter {
            'e' => self.options.errexit = on,
            'u' => self.options.nounset = on,
            'f' => self.options.noglob = on,
            'x' => self.options.xtrace = on,
            _ => {}
        }
    }

    async fn shift(&mut self, arguments: &[String]) -> u8 {
        let count = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1);
        if count > self.arguments.len() {
            self.complain("shift: can't shift that many").await;
            return 2;
        }
        self.arguments = Arc::new(self.arguments.iter().skip(count).cloned().collect());
        0
    }

    async fn wait(&mut self, arguments: &[String]) -> u8 {
        if arguments.is_empty() {
            for pid in std::mem::take(&mut self.children) {
                self.machine.wait(pid).await;
            }
            return 0;
        }
        let mut status = 0;
        for argument in arguments {
            let pid = argument.parse().ok().filter(|pid| self.children.contains(pid));
            status = match pid {
                Some(pid) => self.machine.wait(pid).await.unwrap_or(127),
                None => 127,
            };
        }
        status
    }

    async fn kill(&mut self, arguments: &[String]) -> u8 {
        let mut probe = false;
        let mut targets = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "-l" => return self.say(b"HUP INT QUIT KILL TERM STOP CONT\n").await,
                "-s" => probe = rest.next().is_some_and(|signal| signal == "0"),
                "-0" => probe = true,
                signal if signal.starts_with('-') && targets.is_empty() => {}
                target => targets.push(target),
            }
        }
        let mut status = 0;
        for target in targets {
            let pid = target.trim_start_matches('%').parse::<u32>();
            let found = pid.as_ref().is_ok_and(|&pid| {
                if pid == self.pid || pid == 1 {
                    return true;
                }
                if probe { self.machine.is_running(pid) } else { self.machine.kill(pid) }
            });
            if !found {
                let why = if pid.is_ok() { "No such process" } else { "Illegal pid" };
                self.complain(&format!("kill: {why}")).await;
                status = 1;
            }
        }
        status
    }

    async fn trap(&mut self, arguments: &[String]) -> u8 {
        match arguments {
            [] => match self.on_exit.clone() {
                Some(script) => self.say(format!("trap -- '{script}' EXIT\n").as_bytes()).await,
                None => 0,
            },
            [action, signals @ ..] => {
                let exits = |signals: &[String]| signals.iter().any(|s| s == "EXIT" || s == "0");
                if action == "-" || signals.is_empty() {
                    if exits(signals) || exits(arguments) {
                        self.on_exit = None;
                    }
                } else if exits(signals) {
                    self.on_exit = (!action.is_empty()).then(|| action.clone());
                }
                0
            }
        }
    }

    async fn source(&mut self, arguments: &[String]) -> Flow {
        let Some(name) = arguments.first() else {
            self.status = 2;
            return Flow::Next;
        };
        let path = self.absolute(name);
        let read = self.machine.world().read_file(&self.machine.host, &path);
        let Some(bytes) = read else {
            self.complain(&format!(".: cannot open {name}: No such file")).await;
            self.status = 2;
            return Flow::Exit;
        };
        match self.evaluate_text(&String::from_utf8_lossy(&bytes)).await {
            Flow::Return => Flow::Next,
            flow => flow,
        }
    }

    async fn replace(&mut self, arguments: &[String]) -> Flow {
        if arguments.is_empty() {
            self.keep_descriptors = true;
            self.status = 0;
            return Flow::Next;
        }
        self.on_exit = None;
        self.status = self.external(arguments.to_vec()).await;
        Flow::Exit
    }

    async fn command_builtin(&mut self, arguments: &[String]) -> Flow {
        let mut arguments = arguments;
        let mut verbose = None;
        while let [flag, rest @ ..] = arguments
            && flag.starts_with('-')
        {
            match flag.as_str() {
                "-v" => verbose = Some(false),
                "-V" => verbose = Some(true),
                _ => {}
            }
            arguments = rest;
        }
        let Some(name) = arguments.first() else {
            self.status = 0;
            return Flow::Next;
        };
        if let Some(long) = verbose {
            self.status = self.describe(arguments, long).await;
            return Flow::Next;
        }
        if is_builtin(name) {
            let fields = arguments.to_vec();
            return Box::pin(async move { self.builtin(&fields).await }).await;
        }
        self.status = self.external(arguments.to_vec()).await;
        Flow::Next
    }

    /// `command -v` (short) and `type` (long).
    async fn describe(&mut self, names: &[String], long: bool) -> u8 {
        let mut status = 0;
        for name in names {
            let text = if is_special(name) {
                if long { format!("{name} is a special shell builtin\n") } else { format!("{name}\n") }
            } else if self.functions.contains_key(name) {
                if long { format!("{name} is a shell function\n") } else { format!("{name}\n") }
            } else if is_builtin(name) {
                if long { format!("{name} is a shell builtin\n") } else { format!("{name}\n") }
            } else if matches!(self.find(name), Found::Nothing | Found::Directory) {
                status = 127;
                if long { format!("{name}: not found\n") } else { String::new() }
            } else {
                let path = if name.contains('/') { name.clone() } else { format!("/usr/bin/{name}") };
                if long { format!("{name} is {path}\n") } else { format!("{path}\n") }
            };
            self.say(text.as_bytes()).await;
        }
        status
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `echo`: dash reads escapes always, bash after `-e` only.
fn echo(arguments: &[String], bash: bool) -> String {
    let mut newline = true;
    let mut escapes = !bash;
    let mut words = arguments;
    while let [flag, rest @ ..] = words {
        match flag.as_str() {
            "-n" => newline = false,
            "-e" if bash => escapes = true,
            "-E" if bash => escapes = false,
            "-ne" | "-en" if bash => {
                newline = false;
                escapes = true;
            }
            _ => break,
        }
        words = rest;
        if !bash {
            break;
        }
    }
    let mut text = words.join(" ");
    if escapes {
        let (unescaped, stopped) = printf::unescape(&text, true);
        text = unescaped;
        newline &= !stopped;
    }
    if newline {
        text.push('\n');
    }
    text
}
