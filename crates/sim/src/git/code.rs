//! The applications' code, as the fleet of 2015 keeps it: a repository for each on the Salt master
//! (`/srv/code/NAME/repo`), whose origin is on the server of role `source`, and on each host of a role a copy
//! without `.git`, made by rsync in a state.

use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::{Repository, Tree, linked};

/// The code of one application.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Its name below `/srv/code`.
    pub(crate) name: &'static str,
    /// The role whose hosts have it.
    pub(crate) role: &'static str,
    /// Where they have it.
    pub(crate) folder: &'static str,
    /// The first label of its public name; `None` when it answers no requests.
    pub(crate) site: Option<&'static str>,
    /// The file that holds its version.
    pub(crate) entry: &'static str,
    /// That file's text, with `{version}` in it.
    text: &'static str,
    /// Versions: two on the Salt master, of which hosts have the second, and one that is at the origin only.
    versions: [&'static str; 3],
    /// What its pages call it.
    pub(crate) generator: &'static str,
    /// Whether its pages need the database of its role's application.
    pub(crate) has_database: bool,
}

/// Every code there is. A new one is one entry here.
pub(crate) static CODES: &[Code] = &[
    Code {
        name: "wiki",
        role: "app",
        folder: "/srv/webplatform/wiki/current",
        site: Some("docs"),
        entry: "includes/DefaultSettings.php",
        text: "<?php\n$wgVersion = '{version}';\n",
        versions: ["1.24.0", "1.24.1", "1.24.2"],
        generator: "MediaWiki",
        has_database: true,
    },
    Code {
        name: "www",
        role: "app",
        folder: "/srv/webplatform/www",
        site: Some("www"),
        entry: "out/index.html",
        text: "<h1>Your Web, documented</h1>\n<!-- release '{version}' -->\n",
        versions: ["2015.02", "2015.03", "2015.04"],
        generator: "Your Web, documented",
        has_database: false,
    },
    Code {
        name: "dabblet",
        role: "app",
        folder: "/srv/webplatform/dabblet",
        site: Some("code"),
        entry: "index.php",
        text: "<?php\n$version = '{version}'; ?>\n<title>dabblet</title>\n",
        versions: ["1.0.7", "1.0.8", "1.0.9"],
        generator: "dabblet",
        has_database: false,
    },
    Code {
        name: "blog",
        role: "blog",
        folder: "/srv/webplatform/blog",
        site: Some("blog"),
        entry: "wp-includes/version.php",
        text: "<?php\n$wp_version = '{version}';\n",
        versions: ["4.0.1", "4.1.1", "4.1.2"],
        generator: "WordPress",
        has_database: true,
    },
    Code {
        name: "piwik",
        role: "piwik",
        folder: "/srv/webplatform/piwik",
        site: Some("stats"),
        entry: "core/Version.php",
        text: "<?php\nfinal class Version { const VERSION = '{version}'; }\n",
        versions: ["2.10.0", "2.11.2", "2.12.0"],
        generator: "Piwik",
        has_database: true,
    },
    Code {
        name: "buggenie",
        role: "project",
        folder: "/srv/webplatform/buggenie",
        site: Some("project"),
        entry: "core/version.php",
        text: "<?php\n$tbg_version = '{version}';\n",
        versions: ["3.2.6", "3.2.7", "3.2.8"],
        generator: "The Bug Genie",
        has_database: true,
    },
    Code {
        name: "notes-server",
        role: "notes",
        folder: "/srv/webplatform/notes-server",
        site: Some("notes"),
        entry: "h/_version.py",
        text: "__version__ = '{version}'\n",
        versions: ["0.3.0", "0.3.1", "0.4.0"],
        generator: "Hypothes.is",
        has_database: true,
    },
    Code {
        name: "auth-server",
        role: "accounts",
        folder: "/srv/webplatform/auth-server",
        site: Some("accounts"),
        entry: "package.json",
        text: "{ \"name\": \"fxa-auth-server\",\n  \"version\": '{version}' }\n",
        versions: ["1.31.0", "1.32.0", "1.33.0"],
        generator: "Firefox Accounts",
        has_database: true,
    },
    Code {
        name: "lumberjack",
        role: "bots",
        folder: "/srv/webplatform/bots/lumberjack",
        site: None,
        entry: "LumberJack.py",
        text: "VERSION = '{version}'\n",
        versions: ["0.9", "1.0", "1.1"],
        generator: "Pierc",
        has_database: true,
    },
];

/// More hosts than this are of a generated world: they have no code, each would be some files.
const MOST_HOSTS: usize = 100;
/// Who commits.
pub(crate) const AUTHOR: &str = "renoirb <renoirb@webplatform.org>";
/// Where the origins are, on the server of role `source`.
pub(crate) const ORIGINS: &str = "/srv/gitolite/repositories";

impl Code {
    /// Its repository on the Salt master.
    pub(crate) fn repository(&self) -> String {
        format!("/srv/code/{}/repo", self.name)
    }

    /// Where it is read from by rsync.
    pub(crate) fn module(&self) -> String {
        format!("codesync@salt::code/{}/repo/", self.name)
    }

    /// The command by which a host gets it.
    pub(crate) fn command(&self) -> String {
        format!(
            "rsync -a --exclude '.git' --exclude 'uploads' --delete --no-perms --password-file=/etc/codesync.secret {} {}/",
            self.module(),
            self.folder
        )
    }

    fn tree(&self, version: &str) -> Tree {
        let readme = format!("# {}\n", self.generator).into_bytes();
        let entry = self.text.replace("{version}", version).into_bytes();
        Tree::from([("README.md".to_owned(), readme), (self.entry.to_owned(), entry)])
    }

    /// The version that a copy of its entry file says; `None` when the file makes no sense.
    pub(crate) fn version(&self, text: &str) -> Option<String> {
        let (before, after) = self.text.split_once("{version}")?;
        let version = text.split_once(before.rsplit('\n').next()?)?.1.split_once(after.chars().next()?)?.0;
        let sound = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
        sound.then(|| version.to_owned())
    }
}

/// The code of a role.
pub(crate) fn of_role(role: &str) -> impl Iterator<Item = &'static Code> {
    CODES.iter().filter(move |code| code.role == role)
}

impl World {
    /// The codes that this world has: those whose repository is on its Salt master.
    pub(crate) fn has_code(&self, code: &Code) -> bool {
        self.jump().is_some_and(|jump| self.repositories.contains_key(&(jump.clone(), code.repository())))
    }

    /// Makes the repositories and the copies on the hosts, where there is a Salt master that hands code out.
    pub(crate) fn furnish_code(&mut self) {
        let hands_out =
            |m: &&crate::posix::machine::Machine| m.roles().iter().any(|role| role.as_str() == "salt");
        let Some(jump) = self.jump().cloned() else { return };
        if self.machines().count() > MOST_HOSTS || !self.machine(&jump).as_ref().is_some_and(hands_out) {
            return;
        }
        let with = |role: &str| -> Vec<HostName> {
            let has = |m: &&crate::posix::machine::Machine| m.roles().iter().any(|own| own.as_str() == role);
            self.machines().filter(has).map(|m| m.name.clone()).collect()
        };
        let source = with("source").into_iter().next();
        let wanted: Vec<(&'static Code, Vec<HostName>)> =
            CODES.iter().map(|code| (code, with(code.role))).filter(|(_, hosts)| !hosts.is_empty()).collect();
        for (code, hosts) in wanted {
            self.make_code(code, &jump, source.as_ref());
            for host in hosts {
                for (path, content) in self.work_tree(&jump, &code.repository()) {
                    self.write_file(&host, &format!("{}/{path}", code.folder), content);
                }
            }
        }
    }

    fn make_code(&mut self, code: &Code, jump: &HostName, source: Option<&HostName>) {
        let mut whole = Repository::default();
        let now = self.epoch(jump);
        for (number, (day, version)) in [30.0, 9.0, 1.0].into_iter().zip(code.versions).enumerate() {
            whole.index = code.tree(version);
            if let Some(source) = source {
                self.with_modules(code, number, now, source, &mut whole.index);
            }
            whole.commit(AUTHOR, now - day * 86_400.0, &format!("{} {version}", code.generator));
        }
        let mut here = whole.clone();
        here.commits.truncate(2);
        here.index = here.head();
        here.fetched = here.commits.clone();
        for (path, content) in here.head().into_iter().filter(|(_, content)| linked(content).is_none()) {
            self.write_file(jump, &format!("{}/{path}", code.repository()), content);
        }
        if let Some(source) = source {
            self.make_modules(code, now, jump, source);
            let top = format!("{ORIGINS}/{}.git", code.name);
            self.write_file(source, &format!("{top}/HEAD"), b"ref: refs/heads/master\n".to_vec());
            here.origin = Some((source.clone(), top.clone()));
            self.repositories.insert((source.clone(), top), whole);
        }
        self.repositories.insert((jump.clone(), code.repository()), here);
    }

    /// What a state's command would copy and delete for a code on a host.
    pub(crate) fn code_waits(&self, host: &HostName, code: &Code) -> (Vec<String>, Vec<String>) {
        let excluded = [".git".to_owned(), "uploads".to_owned()];
        self.code_differs(host, &code.repository(), code.folder, &excluded)
    }

    /// What rsync would copy from a folder of the Salt master to a folder of a host, and what it would delete there.
    pub(crate) fn code_differs(
        &self,
        host: &HostName,
        from: &str,
        to: &str,
        excluded: &[String],
    ) -> (Vec<String>, Vec<String>) {
        let Some(jump) = self.jump() else { return Default::default() };
        let out = |path: &&String| {
            !path.split('/').any(|part| excluded.iter().any(|name| name.trim_matches('/') == part))
        };
        let (there, here) = (self.work_tree(jump, from), self.work_tree(host, to));
        let copied = there.keys().filter(out).filter(|path| there.get(*path) != here.get(*path));
        let deleted = here.keys().filter(out).filter(|path| !there.contains_key(*path));
        (copied.cloned().collect(), deleted.cloned().collect())
    }

    /// Copies what differs.
    pub(crate) fn copy_code(&mut self, host: &HostName, from: &str, to: &str, copied: &[String]) {
        let Some(jump) = self.jump().cloned() else { return };
        for path in copied {
            if let Some(content) = self.read_file(&jump, &format!("{from}/{path}")) {
                self.write_file(host, &format!("{to}/{path}"), content);
            }
        }
    }

    /// Fault: somebody commits what is in a tree of the Salt master, and does not push it. False where there is no such tree.
    pub fn commit_unpushed(&mut self, top: &str) -> bool {
        let Some(jump) = self.jump().cloned() else { return false };
        let now = self.epoch(&jump);
        let tree = self.work_tree(&jump, top);
        let Some(here) = self.repositories.get_mut(&(jump, top.to_owned())) else { return false };
        here.index = tree;
        here.commit(AUTHOR, now, "A quick repair");
        true
    }

    /// Somebody commits one more version at the origin; with `broken`, one that does not run.
    pub fn commit_code(&mut self, name: &str, version: &str, broken: bool) -> bool {
        let found = CODES.iter().find(|code| code.name == name);
        let jump = self.jump().cloned();
        let Some((code, jump)) = found.zip(jump) else { return false };
        let now = self.epoch(&jump);
        let here = self.repositories.get(&(jump, code.repository()));
        let Some(origin) = here.and_then(|here| here.origin.clone()) else { return false };
        let Some(whole) = self.repositories.get_mut(&origin) else { return false };
        let version = if broken { "<<<<<<< HEAD" } else { version };
        // Submodules stay as they are.
        let kept = |(path, content): &(String, Vec<u8>)| path == ".gitmodules" || linked(content).is_some();
        whole.index = whole.head().into_iter().filter(kept).chain(code.tree(version)).collect();
        whole.commit(AUTHOR, now, &format!("{} {version}", code.generator));
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::world::universe::Universe;

    #[test]
    fn every_code_reads_its_version_back_and_a_broken_file_has_none() {
        for code in CODES {
            for version in code.versions {
                let tree = code.tree(version);
                let text = String::from_utf8(tree.get(code.entry).unwrap().clone()).unwrap();
                assert_eq!(code.version(&text).as_deref(), Some(version), "{}", code.name);
            }
            assert_eq!(code.version(""), None, "{}", code.name);
            let broken =
                String::from_utf8(code.tree("<<<<<<< HEAD").get(code.entry).unwrap().clone()).unwrap();
            assert_eq!(code.version(&broken), None, "{}", code.name);
        }
    }

    #[test]
    fn each_host_of_a_role_has_the_code_that_the_salt_master_has() {
        let universe = Universe::load_still("wpd-2015", 7).unwrap();
        let world = universe.environments.first().unwrap().1.lock().unwrap();
        for code in CODES {
            assert!(world.has_code(code), "{}", code.name);
            let hosts = world.machines().filter(|m| m.roles().iter().any(|r| r.as_str() == code.role));
            for host in hosts.map(|m| m.name.clone()).collect::<Vec<_>>() {
                assert_eq!(world.code_waits(&host, code), (Vec::new(), Vec::new()), "{host}: {}", code.name);
            }
        }
    }
}
