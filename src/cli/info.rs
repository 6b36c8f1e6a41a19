//! `jumpdeck info`: every path in use, and what is there.

use std::path::Path;
use std::process::ExitCode;

use super::{CliError, Common, log, print, setup};
use crate::config::files;
use crate::config::theme;
use crate::sim::world::universe::Universe;

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let setup = setup::Setup::read()?;
    let paths = &setup.paths;
    let place = |path: &Path| {
        let there = if path.exists() { "" } else { "  (not there)" };
        format!("{}{there}", path.display())
    };
    let agent = setup.context.ssh_auth_sock.as_deref();
    let agent = agent.map_or("none (SSH_AUTH_SOCK is not set)".into(), |p| p.display().to_string());
    // Own themes that do not load are `check`'s to tell; here the built-in ones are named all the same.
    let themes = files::load_themes(&paths.themes()).unwrap_or_else(|_| theme::builtin());
    let names: Vec<String> = themes.into_iter().map(|t| t.name).collect();
    let rows = [
        ("inventory", place(&setup.inventory(common))),
        ("settings", place(&paths.settings())),
        ("own themes", place(&paths.themes())),
        ("own keymaps", place(&paths.keymaps())),
        ("state", place(&paths.state)),
        ("log", format!("{}; written when {} is set", place(&paths.state.join(log::FILE)), log::VARIABLE)),
        ("agent", agent),
        ("themes", names.join(", ")),
        ("keymaps", files::keymap_names(&paths.keymaps()).join(", ")),
        ("worlds", format!("{}, big-N", Universe::names().join(", "))),
    ];
    let mut text = format!("jumpdeck {}\n", env!("CARGO_PKG_VERSION"));
    text.extend(rows.map(|(what, value)| format!("{what:<12} {value}\n")));
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}
