//! `jumpdeck info`: every path in use, and what is there.

use std::path::Path;
use std::process::ExitCode;

use super::{CliError, Common, setup};
use crate::config::files;
use crate::config::theme;
use crate::sim::world::universe::Universe;

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let setup = setup::Setup::read()?;
    let paths = &setup.paths;
    println!("jumpdeck {}", env!("CARGO_PKG_VERSION"));
    let row = |what: &str, path: &Path| {
        let there = if path.exists() { "" } else { "  (not there)" };
        println!("{what:<12} {}{there}", path.display());
    };
    row("inventory", &setup.inventory(common));
    row("settings", &paths.settings());
    row("themes", &paths.themes());
    row("keymaps", &paths.keymaps());
    row("state", &paths.state);
    row("log", &paths.state.join(super::log::FILE));
    let agent = setup.context.ssh_auth_sock.as_deref();
    println!(
        "{:<12} {}",
        "agent",
        agent.map_or("none (SSH_AUTH_SOCK is not set)".into(), |p| p.display().to_string())
    );
    // Own themes that do not load are `check`'s to tell; here the built-in ones are named all the same.
    let themes = files::load_themes(&paths.themes()).unwrap_or_else(|_| theme::builtin());
    let names: Vec<String> = themes.into_iter().map(|t| t.name).collect();
    println!("{:<12} {}", "themes", names.join(", "));
    println!("{:<12} {}", "keymaps", files::keymap_names(&paths.keymaps()).join(", "));
    println!("{:<12} {}, big-N", "worlds", Universe::names().join(", "));
    Ok(ExitCode::SUCCESS)
}
