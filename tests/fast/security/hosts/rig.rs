//! A jump box and a host, real sshds that root logs in to, and another account of that machine without any right.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::reach::signed_over_ssh;
use jumpdeck::collect::clock::Clock;
use jumpdeck::config::files;
use jumpdeck::runbook::library::Library;
use jumpdeck::runbook::runner::RunHandle;
use jumpdeck::runbook::{planner, runner};
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::dial::TcpDial;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::run::{Mode, Prompt, Reply, RunView};

use crate::support::operator;
use crate::support::sshd::{Sshd, keygen, missing, not_root, public, run};

/// The other account: `nobody`.
pub(crate) const OTHER: u32 = 65_534;

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    _jump: Sshd,
    _host: Sshd,
    env: Arc<Environment>,
}

impl Rig {
    /// None, and said so, where there is no sshd or this is not root. `host`: the host's lines in the inventory.
    pub(crate) fn new(host: &str) -> Option<Self> {
        if missing(&["sshd", "ssh-keygen", "setpriv", "mkfifo"]) || not_root() {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        // The other account's work happens in a folder of its own below.
        run("chmod", &["755", dir.path().to_str().unwrap()]);
        keygen(&dir.path().join("key"), "ed25519", "");
        std::fs::write(dir.path().join("authorized_keys"), public(&dir.path().join("key")) + "\n").unwrap();
        let (jump, on) = (Sshd::start(dir.path(), "jump", ""), Sshd::start(dir.path(), "host", ""));
        let name = run("hostname", &[]);
        let env = format!("attacked{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let inventory = format!(
            "user = \"root\"\nkeys = [\"{dir}/key\"]\nknown_hosts = [\"{dir}/known\"]\nagent = false\n\
             [environments.{env}]\nlevel = \"test\"\n\
             jump = {{ name = \"gate\", address = \"127.0.0.1\", port = {} }}\n\
             [environments.{env}.hosts]\nbackup = {{ address = \"127.0.0.1\", port = {}, hostname = \"{}\"{host} }}\n",
            jump.port,
            on.port,
            name.trim(),
            dir = dir.path().display()
        );
        std::fs::write(dir.path().join("known"), jump.known() + &on.known()).unwrap();
        let path = dir.path().join("inventory.toml");
        std::fs::write(&path, inventory).unwrap();
        let fleet = files::load_inventory(&path, &files::context().unwrap());
        let fleet = fleet.unwrap_or_else(|e| panic!("{e:?}"));
        Some(Self { env: fleet.environments[0].clone(), dir, _jump: jump, _host: on })
    }

    /// A folder that everybody may write to, as `/tmp` is, below the rig's own.
    pub(crate) fn shared(&self) -> PathBuf {
        let shared = self.dir.path().join("shared");
        if !shared.exists() {
            std::fs::create_dir(&shared).unwrap();
            run("chmod", &["1777", shared.to_str().unwrap()]);
        }
        shared
    }

    fn launch(&self) -> runner::Launch {
        let clock = Clock::start();
        let (reach, keys) = signed_over_ssh(self.env.clone(), Arc::new(TcpDial), Arc::new(RefuseAll));
        runner::Launch {
            env: self.env.clone(),
            simulated: false,
            reach: Arc::new(reach),
            inventory: None,
            keys,
            folder: self.dir.path().join("runs"),
            who: "test@here".to_owned(),
            clock: Arc::new(move || clock.now()),
            armed: Arc::new(|| true),
        }
    }

    /// Begins a runbook: one of its own, as text, or one that comes with the program.
    pub(crate) async fn start(&self, name: &str, text: Option<&str>, inputs: &[(&str, &str)]) -> RunHandle {
        let own = self.dir.path().join("runbooks");
        std::fs::create_dir_all(&own).unwrap();
        if let Some(text) = text {
            std::fs::write(own.join(format!("{name}.toml")), text).unwrap();
        }
        let (library, errors) = Library::load(&own);
        assert!(errors.is_empty(), "{}", errors.iter().map(|e| e.render(false)).collect::<String>());
        let inputs: BTreeMap<_, _> =
            inputs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned().into())).collect();
        let (launch, given) = (self.launch(), BTreeMap::new());
        let runbook = library.get(name).unwrap();
        let made = planner::make(runbook, &self.env, false, inputs, &given, launch.reach.as_ref());
        let (plan, view) = made.await.unwrap();
        assert!(view.problems.is_empty(), "{:?}", view.problems);
        runner::start(launch, plan, "a test".to_owned(), Mode::Live).await.unwrap()
    }

    pub(crate) async fn resume(&self, id: &str) -> RunHandle {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            // The lease of a console that died ends a little later.
            match runner::resume(self.launch(), id, BTreeMap::new()).await {
                Ok(handle) => return handle,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn run(
        &self,
        book: (&str, Option<&str>),
        inputs: &[(&str, &str)],
        answer: impl FnMut(&Prompt) -> Reply,
    ) -> (Arc<RunView>, Vec<Prompt>) {
        operator::drive(self.start(book.0, book.1, inputs).await, answer).await
    }
}

/// A script of the other account's, without any capability.
pub(crate) fn other(script: &str) -> Command {
    let mut command = Command::new("setpriv");
    let id = OTHER.to_string();
    command.args([
        "--reuid",
        &id,
        "--regid",
        &id,
        "--clear-groups",
        "--bounding-set=-all",
        "sh",
        "-c",
        script,
    ]);
    command.stdin(Stdio::null());
    command
}

/// One that goes on beside the test; ends with it.
pub(crate) struct Beside(Child);

impl Beside {
    pub(crate) fn start(script: &str) -> Self {
        let mut command = other(script);
        // A group of its own, so that everything it began ends with it.
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a folder has something whose name begins so.
pub(crate) fn has(folder: &str, prefix: &str) -> bool {
    let names = std::fs::read_dir(Path::new(folder)).into_iter().flatten().flatten();
    names.map(|e| e.file_name().to_string_lossy().into_owned()).any(|name| name.starts_with(prefix))
}
