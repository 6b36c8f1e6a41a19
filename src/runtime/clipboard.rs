//! The terminal's clipboard: OSC 52, wrapped for what lies between here and the terminal.
//!
//! - tmux hands on what is wrapped (`ESC P tmux; … ESC \`, every ESC doubled) where `allow-passthrough` is on, and takes the plain
//!   sequence where `set-clipboard` is on; neither is on by default since 3.3. It is sent both.
//! - GNU screen hands on the content of a DCS, up to 767 bytes of it: longer ones are dropped. A sequence is cut into several, which the
//!   terminal receives as one. Where `ESC \` is part of it, it is cut between the two.
//!
//! Tried with tmux 3.3a and GNU screen 4.9.0, one in the other both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of text that are copied at most: with its beginning and its end, the sequence has 100,000 bytes then, which is the
/// longest that hterm and others take.
pub const MOST: usize = 74_994;

/// Bytes in one DCS for GNU screen; with its beginning and its end they are fewer than 768.
const SCREEN: usize = 760;

/// What hands on, or does not, what is sent to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Multiplexer {
    Tmux,
    Screen,
}

/// The way to the terminal's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clipboard {
    /// From the one next to us to the one next to the terminal; `None`: there is no clipboard.
    through: Option<Vec<Multiplexer>>,
}

impl Clipboard {
    /// Reads the process environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The same from given variables.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        use Multiplexer::{Screen, Tmux};
        let term = variable("TERM").unwrap_or_default();
        let through = match (variable("TMUX").is_some(), variable("STY").is_some()) {
            // tmux sets TERM to a word of its own, or as configured, mostly to screen-256color; screen to screen or screen.OUTER.
            (true, true) if term == "screen" || term.starts_with("screen.") => vec![Screen, Tmux],
            (true, true) => vec![Tmux, Screen],
            (true, false) => vec![Tmux],
            (false, true) => vec![Screen],
            // Over SSH the variables stay behind, and TERM comes along.
            (false, false) if term.starts_with("tmux") => vec![Tmux],
            (false, false) if term.starts_with("screen") => vec![Screen],
            (false, false) => Vec::new(),
        };
        Self { through: (term != "linux").then_some(through) }
    }

    /// What to send so that the terminal copies a text.
    ///
    /// # Errors
    /// When it has no clipboard.
    pub fn sequence(&self, text: &str) -> Result<Vec<u8>, &'static str> {
        let through = self.through.as_ref().ok_or("the Linux console has no clipboard")?;
        // BEL ends it: ESC \ would end a DCS around it.
        let copy = format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes();
        Ok(through.iter().rev().fold(copy.clone(), |inner, multiplexer| match multiplexer {
            Multiplexer::Tmux => [copy.clone(), for_tmux(&inner)].concat(),
            Multiplexer::Screen => for_screen(&inner),
        }))
    }

    /// A sequence that only the terminal itself takes, wrapped for what lies between. Empty for the Linux console.
    #[must_use]
    pub fn wrapped(&self, sequence: &[u8]) -> Vec<u8> {
        let Some(through) = &self.through else { return Vec::new() };
        through.iter().rev().fold(sequence.to_vec(), |inner, multiplexer| match multiplexer {
            Multiplexer::Tmux => for_tmux(&inner),
            Multiplexer::Screen => for_screen(&inner),
        })
    }
}

fn for_tmux(sequence: &[u8]) -> Vec<u8> {
    let mut wrapped = b"\x1bPtmux;".to_vec();
    for byte in sequence {
        if *byte == 0x1b {
            wrapped.push(0x1b);
        }
        wrapped.push(*byte);
    }
    wrapped.extend_from_slice(b"\x1b\\");
    wrapped
}

fn for_screen(sequence: &[u8]) -> Vec<u8> {
    let mut wrapped = Vec::with_capacity(sequence.len() + sequence.len() / 100);
    let mut inside = 0;
    for (at, byte) in sequence.iter().enumerate() {
        let ends_it =
            *byte == b'\\' && at.checked_sub(1).and_then(|before| sequence.get(before)) == Some(&0x1b);
        if inside == SCREEN || ends_it {
            wrapped.extend_from_slice(b"\x1b\\");
            inside = 0;
        }
        if inside == 0 {
            wrapped.extend_from_slice(b"\x1bP");
        }
        wrapped.push(*byte);
        inside += 1;
    }
    wrapped.extend_from_slice(b"\x1b\\");
    wrapped
}

#[cfg(test)]
mod tests;
