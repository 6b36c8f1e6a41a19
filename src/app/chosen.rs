//! What was taken from the palette, as it is remembered across runs of the console: names only, the last one first.
//!
//! ```text
//! jumpdeck palette 1
//! action <tab> NAME
//! environment <tab> ENVIRONMENT
//! view <tab> NAME
//! runbook <tab> ENVIRONMENT <tab> NAME
//! host <tab> ENVIRONMENT <tab> NAME
//! ```

use crate::config::action::Action;
use jumpdeck_fleet::names::{EnvName, HostId, HostName};
use jumpdeck_fleet::text::is_drawn;

/// How many are remembered.
const REMEMBERED: usize = 50;
/// A file that is longer is none of this program.
pub const LONGEST_HISTORY: u64 = 64 << 10;
const HEAD: &str = "jumpdeck palette 1";
/// Characters of a name; names of hosts and files are shorter.
const LONGEST_NAME: usize = 300;

/// Something that was taken from the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenEntry {
    /// An action.
    Action(Action),
    /// An environment.
    Environment(EnvName),
    /// A saved view.
    View(String),
    /// A runbook of an environment.
    Runbook(EnvName, String),
    /// A host.
    Host(HostId),
}

impl ChosenEntry {
    /// Its line; `None` for a name that no line can hold.
    fn line(&self) -> Option<String> {
        let words = match self {
            Self::Action(action) => vec!["action", action.name()],
            Self::Environment(env) => vec!["environment", env.as_str()],
            Self::View(name) => vec!["view", name],
            Self::Runbook(env, name) => vec!["runbook", env.as_str(), name],
            Self::Host(id) => vec!["host", id.env.as_str(), id.host.as_str()],
        };
        let holds = |word: &&str| word.chars().count() <= LONGEST_NAME && word.chars().all(is_drawn);
        words.iter().all(holds).then(|| words.join("\t"))
    }

    /// What a line says: nothing when it is not one of this program; no entry for an action that this version does not have.
    fn read(line: &str) -> Option<Option<Self>> {
        let words: Vec<&str> = line.split('\t').collect();
        let env = |name: &str| EnvName::new(name).ok();
        Some(match words.as_slice() {
            ["action", name] => name.parse().ok().map(Self::Action),
            ["environment", name] => Some(Self::Environment(env(name)?)),
            ["view", name] => Some(Self::View((*name).to_owned())),
            ["runbook", of, name] => Some(Self::Runbook(env(of)?, (*name).to_owned())),
            ["host", of, name] => Some(Self::Host(HostId { env: env(of)?, host: HostName::new(name).ok()? })),
            _ => return None,
        })
    }
}

/// Puts an entry first.
pub fn remember(history: &mut Vec<ChosenEntry>, entry: ChosenEntry) {
    history.retain(|one| *one != entry);
    history.insert(0, entry);
    history.truncate(REMEMBERED);
}

/// The entries of a text; none when any of it is not of this program.
#[must_use]
pub fn read_history(text: &str) -> Vec<ChosenEntry> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Vec::new();
    }
    let entries: Option<Vec<Option<ChosenEntry>>> = lines.take(REMEMBERED).map(ChosenEntry::read).collect();
    entries.unwrap_or_default().into_iter().flatten().collect()
}

/// Entries as a text.
#[must_use]
pub fn history_text(history: &[ChosenEntry]) -> String {
    let lines = history.iter().filter_map(ChosenEntry::line);
    [HEAD.to_owned()].into_iter().chain(lines).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn env(name: &str) -> EnvName {
        EnvName::new(name).unwrap()
    }

    fn all() -> Vec<ChosenEntry> {
        vec![
            ChosenEntry::Action(Action::Refresh),
            ChosenEntry::Environment(env("staging")),
            ChosenEntry::View("the dbs".into()),
            ChosenEntry::Runbook(env("production"), "replace-vm".into()),
            ChosenEntry::Host(HostId { env: env("production"), host: HostName::new("db2").unwrap() }),
        ]
    }

    #[test]
    fn what_was_chosen_is_read_back() {
        assert_eq!(read_history(&history_text(&all())), all());
        let mut history = all();
        remember(&mut history, ChosenEntry::View("the dbs".into()));
        assert_eq!((history.len(), &history[0]), (5, &ChosenEntry::View("the dbs".into())));
        for at in 0..100 {
            remember(&mut history, ChosenEntry::View(format!("view {at}")));
        }
        assert_eq!(history.len(), REMEMBERED);
        assert!((history_text(&history).len() as u64) < LONGEST_HISTORY);
    }

    #[test]
    fn a_broken_or_foreign_text_is_no_history() {
        for text in [
            "",
            "jumpdeck palette 2\naction\trefresh\n",
            "jumpdeck palette 1\naction\trefresh\nrm -rf /\n",
            "jumpdeck palette 1\nhost\tproduction\n",
            "jumpdeck palette 1\nhost\tproduction\t../x\n",
            "\u{0}\u{1}\u{2}",
        ] {
            assert_eq!(read_history(text), [], "{text:?}");
        }
        let newer = "jumpdeck palette 1\naction\tfly\naction\trefresh\n";
        assert_eq!(read_history(newer), [ChosenEntry::Action(Action::Refresh)]);
        let odd = [ChosenEntry::View("a\tb".into()), ChosenEntry::View("a\u{1b}".into())];
        assert_eq!(history_text(&odd), "jumpdeck palette 1\n");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(jumpdeck palette 1\n)?\\PC{0,200}(\n\\PC{0,80}){0,5}") {
            let read = read_history(&text);
            proptest::prop_assert_eq!(read_history(&history_text(&read)), read);
        }
    }
}
