//! What a remote program has set on the local terminal, so that it can be undone when that program can no longer do so: an editor
//! that is killed leaves the alternate screen, mouse reports and a hidden cursor behind.

use std::collections::BTreeSet;

/// Modes (DECSET) that are on in a terminal that nobody has changed: wrapping, and the cursor.
const ON: [u16; 2] = [7, 25];
/// The alternate screen: entering it keeps the cursor with its style, leaving it brings both back.
const ALTERNATE: u16 = 1049;
/// Bytes of a control sequence that are kept; longer ones mean nothing to a terminal.
const LONGEST: usize = 64;

/// Where the stream is.
#[derive(Debug, Default, PartialEq, Eq)]
enum StreamPlace {
    #[default]
    Text,
    /// Behind an escape character.
    Escape,
    /// In a control sequence, with what came of it.
    Control(Vec<u8>),
    /// Before the name of a character set.
    CharacterSet,
    /// In a string (a title, the clipboard), which BEL or ESC \ ends.
    String,
    /// Behind an escape character in a string.
    StringEscape,
}

/// Follows the output of a remote program.
#[derive(Debug, Default)]
pub(super) struct RemoteModes {
    place: StreamPlace,
    /// Modes that differ from those of a terminal that nobody has changed.
    changed: BTreeSet<u16>,
    /// Pushes of the extended keyboard (kitty).
    keyboards: u16,
    modified_keys: bool,
    keypad: bool,
    styled: bool,
    cursor_shape: bool,
    character_set: bool,
    region: bool,
}

impl RemoteModes {
    /// Takes in what goes to the terminal.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.step(*byte));
    }

    /// What undoes all of it; empty when there is nothing to undo.
    #[must_use]
    pub(super) fn undo(&self) -> Vec<u8> {
        let mut out = String::new();
        match self.place {
            StreamPlace::Text => {}
            StreamPlace::String | StreamPlace::StringEscape => out.push_str("\u{18}\u{1b}\\"),
            StreamPlace::Escape | StreamPlace::Control(_) | StreamPlace::CharacterSet => out.push('\u{18}'),
        }
        if self.keyboards > 0 {
            out.push_str(&format!("\u{1b}[<{}u", self.keyboards));
        }
        for (set, undo) in [
            (self.modified_keys, "\u{1b}[>4;0m"),
            (self.keypad, "\u{1b}>"),
            (self.region, "\u{1b}7\u{1b}[r\u{1b}8"),
            (self.cursor_shape, "\u{1b}[0 q"),
            (self.character_set, "\u{1b}(B\u{f}"),
        ] {
            if set {
                out.push_str(undo);
            }
        }
        for mode in &self.changed {
            out.push_str(&format!("\u{1b}[?{mode}{}", if ON.contains(mode) { 'h' } else { 'l' }));
        }
        // Behind the modes: leaving the alternate screen brings back the style of before it.
        if self.styled || self.changed.contains(&ALTERNATE) {
            out.push_str("\u{1b}[0m");
        }
        out.into_bytes()
    }

    fn step(&mut self, byte: u8) {
        self.place = match (std::mem::take(&mut self.place), byte) {
            (StreamPlace::String, 0x07) | (StreamPlace::StringEscape, b'\\') => StreamPlace::Text,
            (StreamPlace::String, 0x1b) => StreamPlace::StringEscape,
            (StreamPlace::String, 0x18 | 0x1a) => StreamPlace::Text,
            (StreamPlace::String, _) => StreamPlace::String,
            // Anything else behind the escape character ends the string, and begins a sequence.
            (StreamPlace::StringEscape | StreamPlace::Escape, byte) => self.escaped(byte),
            (_, 0x18 | 0x1a) => StreamPlace::Text,
            (_, 0x1b) => StreamPlace::Escape,
            (StreamPlace::Text, 0x0e) => {
                self.character_set = true;
                StreamPlace::Text
            }
            (StreamPlace::Text, _) => StreamPlace::Text,
            (StreamPlace::CharacterSet, set) => {
                self.character_set = set != b'B';
                StreamPlace::Text
            }
            (StreamPlace::Control(sequence), end @ 0x40..=0x7e) => {
                self.control(&sequence, end);
                StreamPlace::Text
            }
            (StreamPlace::Control(mut sequence), byte) => {
                if sequence.len() < LONGEST {
                    sequence.push(byte);
                }
                StreamPlace::Control(sequence)
            }
        };
    }

    fn escaped(&mut self, byte: u8) -> StreamPlace {
        match byte {
            b'[' => return StreamPlace::Control(Vec::new()),
            b']' | b'P' | b'X' | b'^' | b'_' => return StreamPlace::String,
            b'(' => return StreamPlace::CharacterSet,
            0x1b => return StreamPlace::Escape,
            b'=' => self.keypad = true,
            b'>' => self.keypad = false,
            // A full reset.
            b'c' => *self = Self::default(),
            _ => {}
        }
        StreamPlace::Text
    }

    fn control(&mut self, sequence: &[u8], end: u8) {
        let (marks, numbers) =
            sequence.split_at(sequence.iter().take_while(|b| (0x3c..=0x3f).contains(*b)).count());
        let numbers = String::from_utf8_lossy(numbers);
        let mut each = numbers.split([';', ':']).map(|number| number.parse::<u16>().unwrap_or(0));
        match (marks, end) {
            (b"?", b'h' | b'l') => each.for_each(|mode| {
                // Which style it was is not followed.
                self.styled |= mode == ALTERNATE && end == b'l';
                if (end == b'h') == ON.contains(&mode) {
                    self.changed.remove(&mode);
                } else {
                    self.changed.insert(mode);
                }
            }),
            (b">", b'u') => self.keyboards = self.keyboards.saturating_add(1),
            (b"<", b'u') => {
                let count = each.next().unwrap_or(0).max(1);
                self.keyboards = self.keyboards.saturating_sub(count);
            }
            (b">", b'm') => self.modified_keys = numbers.split(';').nth(1).is_some_and(|level| level != "0"),
            (b"", b'm') => self.styled = !matches!(numbers.as_ref(), "" | "0"),
            (b"", b'r') => self.region = !numbers.is_empty(),
            (b"", b'q') if numbers.ends_with(' ') => self.cursor_shape = true,
            (b"", b'p') if numbers == "!" => {
                *self = Self { changed: std::mem::take(&mut self.changed), ..Self::default() };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::num::NonZero;

    use proptest::prelude::*;

    use super::*;

    fn undo(text: &str) -> String {
        let mut modes = RemoteModes::default();
        modes.see(text.as_bytes());
        String::from_utf8(modes.undo()).unwrap()
    }

    #[test]
    fn what_an_editor_sets_is_undone_and_what_it_undoes_is_not() {
        assert_eq!(undo("hello\r\n\u{1b}[1mbold\u{1b}[0m \u{1b}[?25l\u{1b}[?25h"), "");
        let killed = "\u{1b}[?1049h\u{1b}[?1h\u{1b}=\u{1b}[?2004h\u{1b}[?25l\u{1b}[1;24r\u{1b}[31mtext";
        assert_eq!(
            undo(killed),
            "\u{1b}>\u{1b}7\u{1b}[r\u{1b}8\u{1b}[?1l\u{1b}[?25h\u{1b}[?1049l\u{1b}[?2004l\u{1b}[0m"
        );
        let ended = format!("{killed}\u{1b}[?1049l\u{1b}[?1l\u{1b}>\u{1b}[?2004l\u{1b}[?25h\u{1b}[r\u{1b}[m");
        assert_eq!(undo(&ended), "");
        assert_eq!(undo("\u{1b}[?1000;1006h"), "\u{1b}[?1000l\u{1b}[?1006l", "the mouse");
        assert_eq!(
            undo("\u{1b}[>1u\u{1b}[>5u\u{1b}[<u\u{1b}[>4;2m"),
            "\u{1b}[<1u\u{1b}[>4;0m",
            "the keyboard"
        );
        assert_eq!(undo("\u{1b}(0lqk"), "\u{1b}(B\u{f}");
        assert_eq!(undo("\u{1b}[?1049h\u{1b}c"), "", "a full reset undoes all");
    }

    #[test]
    fn a_sequence_that_was_cut_off_is_ended_first() {
        assert_eq!(undo("\u{1b}]0;title"), "\u{18}\u{1b}\\");
        assert_eq!(undo("\u{1b}]0;title\u{7}"), "");
        assert_eq!(undo("\u{1b}[?10"), "\u{18}");
        assert_eq!(undo("\u{1b}]0;a\u{1b}[?1h"), "\u{1b}[?1l", "an escape ends a string");
        let mut modes = RemoteModes::default();
        modes.see(b"\x1b[?10");
        modes.see(b"00h");
        assert_eq!(modes.undo(), b"\x1b[?1000l", "however it comes");
    }

    #[test]
    fn the_style_of_before_the_alternate_screen_does_not_come_back() {
        assert_eq!(undo("\u{1b}[30m\u{1b}[?1049h\u{1b}[m"), "\u{1b}[?1049l\u{1b}[0m");
        assert_eq!(undo("\u{1b}[30m\u{1b}[?1049h\u{1b}[m\u{1b}[?1049l"), "\u{1b}[0m");
    }

    proptest! {
        /// A terminal that took any bytes, and then what undoes them, is as one that nobody has changed.
        #[test]
        fn nothing_stays_set(text in "(\u{1b}\\[\\?(1|6|25|47|1000|1002|1003|1006|1049|2004)[hl]|\u{1b}[=>]|\u{1b}\\[[0-7;]{0,5}m|[a-z]|\u{1b}|\\]|\u{7}){0,30}") {
            let cells = |n: u16| NonZero::new(n).unwrap();
            let mut terminal = vt100::Parser::new(cells(24), cells(80), 0);
            terminal.process(text.as_bytes());
            terminal.process(undo(&text).as_bytes());
            let screen = terminal.screen();
            prop_assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
            prop_assert!(!screen.application_keypad() && !screen.application_cursor());
            prop_assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
            prop_assert_eq!(screen.fgcolor(), vt100::Color::Default);
        }
    }
}
