//! Git repositories over the world's files: a line of commits, and what is staged for the next.

pub(crate) mod code;
pub(crate) mod modules;
pub(crate) mod programs;

use std::collections::BTreeMap;

use sha1::Digest as _;

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Paths below the top, and what they hold.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// All repositories, by host and top directory.
pub(crate) type Repositories = BTreeMap<(HostName, String), Repository>;

/// One repository; one branch, `master`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repository {
    /// The oldest first.
    pub(crate) commits: Vec<Commit>,
    /// What the next commit will hold.
    pub(crate) index: Tree,
    /// Where it was cloned from.
    pub(crate) origin: Option<(HostName, String)>,
    /// What `origin/master` was when it was last fetched.
    pub(crate) fetched: Vec<Commit>,
}

/// One commit.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// 40 hexadecimal digits.
    pub(crate) hash: String,
    /// `Name <address>`.
    pub(crate) author: String,
    /// Seconds since 1970.
    pub(crate) time: f64,
    pub(crate) message: String,
    pub(crate) tree: Tree,
}

impl Repository {
    /// What the newest commit holds.
    pub(crate) fn head(&self) -> Tree {
        self.commits.last().map(|commit| commit.tree.clone()).unwrap_or_default()
    }

    /// Makes a commit of what is staged; its hash.
    pub(crate) fn commit(&mut self, author: &str, time: f64, message: &str) -> String {
        let parent = self.commits.last().map(|commit| commit.hash.clone()).unwrap_or_default();
        let mut hash = sha1::Sha1::new();
        hash.update(format!("{parent}\n{author}\n{time}\n{message}\n"));
        for (path, content) in &self.index {
            hash.update(path);
            hash.update(content);
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let tree = self.index.clone();
        self.commits.push(Commit {
            hash: hash.clone(),
            author: author.to_owned(),
            time,
            message: message.to_owned(),
            tree,
        });
        hash
    }

    /// The line of commits that ends with this one: its own, or what was fetched.
    pub(crate) fn line_to(&self, hash: &str) -> Option<Vec<Commit>> {
        [&self.commits, &self.fetched].into_iter().find_map(|line| {
            let at = line.iter().position(|commit| commit.hash == hash)?;
            line.get(..=at).map(<[Commit]>::to_vec)
        })
    }

    /// The commit that `HEAD`, `HEAD~N`, `HEAD^`, `master`, a hash or its beginning means.
    pub(crate) fn find(&self, name: &str) -> Option<&Commit> {
        let from_end = |back: usize| self.commits.get(self.commits.len().checked_sub(back + 1)?);
        if matches!(name, "origin/master" | "origin/HEAD" | "@{u}" | "@{upstream}" | "FETCH_HEAD") {
            return self.fetched.last();
        }
        let rest = name.strip_prefix("HEAD").or_else(|| name.strip_prefix("master")).unwrap_or("?");
        match rest {
            "" => from_end(0),
            "^" => from_end(1),
            other => match other.strip_prefix('~') {
                Some(back) => from_end(back.parse().ok()?),
                None if name.len() >= 4 => {
                    self.commits.iter().chain(&self.fetched).find(|commit| commit.hash.starts_with(name))
                }
                None => None,
            },
        }
    }
}

/// The name git gives a file's content.
pub(crate) fn blob(content: &[u8]) -> String {
    let mut hash = sha1::Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a tree has in place of a submodule's files: the commit that it is at. Git shows it so, too.
pub(crate) fn link(hash: &str) -> Vec<u8> {
    format!("Subproject commit {hash}\n").into_bytes()
}

/// The commit of a submodule, where a tree has one there.
pub(crate) fn linked(content: &[u8]) -> Option<&str> {
    let hash = std::str::from_utf8(content).ok()?.strip_prefix("Subproject commit ")?.strip_suffix('\n')?;
    (hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

impl World {
    /// Makes a repository of what is in a directory, with one commit.
    pub(crate) fn make_repository(&mut self, host: &HostName, top: &str, author: &str, message: &str) {
        let mut made = Repository { index: self.work_tree(host, top), ..Repository::default() };
        made.commit(author, self.epoch(host) - 86_400.0, message);
        self.repositories.insert((host.clone(), top.to_owned()), made);
    }

    /// The top of the repository that a path is in.
    pub(crate) fn repository_of(&self, host: &HostName, path: &str) -> Option<String> {
        let inside =
            |top: &str| path == top || path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
        let mine = self.repositories.keys().filter(|(owner, top)| owner == host && inside(top));
        mine.map(|(_, top)| top.clone()).max_by_key(String::len)
    }

    /// What the files below a directory hold now.
    pub(crate) fn work_tree(&self, host: &HostName, top: &str) -> Tree {
        let mut tree = Tree::new();
        self.add_to_tree(host, top, "", &mut tree);
        tree
    }

    /// What git sees below the top of a repository: of a repository inside it only the commit that it is at, and whether that is
    /// all; a submodule that is not there counts as it is in the index.
    pub(crate) fn git_tree(&self, host: &HostName, top: &str, index: &Tree) -> Tree {
        let mut tree = self.work_tree(host, top);
        let mut inside: Vec<&str> = Vec::new();
        for ((owner, nested), repository) in &self.repositories {
            let below = nested.strip_prefix(top).and_then(|rest| rest.strip_prefix('/'));
            let Some(below) = below.filter(|_| owner == host) else { continue };
            if inside.iter().any(|outer| below.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/')))
            {
                continue;
            }
            inside.push(below);
            tree.retain(|path, _| path.strip_prefix(below).is_none_or(|rest| !rest.starts_with('/')));
            let head = repository.commits.last().map(|commit| commit.hash.as_str()).unwrap_or_default();
            let mut content = link(head);
            if self.git_tree(host, nested, &repository.index) != repository.head() {
                content = format!("Subproject commit {head}-dirty\n").into_bytes();
            }
            tree.insert(below.to_owned(), content);
        }
        for (path, content) in index.iter().filter(|(_, content)| linked(content).is_some()) {
            tree.entry(path.clone()).or_insert_with(|| content.clone());
        }
        tree
    }

    fn add_to_tree(&self, host: &HostName, top: &str, below: &str, tree: &mut Tree) {
        for name in self.list_dir(host, &format!("{top}/{below}")).unwrap_or_default() {
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            match self.read_file(host, &format!("{top}/{path}")) {
                Some(content) => drop(tree.insert(path, content)),
                None => self.add_to_tree(host, top, &path, tree),
            }
        }
    }
}
