//! Snapshot repositories, snapshots, and restoring them.

use std::collections::BTreeMap;

use super::indices::{Index, Place, Status};
use super::{Elastic, Machine};

/// Where snapshots are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Repository {
    /// `fs`.
    pub kind: String,
    /// Its settings: `location`, `compress`, …
    pub settings: BTreeMap<String, String>,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// How a snapshot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in it.
    Success,
    /// Some shards are not.
    Partial,
    /// Nothing is.
    Failed,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// What was in each index: enough to make it again.
    pub contents: Vec<Index>,
    /// When it began, seconds since the world's start (negative: before it).
    pub began: f64,
    /// When it ended or will.
    pub ends: f64,
    /// How.
    pub outcome: Outcome,
}

/// A wish to restore.
#[derive(Debug, Clone, Default)]
pub struct Restore {
    /// Which indices; all when empty.
    pub indices: String,
    /// A regular expression over the names, and what it is replaced by (`$1`).
    pub rename: Option<(String, String)>,
}

/// Why a snapshot act was refused: the exception's text, and its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The text.
    pub text: String,
    /// The HTTP status.
    pub status: u16,
}

fn refuse<T>(status: u16, text: String) -> Result<T, Refusal> {
    Err(Refusal { text, status })
}

impl Snapshot {
    /// Its state at a moment.
    #[must_use]
    pub fn state(&self, now: f64) -> &'static str {
        match self.outcome {
            _ if now < self.ends => "IN_PROGRESS",
            Outcome::Success => "SUCCESS",
            Outcome::Partial => "PARTIAL",
            Outcome::Failed => "FAILED",
        }
    }
}

impl Elastic {
    /// One a day, the newest some hours before the world's start, in the directory mounted for it.
    pub(super) fn old_snapshots(&mut self, machines: &[&Machine], epoch: f64) {
        let elastic = self.nodes.first().and_then(|node| machines.iter().find(|m| m.name == node.host));
        let mount = elastic.and_then(|m| m.mounts.iter().find(|mount| mount.fstype.starts_with("nfs")));
        let Some(mount) = mount else { return };
        let mut repository = Repository { kind: "fs".to_owned(), ..Repository::default() };
        repository.settings.insert("compress".to_owned(), "true".to_owned());
        repository.settings.insert("location".to_owned(), mount.path.clone());
        // The night's run, at 02:30.
        let night = (epoch / 86_400.0).floor() * 86_400.0 + 9000.0;
        let newest = if night > epoch { night - 86_400.0 } else { night };
        for days in (0..7_u32).rev() {
            let at = newest - 86_400.0 * f64::from(days);
            #[allow(clippy::cast_possible_truncation)] // seconds since 1970
            let day = jiff::Timestamp::from_second(at as i64).unwrap_or_default();
            let began = at - epoch;
            repository.snapshots.push(Snapshot {
                name: format!("snapshot-{}", day.strftime("%Y%m%d")),
                contents: self.indices.clone(),
                began,
                ends: began + 40.0 + 30.0 * self.chance(u64::from(days)),
                outcome: Outcome::Success,
            });
        }
        self.repositories.insert("nfsshared".to_owned(), repository);
    }

    /// The repositories by name.
    #[must_use]
    pub fn repositories(&self) -> &BTreeMap<String, Repository> {
        &self.repositories
    }

    /// Registers a repository; one of that name keeps its snapshots when its place stays.
    pub fn register(&mut self, name: &str, mut repository: Repository) {
        if let Some(old) = self.repositories.get(name)
            && old.settings.get("location") == repository.settings.get("location")
        {
            repository.snapshots.clone_from(&old.snapshots);
        }
        self.repositories.insert(name.to_owned(), repository);
    }

    /// A snapshot.
    ///
    /// # Errors
    /// When there is no such repository or snapshot.
    pub fn snapshot(&self, repository: &str, name: &str) -> Result<&Snapshot, Refusal> {
        let found = self.repository(repository)?.snapshots.iter().find(|snapshot| snapshot.name == name);
        match found {
            Some(snapshot) => Ok(snapshot),
            None => refuse(404, format!("SnapshotMissingException[[{repository}:{name}] is missing]")),
        }
    }

    /// A repository.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn repository(&self, name: &str) -> Result<&Repository, Refusal> {
        match self.repositories.get(name) {
            Some(repository) => Ok(repository),
            None => refuse(404, format!("RepositoryMissingException[[{name}] missing]")),
        }
    }

    /// Begins a snapshot.
    ///
    /// # Errors
    /// When its name is bad or taken, another one is running, or there is no such repository.
    pub fn begin_snapshot(
        &mut self,
        repository: &str,
        name: &str,
        indices: &str,
        now: f64,
    ) -> Result<(), Refusal> {
        let bad = |why: &str| {
            format!(
                "InvalidSnapshotNameException[[{repository}:{name}] Invalid snapshot name [{name}], {why}]"
            )
        };
        let existing = self.repository(repository)?;
        if name.chars().any(char::is_uppercase) {
            return refuse(400, bad("must be lowercase"));
        }
        if name.starts_with('_') || name.contains([',', '#', ' ', '/']) {
            return refuse(
                400,
                bad("must not contain the following characters [\\, /, *, ?, \", <, >, |,  , ,]"),
            );
        }
        if existing.snapshots.iter().any(|snapshot| snapshot.name == name) {
            return refuse(400, bad("snapshot with such name already exists"));
        }
        if self.repositories.values().flat_map(|r| &r.snapshots).any(|snapshot| now < snapshot.ends) {
            let text = format!("[{repository}:{name}] a snapshot is already running");
            return refuse(503, format!("ConcurrentSnapshotExecutionException[{text}]"));
        }
        let names = self.named(indices);
        let contents: Vec<Index> =
            self.indices.iter().filter(|i| i.open && names.contains(&i.name)).cloned().collect();
        let whole = contents.iter().all(|index| index.status() != Status::Red);
        let outcome = match (std::mem::take(&mut self.next_snapshot_fails), whole) {
            (true, _) => Outcome::Failed,
            (false, false) => Outcome::Partial,
            (false, true) => Outcome::Success,
        };
        let megabytes: u64 = contents.iter().map(|index| index.megabytes * u64::from(index.shards)).sum();
        #[allow(clippy::cast_precision_loss)] // MB
        let takes = (1.0 + megabytes as f64 / 400.0).min(20.0);
        let snapshot = Snapshot { name: name.to_owned(), contents, began: now, ends: now + takes, outcome };
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.snapshots.push(snapshot);
        }
        Ok(())
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_snapshot(&mut self, repository: &str, name: &str) -> Result<(), Refusal> {
        self.snapshot(repository, name)?;
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.snapshots.retain(|snapshot| snapshot.name != name);
        }
        Ok(())
    }

    /// Restores indices of a snapshot, and returns the names they have now. Over an open index nothing is restored.
    ///
    /// # Errors
    /// When there is no such snapshot, it is not whole, an index it does not hold is asked for, or one it would replace
    /// is open.
    pub fn restore(
        &mut self,
        repository: &str,
        name: &str,
        wish: &Restore,
        now: f64,
    ) -> Result<Vec<String>, Refusal> {
        let snapshot = self.snapshot(repository, name)?;
        let refusal = |what: &str| format!("SnapshotRestoreException[[{repository}:{name}] {what}]");
        if snapshot.state(now) != "SUCCESS" {
            let state = snapshot.state(now);
            return refuse(500, refusal(&format!("unsupported snapshot state [{state}]")));
        }
        let pattern = match wish.rename.as_ref().map(|(pattern, to)| (regex::Regex::new(pattern), to)) {
            Some((Err(_), _)) => return refuse(500, refusal("rename_pattern is no regular expression")),
            Some((Ok(pattern), to)) => Some((pattern, to)),
            None => None,
        };
        let names: Vec<&str> = wish.indices.split(',').filter(|n| !n.is_empty() && *n != "_all").collect();
        if let Some(missing) = names.iter().find(|n| !snapshot.contents.iter().any(|index| index.name == **n))
        {
            return refuse(404, format!("IndexMissingException[[{missing}] missing]"));
        }
        let chosen =
            snapshot.contents.iter().filter(|i| names.is_empty() || names.contains(&i.name.as_str()));
        let mut made: Vec<Index> = Vec::new();
        for index in chosen {
            let name = match &pattern {
                Some((pattern, to)) => pattern.replace_all(&index.name, to.as_str()).into_owned(),
                None => index.name.clone(),
            };
            if self.indices.iter().any(|present| present.name == name && present.open) {
                return refuse(500, refusal(&format!("cannot restore index [{name}] because it's open")));
            }
            let mut index = Index { name, open: true, ..index.clone() };
            for copy in &mut index.copies {
                copy.place = Place::Unassigned { last: None };
            }
            made.push(index);
        }
        let names: Vec<String> = made.iter().map(|index| index.name.clone()).collect();
        self.indices.retain(|index| !names.contains(&index.name));
        self.indices.extend(made);
        self.indices.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }
}
