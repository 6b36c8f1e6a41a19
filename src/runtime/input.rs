//! What a terminal and a system say to the console, as plain data.

use crossterm::event::{Event, KeyCode as Code, KeyEvent, KeyModifiers};

use crate::config::keymap::{KeyCode, KeyPress};

/// From the keyboard and the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalInput {
    /// A key.
    Key(KeyPress),
    /// A bracketed paste.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Ctrl-Z: stop the job.
    Suspend,
}

/// What may not wait behind keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgent {
    /// A signal asks the process to end.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
    /// A part of the program panicked.
    Panicked,
    /// A signal asks the process to stop (TSTP).
    Stop,
    /// The process goes on after a stop (CONT).
    Continued,
}

/// A terminal's event as the console takes it; `None` for what it does not care about (releases, mouse, focus).
#[must_use]
pub fn from_event(event: Event) -> Option<TerminalInput> {
    match event {
        Event::Resize(columns, rows) => Some(TerminalInput::Resize(columns, rows)),
        Event::Paste(text) => Some(TerminalInput::Paste(text)),
        event => from_key(event.as_key_press_event()?),
    }
}

fn from_key(event: KeyEvent) -> Option<TerminalInput> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let code = match event.code {
        Code::Char('z') if ctrl && !alt => return Some(TerminalInput::Suspend),
        Code::Char(c) => KeyCode::Char(c),
        Code::F(n) => KeyCode::F(n),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        _ => return None,
    };
    Some(TerminalInput::Key(KeyPress { code, ctrl, alt }))
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyEventKind, KeyEventState};

    use super::*;

    fn event(code: Code, modifiers: KeyModifiers, kind: KeyEventKind) -> Event {
        Event::Key(KeyEvent { code, modifiers, kind, state: KeyEventState::NONE })
    }

    #[test]
    fn presses_are_keys_and_releases_are_not() {
        let plain =
            |c| Some(TerminalInput::Key(KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false }));
        let press = event(Code::Char('G'), KeyModifiers::SHIFT, KeyEventKind::Press);
        assert_eq!(from_event(press), plain('G'), "shift is part of the character");
        let release = event(Code::Char('g'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(from_event(release), None);
        let ctrl = event(Code::Char('c'), KeyModifiers::CONTROL, KeyEventKind::Press);
        let expected = KeyPress { code: KeyCode::Char('c'), ctrl: true, alt: false };
        assert_eq!(from_event(ctrl), Some(TerminalInput::Key(expected)));
        let stop = event(Code::Char('z'), KeyModifiers::CONTROL, KeyEventKind::Press);
        assert_eq!(from_event(stop), Some(TerminalInput::Suspend));
        assert_eq!(from_event(Event::FocusGained), None);
    }
}
