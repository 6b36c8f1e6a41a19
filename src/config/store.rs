//! Where the inventory of a console is kept, for those who change it: a file, or the memory of a simulated fleet.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files;
use super::inventory::Context;
use super::inventory::edit::{self, EditError};
use crate::ownership::{self, ReplaceError};
use jumpdeck_fleet::fleet::{Environment, Fleet, HostChange};
use jumpdeck_fleet::names::EnvName;

/// An inventory that can be changed.
#[derive(Debug)]
pub struct InventoryStore {
    kept: Kept,
    /// The texts that changes were shown for last: a change is made of what was shown, and of nothing else.
    shown: Mutex<HashMap<String, String>>,
}

#[derive(Debug)]
enum Kept {
    File { path: PathBuf, context: Context },
    Memory(Mutex<Arc<Fleet>>),
}

/// What a change would do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// The inventory says it already.
    There,
    /// It would be changed so: a diff.
    Change(String),
    /// It cannot be changed from here; a person has to.
    ByHand {
        /// Why.
        why: String,
        /// The lines that it needs: `db2: roles = ["db", "masterdb"]`.
        lines: Vec<String>,
    },
}

/// A file's text, what it says, and what it would say.
struct FileChange {
    before: String,
    after: String,
}

impl InventoryStore {
    /// The inventory in that file.
    #[must_use]
    pub fn file(path: PathBuf, context: Context) -> Self {
        Self { kept: Kept::File { path, context }, shown: Mutex::default() }
    }

    /// The inventory of a simulated fleet: it has no file.
    #[must_use]
    pub fn memory(fleet: Arc<Fleet>) -> Self {
        Self { kept: Kept::Memory(Mutex::new(fleet)), shown: Mutex::default() }
    }

    /// The inventory of one environment, in memory.
    #[must_use]
    pub fn of_environment(env: &Arc<Environment>, simulated: bool) -> Self {
        Self::memory(Arc::new(Fleet { environments: vec![env.clone()], simulated }))
    }

    /// Where it is, for eyes.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.kept {
            Kept::File { path, .. } => path.display().to_string(),
            Kept::Memory(_) => "the inventory of the simulated fleet".to_owned(),
        }
    }

    /// The fleet, where it is kept in memory.
    #[must_use]
    pub fn in_memory(&self) -> Option<Arc<Fleet>> {
        match &self.kept {
            Kept::File { .. } => None,
            Kept::Memory(fleet) => Some(lock(fleet).clone()),
        }
    }

    /// What these changes would do now. What is shown is kept: [`Self::change`] refuses when it is not so any more.
    #[must_use]
    pub fn outlook(&self, env: &EnvName, changes: &[HostChange]) -> Outlook {
        match &self.kept {
            Kept::Memory(fleet) => {
                let fleet = lock(fleet).clone();
                match fleet.with(env, changes) {
                    Ok(after) if after == *fleet => Outlook::There,
                    Ok(_) => {
                        let lines: Vec<String> =
                            fleet.lines_for(env, changes).iter().map(|line| format!("+ {line}")).collect();
                        Outlook::Change(lines.join("\n"))
                    }
                    Err(why) => Outlook::ByHand { why, lines: fleet.lines_for(env, changes) },
                }
            }
            Kept::File { path, .. } => match self.planned(env, changes) {
                Ok(plan) if plan.after == plan.before => Outlook::There,
                Ok(plan) => {
                    let name = path.display().to_string();
                    let diff = similar::TextDiff::from_lines(&plan.before, &plan.after)
                        .unified_diff()
                        .context_radius(2)
                        .header(&name, &name)
                        .to_string();
                    lock(&self.shown).insert(key(env, changes), plan.before);
                    Outlook::Change(diff)
                }
                Err(why) => Outlook::ByHand { why, lines: self.lines(env, changes) },
            },
        }
    }

    /// Makes the changes, and reads the inventory again: it says them then, and nothing else has changed. With `as_shown` only of
    /// the text that they were shown for last.
    ///
    /// # Errors
    /// Why it was not changed; or that nobody knows whether it was.
    pub fn change(&self, env: &EnvName, changes: &[HostChange], as_shown: bool) -> Result<(), String> {
        match &self.kept {
            Kept::Memory(fleet) => {
                let mut fleet = lock(fleet);
                let after = fleet.with(env, changes)?;
                *fleet = Arc::new(after);
                Ok(())
            }
            Kept::File { path, .. } => {
                let plan = self.planned(env, changes)?;
                if plan.before == plan.after {
                    return Ok(());
                }
                if as_shown && lock(&self.shown).get(&key(env, changes)) != Some(&plan.before) {
                    return Err(ReplaceError::Changed(path.clone()).to_string());
                }
                ownership::replace(path, &plan.before, &plan.after).map_err(|error| error.to_string())?;
                match self.says(env, changes)? {
                    true => Ok(()),
                    false => Err(format!(
                        "{} was written, but does not hold the change when read again: look at the file",
                        path.display()
                    )),
                }
            }
        }
    }

    /// Whether the inventory, read again, says these changes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn says(&self, env: &EnvName, changes: &[HostChange]) -> Result<bool, String> {
        let fleet = self.fleet()?;
        Ok(fleet.with(env, changes)? == *fleet)
    }

    fn fleet(&self) -> Result<Arc<Fleet>, String> {
        match &self.kept {
            Kept::Memory(fleet) => Ok(lock(fleet).clone()),
            Kept::File { path, context } => {
                if !path.is_file() {
                    return Err(format!(
                        "{} is not a plain file, so it cannot be read again",
                        path.display()
                    ));
                }
                let fleet = files::load_inventory(path, context)
                    .map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())?;
                Ok(Arc::new(fleet))
            }
        }
    }

    fn lines(&self, env: &EnvName, changes: &[HostChange]) -> Vec<String> {
        match self.fleet() {
            Ok(fleet) => fleet.lines_for(env, changes),
            Err(_) => changes.iter().map(ToString::to_string).collect(),
        }
    }

    fn planned(&self, env: &EnvName, changes: &[HostChange]) -> Result<FileChange, String> {
        let Kept::File { path, context } = &self.kept else {
            return Err("this inventory has no file".to_owned());
        };
        if !path.is_file() {
            return Err(format!("{} is not a plain file, so it cannot be written to", path.display()));
        }
        let name = path.display().to_string();
        let before = files::read_text(path).map_err(|error| error.to_string())?;
        let changed = edit::change(&name, &before, env, changes, context);
        let after = changed.map_err(|error: EditError| error.to_string())?.text;
        if after != before {
            ownership::replaceable(path).map_err(|error| error.to_string())?;
        }
        Ok(FileChange { before, after })
    }
}

fn key(env: &EnvName, changes: &[HostChange]) -> String {
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    format!("{env}: {}", changes.join(", "))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    use super::*;
    use crate::config::inventory;
    use jumpdeck_fleet::fleet::Set;
    use jumpdeck_fleet::names::{HostName, RoleName};

    const TEXT: &str = "user = \"ops\"\n[environments.production] # ours\njump = \"local\"\n[environments.production.hosts]\ndb1-masterdb = {}\ndb2 = {} # the replica\n";

    fn env() -> EnvName {
        EnvName::new("production").unwrap()
    }

    fn promotion() -> Vec<HostChange> {
        let role = || RoleName::new("masterdb").unwrap();
        let change = |host: &str, set| HostChange { host: HostName::new(host).unwrap(), set };
        vec![change("db2", Set::Gains(role())), change("db1-masterdb", Set::Loses(role()))]
    }

    fn store(path: &Path) -> InventoryStore {
        InventoryStore::file(path.to_owned(), Context::default())
    }

    fn diff(store: &InventoryStore) -> String {
        match store.outlook(&env(), &promotion()) {
            Outlook::Change(diff) => diff,
            other => panic!("{other:?}"),
        }
    }

    /// Why a person has to do it, and what.
    fn by_hand(store: &InventoryStore) -> String {
        match store.outlook(&env(), &promotion()) {
            Outlook::ByHand { why, lines } => format!("{why} | {}", lines.join(" | ")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_is_shown_written_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("kept.toml"), folder.path().join("inventory.toml"));
        fs::write(&path, TEXT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("kept.toml", &link).unwrap();
        let store = store(&link);
        assert_eq!(store.says(&env(), &promotion()), Ok(false));
        let shown = diff(&store);
        assert!(shown.contains("+db2 = { roles = [\"db\", \"masterdb\"] } # the replica"), "{shown}");
        store.change(&env(), &promotion(), true).unwrap();
        assert_eq!(store.says(&env(), &promotion()), Ok(true));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the link stays");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "the mode stays");
        assert!(fs::read_to_string(&path).unwrap().contains("[environments.production] # ours"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
        assert_eq!(store.outlook(&env(), &promotion()), Outlook::There);
        store.change(&env(), &promotion(), true).unwrap();
    }

    #[test]
    fn a_text_that_was_not_shown_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory.toml");
        fs::write(&path, TEXT).unwrap();
        let store = store(&path);
        assert!(store.change(&env(), &promotion(), true).is_err(), "never shown");
        diff(&store);
        let other = format!("{TEXT}app1 = {{}}\n");
        fs::write(&path, &other).unwrap();
        let why = store.change(&env(), &promotion(), true).unwrap_err();
        assert!(why.contains("changed since it was read"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), other);
        diff(&store);
        store.change(&env(), &promotion(), true).unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("app1 = {}\n"));
    }

    #[test]
    fn what_cannot_be_written_is_a_persons_work_with_the_exact_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory.toml");
        fs::write(&path, TEXT).unwrap();
        let store = store(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let told = by_hand(&store);
        assert!(told.contains("read-only"), "{told}");
        assert!(
            told.ends_with("db2: roles = [\"db\", \"masterdb\"] | db1-masterdb: roles = [\"db\"]"),
            "{told}"
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&path, folder.path().join("other")).unwrap();
        assert!(by_hand(&store).contains("hard links"));
        fs::remove_file(folder.path().join("other")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(by_hand(&store).contains("can write to this file"), "{}", by_hand(&store));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&path, format!("{TEXT}oops")).unwrap();
        assert!(by_hand(&store).contains("mistakes"));
        assert!(store.says(&env(), &promotion()).is_err(), "nobody knows what it says");
    }

    #[test]
    fn the_inventory_of_a_simulated_fleet_changes_in_memory() {
        let fleet = inventory::parse("inventory.toml", TEXT, &Context::default()).unwrap();
        let store = InventoryStore::memory(Arc::new(fleet));
        let before = store.in_memory().unwrap();
        assert!(diff(&store).contains("+ db2: roles = [\"db\", \"masterdb\"]"));
        store.change(&env(), &promotion(), true).unwrap();
        assert_eq!(store.says(&env(), &promotion()), Ok(true));
        assert_ne!(store.in_memory().unwrap(), before);
    }
}
