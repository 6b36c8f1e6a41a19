//! What a journal proves: line by line, from its bytes. Pure.

mod approval;
mod end;
mod signature;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::evidence::Head;
use super::journal::chain::{self, JournalLine};
use crate::openssh::sshsig::AllowedSigners;

/// How much something proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Whole, and signed by people who are known.
    Proved,
    /// Nothing contradicts it, and nobody known vouches for it.
    Unproved,
    /// It is not what was written, or not by whom it says.
    Broken,
}

/// Something that keeps a journal from being proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The lines it is about, from 1; none when it is about the whole.
    pub lines: Vec<usize>,
    /// How bad it is.
    pub grade: Grade,
    /// What is so.
    pub what: String,
    /// What that means.
    pub meaning: &'static str,
}

/// A signature that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureSeen {
    /// The line it stands in, from 1.
    pub line: usize,
    /// What was signed: `answered`, `approval`, `ended` and so on.
    pub of: String,
    /// In whose name.
    pub by: String,
    /// The key, as `SHA256:…`.
    pub key: String,
    /// For a security key, whether it was touched.
    pub touched: Option<bool>,
    /// Whether it fits and the key is that person's.
    pub proved: bool,
}

/// What is examined.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The run, by the journal's name.
    pub run: &'a str,
    /// The journal's bytes.
    pub journal: &'a [u8],
    /// The head kept beside it.
    pub head: &'a Head,
    /// Entries as they were seen on the jump box, number and hash; `None` when nobody looked.
    pub elsewhere: Option<&'a [(u64, String)]>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examination {
    /// Entries that follow each other.
    pub entries: usize,
    /// The signatures among them.
    pub signatures: Vec<SignatureSeen>,
    /// What is wrong or not proved.
    pub remarks: Vec<Remark>,
}

impl Examination {
    /// What all of it proves: as much as the worst remark leaves.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.remarks.iter().map(|remark| remark.grade).max().unwrap_or(Grade::Proved)
    }

    fn remark(&mut self, line: Option<usize>, grade: Grade, what: impl Into<String>, meaning: &'static str) {
        let what = what.into();
        let same = |r: &&mut Remark| r.grade == grade && r.what == what && !r.lines.is_empty();
        match (line, self.remarks.iter_mut().find(same)) {
            (Some(line), Some(remark)) => remark.lines.push(line),
            _ => self.remarks.push(Remark { lines: line.into_iter().collect(), grade, what, meaning }),
        }
    }
}

/// An entry, as it stands in the file.
struct EntryInFile<'a> {
    number: usize,
    line: &'a [u8],
    unsigned: &'a [u8],
    read: JournalLine<Json>,
}

impl EntryInFile<'_> {
    /// What happened: `answered`, `ended` and so on.
    fn word(&self) -> &str {
        self.text("event")
    }

    /// A field of the event; empty when it is not there.
    fn text(&self, field: &str) -> &str {
        self.read.event.get(field).and_then(Json::as_str).unwrap_or_default()
    }

    /// Whether it counts a second person's yes.
    fn is_approval(&self) -> bool {
        // Journals of schema 1 have the word, those of schema 2 what was said.
        let yes = self.text("said") == "confirmed" || self.text("answer") == "yes";
        self.word() == "answered" && self.text("asked") == "approve" && yes
    }
}

/// What is known while the lines are read.
#[derive(Default)]
struct KnownSoFar {
    /// Who runs it now.
    operator: String,
    /// The hash of the plan's runbook.
    plan: String,
    /// The keys that signed for whoever ran it.
    keys: BTreeSet<String>,
    /// Questions that an approval was counted for.
    questions: BTreeSet<String>,
    /// The newest signed line.
    signed: Option<(usize, Vec<u8>)>,
    /// Answers without a signature.
    unsigned: Vec<usize>,
    /// What the last entry tells.
    last: String,
    /// Number and hash of every entry.
    chain: Vec<(u64, String)>,
}

/// Examines a journal: its chain, its signatures and whose they are, the approvals it counts, its end.
#[must_use]
pub fn examine(seen: &Examined<'_>, allowed: &AllowedSigners) -> Examination {
    let (mut found, mut known) = (Examination::default(), KnownSoFar::default());
    for (index, piece) in seen.journal.split_inclusive(|b| *b == b'\n').enumerate() {
        let number = index + 1;
        let line = piece.strip_suffix(b"\n").unwrap_or(piece);
        let ended = line.len() < piece.len();
        let (read, unsigned) = match chain::line::<Json>(line) {
            Ok(read) => read,
            Err(_) if !ended => {
                let what = "the last line is an incomplete entry";
                let meaning = "the program was killed while it wrote, or the file was cut";
                found.remark(Some(number), Grade::Unproved, what, meaning);
                break;
            }
            Err(what) => {
                found.remark(Some(number), Grade::Broken, what, CHANGED);
                break;
            }
        };
        if !ended {
            let what = "the last line has no line end";
            let meaning = "the program was killed while it wrote, or the file was cut";
            found.remark(Some(number), Grade::Unproved, what, meaning);
        }
        let unsigned = line.get(..unsigned).unwrap_or_default();
        let entry = EntryInFile { number, line, unsigned, read };
        if let Err(what) = follows(&known, &entry) {
            found.remark(Some(number), Grade::Broken, what, "entries were removed, added, moved or replaced");
            break;
        }
        told(seen, &mut known, &entry, &mut found);
        signature::judge(seen.run, &mut known, &entry, allowed, &mut found);
        approval::judge(seen.run, &mut known, &entry, allowed, &mut found);
        known.chain.push((entry.read.seq, entry.read.hash.clone()));
        entry.word().clone_into(&mut known.last);
    }
    found.entries = known.chain.len();
    end::judge(seen, &known, &mut found);
    found
}

const CHANGED: &str = "the entry was changed, or the disk is damaged; nothing from this line on is proved";

fn follows(known: &KnownSoFar, entry: &EntryInFile<'_>) -> Result<(), &'static str> {
    let first = "0".repeat(64);
    let (seq, hash) = known.chain.last().map_or((0, first.as_str()), |(seq, hash)| (*seq, hash.as_str()));
    if entry.read.seq != seq + 1 {
        return Err("its number does not follow that of the line before");
    }
    if entry.read.prev != hash {
        Err("its previous-entry hash does not match the line before")
    } else {
        Ok(())
    }
}

/// Learns what an entry says of the run: whose it is, and by which plan.
fn told(seen: &Examined<'_>, known: &mut KnownSoFar, entry: &EntryInFile<'_>, found: &mut Examination) {
    let mut broken = |what: String, meaning| found.remark(Some(entry.number), Grade::Broken, what, meaning);
    match (entry.word(), entry.number) {
        ("started", 1) => {
            let run = entry.text("run");
            if run != seen.run {
                broken(
                    format!("it is the journal of {run}, not of {}", seen.run),
                    "one journal was put in the place of another",
                );
            }
            let hash = entry.read.event.get("plan").and_then(|plan| plan.get("hash")).and_then(Json::as_str);
            hash.unwrap_or_default().clone_into(&mut known.plan);
            entry.text("who").clone_into(&mut known.operator);
        }
        ("started", _) => broken("the run begins a second time".to_owned(), "entries were added"),
        (_, 1) => {
            broken("the journal does not begin with the run's start".to_owned(), "entries were removed")
        }
        ("resumed", _) => entry.text("who").clone_into(&mut known.operator),
        _ => {}
    }
    if known.last == "ended" {
        broken("the run was over before this entry".to_owned(), "entries were added");
    }
}
