//! One name for one thing: whoever searches for a type's name finds that type.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Ident, ItemEnum, ItemMod, ItemStruct, ItemTrait, ItemType};

use crate::circles::for_tests;

/// Names that a list's macro looks for in each file of a folder, so that a line in the list is enough.
const LISTED: &[(&str, &str)] = &[("Kind", "src/app/screens/")];

/// Where each name of a type is defined.
#[derive(Default)]
struct Types {
    file: String,
    names: BTreeMap<String, Vec<String>>,
}

impl Types {
    fn read(&mut self, folder: &Path, root: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            if stem.contains("test") || stem.contains("fixture") || stem == "fuzzing" {
                continue;
            }
            if path.is_dir() {
                self.read(&path, root);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                self.file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let parsed = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
                self.visit_file(&parsed);
            }
        }
    }

    fn add(&mut self, name: &Ident) {
        let name = name.to_string();
        if !LISTED.iter().any(|(listed, folder)| name == *listed && self.file.starts_with(folder)) {
            self.names.entry(name).or_default().push(self.file.clone());
        }
    }
}

impl<'ast> Visit<'ast> for Types {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.add(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.add(&item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.add(&item.ident);
    }
}

#[test]
fn every_type_of_the_product_has_a_name_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut types = Types::default();
    for folder in ["src", "crates/fleet/src"] {
        types.read(&root.join(folder), root);
    }
    assert!(types.names.len() > 500, "{} types were found", types.names.len());
    types.names.retain(|_, files| files.len() > 1);
    assert!(types.names.is_empty(), "these names are of two types or more: {:#?}", types.names);
}
