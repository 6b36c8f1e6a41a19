//! One host with a service, whose programs, process table and answers are files of a folder.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::Service;

use super::{own_processes, process};
use crate::support::shell::Resident;

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
