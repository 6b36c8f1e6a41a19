//! `jumpdeck check`: every error of the configuration, with its place and what to do.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Common, print, setup};
use crate::config::check;

pub(super) fn run(common: &Common, files: &[PathBuf]) -> Result<ExitCode, CliError> {
    let (paths, context) = setup::places()?;
    let mut files = files.to_vec();
    files.extend(common.inventory.clone());
    let report = check::run(&files, &paths, &context, super::colour_on(&std::io::stdout()));
    print::answer(&report.rendered)?;
    Ok(ExitCode::from(if report.errors == 0 { 0 } else { 2 }))
}
