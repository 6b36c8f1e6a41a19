//! Submodules of the applications' code: a repository of its own in a folder of another, at the commit that
//! the outer one names.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::code::{AUTHOR, Code, ORIGINS};
use super::{Repository, Tree, link};

/// A submodule.
#[derive(Debug)]
pub(crate) struct Module {
    /// The code that has it.
    code: &'static str,
    name: &'static str,
    /// Where in the code's folder it is.
    path: &'static str,
    /// The one file that it has.
    entry: &'static str,
    /// Its versions, each with the version of the code at the same place.
    versions: [&'static str; 3],
}

/// Every submodule there is.
static MODULES: &[Module] = &[Module {
    code: "wiki",
    name: "CompaTables",
    path: "extensions/CompaTables",
    entry: "CompaTables.php",
    versions: ["0.8", "0.9", "1.0"],
}];

/// The submodules of a code.
fn of(code: &Code) -> impl Iterator<Item = &'static Module> {
    MODULES.iter().filter(|module| module.code == code.name)
}

impl Module {
    fn origin(&self) -> String {
        format!("{ORIGINS}/{}.git", self.name)
    }

    fn whole(&self, now: f64) -> Repository {
        let mut whole = Repository::default();
        for (day, version) in [30.0, 9.0, 1.0].into_iter().zip(self.versions) {
            let text = format!("<?php\n$wgCompaTables = '{version}';\n");
            whole.index = Tree::from([(self.entry.to_owned(), text.into_bytes())]);
            whole.commit(AUTHOR, now - day * 86_400.0, &format!("{} {version}", self.name));
        }
        whole
    }
}

impl World {
    /// What the submodules of a code add to the tree of one of its versions.
    pub(crate) fn with_modules(
        &self,
        code: &Code,
        number: usize,
        now: f64,
        source: &HostName,
        tree: &mut Tree,
    ) {
        let mut list = String::new();
        for module in of(code) {
            let (name, path, at) = (module.name, module.path, module.origin());
            list.push_str(&format!("[submodule \"{name}\"]\n\tpath = {path}\n\turl = {source}:{at}\n"));
            if let Some(commit) = module.whole(now).commits.get(number) {
                tree.insert(path.to_owned(), link(&commit.hash));
            }
        }
        if !list.is_empty() {
            tree.insert(".gitmodules".to_owned(), list.into_bytes());
        }
    }

    /// Makes the repositories of a code's submodules: the origins, and those on the Salt master, one version behind.
    pub(crate) fn make_modules(&mut self, code: &Code, now: f64, jump: &HostName, source: &HostName) {
        for module in of(code) {
            let whole = module.whole(now);
            let origin = (source.clone(), module.origin());
            self.write_file(source, &format!("{}/HEAD", origin.1), b"ref: refs/heads/master\n".to_vec());
            let mut here = Repository { origin: Some(origin.clone()), ..whole.clone() };
            here.commits.truncate(2);
            (here.index, here.fetched) = (here.head(), here.commits.clone());
            let top = format!("{}/{}", code.repository(), module.path);
            for (path, content) in here.head() {
                self.write_file(jump, &format!("{top}/{path}"), content);
            }
            self.repositories.insert(origin, whole);
            self.repositories.insert((jump.clone(), top), here);
        }
    }

    /// Fault: somebody cloned a code anew on the Salt master, and not its submodules. False when it has none.
    pub fn lose_module(&mut self, code: &str) -> bool {
        let Some(jump) = self.jump().cloned() else { return false };
        let mut found = false;
        for module in MODULES.iter().filter(|module| module.code == code) {
            let top = format!("/srv/code/{code}/repo/{}", module.path);
            for path in self.work_tree(&jump, &top).keys() {
                self.remove_file(&jump, &format!("{top}/{path}"));
            }
            found |= self.repositories.remove(&(jump.clone(), top)).is_some();
        }
        found
    }

    /// Fault: whoever committed to a code named a commit of its submodule that was never pushed. False when it has none.
    pub fn forget_module_commit(&mut self, code: &str) -> bool {
        let origins: Vec<String> =
            MODULES.iter().filter(|module| module.code == code).map(Module::origin).collect();
        let mut found = false;
        for ((_, top), repository) in &mut self.repositories {
            if origins.contains(top) {
                repository.commits.pop();
                found = true;
            }
        }
        found
    }
}
