//! Simple commands: expansion, redirections, assignments, and finding what to run.

use std::sync::Arc;

use super::runners;
use super::state::{DEEPEST, Flow, Shell, Variable};
use super::syntax::{Assignment, Simple};
use super::{builtins, path};
use crate::program::{BoxFuture, Call, Program};
use crate::programs::PROGRAMS;

/// The directories programs are found in.
const PROGRAM_DIRECTORIES: &[&str] =
    &["/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

impl Shell {
    pub(crate) async fn simple(&mut self, simple: &Simple) -> Flow {
        self.line = simple.line;
        self.substituted = None;
        let fields = match self.all_fields(&simple.words).await {
            Ok(fields) => fields,
            Err(flow) => return flow,
        };
        let last = std::mem::take(&mut self.nothing_follows);
        let saved = (!simple.redirects.is_empty() && !last).then(|| self.descriptors.clone());
        match self.redirect(&simple.redirects).await {
            Ok(true) => {}
            Ok(false) => {
                self.descriptors = saved.unwrap_or_default();
                self.status = 2;
                let special = fields.first().is_some_and(|name| builtins::is_special(name));
                return if special { Flow::Exit } else { Flow::Next };
            }
            Err(flow) => return flow,
        }
        let flow = self.assigned(simple, fields).await;
        // `exec 3>&1` keeps what it opened.
        if let Some(saved) = saved
            && !std::mem::take(&mut self.keep_descriptors)
        {
            self.descriptors = saved;
        }
        flow
    }

    async fn assigned(&mut self, simple: &Simple, fields: Vec<String>) -> Flow {
        let Some(name) = fields.first() else {
            if let Err(flow) = self.assign_all(&simple.assignments, false).await {
                return flow;
            }
            self.status = self.substituted.take().unwrap_or(0);
            return Flow::Next;
        };
        if simple.assignments.is_empty() {
            self.trace(&fields).await;
            return self.execute(fields).await;
        }
        let lasting = builtins::is_special(name);
        let before: Vec<(String, Option<Variable>)> = if lasting {
            Vec::new()
        } else {
            let names = simple.assignments.iter().map(|assignment| &assignment.name);
            names.map(|name| (name.clone(), self.variables.get(name).cloned())).collect()
        };
        if let Err(flow) = self.assign_all(&simple.assignments, !lasting).await {
            return flow;
        }
        self.trace(&fields).await;
        let flow = self.execute(fields).await;
        let variables = Arc::make_mut(&mut self.variables);
        for (name, variable) in before {
            match variable {
                Some(variable) => variables.insert(name, variable),
                None => variables.remove(&name),
            };
        }
        flow
    }

    async fn trace(&self, fields: &[String]) {
        if self.options.xtrace {
            let prefix = self.get("PS4").unwrap_or("+ ");
            self.put(2, format!("{prefix}{}\n", fields.join(" ")).as_bytes()).await;
        }
    }

    async fn assign_all(&mut self, assignments: &[Assignment], exported: bool) -> Result<(), Flow> {
        for assignment in assignments {
            let mut value = self.text(&assignment.value).await?;
            if assignment.append {
                value.insert_str(0, self.get(&assignment.name).unwrap_or_default());
            }
            if let Err(message) = self.set(&assignment.name, value) {
                self.complain(&message).await;
                self.status = 2;
                return Err(Flow::Exit);
            }
            if exported && let Some(v) = Arc::make_mut(&mut self.variables).get_mut(&assignment.name) {
                v.exported = true;
            }
        }
        Ok(())
    }

    /// Runs a command: a special builtin, a function, a builtin, a program.
    pub(crate) async fn execute(&mut self, fields: Vec<String>) -> Flow {
        let name = fields.first().map(String::as_str).unwrap_or_default();
        if !builtins::is_special(name)
            && let Some(function) = self.functions.get(name).cloned()
        {
            return self.call(&function, fields.into_iter().skip(1).collect()).await;
        }
        if builtins::is_builtin(name) {
            return self.builtin(&fields).await;
        }
        self.status = self.external(fields).await;
        Flow::Next
    }

    /// Runs a program, not a builtin: what `timeout`, `env` and `sudo` can run.
    pub(crate) fn external(&mut self, fields: Vec<String>) -> BoxFuture<'_, u8> {
        super::exec::roomy(async move {
            let name = fields.first().cloned().unwrap_or_default();
            if self.depth >= DEEPEST {
                self.complain(&format!("{name}: too many commands in commands")).await;
                return 126;
            }
            self.depth += 1;
            let status = self.found(&name, fields).await;
            self.depth -= 1;
            status
        })
    }

    async fn found(&mut self, name: &str, fields: Vec<String>) -> u8 {
        match self.find(name) {
            Found::Runner => runners::run(self, fields).await,
            Found::Program(program) => program.run(self.program_call(fields)).await,
            Found::Script(text) => {
                let mut child = self.child();
                child.name = name.to_owned();
                if !child.set_arguments(fields.into_iter().skip(1).collect()) {
                    self.complain("Argument list too long").await;
                    return 126;
                }
                child.script(&text).await
            }
            Found::Directory | Found::Closed => {
                self.complain(&format!("{name}: Permission denied")).await;
                126
            }
            Found::Nothing => {
                let bash = self.is_bash() && !name.contains('/');
                let words = if bash { "command not found" } else { "not found" };
                self.complain(&format!("{name}: {words}")).await;
                127
            }
        }
    }

    fn program_call(&self, args: Vec<String>) -> Call {
        Call {
            host: self.machine.host.clone(),
            user: self.user.clone(),
            world: Arc::clone(&self.machine.world),
            args,
            env: self.environment(),
            cwd: self.cwd.clone(),
            stdin: self.fd(0).input(),
            stdout: self.fd(1).output(),
            stderr: self.fd(2).output(),
            descriptors: self.readable(),
        }
    }

    /// What a command name stands for on this host.
    pub(crate) fn find(&self, name: &str) -> Found {
        let program = match name.rsplit_once('/') {
            None => name,
            Some((directory, program)) if PROGRAM_DIRECTORIES.contains(&directory) => program,
            Some(_) => "",
        };
        let world = self.machine.world();
        let systemd = world.machine(&self.machine.host).is_some_and(|m| m.os.has_systemd());
        if runners::NAMES.contains(&program) && (systemd || program != "systemd-run") {
            return Found::Runner;
        }
        if let Some(found) = PROGRAMS.iter().find(|p| p.name() == program)
            && found.installed(&world, &self.machine.host)
        {
            if world.is_closed(&self.machine.host, &format!("/usr/bin/{program}"), &self.user) {
                return Found::Closed;
            }
            return Found::Program(*found);
        }
        if !name.contains('/') {
            return Found::Nothing;
        }
        let path = self.absolute(name);
        match world.read_file(&self.machine.host, &path) {
            Some(bytes) => Found::Script(String::from_utf8_lossy(&bytes).into_owned()),
            None if world.list_dir(&self.machine.host, &path).is_some() => Found::Directory,
            None => Found::Nothing,
        }
    }
}

/// Directories every machine has, though the world may hold no file in them.
pub(crate) fn always_there(directory: &str) -> bool {
    matches!(
        directory,
        "" | "/" | "/tmp" | "/root" | "/home" | "/etc" | "/var" | "/var/tmp" | "/var/log" | "/srv"
    ) || directory.strip_prefix("/home/").is_some_and(|user| !user.contains('/'))
        || PROGRAM_DIRECTORIES.contains(&path::absolute("/", directory).as_str())
}

/// What a command name stands for.
pub(crate) enum Found {
    /// Runs other commands: part of the shell layer.
    Runner,
    /// A simulated program.
    Program(&'static dyn Program),
    /// A file of the world.
    Script(String),
    /// A directory.
    Directory,
    /// A program that this account may not run.
    Closed,
    /// Nothing of that name.
    Nothing,
}
