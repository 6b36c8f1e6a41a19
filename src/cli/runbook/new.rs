//! `jumpdeck runbook new NAME`: a file to begin with, that passes `check` and runs in the demo as it is.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::common::CliError;
use crate::cli::{print, setup};
use crate::runbook::definition::read::is_name;
use crate::runbook::library;

/// A small runbook with each thing that most runbooks need.
const TEMPLATE: &str = include_str!("new/template.toml");

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// The runbook's name, also the file's name: small letters, digits and "-"
    name: String,
    /// Begin with the text of a built-in runbook; with its own name, yours replaces it
    #[arg(long, value_name = "RUNBOOK")]
    from: Option<String>,
    /// Print the text instead of writing the file
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &NewArgs) -> Result<ExitCode, CliError> {
    let text = text(&args.name, args.from.as_deref())?;
    if args.print {
        print::answer(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (paths, _) = setup::places()?;
    let path = write(&paths.runbooks(), &args.name, &text)?;
    print::answer(&next(&args.name, &path, args.from.as_ref() == Some(&args.name)))?;
    Ok(ExitCode::SUCCESS)
}

/// The file's text.
fn text(name: &str, from: Option<&str>) -> Result<String, CliError> {
    if !is_name(name) {
        let message =
            format!("{name:?} is not a runbook's name: use small letters, digits and \"-\", a letter first");
        return Err(CliError::Usage(message));
    }
    let Some(from) = from else {
        if library::built_in(name).is_some() {
            let message = format!(
                "{name} is a built-in runbook: choose another name. To replace it by a changed copy: `jumpdeck runbook new {name} --from {name}`"
            );
            return Err(CliError::Usage(message));
        }
        return Ok(TEMPLATE.replace("@NAME@", name));
    };
    let Some(built_in) = library::built_in(from) else {
        return Err(CliError::Usage(format!(
            "there is no built-in runbook {from:?}: `jumpdeck runbook list` names them"
        )));
    };
    renamed(built_in, name).ok_or_else(|| CliError::Refused(format!("the runbook {from} has no name")))
}

/// The same text under another name.
fn renamed(text: &str, name: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: toml::Spanned<String>,
    }
    let place = toml::from_str::<Named>(text).ok()?.name.span();
    Some(format!("{}\"{name}\"{}", text.get(..place.start)?, text.get(place.end..)?))
}

/// Nobody else may write to it: whoever can change a runbook changes what is run.
fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, CliError> {
    let path = folder.join(format!("{name}.toml"));
    let failed = |what: &Path, error: std::io::Error| {
        CliError::Io(std::io::Error::new(error.kind(), format!("{}: {error}", what.display())))
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(folder, error))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let message =
                format!("{} exists already and was not changed: choose another name", path.display());
            return Err(CliError::Refused(message));
        }
        Err(error) => return Err(failed(&path, error)),
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| failed(&path, error))?;
    Ok(path)
}

fn next(name: &str, path: &Path, replaces: bool) -> String {
    let file = path.display();
    let replaced = if replaces {
        format!("\nFrom now on it is run instead of the built-in runbook {name}.\n")
    } else {
        String::new()
    };
    format!(
        "Written: {file}
{replaced}
Next:
  1. change it; how: docs/runbooks.md
  2. jumpdeck check {file}
  3. jumpdeck runbook plan {name} --demo     what it would do, nothing is changed
  4. jumpdeck runbook run {name} --demo      on a simulated fleet
"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::runbook::library::Library;

    #[test]
    fn a_new_runbook_is_sound_and_nobody_else_may_write_to_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("runbooks");
        let names = library::EMBEDDED.iter().map(|(from, _)| (format!("mine-{from}"), Some(*from)));
        for (name, from) in names.chain([("restart-cron".to_owned(), None)]) {
            let path = write(&folder, &name, &text(&name, from).unwrap()).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let (library, errors) = Library::load(&folder);
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(library.get("restart-cron").unwrap().name, "restart-cron");
        assert_eq!(library.get("mine-promote-masterdb").unwrap().name, "mine-promote-masterdb");
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "mine", "mine").unwrap();
        let refused = write(home.path(), "mine", "another").unwrap_err().to_string();
        assert!(refused.contains("exists already"), "{refused}");
        assert_eq!(std::fs::read_to_string(home.path().join("mine.toml")).unwrap(), "mine");
        std::os::unix::fs::symlink("/nonexistent/elsewhere", home.path().join("link.toml")).unwrap();
        assert!(write(home.path(), "link", "text").is_err());
    }

    #[test]
    fn a_name_that_cannot_be_one_is_refused() {
        for name in ["", "Restart", "a b", "../x", "-x", "9x", "ä", "x.toml", &"x".repeat(65)] {
            assert!(matches!(text(name, None), Err(CliError::Usage(_))), "{name:?}");
        }
        // It would replace the built-in one without having its steps.
        assert!(matches!(text("promote-masterdb", None), Err(CliError::Usage(_))));
        assert!(text("promote-masterdb", Some("promote-masterdb")).is_ok());
        assert!(matches!(text("mine", Some("nothing-like-it")), Err(CliError::Usage(_))));
    }
}
