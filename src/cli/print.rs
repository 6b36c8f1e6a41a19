//! Printing that never panics: a reader that has seen enough, as `head` has, is no error, and neither is a terminal that
//! has hung up.

use std::io::{self, ErrorKind, Write};

/// Writes a command's answer to standard output.
///
/// # Errors
/// Whatever keeps it from being written (a full disk), but for a reader that went away.
pub(super) fn answer(text: &str) -> io::Result<()> {
    write_to(&mut io::stdout().lock(), text.as_bytes())
}

/// Says what went wrong on standard error. If that is closed nobody is there to be told.
pub(super) fn complain(text: &str) {
    let _ = write_to(&mut io::stderr().lock(), format!("jumpdeck: {text}\n").as_bytes());
}

fn write_to(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
