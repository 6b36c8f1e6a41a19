//! Doors for the fuzz targets of `fuzz/`: one function a target, bytes in, a panic out when something does not hold. In
//! tests and with the feature `fuzzing` only. Test code.
//!
//! `fuzz/run TARGET [SECONDS]` looks for inputs; the test below reads those that were found once, so that they stay
//! corrected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod console;
mod readers;
mod runs;

pub use console::{drawing, keys};
pub use readers::{clean, frame, known_hosts, probes, toml, yaml_edit};
pub use runs::{journal, quoting, redactor};

/// What is done with an input.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("clean", clean),
    ("drawing", drawing),
    ("frame", frame),
    ("journal", journal),
    ("keys", keys),
    ("known_hosts", known_hosts),
    ("probes", probes),
    ("quoting", quoting),
    ("redactor", redactor),
    ("toml", toml),
    ("yaml_edit", yaml_edit),
];

/// Bytes, taken from the front; when there are no more, zeros.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        let wide = usize::from(self.byte());
        if limit > 256 { (wide << 8 | usize::from(self.byte())) % limit } else { wide % limit }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to `most` bytes as text.
    fn text(&mut self, most: usize) -> String {
        let count = self.below(most + 1);
        String::from_utf8_lossy(self.take(count)).into_owned()
    }

    fn rest(&mut self) -> String {
        String::from_utf8_lossy(std::mem::take(&mut self.0)).into_owned()
    }
}

/// Text that people see: nothing in it that a terminal obeys or that draws nothing.
fn assert_clean(text: &str) {
    if let Some(c) = text.chars().find(|c| !jumpdeck_fleet::text::is_drawn(*c)) {
        panic!("U+{:04X} in {text:?}", c as u32);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Inputs under `fuzz/`: those that once found something, and the seeds.
    #[test]
    fn what_was_found_once_holds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for (name, target) in TARGETS {
            let mut inputs = 0;
            for folder in ["found", "corpus"] {
                let Ok(files) = std::fs::read_dir(root.join(folder).join(name)) else { continue };
                for file in files {
                    let path = file.unwrap().path();
                    println!("{}", path.display());
                    target(&std::fs::read(&path).unwrap());
                    inputs += 1;
                }
            }
            assert!(inputs > 0, "no seeds for {name}");
        }
    }
}
