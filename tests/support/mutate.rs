//! Mutants of a runbook, made from its text: a step left out, two swapped, a proof taken away.

use regex::Regex;

/// One change of a runbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// These steps are left out, and named nowhere else.
    Without(&'static [&'static str]),
    /// The first stands directly before the second.
    Before(&'static str, &'static str),
    /// A field of a step (with all its lines) is taken away.
    NoField(&'static str, &'static str),
    /// Of a step's preconditions, the one whose line has these words is taken away.
    NoLine(&'static str, &'static str),
    /// In a step these words are replaced.
    Word(&'static str, &'static str, &'static str),
}

/// A runbook's text as steps: what stands before the first, and each step with its comments.
struct Blocks {
    head: String,
    steps: Vec<String>,
}

impl Blocks {
    fn of(text: &str) -> Self {
        let begin = Regex::new(r"(?m)^ *\[\[step(\.step|\.otherwise)*\]\]$").unwrap();
        let mut places: Vec<usize> = begin.find_iter(text).map(|found| found.start()).collect();
        places.push(text.len());
        let first = places.first().copied().unwrap();
        let steps = places.windows(2).map(|pair| text.get(pair[0]..pair[1]).unwrap().to_owned());
        Self { head: text.get(..first).unwrap().to_owned(), steps: steps.collect() }
    }

    fn place(&self, id: &str) -> usize {
        let line = Regex::new(&format!(r#"(?m)^ *id *= "{}"$"#, regex::escape(id))).unwrap();
        let found: Vec<usize> =
            self.steps.iter().enumerate().filter(|(_, step)| line.is_match(step)).map(|(at, _)| at).collect();
        assert_eq!(found.len(), 1, "step {id} is there {} times", found.len());
        found[0]
    }

    fn join(&self) -> String {
        self.steps.iter().fold(self.head.clone(), |text, step| text + step)
    }
}

/// The text with the change; it must differ.
pub(crate) fn mutate(text: &str, changes: &[Change]) -> String {
    let mut blocks = Blocks::of(text);
    let covers = Regex::new(r"(?m)^ *(covers *= \[.*\])$").unwrap();
    for change in changes {
        match *change {
            Change::Without(ids) => {
                for id in ids {
                    let at = blocks.place(id);
                    blocks.steps.remove(at);
                    let named = Regex::new(&format!(r#""{id}", |, "{id}"|"{id}""#)).unwrap();
                    for step in &mut blocks.steps {
                        let without = covers.replace_all(step, |c: &regex::Captures<'_>| {
                            named.replace_all(&c[0], "").into_owned()
                        });
                        *step = without.into_owned();
                    }
                }
            }
            Change::Before(first, second) => {
                let at = blocks.place(first);
                let step = blocks.steps.remove(at);
                let at = blocks.place(second);
                blocks.steps.insert(at, step);
            }
            Change::NoField(id, field) => {
                let at = blocks.place(id);
                blocks.steps[at] = without_field(&blocks.steps[at], field);
            }
            Change::NoLine(id, words) => {
                let at = blocks.place(id);
                let lines: Vec<&str> = blocks.steps[at].lines().collect();
                let kept: Vec<&str> = lines.iter().filter(|line| !line.contains(words)).copied().collect();
                assert_eq!(kept.len() + 1, lines.len(), "{id}: {words}");
                blocks.steps[at] = kept.join("\n") + "\n";
            }
            Change::Word(id, old, new) => {
                let at = blocks.place(id);
                assert!(blocks.steps[at].contains(old), "{id}: {old}\n{}", blocks.steps[at]);
                blocks.steps[at] = blocks.steps[at].replace(old, new);
            }
        }
    }
    let mutant = blocks.join();
    assert_ne!(mutant, text, "{changes:?} changes nothing");
    mutant
}

/// A step without a field: its line, and what belongs to a value of several lines.
fn without_field(step: &str, field: &str) -> String {
    let begins = Regex::new(&format!(r"^ *{field} *=")).unwrap();
    let mut kept = String::new();
    let mut lines = step.lines();
    let mut found = false;
    while let Some(line) = lines.next() {
        if !begins.is_match(line) {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        found = true;
        let mut value = line.to_owned();
        while !is_whole(&value) {
            value.push('\n');
            value.push_str(lines.next().unwrap_or_else(|| panic!("{field} does not end\n{step}")));
        }
    }
    assert!(found, "no {field} in\n{step}");
    kept
}

/// Whether these lines are a whole assignment.
fn is_whole(value: &str) -> bool {
    let name = value.trim_start();
    toml::from_str::<toml::Table>(name).is_ok()
}
