//! `jumpdeck info`: every path in use, and what is there.

use std::path::Path;
use std::process::ExitCode;

use super::common::{CliError, Common};
use super::{log, print, setup};
use crate::config::files;
use jumpdeck_fleet::access::KnownHosts;
use jumpdeck_fleet::fleet::Fleet;

pub(super) fn run(common: &Common) -> Result<ExitCode, CliError> {
    let setup = setup::Setup::read(common)?;
    let paths = &setup.paths;
    let place = |path: &Path| {
        let there = if path.exists() { "" } else { "  (not there)" };
        format!("{}{there}", path.display())
    };
    let agent = setup.context.ssh_auth_sock.as_deref();
    let agent = agent.map_or("none (SSH_AUTH_SOCK is not set)".into(), |p| p.display().to_string());
    // Mistakes in own themes are for `check`.
    let (themes, _) = files::load_themes(&paths.themes());
    let names: Vec<String> = themes.into_iter().map(|t| t.name).collect();
    // So are the inventory's mistakes.
    let fleet = files::load_inventory(&setup.inventory(common), &setup.context).ok();
    let (known_hosts, revoked) = host_key_files(fleet.as_ref(), &place);
    let rows = [
        ("inventory", place(&setup.inventory(common))),
        ("settings", place(&paths.settings())),
        ("own themes", place(&paths.themes())),
        ("own keymaps", place(&paths.keymaps())),
        ("saved views", place(&paths.views())),
        ("own runbooks", place(&paths.runbooks())),
        ("signers", place(&paths.allowed_signers())),
        ("state", place(&paths.state)),
        ("runs", place(&paths.runs())),
        ("events", place(&paths.timelines())),
        ("copied views", place(&paths.handoff())),
        ("log", format!("{}; written when {} is set", place(&paths.state.join(log::FILE)), log::VARIABLE)),
        ("agent", agent),
        ("known hosts", known_hosts),
        ("revoked", revoked),
        ("themes", names.join(", ")),
        ("keymaps", files::keymap_names(&paths.keymaps()).join(", ")),
        ("worlds", worlds()),
    ];
    let mut text = format!("jumpdeck {}\n", env!("CARGO_PKG_VERSION"));
    text.extend(rows.map(|(what, value)| format!("{what:<12} {value}\n")));
    print::answer(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(feature = "demo")]
fn worlds() -> String {
    format!("{}, big-N", jumpdeck_sim::world::universe::Universe::names().join(", "))
}

#[cfg(not(feature = "demo"))]
fn worlds() -> String {
    "none (built without them)".to_owned()
}

/// Where the host keys of a fleet are looked up, and the lists of revoked ones.
fn host_key_files(fleet: Option<&Fleet>, place: &dyn Fn(&Path) -> String) -> (String, String) {
    let Some(fleet) = fleet else {
        let unknown = "unknown: the inventory cannot be read (jumpdeck check)";
        return (unknown.to_owned(), unknown.to_owned());
    };
    let (mut known, mut revoked): (Vec<&Path>, Vec<&Path>) = (Vec::new(), Vec::new());
    for access in super::check::accesses(fleet) {
        let KnownHosts::Files(files) = &access.known_hosts else { continue };
        for (list, paths) in [
            (&mut known, files.known_hosts().collect::<Vec<_>>()),
            (&mut revoked, files.revoked.iter().chain(&files.revocations_only).collect()),
        ] {
            for path in paths {
                if !list.contains(&path.as_path()) {
                    list.push(path);
                }
            }
        }
    }
    let listed = |paths: Vec<&Path>| match paths.is_empty() {
        true => "none".to_owned(),
        false => paths.into_iter().map(place).collect::<Vec<_>>().join(", "),
    };
    (listed(known), listed(revoked))
}
