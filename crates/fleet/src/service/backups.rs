//! What is wrong with a backup: none came, it is old, empty or much smaller than the one before.

use crate::backup::{DeclaredBackup, in_words};
use crate::problem::Severity;
use crate::storage::human_kb;

use super::{Finding, Service};

/// The reading that names the newest file.
pub const NEWEST: &str = "newest";
/// How old that one is, of what is allowed; missing where the host's clock cannot say.
pub const AGE: &str = "age";
/// Its size.
pub const SIZE: &str = "size";
/// The folder is missing.
pub const FOLDER_MISSING: &str = "folder_missing";
/// The size of the one before.
pub const SIZE_BEFORE: &str = "size_before";

/// What is wrong with it.
#[must_use]
pub fn findings(backup: &DeclaredBackup, service: &Service) -> Vec<Finding> {
    let name = &backup.name;
    if !service.running {
        let next = match service.reading(FOLDER_MISSING) {
            Some(_) => format!("Mount it, or correct backups.{} in the inventory.", backup.key()),
            None => next(backup),
        };
        return vec![Finding::new(Severity::Critical, format!("{name}: {}. {next}", service.detail))];
    }
    let newest = service.text(NEWEST).unwrap_or_default();
    let mut found: Vec<Finding> = age_finding(backup, service, newest).into_iter().collect();
    found.extend(size_finding(backup, service, newest));
    found
}

fn age_finding(backup: &DeclaredBackup, service: &Service, newest: &str) -> Option<Finding> {
    let DeclaredBackup { name, folder, .. } = backup;
    let Some(age) = service.amount(AGE) else {
        let message = format!(
            "{name}: newest file {newest} is dated in the future, so nobody knows how old it is. \
             Compare the host's clock with the file: date; ls -lt {folder}."
        );
        return Some(Finding::of(NEWEST, Severity::Unknown, message));
    };
    let severity = match age {
        _ if age > backup.critical().as_secs() => Severity::Critical,
        _ if age > backup.allowed().as_secs() => Severity::Warning,
        _ => return None,
    };
    let (age, allowed) = (in_words(age), in_words(backup.allowed().as_secs()));
    let message =
        format!("{name}: newest file {newest} is {age} old, at most {allowed} is allowed. {}", next(backup));
    Some(Finding::of(AGE, severity, message))
}

fn size_finding(backup: &DeclaredBackup, service: &Service, newest: &str) -> Option<Finding> {
    let (size, before) = (service.amount(SIZE)?, service.amount(SIZE_BEFORE));
    let smaller = before.is_some_and(|before| size < before / 2);
    if size > 0 && !smaller {
        return None;
    }
    let now = if size == 0 { "empty".to_owned() } else { format!("only {}", bytes(size)) };
    let then = before.map_or(String::new(), |before| format!(", the one before has {}", bytes(before)));
    let message = format!(
        "{}: newest file {newest} is {now}{then}. Look at the log of the job that writes it, and keep the one before.",
        backup.name
    );
    Some(Finding::of(SIZE, Severity::Warning, message))
}

fn next(backup: &DeclaredBackup) -> String {
    backup.when_old.clone().unwrap_or_else(|| {
        let folder = &backup.folder;
        format!("Look at the log of the job that writes there, and at free space: df -h {folder}.")
    })
}

fn bytes(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} bytes") } else { human_kb(bytes.div_ceil(1024)) }
}

#[cfg(test)]
mod tests;
