//! The commands there are: the shell's own, and the programs.

use super::{builtins, runners};

/// Whether the simulated shell has a command of that name: of its own, or a program of some machine.
#[must_use]
pub fn knows(name: &str) -> bool {
    let program = name.rsplit('/').next().unwrap_or(name);
    builtins::is_builtin(name)
        || runners::NAMES.contains(&program)
        || crate::programs::PROGRAMS.iter().any(|known| known.name() == program)
}
