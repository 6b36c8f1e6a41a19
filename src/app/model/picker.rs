//! A value being chosen out of several: typed text narrows them, arrows walk over what is left.

use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::{Clean, is_drawn};

/// Values shown at once: a page.
pub const SHOWN: usize = 6;
/// Characters that narrow: more does not help anybody.
const MAX: usize = 100;

/// What is typed and chosen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picker {
    /// What the values have to hold.
    pub filter: String,
    /// The value chosen.
    pub chosen: Option<String>,
}

impl Picker {
    /// The values that hold what is typed; those that begin with it first.
    #[must_use]
    pub fn rows<'a>(&self, choices: &'a [Clean]) -> Vec<&'a Clean> {
        let wanted = self.filter.trim().to_lowercase();
        let text = |choice: &Clean| choice.as_str().to_lowercase();
        let mut rows: Vec<&Clean> = choices.iter().filter(|choice| text(choice).contains(&wanted)).collect();
        rows.sort_by_key(|choice| !text(choice).starts_with(&wanted));
        rows
    }

    /// The place of the chosen value among those rows.
    #[must_use]
    pub fn at(&self, rows: &[&Clean]) -> Option<usize> {
        let chosen = self.chosen.as_deref()?;
        rows.iter().position(|row| row.as_str() == chosen)
    }

    /// Whether a key is for the choice.
    #[must_use]
    pub fn takes(key: KeyPress, choices: usize) -> bool {
        match key.code {
            KeyCode::Up | KeyCode::Down | KeyCode::Backspace => true,
            KeyCode::PageUp | KeyCode::PageDown | KeyCode::Home | KeyCode::End => choices > SHOWN,
            KeyCode::Char(_) => !key.alt,
            _ => false,
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyPress, choices: &[Clean]) {
        let rows = self.rows(choices);
        let (at, last) = (self.at(&rows), rows.len().saturating_sub(1));
        let to = match key.code {
            // Over either end it goes on at the other.
            KeyCode::Up => at.map_or(last, |at| at.checked_sub(1).unwrap_or(last)),
            KeyCode::Down => at.map_or(0, |at| if at == last { 0 } else { at + 1 }),
            KeyCode::PageUp => at.unwrap_or(0).saturating_sub(SHOWN),
            KeyCode::PageDown => (at.unwrap_or(0) + SHOWN).min(last),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => return self.type_key(key, choices),
        };
        self.chosen = rows.get(to).map(ToString::to_string);
    }

    fn type_key(&mut self, key: KeyPress, choices: &[Clean]) {
        match key.code {
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char('h') if key.ctrl => {
                self.filter.pop();
            }
            KeyCode::Char('u' | 'w') if key.ctrl => self.filter.clear(),
            KeyCode::Char(c) if !key.ctrl && !key.alt && is_drawn(c) => {
                if self.filter.chars().count() < MAX {
                    self.filter.push(c);
                }
            }
            _ => return,
        }
        // What begins with the text is meant; without text nothing is chosen for anybody.
        self.chosen = match self.filter.trim().is_empty() {
            true => None,
            false => self.rows(choices).first().map(ToString::to_string),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(picker: &mut Picker, code: KeyCode, choices: &[Clean]) -> Option<String> {
        picker.key(KeyPress { code, ctrl: false, alt: false }, choices);
        picker.chosen.clone()
    }

    fn hosts() -> Vec<Clean> {
        (1..=20).map(|n| Clean::new(&format!("app{n}"))).chain([Clean::new("db2-app")]).collect()
    }

    #[test]
    fn typed_text_narrows_the_values_and_chooses_the_nearest() {
        let all = hosts();
        let mut picker = Picker::default();
        for c in "APP2".chars() {
            press(&mut picker, KeyCode::Char(c), &all);
        }
        assert_eq!(picker.rows(&all).len(), 2, "app2 and app20");
        assert_eq!(picker.chosen.as_deref(), Some("app2"));
        assert_eq!(press(&mut picker, KeyCode::Down, &all).as_deref(), Some("app20"));
        assert_eq!(press(&mut picker, KeyCode::Down, &all).as_deref(), Some("app2"), "round the end");
        assert_eq!(press(&mut picker, KeyCode::Char('x'), &all), None, "nothing has that");
        for _ in 0..5 {
            press(&mut picker, KeyCode::Backspace, &all);
        }
        assert_eq!((picker.rows(&all).len(), picker.chosen), (21, None));
    }

    #[test]
    fn pages_and_ends_are_reached() {
        let all = hosts();
        let mut picker = Picker::default();
        for (code, expected) in [
            (KeyCode::End, "db2-app"),
            (KeyCode::PageUp, "app15"),
            (KeyCode::Home, "app1"),
            (KeyCode::PageDown, "app7"),
            (KeyCode::Up, "app6"),
        ] {
            assert_eq!(press(&mut picker, code, &all).as_deref(), Some(expected), "{code:?}");
        }
    }
}
