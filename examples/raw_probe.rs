//! The terminal of a remote shell when a part of the program fails, for `tests/fast/shell_cli.rs`: takes it, shows what an editor
//! sets, and panics in a thread.

use jumpdeck::runtime::raw::{self, RawTerminal};

fn main() -> std::io::Result<()> {
    let _terminal = RawTerminal::take()?;
    raw::show(b"\x1b[?1049h\x1b[?25lready")?;
    #[allow(clippy::panic)] // what this program is for
    let failing = std::thread::spawn(|| panic!("a thread failed on purpose"));
    let _ = failing.join();
    loop {
        std::thread::park();
    }
}
