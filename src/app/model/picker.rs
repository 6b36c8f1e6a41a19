//! A value being chosen out of several: typed text narrows them, arrows walk over what is left.

use super::editor::Editor;
use crate::config::keymap::{KeyCode, KeyPress};
use jumpdeck_fleet::text::Clean;

/// Values shown at once: a page.
pub const SHOWN: usize = 6;

/// What is typed and chosen so far.
#[derive(Debug, Default)]
pub struct Picker {
    /// What the values have to hold.
    pub filter: Editor,
    /// The value chosen.
    pub chosen: Option<String>,
}

impl Picker {
    /// The values that hold what is typed; those that begin with it first.
    #[must_use]
    pub fn rows<'a>(&self, choices: &'a [Clean]) -> Vec<&'a Clean> {
        let wanted = self.filter.as_str().trim().to_lowercase();
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

    /// Whether a key is for the choice. As long as nothing is typed, there is no text to move in.
    #[must_use]
    pub fn takes(&self, key: KeyPress, choices: usize) -> bool {
        let edits = !self.filter.is_empty() && Editor::takes(key);
        edits
            || match key.code {
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
            KeyCode::Home if self.filter.is_empty() => 0,
            KeyCode::End if self.filter.is_empty() => last,
            _ => {
                if self.filter.key(key) {
                    self.choose(choices);
                }
                return;
            }
        };
        self.chosen = rows.get(to).map(ToString::to_string);
    }

    /// Takes pasted text.
    pub fn insert(&mut self, text: &str, choices: &[Clean]) {
        let before = self.filter.as_str().len();
        self.filter.insert(text);
        if self.filter.as_str().len() > before {
            self.choose(choices);
        }
    }

    /// What begins with the text is meant; without text nothing is chosen for anybody.
    fn choose(&mut self, choices: &[Clean]) {
        self.chosen = match self.filter.as_str().trim().is_empty() {
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

    #[test]
    fn the_cursor_moves_in_what_is_typed_and_keeps_the_choice() {
        let all = hosts();
        let mut picker = Picker::default();
        let key = |code| KeyPress { code, ctrl: false, alt: false };
        assert!(!picker.takes(key(KeyCode::Left), all.len()), "there is no text");
        assert!(picker.takes(key(KeyCode::Home), all.len()) && !picker.takes(key(KeyCode::Home), 2));
        picker.insert("p1", &all);
        assert_eq!(press(&mut picker, KeyCode::Down, &all).as_deref(), Some("app10"));
        for code in [KeyCode::Left, KeyCode::Home] {
            assert!(picker.takes(key(code), 2));
            assert_eq!(press(&mut picker, code, &all).as_deref(), Some("app10"), "{code:?} only moves");
        }
        press(&mut picker, KeyCode::Char('p'), &all);
        assert_eq!((picker.filter.as_str(), picker.chosen.as_deref()), ("pp1", Some("app1")));
    }
}
