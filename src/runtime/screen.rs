//! The terminal as ratatui's backend, and a quiet one: a frame that changes nothing sends not one byte, one that does
//! goes out in a single write between the marks of a synchronized update.
//!
//! ratatui's own crossterm backend sends 30-odd bytes a frame (colour resets, hide cursor) however little changed, and both
//! colours, 36 bytes, where one differs: on a table that is three quarters of all that is sent (see `paint`).

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

mod paint;

/// Taken when a terminal does not know its size (a serial line).
const SIZE_UNKNOWN: Size = Size { width: 80, height: 24 };

/// A quiet backend over a writer.
#[derive(Debug)]
pub struct QuietBackend<W: Write> {
    out: W,
    size: fn() -> io::Result<Size>,
    frame: Vec<u8>,
    cursor: Cursor,
}

/// What was last said of the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    Unknown,
    Hidden,
    Shown(Option<Position>),
}

impl<W: Write> QuietBackend<W> {
    /// A screen that writes to `out` and is as large as `size` says.
    pub fn new(out: W, size: fn() -> io::Result<Size>) -> Self {
        Self { out, size, frame: Vec::with_capacity(16 * 1024), cursor: Cursor::Unknown }
    }

    fn plain(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.frame)
    }
}

impl<W: Write> Backend for QuietBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        // Drawing moves the cursor.
        if let Cursor::Shown(at) = &mut self.cursor {
            *at = None;
        }
        paint::cells(&mut self.frame, content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor == Cursor::Hidden {
            return Ok(());
        }
        self.cursor = Cursor::Hidden;
        self.plain().hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if matches!(self.cursor, Cursor::Shown(_)) {
            return Ok(());
        }
        self.cursor = Cursor::Shown(None);
        self.plain().show_cursor()
    }

    /// Where the cursor was last put. The terminal is never asked: its answer would come among the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        match self.cursor {
            Cursor::Shown(Some(at)) => Ok(at),
            _ => Ok(Position::ORIGIN),
        }
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if let Cursor::Shown(at) = &mut self.cursor {
            if *at == Some(position) {
                return Ok(());
            }
            *at = Some(position);
        }
        self.plain().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        // After a stop the shell has shown it again.
        self.cursor = Cursor::Unknown;
        self.plain().clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        let size = (self.size)()?;
        Ok(if size.width == 0 || size.height == 0 { SIZE_UNKNOWN } else { size })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.frame.len() + 16);
        queue!(bytes, BeginSynchronizedUpdate)?;
        bytes.append(&mut self.frame);
        queue!(bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::cell::RefCell;
    use std::rc::Rc;

    use ratatui::Terminal;

    use super::*;

    /// Keeps what is written, a write each.
    #[derive(Clone, Default)]
    struct Writes(Rc<RefCell<Vec<Vec<u8>>>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn terminal() -> (Terminal<QuietBackend<Writes>>, Writes) {
        let writes = Writes::default();
        let screen = QuietBackend::new(writes.clone(), || Ok(Size { width: 40, height: 10 }));
        (Terminal::new(screen).unwrap(), writes)
    }

    #[test]
    fn an_unchanged_frame_sends_no_byte() {
        let (mut terminal, writes) = terminal();
        for _ in 0..3 {
            terminal.draw(|f| f.render_widget("steady", f.area())).unwrap();
        }
        assert_eq!(writes.0.borrow().len(), 1, "only the first frame is written");
        terminal.draw(|f| f.render_widget("Steady", f.area())).unwrap();
        assert_eq!(writes.0.borrow().len(), 2);
    }

    #[test]
    fn an_unchanged_frame_with_a_cursor_sends_no_byte() {
        let (mut terminal, writes) = terminal();
        for text in ["ab", "ab", "ab", "ac"] {
            terminal
                .draw(|f| {
                    f.render_widget(text, f.area());
                    f.set_cursor_position((2, 0));
                })
                .unwrap();
        }
        assert_eq!(writes.0.borrow().len(), 2);
        let last = String::from_utf8(writes.0.borrow().last().unwrap().clone()).unwrap();
        assert!(last.ends_with("\x1b[1;3H\x1b[?2026l"), "the cursor goes back to its place: {last:?}");
    }

    #[test]
    fn a_frame_is_one_synchronized_write() {
        let (mut terminal, writes) = terminal();
        terminal.draw(|f| f.render_widget("one\ntwo", f.area())).unwrap();
        let writes = writes.0.borrow();
        let text = String::from_utf8(writes.concat()).unwrap();
        assert_eq!(writes.len(), 1);
        assert!(text.starts_with("\x1b[?2026h") && text.ends_with("\x1b[?2026l"), "{text:?}");
    }

    #[test]
    fn resizing_draws_everything_again_without_asking_the_terminal() {
        let (mut terminal, writes) = terminal();
        terminal.draw(|f| f.render_widget("steady", f.area())).unwrap();
        let area = terminal.size().unwrap().into();
        terminal.resize(area).unwrap();
        terminal.draw(|f| f.render_widget("steady", f.area())).unwrap();
        let text = String::from_utf8(writes.0.borrow().last().unwrap().clone()).unwrap();
        assert!(text.contains("steady") && !text.contains("\x1b[6n"), "{text:?}");
    }
}
