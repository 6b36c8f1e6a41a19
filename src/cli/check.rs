//! `jumpdeck check`: every error of the configuration, with its place and what to do.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::common::{CliError, Common};
use super::{print, setup};
use crate::app::opening::view_rules;
use crate::config::check::{self, Runbooks, ScreenWords};
use crate::config::diagnostic::Diagnostic;
use crate::openssh::key_file::Public;
use crate::openssh::known_hosts::HostKeys;
use crate::ownership::{self, OpenError};
use crate::runbook::library::{self, Library};
use crate::view::{fleet_columns, fleet_titles};
use jumpdeck_fleet::access::{Access, KeySource};
use jumpdeck_fleet::fleet::{Fleet, Jump};

pub(super) fn run(common: &Common, files: &[PathBuf]) -> Result<ExitCode, CliError> {
    let (paths, context) = setup::places()?;
    let mut files = files.to_vec();
    files.extend(common.inventory.clone());
    let own = paths.runbooks();
    let names = || Library::load(&own).0.entries().into_iter().map(|entry| entry.name).collect();
    let runbooks = Runbooks {
        file: &|path, text| library::check_file(path, text, &own),
        all: &|| library::check(&own),
        names: &names,
    };
    let rules = view_rules(&fleet_columns());
    let words = ScreenWords { columns: &fleet_titles(), views: &rules };
    let coloured = super::common::colour_on(&std::io::stdout());
    let report = check::run(&files, &paths, &context, runbooks, &logins, words, coloured);
    print::answer(&report.rendered)?;
    Ok(ExitCode::from(if report.errors == 0 { 0 } else { 2 }))
}

/// What keeps the logins of a fleet from their keys and from what is known of host keys.
fn logins(fleet: &Fleet) -> Vec<(PathBuf, Vec<Diagnostic>)> {
    let accesses: Vec<&Access> = accesses(fleet).collect();
    let mut found = Vec::new();
    let keys: BTreeSet<&Path> = accesses.iter().flat_map(|access| private_keys(access)).collect();
    for key in keys {
        let error = match ownership::open_private(key) {
            Ok(_) => continue,
            Err(OpenError::Exposed(exposed)) => {
                Diagnostic::of_file(&exposed.path.display().to_string(), exposed.what).help(exposed.fix)
            }
            // Whoever checks an inventory need not be who logs in with it.
            Err(OpenError::Io(error)) if error.kind() == ErrorKind::NotFound => continue,
            Err(OpenError::Io(error)) => {
                Diagnostic::of_file(&key.display().to_string(), format!("cannot be read: {error}"))
                    .help("make it readable for the account that runs jumpdeck, or name another key")
            }
        };
        found.push((key.to_owned(), vec![error]));
    }
    for access in accesses {
        if let Err(error) = HostKeys::read(&access.known_hosts)
            && !found.iter().any(|(path, _)| *path == error.path)
        {
            let wrong = Diagnostic::of_file(&error.path.display().to_string(), error.source.to_string());
            let help =
                "correct the file, or known_hosts, global_known_hosts and revoked_host_keys of the inventory";
            found.push((error.path, vec![wrong.help(help)]));
        }
    }
    found
}

/// How each machine of a fleet is logged in to, each way once.
pub(super) fn accesses(fleet: &Fleet) -> impl Iterator<Item = &Access> {
    let mut seen: Vec<&Access> = Vec::new();
    for environment in &fleet.environments {
        let jumps: Vec<&Access> = match &environment.jump {
            Jump::Remote(jump) => jump.route().into_iter().map(|jump| &*jump.access).collect(),
            Jump::Local { .. } => Vec::new(),
        };
        let second = environment.second_jump.iter().flat_map(|jump| jump.route());
        let jumps = jumps.into_iter().chain(second.map(|jump| &*jump.access));
        for access in jumps.chain(environment.hosts.iter().map(|host| &*host.access)) {
            if !seen.contains(&access) {
                seen.push(access);
            }
        }
    }
    seen.into_iter()
}

/// The key files that must be private: not those that name a key of the agent by its public half.
fn private_keys(access: &Access) -> impl Iterator<Item = &Path> {
    access.keys.iter().filter_map(|key| match key {
        KeySource::File { path, .. } => Public::at(path).is_none().then_some(path.as_path()),
        KeySource::Memory(_) => None,
    })
}
