//! One host with a service, whose programs, process table and answers are files of a folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::Service;

use super::{own_processes, process};
use crate::support::shell::{Resident, find, script};

pub(super) struct ServiceBench {
    dir: tempfile::TempDir,
    pub(super) it: Resident,
    section: &'static str,
}

impl ServiceBench {
    /// Starts the probe. `prepare` fills the folder before the first report. Whatever runs on this machine is nobody's service here;
    /// `change` is what else of it must not be seen, with the folder's path.
    pub(super) fn start(
        shell: &[&str],
        (host, section): (&Host, &'static str),
        prepare: impl FnOnce(&Path),
        change: impl Fn(String, &str) -> String,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        process(dir.path(), "1", "init", "/sbin/init");
        prepare(dir.path());
        let own = own_processes(dir.path());
        let here = dir.path().display().to_string();
        let (mut it, _) =
            Resident::start_long(shell, host, dir.path(), |program| change(own(program), &here));
        it.facts.services.follow(host);
        Self { dir, it, section }
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file that a program of the bench reads.
    pub(super) fn says(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn forget(&self, file: &str) {
        fs::remove_file(self.path().join(file)).unwrap();
    }

    pub(super) fn runs(&self, id: &str, comm: &str, cmdline: &str) {
        process(self.path(), id, comm, cmdline);
    }

    pub(super) fn ends(&self, ids: &[&str]) {
        ids.iter().for_each(|id| fs::remove_dir_all(self.path().join(id)).unwrap());
    }

    /// What the programs noted of their questions.
    pub(super) fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path().join("asked")).unwrap_or_default();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// What is known of a service without another question.
    pub(super) fn known(&self, name: &str) -> Result<Service, Gap> {
        let fact = self.it.facts.services.get(name).unwrap();
        fact.current().map(|service| service.as_ref().clone()).ok_or_else(|| fact.gap.clone().unwrap())
    }

    pub(super) fn poll_of(&mut self, name: &str) -> Result<Service, Gap> {
        self.it.poll(&[self.section]);
        self.known(name)
    }

    /// Asks, where the section is called as the service.
    pub(super) fn poll(&mut self) -> Result<Service, Gap> {
        self.poll_of(self.section)
    }

    /// Asks, and nobody knows: why, in words.
    pub(super) fn poll_fails(&mut self) -> String {
        match self.poll() {
            Err(Gap::Failed(why)) => why.to_string(),
            other => panic!("not a failure: {other:?}"),
        }
    }

    /// Its program hangs: that is said in time, and the rest of the report is there.
    pub(super) fn hangs(&mut self) {
        self.says("hangs", "");
        let (_, took) = self.it.poll(&[self.section, "uptime"]);
        assert_eq!(self.known(self.section), Err(Gap::TimedOut));
        assert!(self.it.facts.uptime.current().is_some() && took < Duration::from_secs(8), "{took:?}");
        self.forget("hangs");
    }
}

/// The words before a shell that make it one of another account. Root may read everything; whoever is not root is another account
/// already.
pub(super) fn as_nobody() -> Vec<String> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Vec::new();
    }
    let setpriv = find("setpriv").expect("setpriv is missing").display().to_string();
    [setpriv.as_str(), "--reuid=65534", "--regid=65534", "--clear-groups"].map(str::to_owned).into()
}

/// Lets no account run a program of the test's own, root neither.
pub(super) fn bar(program: &Path) {
    fs::set_permissions(program, fs::Permissions::from_mode(0o644)).unwrap();
}

/// A `sudo` for a shell of [`as_nobody`]: what it is to run, the test runs as itself, whoever is named.
pub(super) struct Sudo {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sudo {
    const CLIENT: &'static str = "here=${0%/*}/sudo-asks\n[ \"$1\" = -n ] || exit 9\nshift\n[ \"$1\" != -u ] || shift 2\n\
        for word in \"$@\"; do printf '%s\\0' \"$word\"; done > \"$here/$$.part\" && mv \"$here/$$.part\" \"$here/$$.ask\"\n\
        while [ ! -e \"$here/$$.status\" ]; do sleep 0.02; done\ncat \"$here/$$.out\"\nread -r status < \"$here/$$.status\"\nexit \"$status\"";

    pub(super) fn serve(bin: &Path) -> Self {
        let asks = bin.join("sudo-asks");
        fs::create_dir_all(&asks).unwrap();
        fs::set_permissions(&asks, fs::Permissions::from_mode(0o777)).unwrap();
        script(bin, "sudo", Self::CLIENT);
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for entry in fs::read_dir(&asks).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.extension().is_some_and(|end| end == "ask") {
                        Self::answer(path);
                    }
                }
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        Self { ended, thread: Some(thread) }
    }

    fn answer(path: PathBuf) {
        let words = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let mut words = words.split_terminator('\0');
        let done = Command::new(words.next().unwrap()).args(words).output().unwrap();
        fs::write(path.with_extension("out"), done.stdout).unwrap();
        fs::write(path.with_extension("made"), format!("{}\n", done.status.code().unwrap_or(1))).unwrap();
        fs::rename(path.with_extension("made"), path.with_extension("status")).unwrap();
    }
}

impl Drop for Sudo {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}
