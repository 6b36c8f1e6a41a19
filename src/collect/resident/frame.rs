//! Frames: how a report lies in the bytes of a channel.
//!
//! ```text
//! %NONCE begin
//! %NONCE section NAME STATUS
//! ...what the section printed...
//! %NONCE end COUNT
//! ```
//! A line that does not start with `%NONCE ` is what a section printed, whatever it is; the nonce is new each time, so
//! nobody who writes a file name or a database row can forge a line. Before `begin` anything may stand: what a login
//! shell's start files print, the rest of a report that came too late.

use crate::collect::probe::Raw;
use jumpdeck_fleet::text::Clean;

/// The longest frame, with what stands before it. Bytes.
pub const MAX_FRAME: usize = 4 * 1024 * 1024;

/// So many bytes of a line are quoted in an error.
const LAST: usize = 200;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The nonce of the question it answers: compare it.
    pub nonce: String,
    /// The sections in the order they came.
    pub sections: Vec<(String, Raw)>,
    /// Bytes that stood before it and are none of it.
    pub noise: usize,
}

impl Report {
    /// The section of that name; the first, should there be two.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Raw> {
        self.sections.iter().find(|(n, _)| n == name).map(|(_, raw)| raw)
    }
}

/// Why a channel's bytes are no reports. The channel is of no more use: close it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More came than a report may hold.
    #[error("more than {} KiB arrived without the end of a report; last line: {last}", MAX_FRAME / 1024)]
    TooLong {
        /// The beginning of the last line, printable.
        last: Clean,
    },
    /// A line with the report's own nonce that no resident probe writes, or sections missing.
    #[error("the report is damaged: {0}")]
    Damaged(Clean),
}

/// Takes a channel's bytes as they come, and hands out reports.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The bytes after the last whole line.
    rest: Vec<u8>,
    /// Bytes in whole lines since the last report.
    taken: usize,
    open: Option<OpenReport>,
    /// What came after a report that was handed out.
    waiting: Vec<u8>,
}

/// A report of which the end has not come.
#[derive(Debug)]
struct OpenReport {
    /// `%NONCE `.
    mark: Vec<u8>,
    nonce: String,
    sections: Vec<Section>,
    /// Bytes before `begin`.
    noise: usize,
}

#[derive(Debug)]
struct Section {
    name: String,
    status: u8,
    text: Vec<u8>,
}

impl FrameReader {
    /// A reader at the beginning of a channel.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes; hands out a report when one is whole. Should several be whole, the next call hands out the next:
    /// call with nothing until `None`.
    ///
    /// # Errors
    /// When the channel's bytes are no reports; see [`FrameError`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Report>, FrameError> {
        let mut came = std::mem::take(&mut self.waiting);
        came.extend_from_slice(bytes);
        let mut todo = came.as_slice();
        while let Some(end) = todo.iter().position(|b| *b == b'\n') {
            let (head, tail) = todo.split_at(end);
            todo = tail.get(1..).unwrap_or_default();
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(head);
            self.taken += line.len() + 1;
            if let Some(report) = self.take_line(&line)? {
                self.taken = 0;
                self.waiting = todo.to_vec();
                return Ok(Some(report));
            }
            self.check_length(&line)?;
        }
        self.rest.extend_from_slice(todo);
        self.check_length(&self.rest)?;
        Ok(None)
    }

    fn check_length(&self, last: &[u8]) -> Result<(), FrameError> {
        if self.taken + self.rest.len() <= MAX_FRAME {
            return Ok(());
        }
        Err(FrameError::TooLong { last: quote(last) })
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<Report>, FrameError> {
        let Some(open) = &mut self.open else {
            if let Some(nonce) = begins(line) {
                let mark = format!("%{nonce} ").into_bytes();
                let noise = self.taken.saturating_sub(mark.len() + "begin\n".len());
                self.open = Some(OpenReport { mark, nonce, sections: Vec::new(), noise });
            }
            return Ok(None);
        };
        let Some(control) = line.strip_prefix(open.mark.as_slice()) else {
            match open.sections.last_mut() {
                Some(section) => {
                    section.text.extend_from_slice(line);
                    section.text.push(b'\n');
                    return Ok(None);
                }
                None => return Err(FrameError::Damaged(quote(line))),
            }
        };
        match read_control(control) {
            Some(Control::Section(name, status)) => {
                open.sections.push(Section { name, status, text: Vec::new() });
                Ok(None)
            }
            Some(Control::End(count)) if count == open.sections.len() => {
                Ok(self.open.take().map(|open| open.close()))
            }
            _ => Err(FrameError::Damaged(quote(line))),
        }
    }
}

impl OpenReport {
    fn close(self) -> Report {
        let sections = self.sections.into_iter().map(|s| {
            let text = String::from_utf8(s.text)
                .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
            (s.name, Raw { status: s.status, text })
        });
        Report { nonce: self.nonce, sections: sections.collect(), noise: self.noise }
    }
}

fn quote(line: &[u8]) -> Clean {
    Clean::from_bytes(line.get(..line.len().min(LAST)).unwrap_or_default())
}

enum Control {
    Section(String, u8),
    End(usize),
}

/// The nonce of a `%NONCE begin` line. Noise without a line end of its own may stand before it.
fn begins(line: &[u8]) -> Option<String> {
    let line = line.strip_suffix(b" begin")?;
    let start = line.iter().rposition(|b| *b == b'%')?;
    let nonce = line.get(start + 1..)?;
    let fits = (1..=64).contains(&nonce.len()) && nonce.iter().all(u8::is_ascii_alphanumeric);
    fits.then(|| String::from_utf8_lossy(nonce).into_owned())
}

fn read_control(control: &[u8]) -> Option<Control> {
    let text = std::str::from_utf8(control).ok()?;
    let mut words = text.split(' ');
    let control = match (words.next()?, words.next()?, words.next()) {
        ("section", name, Some(status)) => Control::Section(name.to_owned(), status.parse().ok()?),
        ("end", count, None) => Control::End(count.parse().ok()?),
        _ => return None,
    };
    words.next().is_none().then_some(control)
}

#[cfg(test)]
mod tests;
