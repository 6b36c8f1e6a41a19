//! Archives of files with all that is in them, as `tar` makes them, and those of the Salt master on the
//! machines with role `backup`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::git::{Commit, Repository};
use crate::posix::files::Attributes;
use crate::salt::lost::{ACCEPTED, public_text};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::{Packed, pack, unpack};

/// Days of archives of the Salt master that are kept.
const DAYS: u32 = 3;
/// What is archived of it.
const ARCHIVED: &[&str] = &["/srv", "/etc/salt", "/etc/gdnsd"];
/// What is in a packed archive between the names, which people read, and all the rest.
const BETWEEN: u8 = 0;

/// Bytes that are text, as everything is that is archived here.
mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}

/// A commit in an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ArchivedCommit {
    hash: String,
    author: String,
    time: f64,
    message: String,
    tree: BTreeMap<String, String>,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Archived {
    #[serde(with = "text")]
    pub(crate) content: Vec<u8>,
    mode: u32,
    owner: String,
    group: String,
    modified: f64,
}

/// An archive: files and git repositories, by their paths without the first slash.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Archive {
    pub(crate) files: BTreeMap<String, Archived>,
    repositories: BTreeMap<String, ArchivedRepository>,
}

/// A repository in an archive: its commits, and the host and directory that it was cloned from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ArchivedRepository {
    commits: Vec<ArchivedCommit>,
    origin: Option<(String, String)>,
}

impl From<&Commit> for ArchivedCommit {
    fn from(commit: &Commit) -> Self {
        let Commit { hash, author, time, message, tree } = commit.clone();
        let tree = tree.into_iter().map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()));
        Self { hash, author, time, message, tree: tree.collect() }
    }
}

impl From<ArchivedCommit> for Commit {
    fn from(commit: ArchivedCommit) -> Self {
        let ArchivedCommit { hash, author, time, message, tree } = commit;
        let tree = tree.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        Self { hash, author, time, message, tree }
    }
}

impl Archive {
    /// As a packed file.
    pub(crate) fn packed(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            self.files.keys().flat_map(|path| format!("{path}\n").into_bytes()).collect();
        bytes.push(BETWEEN);
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        pack(&bytes)
    }

    /// The names in a packed archive, and the archive, when more than names was kept of it.
    pub(crate) fn names(inside: &[u8]) -> &[u8] {
        inside.split(|byte| *byte == BETWEEN).next().unwrap_or_default()
    }

    /// What a packed file holds; `None` when nothing but names was kept of it.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let Packed::Whole(inside) = unpack(bytes) else { return None };
        let at = inside.iter().position(|byte| *byte == BETWEEN)?;
        serde_json::from_slice(inside.get(at + 1..)?).ok()
    }

    /// The part of it that these members mean: all without any. An error is a member that is not there.
    pub(crate) fn only(mut self, members: &[String]) -> Result<Self, String> {
        let inside = |path: &str, member: &str| {
            let member = member.trim_matches('/');
            path == member || path.strip_prefix(member).is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(missing) =
            members.iter().find(|member| !self.files.keys().any(|path| inside(path, member)))
        {
            return Err(missing.clone());
        }
        let wanted = |path: &str| members.is_empty() || members.iter().any(|member| inside(path, member));
        self.files.retain(|path, _| wanted(path));
        self.repositories.retain(|path, _| wanted(path));
        Ok(self)
    }
}

impl World {
    /// Archives what is below these directories of a machine.
    fn archive(&self, host: &HostName, directories: &[&str]) -> Archive {
        let mut made = Archive::default();
        for directory in directories {
            for (path, content) in self.work_tree(host, directory) {
                let path = format!("{directory}/{path}");
                let Some(found) = self.metadata(host, &path) else { continue };
                let Attributes { mode, owner, group, modified } = found.attributes;
                let archived = Archived { content, mode, owner, group, modified };
                made.files.insert(path.trim_start_matches('/').to_owned(), archived);
            }
            let below = |top: &str| top == *directory || top.starts_with(&format!("{directory}/"));
            for ((owner, top), repository) in &self.repositories {
                if owner == host && below(top) {
                    let top = top.trim_start_matches('/').to_owned();
                    let commits = repository.commits.iter().map(ArchivedCommit::from).collect();
                    let origin = repository.origin.clone().map(|(host, from)| (host.to_string(), from));
                    made.repositories.insert(top, ArchivedRepository { commits, origin });
                }
            }
        }
        made
    }

    /// Puts everything in an archive below a directory; a file that is there is written over.
    pub(crate) fn unpack_archive(&mut self, host: &HostName, directory: &str, archive: Archive) {
        let below = directory.trim_end_matches('/');
        for (path, file) in archive.files {
            let Archived { content, mode, owner, group, modified } = file;
            let path = format!("{below}/{path}");
            self.write_file(host, &path, content);
            self.set_attributes(host, &path, |attributes| {
                *attributes = Attributes { mode, owner, group, modified };
            });
        }
        for (top, archived) in archive.repositories {
            let commits: Vec<Commit> = archived.commits.into_iter().map(Commit::from).collect();
            let origin = archived.origin.and_then(|(host, from)| Some((HostName::new(&host).ok()?, from)));
            let fetched = if origin.is_some() { commits.clone() } else { Vec::new() };
            let mut repository = Repository { commits, origin, fetched, ..Repository::default() };
            repository.index = repository.head();
            self.repositories.insert((host.clone(), format!("{below}/{top}")), repository);
        }
    }

    /// The files of an archive that are not below a directory as they are in it.
    pub(crate) fn differs_from(&self, host: &HostName, directory: &str, archive: &Archive) -> Vec<String> {
        let below = directory.trim_end_matches('/');
        let there = |path: &str| self.read_file(host, &format!("{below}/{path}"));
        let differs = archive.files.iter().filter(|(path, file)| there(path).as_ref() != Some(&file.content));
        differs.map(|(path, _)| path.clone()).collect()
    }

    /// An archive of the Salt master for each of some nights, on the machines that keep backups. With a name server and code to
    /// hand out it is a large one: the files that count are all in it.
    pub(crate) fn archive_salt_master(&mut self, host: &HostName, root: &str) {
        let is_master =
            |m: &&crate::posix::machine::Machine| m.roles().iter().any(|role| role.as_str() == "salt");
        let Some(jump) =
            self.jump().cloned().filter(|jump| self.machine(jump).as_ref().is_some_and(is_master))
        else {
            return;
        };
        let mut archive = self.archive(&jump, ARCHIVED);
        for (id, key) in self.salt.keys.accepted.clone() {
            let content = public_text(&key).into_bytes();
            let root = || "root".to_owned();
            let file =
                Archived { content, mode: 0o600, owner: root(), group: root(), modified: self.epoch(&jump) };
            archive.files.insert(format!("{}/{id}", ACCEPTED.trim_start_matches('/')), file);
        }
        let packed = archive.packed();
        let now = self.epoch(host);
        let last = (now / 86_400.0).floor() * 86_400.0 + 9600.0;
        for day in 0..=DAYS {
            let at = last - 86_400.0 * f64::from(day);
            if at > now {
                continue;
            }
            let path = format!("{root}/salt/salt-{}.tar.gz", super::date(at, "%Y%m%d"));
            let attributes =
                Attributes { mode: 0o600, owner: "root".to_owned(), group: "root".to_owned(), modified: at };
            let size = u64::try_from(packed.len()).unwrap_or(0);
            self.store_file(host, &path, packed.clone(), size, attributes);
        }
    }

    /// Takes paths out of every archive on a machine: a backup that does not cover them. How many archives were changed.
    pub fn forget_in_archives(&mut self, host: &HostName, below: &str) -> usize {
        let folder = "/mnt/backup/salt";
        let mut changed = 0;
        for name in self.list_dir(host, folder).unwrap_or_default() {
            let path = format!("{folder}/{name}");
            let read = self
                .read_file(host, &path)
                .and_then(|bytes| Archive::read(&bytes))
                .zip(self.metadata(host, &path));
            let Some((mut archive, found)) = read else { continue };
            archive.files.retain(|path, _| !path.starts_with(below.trim_start_matches('/')));
            let packed = archive.packed();
            let size = u64::try_from(packed.len()).unwrap_or(0);
            self.store_file(host, &path, packed, size, found.attributes);
            changed += 1;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::programs::tests::{shell, world};
    use jumpdeck_fleet::names::HostName;

    #[test]
    fn what_is_unpacked_is_what_was_archived() {
        let world = world("wpd-2015", 0);
        let newest = "f=/mnt/backup/salt/$(ls -t /mnt/backup/salt | head -n 1)";
        let (names, said, status) = shell(&world, "backup", &format!("{newest}; tar -tzf \"$f\""));
        assert_eq!(status, 0, "{said}");
        for name in ["srv/salt/top.sls", "srv/pillar/infra/production.sls", "etc/salt/pki/master/master.pem"]
        {
            assert!(names.lines().any(|line| line == name), "{name}: {names}");
        }
        let script = format!(
            "{newest}; tar -xpzf \"$f\" -C /tmp srv etc/salt/pki/master && tar -dzf \"$f\" -C /tmp srv && echo same; \
             echo x >> /tmp/srv/salt/top.sls; tar -dzf \"$f\" -C /tmp srv || echo differs; \
             git -C /tmp/srv/pillar log --format=%s -1; base64 -w0 \"$f\" | base64 -d | cmp - \"$f\" && echo whole"
        );
        let (said, err, _) = shell(&world, "backup", &script);
        assert_eq!(
            said, "same\nsrv/salt/top.sls: Contents differ\ndiffers\nAddresses of the level\nwhole\n",
            "{err}"
        );
        let here = world
            .lock()
            .unwrap()
            .read_file(&HostName::new("backup").unwrap(), "/tmp/etc/salt/pki/master/minions/app1");
        assert!(here.is_some());
        let (size, _, _) = shell(&world, "backup", &format!("{newest}; stat -c %s \"$f\""));
        assert!(
            size.trim().parse::<u64>().unwrap() < 100_000,
            "rebuild-lost-salt-master has it carried by hand: {size}"
        );
        let (_, err, status) = shell(&world, "backup", &format!("{newest}; tar -xzf \"$f\" -C /tmp nothing"));
        assert!(status == 2 && err.contains("Not found in archive"), "{err}");
    }
}
