//! Commands that are part of the shell itself. One file each for the larger ones.

mod getopts;
mod jobs;
mod printf;
mod read;
pub(crate) mod test;
mod variables;

use super::simple::{Found, always_there};
use super::state::{Fd, Flow, Shell};

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
            ":" | "true" | "ulimit" | "hash" | "alias" | "unalias" | "jobs" => 0,
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
            "umask" => self.umask(arguments).await,
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
            } else if matches!(self.find(name), Found::Nothing | Found::Directory | Found::Closed) {
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
