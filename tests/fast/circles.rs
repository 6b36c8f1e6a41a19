//! Files that import each other in a circle can only be read all at once. Within one folder that is a matter of taste, between
//! folders a wall is missing. Reads every file with a parser, so that no way to write a path goes unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// Folders in which no two files import each other at all.
const STRICT: &[&str] = &["src/app/update", "src/runbook/act", "src/config/inventory"];

/// The rooms of the simulated fleet: each has the state and the programs of one domain.
const ROOMS: &[&str] = &[
    "crates/sim/src/apps",
    "crates/sim/src/backups",
    "crates/sim/src/cloud",
    "crates/sim/src/dns",
    "crates/sim/src/elastic",
    "crates/sim/src/git",
    "crates/sim/src/gluster",
    "crates/sim/src/mail",
    "crates/sim/src/mariadb",
    "crates/sim/src/memcache",
    "crates/sim/src/posix",
    "crates/sim/src/redis",
    "crates/sim/src/salt",
    "crates/sim/src/services",
    "crates/sim/src/web",
];

/// Imports that close a circle and are meant: who imports, what, why.
const MEANT: &[(&str, &[&str], &str)] = &[
    (
        "src/runbook",
        &["src/runbook/kinds"],
        "a step holds its kind, and a kind is one file that knows every part of the engine",
    ),
    (
        "crates/sim/src/world",
        ROOMS,
        "the world holds the state of every room; a room finds in it what is its own",
    ),
    (
        "crates/sim/src/shell",
        &["crates/sim/src/shell/runners"],
        "what runs a command runs others, as `env` and `flock` do",
    ),
    (
        "src/app",
        &["src/app/screens"],
        "the model has the screen that is shown, and a screen is one file that knows rows, model and updates",
    ),
];

/// A module: `runbook`, `act`, `sql`.
type Module = Vec<String>;

/// The files of a crate by their modules, and its folder.
struct Sources {
    root: &'static str,
    files: BTreeMap<Module, String>,
}

fn read(root: &'static str) -> Sources {
    let mut files = BTreeMap::new();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    collect(&base, &mut Vec::new(), &mut files);
    Sources { root, files }
}

fn collect(folder: &Path, module: &mut Module, files: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if is_test(&name) {
            continue;
        }
        if path.is_dir() {
            module.push(name);
            collect(&path, module, files);
            module.pop();
        } else if path.extension().is_some_and(|e| e == "rs") && name != "main" {
            let mut of = module.clone();
            if name != "lib" {
                of.push(name);
            }
            files.insert(of, fs::read_to_string(&path).unwrap());
        }
    }
}

fn is_test(name: &str) -> bool {
    name == "tests" || name.ends_with("_tests") || name.contains("fixture")
}

/// What one file names of its own crate.
struct Names<'a> {
    sources: &'a Sources,
    /// Where the reader is: the file's module, and modules within the file.
    at: Module,
    /// The file.
    file: &'a Module,
    found: BTreeSet<Module>,
}

impl Names<'_> {
    /// Notes the file that a path leads to.
    fn path(&mut self, segments: &[String]) {
        let Some(first) = segments.first() else { return };
        let mut full = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.at.clone(),
            _ => {
                let mut child = self.at.clone();
                child.push(first.clone());
                if !self.sources.files.contains_key(&child) {
                    return;
                }
                self.at.clone()
            }
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => {
                    full.pop();
                }
                name => full.push(name.to_owned()),
            }
        }
        while !self.sources.files.contains_key(&full) {
            if full.pop().is_none() {
                return;
            }
        }
        if &full != self.file && !full.is_empty() {
            self.found.insert(full);
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
                before.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
            UseTree::Name(name) => self.named(name.ident.to_string(), before),
            UseTree::Rename(rename) => self.named(rename.ident.to_string(), before),
            UseTree::Glob(_) => self.path(before),
        }
    }

    fn named(&mut self, name: String, before: &mut Vec<String>) {
        before.push(name);
        self.path(before);
        before.pop();
    }

    /// Paths within a macro's arguments.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.path(&path);
                        path.clear();
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.path(&path);
                    path.clear();
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.path(&path);
                    path.clear();
                }
            }
        }
        self.path(&path);
    }
}

pub(crate) fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.clone().into_iter().any(|token| mentions_test(&token)))
    })
}

fn mentions_test(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == "test",
        TokenTree::Group(group) => group.stream().into_iter().any(|token| mentions_test(&token)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    /// `pub(in crate::a)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.path(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, of: &'ast syn::Macro) {
        self.tokens(of.tokens.clone());
        visit::visit_macro(self, of);
    }
}

/// What a file imports.
fn imports(sources: &Sources, file: &Module) -> BTreeSet<Module> {
    let parsed = syn::parse_file(&sources.files[file]).unwrap_or_else(|e| panic!("{file:?}: {e}"));
    let mut names = Names { sources, at: file.clone(), file, found: BTreeSet::new() };
    names.visit_file(&parsed);
    names.found
}

/// A file's place as a person writes it.
fn place(sources: &Sources, module: &Module) -> String {
    format!("{}/{}", sources.root, module.join("/"))
}

fn below(place: &str, folder: &str) -> bool {
    place == folder || place.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The circles of a crate, each with its files, without the imports that are meant.
fn circles(sources: &Sources) -> Vec<Vec<String>> {
    let places: Vec<String> = sources.files.keys().map(|module| place(sources, module)).collect();
    let mut graph = DiGraphMap::<&str, ()>::new();
    let known: BTreeMap<&str, &str> = places.iter().map(|p| (p.as_str(), p.as_str())).collect();
    for (file, from) in sources.files.keys().zip(&places) {
        for to in imports(sources, file) {
            let to = known[place(sources, &to).as_str()];
            let meant = MEANT.iter().any(|(who, what, _)| {
                what.iter().any(|what| below(from, who) && !below(from, what) && below(to, what))
            });
            if !meant {
                graph.add_edge(from, to, ());
            }
        }
    }
    let found = tarjan_scc(&graph).into_iter().filter(|files| files.len() > 1);
    found
        .map(|files| {
            let mut files: Vec<String> = files.into_iter().map(str::to_owned).collect();
            files.sort();
            files
        })
        .collect()
}

/// Files of one folder; or a file and those below its folder, where the file itself is of the circle: they share its types.
fn in_one_folder(files: &[String]) -> bool {
    let folder = |file: &str| file.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    files.iter().all(|file| folder(file) == folder(&files[0]))
        || files.iter().any(|door| files.iter().all(|file| below(file, door)))
}

#[test]
fn files_of_different_folders_do_not_import_each_other() {
    let mut wrong = Vec::new();
    for root in ["src", "crates/fleet/src", "crates/sim/src"] {
        for files in circles(&read(root)) {
            let strict = STRICT.iter().any(|folder| files.iter().all(|file| below(file, folder)));
            if strict || !in_one_folder(&files) {
                wrong.push(format!("{} files: {}", files.len(), files.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "circles of imports:\n{}", wrong.join("\n"));
}

/// What is no room of the simulated fleet: what the rooms share, and what holds them.
const NO_ROOMS: &[&str] = &["dial", "options", "program", "programs", "shell", "sshd", "world"];

#[test]
fn every_room_of_the_simulated_fleet_is_listed() {
    let sources = read("crates/sim/src");
    let top = sources.files.keys().filter(|module| module.len() == 1).map(|module| place(&sources, module));
    let rooms: Vec<String> =
        top.filter(|place| !NO_ROOMS.iter().any(|other| place.ends_with(&format!("/{other}")))).collect();
    assert_eq!(rooms, ROOMS, "a new room is a line of ROOMS and of docs/architecture.md");
}

#[test]
fn the_reader_sees_every_way_to_name_a_file() {
    let text = "use super::one;\nfn f() { crate::two::g(three::h()); }\nmod three;\nfn m() { vec![self::four::X]; } \
                #[cfg(test)] mod tests { use crate::five; }\nuse crate::{six::{A, B}, seven as eight};";
    let names = ["one", "two", "five", "six", "seven", "here"];
    let mut files: BTreeMap<Module, String> =
        names.iter().map(|name| (vec![(*name).to_owned()], String::new())).collect();
    for child in ["three", "four"] {
        files.insert(vec!["here".to_owned(), child.to_owned()], String::new());
    }
    files.insert(vec!["here".to_owned()], text.to_owned());
    let sources = Sources { root: "src", files };
    let found = imports(&sources, &vec!["here".to_owned()]);
    let found: Vec<String> = found.iter().map(|module| module.join("/")).collect();
    assert_eq!(found, ["here/four", "here/three", "one", "seven", "six", "two"]);
}

#[test]
fn a_file_and_its_folder_are_one() {
    let files = |list: &[&str]| list.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>();
    assert!(in_one_folder(&files(&["src/a", "src/a/b", "src/a/c"])));
    assert!(in_one_folder(&files(&["src/a/b", "src/a/c"])));
    assert!(!in_one_folder(&files(&["src/a/b", "src/c/d"])));
    assert!(in_one_folder(&files(&["src/a", "src/a/b/c"])));
    assert!(!in_one_folder(&files(&["src/a/b", "src/a/b/c", "src/a/d"])));
}
