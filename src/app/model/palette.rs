//! The command palette: what can be done now, as a list that what is typed narrows. The list changes only with what is
//! typed, and when an entry is gone: what is selected does not move under the operator's hand.

use std::cmp::Reverse;

use frizbee::{CaseMatching, Config, Matcher, Matching, SortStrategy};

use super::Model;
use super::editor::Editor;
use crate::app::chosen::{self, ChosenEntry};
use crate::config::action::{Action, Need};
use crate::config::keymap::KeyPress;
use crate::config::views::SavedView;
use jumpdeck_fleet::names::{EnvName, HostId};

/// What a word found beside a name counts: less than any name in which it is found (a letter there counts twelve).
const BESIDE: u32 = 1;

/// The palette, and what was taken from it, in this run of the console and before.
#[derive(Debug, Default)]
pub struct Palette {
    open: Option<PaletteList>,
    /// The last one first.
    pub taken: Vec<ChosenEntry>,
}

/// The open palette.
#[derive(Debug)]
pub struct PaletteList {
    /// What is typed.
    pub typed: Editor,
    /// The entries that match, best first.
    pub rows: Vec<PaletteEntry>,
    /// How many entries there are when nothing is typed.
    pub all: usize,
    /// Whether the runbooks of the environment were known when the list was made.
    pub has_runbooks: bool,
    /// The place of the selected row; `None` when what was selected is gone.
    pub selected: Option<usize>,
    /// Where the selection last was.
    at: usize,
}

/// What an entry leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaletteTarget {
    /// An action, and what it is called as long as it does this.
    Action(Action, &'static str),
    /// An environment.
    Environment(EnvName),
    /// A saved view, by its name.
    View(String),
    /// A runbook of an environment, by its name.
    Runbook(EnvName, String),
    /// A host.
    Host(HostId),
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteEntry {
    /// What it leads to.
    pub target: PaletteTarget,
    /// What is looked for.
    pub name: String,
    /// What it is: `host of staging`.
    pub what: String,
}

impl From<&PaletteTarget> for ChosenEntry {
    fn from(target: &PaletteTarget) -> Self {
        match target {
            PaletteTarget::Action(action, _) => Self::Action(*action),
            PaletteTarget::Environment(env) => Self::Environment(env.clone()),
            PaletteTarget::View(name) => Self::View(name.clone()),
            PaletteTarget::Runbook(env, name) => Self::Runbook(env.clone(), name.clone()),
            PaletteTarget::Host(id) => Self::Host(id.clone()),
        }
    }
}

impl Palette {
    /// The list, while it is open.
    #[must_use]
    pub fn list(&self) -> Option<&PaletteList> {
        self.open.as_ref()
    }

    /// Whether it lies over the screen.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(in crate::app) fn close(&mut self) {
        self.open = None;
    }

    /// Selects another row: `to` says which place follows one.
    pub(in crate::app) fn go(&mut self, to: impl Fn(usize) -> usize) {
        let Some(list) = &mut self.open else { return };
        // In the place of an entry that is gone its neighbour is.
        let at = list.selected.map_or(list.at, to);
        list.select(at);
    }

    /// Closes it and gives what is selected; stays open when nothing is.
    pub(in crate::app) fn take(&mut self) -> Option<PaletteTarget> {
        let target = self.open.as_ref()?.target()?.clone();
        self.open = None;
        chosen::remember(&mut self.taken, ChosenEntry::from(&target));
        Some(target)
    }
}

impl PaletteList {
    /// What the selected row leads to.
    #[must_use]
    pub fn target(&self) -> Option<&PaletteTarget> {
        Some(&self.rows.get(self.selected?)?.target)
    }

    fn select(&mut self, at: usize) {
        self.at = at.min(self.rows.len().saturating_sub(1));
        self.selected = (!self.rows.is_empty()).then_some(self.at);
    }
}

impl Model {
    pub(in crate::app) fn open_palette(&mut self) {
        self.list_entries(Editor::line());
    }

    pub(in crate::app) fn type_into_palette(&mut self, key: KeyPress) {
        self.edit_palette(|typed| {
            typed.key(key);
        });
    }

    pub(in crate::app) fn paste_into_palette(&mut self, line: &str) {
        self.edit_palette(|typed| typed.insert(line));
    }

    fn edit_palette(&mut self, edit: impl Fn(&mut Editor)) {
        let Some(list) = &mut self.palette.open else { return };
        let before = list.typed.as_str().to_owned();
        edit(&mut list.typed);
        if list.typed.as_str() != before
            && let Some(list) = self.palette.open.take()
        {
            self.list_entries(list.typed);
        }
    }

    /// Makes the list anew, and selects the best match.
    fn list_entries(&mut self, typed: Editor) {
        // What was taken last comes first where nothing else decides.
        let entries = last_taken_first(entries(self), &self.palette.taken);
        let all = entries.len();
        let rows = match words(typed.as_str()).as_slice() {
            [] => entries,
            words => ranked(entries, words),
        };
        let has_runbooks = self.listing().is_some();
        let mut list = PaletteList { typed, rows, all, has_runbooks, selected: None, at: 0 };
        list.select(0);
        self.palette.open = Some(list);
    }

    /// Removes entries that cannot be taken any more. The one that was selected stays so; when it is gone, none is.
    pub(in crate::app) fn forget_gone_entries(&mut self) {
        let Some(mut list) = self.palette.open.take() else { return };
        let before = list.rows.len();
        let missing = self.missing();
        let selected = list.target().cloned();
        list.rows.retain(|row| self.is_there(&row.target, &missing));
        if list.rows.len() != before {
            list.all = list.all.saturating_sub(before - list.rows.len());
            list.selected = list.rows.iter().position(|row| Some(&row.target) == selected.as_ref());
            list.at = list.selected.unwrap_or(list.at).min(list.rows.len().saturating_sub(1));
            self.changed = true;
        }
        self.palette.open = Some(list);
    }

    /// What actions need and is not there now.
    fn missing(&self) -> Vec<Need> {
        Need::ALL.into_iter().filter(|need| self.obstacle(*need).is_some()).collect()
    }

    fn is_there(&self, target: &PaletteTarget, missing: &[Need]) -> bool {
        let env = |name: &EnvName| self.environments.iter().position(|env| env.spec.name == *name);
        match target {
            PaletteTarget::Action(action, called) => {
                !missing.contains(&action.need()) && self.words_of(*action) == *called
            }
            PaletteTarget::Environment(name) => env(name).is_some_and(|at| at != self.active),
            PaletteTarget::View(name) => {
                self.views.named(name).is_some_and(|view| env(&view.environment).is_some())
            }
            PaletteTarget::Runbook(of, name) => {
                env(of) == Some(self.active)
                    && self.listing().is_some_and(|all| all.runbooks.iter().any(|one| one.name == *name))
            }
            PaletteTarget::Host(id) => env(&id.env)
                .and_then(|at| self.environments.get(at))
                .is_some_and(|env| env.place(&id.host).is_some()),
        }
    }
}

/// Everything that can be taken now: actions, those of the screen first; environments, saved views, runbooks; hosts, those of the
/// environment shown first.
fn entries(model: &Model) -> Vec<PaletteEntry> {
    let mut entries = actions(model);
    let shown = model.environments.get(model.active);
    let others = || model.environments.iter().enumerate().filter(|(at, _)| *at != model.active);
    entries.extend(others().map(|(_, env)| {
        let name = &env.spec.name;
        PaletteEntry {
            target: PaletteTarget::Environment(name.clone()),
            name: name.to_string(),
            what: "environment".to_owned(),
        }
    }));
    let reachable =
        |view: &&SavedView| model.environments.iter().any(|env| env.spec.name == view.environment);
    entries.extend(model.views.list.iter().filter(reachable).map(|view| PaletteEntry {
        target: PaletteTarget::View(view.name.clone()),
        name: view.name.clone(),
        what: format!("saved view of {}", view.environment),
    }));
    if let Some((shown, listing)) = shown.zip(model.listing()) {
        entries.extend(listing.runbooks.iter().map(|runbook| PaletteEntry {
            target: PaletteTarget::Runbook(shown.spec.name.clone(), runbook.name.clone()),
            name: runbook.name.clone(),
            what: format!("runbook: {}", runbook.title),
        }));
    }
    for env in shown.into_iter().chain(others().map(|(_, env)| env)) {
        entries.extend(env.spec.hosts.iter().map(|host| PaletteEntry {
            target: PaletteTarget::Host(host.id.clone()),
            name: host.id.host.to_string(),
            what: format!("host of {}", host.id.env),
        }));
    }
    entries
}

/// The actions that do something now: in the order of the footer, then of help; moves last.
fn actions(model: &Model) -> Vec<PaletteEntry> {
    let kind = model.screen().kind();
    let missing = model.missing();
    let hinted = kind.hints(model).iter().map(|(action, _)| *action);
    let mut all: Vec<Action> = Vec::new();
    for action in hinted.chain(kind.keys().iter().copied()).chain(Action::ALL.iter().copied()) {
        if action != Action::Palette && !missing.contains(&action.need()) && !all.contains(&action) {
            all.push(action);
        }
    }
    all.sort_by_key(|action| action.need() == Need::Moves);
    all.into_iter()
        .map(|action| {
            let called = model.words_of(action);
            let what = if matches!(action, Action::Screen(_)) { "screen" } else { "action" };
            PaletteEntry {
                target: PaletteTarget::Action(action, called),
                name: called.to_owned(),
                what: what.to_owned(),
            }
        })
        .collect()
}

fn last_taken_first(mut entries: Vec<PaletteEntry>, taken: &[ChosenEntry]) -> Vec<PaletteEntry> {
    let age = |entry: &PaletteEntry| {
        let entry = ChosenEntry::from(&entry.target);
        taken.iter().position(|one| *one == entry)
    };
    entries.sort_by_cached_key(|entry| age(entry).unwrap_or(usize::MAX));
    entries
}

/// The words of what is typed, each once.
fn words(typed: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in typed.split_whitespace() {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// How a word is looked for in names: its letters in their order, others between them.
fn fuzzy() -> Config {
    Config::default().casing(CaseMatching::Ignore).sort(SortStrategy::IndexAsc)
}

/// How a word is looked for beside names. Its letters would be found in most sentences.
fn literal() -> Config {
    fuzzy().matching(Matching::Substring)
}

/// The entries in which every word is found, best first: a name that is typed in full, then by how well the words fit.
/// Equal ones keep their order.
fn ranked(entries: Vec<PaletteEntry>, words: &[&str]) -> Vec<PaletteEntry> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let whats: Vec<&str> = entries.iter().map(|entry| entry.what.as_str()).collect();
    let mut scores: Vec<Option<u32>> = vec![Some(0); entries.len()];
    for word in words {
        let mut of_word: Vec<Option<u32>> = vec![None; entries.len()];
        let beside = Matcher::new(*word, &literal()).match_list(&whats);
        let beside = beside.into_iter().map(|found| (found.index, BESIDE));
        let within = Matcher::new(*word, &fuzzy()).match_list(&names);
        let within = within.into_iter().map(|found| (found.index, BESIDE + u32::from(found.score)));
        for (at, score) in beside.chain(within) {
            if let Some(of_word) = usize::try_from(at).ok().and_then(|at| of_word.get_mut(at)) {
                *of_word = Some(score);
            }
        }
        for (score, of_word) in scores.iter_mut().zip(of_word) {
            *score = score.zip(of_word).map(|(sum, score)| sum.saturating_add(score));
        }
    }
    let mut found: Vec<(bool, u32, PaletteEntry)> = entries
        .into_iter()
        .zip(scores)
        .filter_map(|(entry, score)| {
            let whole = words.iter().any(|word| word.eq_ignore_ascii_case(&entry.name));
            Some((whole, score?, entry))
        })
        .collect();
    found.sort_by_key(|(whole, score, _)| Reverse((*whole, *score)));
    found.into_iter().map(|(_, _, entry)| entry).collect()
}

/// Finds which letters of an entry were typed.
pub struct LetterMarks(Vec<WordMarks>);

/// A word, and how it is looked for in names and beside them.
struct WordMarks {
    word: String,
    fuzzy: Matcher,
    literal: Matcher,
}

impl LetterMarks {
    /// Those of what is typed.
    #[must_use]
    pub fn of(typed: &str) -> Self {
        let marks = |word: &str| WordMarks {
            word: word.to_owned(),
            fuzzy: Matcher::new(word, &fuzzy()),
            literal: Matcher::new(word, &literal()),
        };
        Self(words(typed).into_iter().map(marks).collect())
    }

    /// The places, in bytes, of the letters found in an entry's name, and in what it is.
    #[must_use]
    pub fn find(&mut self, entry: &PaletteEntry) -> [Vec<usize>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        let [in_name, in_what] = &mut found;
        for marks in &mut self.0 {
            let (places, text, best) = match marks.fuzzy.match_one_indices(&entry.name, 0) {
                Some(best) => (&mut *in_name, &entry.name, Some(best)),
                None => (&mut *in_what, &entry.what, marks.literal.match_one_indices(&entry.what, 0)),
            };
            let best = best.into_iter().flat_map(|best| best.indices);
            let best: Vec<usize> = best.filter_map(|at| usize::try_from(at).ok()).collect();
            // The best alignment has no letters that are far from the others.
            let is_whole = best.len() >= marks.word.len();
            places.extend(in_order(text, &marks.word).filter(|_| !is_whole).unwrap_or(best));
        }
        found
    }
}

/// The first places at which the letters of a word stand in a text, in their order.
fn in_order(text: &str, word: &str) -> Option<Vec<usize>> {
    let mut letters = text.char_indices();
    let mut places = Vec::new();
    for wanted in word.chars() {
        let (at, letter) = letters.find(|(_, letter)| letter.to_lowercase().eq(wanted.to_lowercase()))?;
        places.extend(at..at + letter.len_utf8());
    }
    Some(places)
}

#[cfg(test)]
mod tests;
