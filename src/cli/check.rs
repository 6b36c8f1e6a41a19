//! `jumpdeck check`: every error of the configuration, with its place and what to do.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Common, print, setup};
use crate::config::check::{self, Runbooks};
use crate::runbook::library;

pub(super) fn run(common: &Common, files: &[PathBuf]) -> Result<ExitCode, CliError> {
    let (paths, context) = setup::places()?;
    let mut files = files.to_vec();
    files.extend(common.inventory.clone());
    let own = paths.runbooks();
    let runbooks =
        Runbooks { file: &|path, text| library::check_file(path, text, &own), all: &|| library::check(&own) };
    let report = check::run(&files, &paths, &context, runbooks, super::colour_on(&std::io::stdout()));
    print::answer(&report.rendered)?;
    Ok(ExitCode::from(if report.errors == 0 { 0 } else { 2 }))
}
