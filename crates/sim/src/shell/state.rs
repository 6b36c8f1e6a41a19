//! A shell's state: variables, functions, descriptors, options. A subshell is a clone of it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use super::process::{Group, Machine};
use super::syntax::Function;
use crate::program::Input;

mod allowance;
mod descriptor;

pub(crate) use allowance::Allowance;
pub(crate) use descriptor::{Fd, FileWriter};

/// How deep lists, functions, subshells and commands in commands may nest before the shell gives up: a lease on sixty
/// hosts nests 250 levels.
pub(crate) const DEEPEST: usize = 256;
/// The largest value a variable or a substitution may have, in bytes.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// Bytes that the fields of one command may have in all.
pub(crate) const LARGEST_COMMAND: usize = 4 * LARGEST;

#[derive(Debug, Clone, Default)]
pub(crate) struct Variable {
    /// `None`: known (exported, local), yet unset.
    pub(crate) value: Option<String>,
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
}

/// `set -e`, `-u`, `-f`, `-C`, `-o pipefail`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub(crate) errexit: bool,
    pub(crate) nounset: bool,
    pub(crate) noglob: bool,
    pub(crate) noclobber: bool,
    pub(crate) pipefail: bool,
    pub(crate) xtrace: bool,
}

/// What a command leaves: go on, or leave loops, a function, the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break(usize),
    Continue(usize),
    Return,
    Exit,
}

/// A running shell.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    pub(crate) machine: Arc<Machine>,
    pub(crate) user: String,
    pub(crate) group: Group,
    /// The background process this shell is, if it is one.
    pub(crate) job: Option<u32>,
    pub(crate) umask: u32,
    /// The one command of a background process: what it redirects away is closed, not kept for later.
    pub(crate) nothing_follows: bool,
    pub(crate) name: String,
    pub(crate) pid: u32,
    pub(crate) last_background: Option<u32>,
    pub(crate) children: Vec<u32>,
    pub(crate) variables: Arc<HashMap<String, Variable>>,
    pub(crate) functions: Arc<HashMap<String, Arc<Function>>>,
    /// What `local` hid, one layer a function call.
    pub(crate) hidden: Vec<Vec<(String, Option<Variable>)>>,
    pub(crate) arguments: Arc<Vec<String>>,
    pub(crate) descriptors: Vec<Fd>,
    pub(crate) cwd: String,
    pub(crate) status: u8,
    /// The status of the last substitution in the command being expanded: `x=$(false)` fails.
    pub(crate) substituted: Option<u8>,
    pub(crate) options: Options,
    /// Depth of contexts in which `set -e` does not apply.
    pub(crate) tested: usize,
    pub(crate) loops: usize,
    /// Bytes that the expansion of the command at hand has made so far.
    pub(crate) expanded: usize,
    pub(crate) allowance: Allowance,
    pub(crate) depth: usize,
    pub(crate) steps: usize,
    pub(crate) line: usize,
    pub(crate) on_exit: Option<String>,
    pub(crate) option_index: usize,
    /// `exec` without a command: the redirections stay.
    pub(crate) keep_descriptors: bool,
    /// `exit` was called, as against an expansion that failed.
    pub(crate) leaving_for_good: bool,
}

fn bytes_of(arguments: &[String]) -> usize {
    arguments.iter().map(|a| a.len() + size_of::<String>()).sum()
}

impl Shell {
    pub(crate) fn new(machine: Arc<Machine>, user: &str, descriptors: Vec<Fd>) -> Self {
        let pid = machine.new_pid();
        let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
        let mut shell = Self {
            machine,
            user: user.to_owned(),
            group: Group::default(),
            job: None,
            umask: 0o022,
            nothing_follows: false,
            name: "sh".to_owned(),
            pid,
            last_background: None,
            children: Vec::new(),
            variables: Arc::default(),
            functions: Arc::default(),
            hidden: Vec::new(),
            arguments: Arc::default(),
            descriptors,
            cwd: home.clone(),
            status: 0,
            substituted: None,
            options: Options::default(),
            tested: 0,
            loops: 0,
            expanded: 0,
            allowance: Allowance::default(),
            depth: 0,
            steps: 0,
            line: 1,
            on_exit: None,
            option_index: 0,
            keep_descriptors: false,
            leaving_for_good: false,
        };
        shell.login_environment(&home);
        shell
    }

    fn login_environment(&mut self, home: &str) {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let user = self.user.clone();
        for (name, value) in
            [("PATH", path), ("HOME", home), ("USER", &user), ("LOGNAME", &user), ("SHELL", "/bin/bash")]
        {
            self.export(name, value);
        }
        self.raw_set("IFS", " \t\n");
        self.raw_set("OPTIND", "1");
        self.raw_set("PS4", "+ ");
        self.export("PWD", home);
    }

    /// The state of a subshell.
    pub(crate) fn subshell(&self) -> Self {
        let mut sub = self.clone();
        sub.on_exit = None;
        sub.nothing_follows = false;
        sub.children.clear();
        sub
    }

    /// The state of a new `sh` started from this one: only the exported variables come along.
    pub(crate) fn child(&self) -> Self {
        let mut child = Self::new(Arc::clone(&self.machine), &self.user, self.descriptors.clone());
        child.allowance = self.allowance.of_the_same_session();
        child.group = self.group.clone();
        child.job = self.job;
        child.umask = self.umask;
        child.depth = self.depth;
        child.variables = Arc::new(
            self.variables.iter().filter(|(_, v)| v.exported).map(|(k, v)| (k.clone(), v.clone())).collect(),
        );
        child.raw_set("IFS", " \t\n");
        child.raw_set("OPTIND", "1");
        child.raw_set("PS4", "+ ");
        child.cwd.clone_from(&self.cwd);
        child
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    /// Sets a variable, minding `readonly` and the size limit.
    pub(crate) fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        if value.len() > LARGEST {
            return Err("Out of space".to_owned());
        }
        let before = self.get(name).map_or(0, |old| name.len() + old.len());
        if !self.allowance.exchange(before, name.len() + value.len()) {
            return Err("Out of space".to_owned());
        }
        let variable = Arc::make_mut(&mut self.variables).entry(name.to_owned()).or_default();
        if variable.readonly {
            return Err(format!("{name}: is read only"));
        }
        variable.value = Some(value);
        if name == "OPTIND" {
            self.option_index = 0;
        }
        Ok(())
    }

    /// Takes other positional parameters; false when the session has no room for them.
    #[must_use]
    pub(crate) fn set_arguments(&mut self, arguments: Vec<String>) -> bool {
        if !self.allowance.exchange(bytes_of(&self.arguments), bytes_of(&arguments)) {
            return false;
        }
        self.arguments = Arc::new(arguments);
        true
    }

    /// Takes a function's arguments, those from before being kept: they are handed back. `None` when the session has no
    /// room for both.
    #[must_use]
    pub(crate) fn push_arguments(&mut self, arguments: Vec<String>) -> Option<Arc<Vec<String>>> {
        let room = self.allowance.exchange(0, bytes_of(&arguments));
        room.then(|| std::mem::replace(&mut self.arguments, Arc::new(arguments)))
    }

    /// Takes back those from before a function.
    pub(crate) fn pop_arguments(&mut self, outer: Arc<Vec<String>>) {
        self.allowance.exchange(bytes_of(&self.arguments), 0);
        self.arguments = outer;
    }

    pub(crate) fn raw_set(&mut self, name: &str, value: &str) {
        Arc::make_mut(&mut self.variables).entry(name.to_owned()).or_default().value = Some(value.to_owned());
    }

    pub(crate) fn export(&mut self, name: &str, value: &str) {
        let variable = Arc::make_mut(&mut self.variables).entry(name.to_owned()).or_default();
        variable.value = Some(value.to_owned());
        variable.exported = true;
    }

    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.filter_map(|(name, v)| Some((name.clone(), v.value.clone()?))).collect()
    }

    pub(crate) fn fd(&self, number: usize) -> &Fd {
        self.descriptors.get(number).unwrap_or(&Fd::Closed)
    }

    /// Descriptors above 2 that can be read.
    pub(crate) fn readable(&self) -> Vec<(usize, Input)> {
        let open = self.descriptors.iter().enumerate().skip(3);
        open.filter(|(_, fd)| matches!(fd, Fd::Read(_))).map(|(number, fd)| (number, fd.input())).collect()
    }

    pub(crate) fn set_fd(&mut self, number: usize, fd: Fd) {
        while self.descriptors.len() <= number {
            self.descriptors.push(Fd::Closed);
        }
        if let Some(slot) = self.descriptors.get_mut(number) {
            *slot = fd;
        }
    }

    /// Writes to a descriptor; false when it is closed or nobody reads.
    pub(crate) async fn put(&self, number: usize, bytes: &[u8]) -> bool {
        match self.fd(number) {
            Fd::Write(writer) => writer.put(bytes).await.is_ok(),
            Fd::File(file) => file.put(bytes),
            Fd::Null => true,
            Fd::Closed | Fd::Read(_) => false,
        }
    }

    /// Writes `sh: 1: …` to standard error.
    pub(crate) async fn complain(&self, message: &str) {
        let line = if self.is_bash() { "line " } else { "" };
        let text = format!("{}: {line}{}: {message}\n", self.name, self.line);
        self.put(2, text.as_bytes()).await;
    }

    /// Puts things back after a command line was interrupted half way.
    pub(crate) fn after_interrupt(&mut self, terminal: Fd) {
        self.status = 130;
        self.depth = 0;
        self.loops = 0;
        self.tested = 0;
        self.hidden.clear();
        self.arguments = Arc::default();
        self.descriptors = vec![Fd::Null, terminal.clone(), terminal];
    }

    /// Whether it answers as bash does, not as dash.
    pub(crate) fn is_bash(&self) -> bool {
        self.name.ends_with("bash")
    }

    /// An absolute path without `.`, `..` and doubled slashes.
    pub(crate) fn absolute(&self, path: &str) -> String {
        super::path::absolute(&self.cwd, path)
    }
}
