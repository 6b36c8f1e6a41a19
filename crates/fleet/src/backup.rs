//! Backups that the inventory names: where their files are on a host, and how often a new one must come. The built-in ones are
//! where the backup hosts of the role list of 2015 keep theirs.

use std::sync::Arc;
use std::time::Duration;

use crate::names::RoleName;

/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);

/// A backup whose files are on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBackup {
    /// Its name in problems, on screens and in the JSON: `backup` and the name of the inventory. The blank keeps it apart from
    /// all services.
    pub name: String,
    /// Hosts of these roles keep it; a host that names it for itself needs none.
    pub roles: Vec<RoleName>,
    /// The folder of its files, without a `/` at its end.
    pub folder: String,
    /// What its files are called there: plain characters, `*` and `?`.
    pub pattern: String,
    /// How often a new one must come.
    pub every: Duration,
    /// What to do when none came, in one sentence, where the inventory says it.
    pub when_old: Option<String>,
    /// Nobody said that it is kept there: a folder that is missing proves nothing.
    pub built_in: bool,
}

/// Name, files, days between two.
static BUILT_IN: &[(&str, &str, &str, u32)] = &[
    ("databases", "/mnt/backup/mysql", "*.sql.gz", 1),
    ("files", "/mnt/backup/files", "*.tar.gz", 7),
    ("salt", "/mnt/backup/salt", "*.tar.gz", 1),
];

/// What hosts of role `backup` keep.
#[must_use]
pub fn default_backups() -> Vec<DeclaredBackup> {
    let backup = |(name, folder, pattern, days): &(&str, &str, &str, u32)| DeclaredBackup {
        name: DeclaredBackup::name_of(name),
        roles: RoleName::new("backup").into_iter().collect(),
        folder: (*folder).to_owned(),
        pattern: (*pattern).to_owned(),
        every: DAY.saturating_mul(*days),
        when_old: None,
        built_in: true,
    };
    BUILT_IN.iter().map(backup).collect()
}

/// Those of the backups that a host of these roles must keep.
#[must_use]
pub fn backups_of_roles(backups: &[DeclaredBackup], roles: &[RoleName]) -> Vec<Arc<DeclaredBackup>> {
    let here = backups.iter().filter(|backup| backup.roles.iter().any(|role| roles.contains(role)));
    here.cloned().map(Arc::new).collect()
}

impl DeclaredBackup {
    /// The whole name of a backup that the inventory calls so.
    #[must_use]
    pub fn name_of(key: &str) -> String {
        format!("backup {key}")
    }

    /// What the inventory calls it.
    #[must_use]
    pub fn key(&self) -> &str {
        self.name.strip_prefix("backup ").unwrap_or(&self.name)
    }

    /// The age from which a warning is given: the time between two and a twelfth more, in which the next one is made. 26 h for
    /// one a day.
    #[must_use]
    pub fn allowed(&self) -> Duration {
        self.every + self.every / 12
    }

    /// The age from which it is critical: two in a row did not come.
    #[must_use]
    pub fn critical(&self) -> Duration {
        self.allowed() * 2
    }
}

/// A time as in a sentence: `45 min`, `23.9 h`, `2.1 days`. Never less than it is: what is over a limit is not shown as the limit.
#[must_use]
pub fn in_words(seconds: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = seconds.saturating_mul(10).div_ceil(unit);
        if tenths.is_multiple_of(10) {
            (tenths / 10).to_string()
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    match seconds {
        0..=7199 => format!("{} min", seconds.div_ceil(60)),
        7200..=172_799 => format!("{} h", tenths(3600)),
        _ => format!("{} days", tenths(86_400)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn a_time_in_words_is_never_less_than_it_is() {
        let times = [59, 61, 7200, 86_041, 26 * HOUR, 26 * HOUR + 1, 172_800, 181_440];
        let words = ["1 min", "2 min", "2 h", "24 h", "26 h", "26.1 h", "2 days", "2.1 days"];
        assert_eq!(times.map(in_words), words);
        // A host may send any number.
        assert!(in_words(u64::MAX).ends_with(" days"));
    }

    #[test]
    fn the_built_in_ones_are_those_of_a_backup_host() {
        let role = |name| [RoleName::new(name).unwrap()];
        let names = |roles: &[RoleName]| -> Vec<String> {
            let here = backups_of_roles(&default_backups(), roles);
            here.iter().map(|backup| backup.key().to_owned()).collect()
        };
        assert_eq!(names(&role("backup")), ["databases", "files", "salt"]);
        assert_eq!(names(&role("db")), Vec::<String>::new());
    }
}
