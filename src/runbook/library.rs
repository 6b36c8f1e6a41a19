//! The runbooks there are: those that come with the program, and the user's own, which replace them by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::diagnostic::Diagnostic;
use crate::config::files;
use jumpdeck_fleet::run::{InputView, RunbookEntry};
use jumpdeck_fleet::text::Clean;

use super::definition::read::{Parsed, parse};
use super::definition::{Input, Runbook, Step};

/// What comes with the program: name and text.
pub(crate) const EMBEDDED: &[(&str, &str)] = &[
    ("account-users", include_str!("../../runbooks/account-users.toml")),
    ("application-answers", include_str!("../../runbooks/application-answers.toml")),
    ("backup-disk-full", include_str!("../../runbooks/backup-disk-full.toml")),
    ("backup-restore-test", include_str!("../../runbooks/backup-restore-test.toml")),
    ("certificate-placed", include_str!("../../runbooks/certificate-placed.toml")),
    ("database-applications", include_str!("../../runbooks/database-applications.toml")),
    ("database-clients", include_str!("../../runbooks/database-clients.toml")),
    ("database-files-moved", include_str!("../../runbooks/database-files-moved.toml")),
    ("database-files-ready", include_str!("../../runbooks/database-files-ready.toml")),
    ("database-left", include_str!("../../runbooks/database-left.toml")),
    ("database-not-master", include_str!("../../runbooks/database-not-master.toml")),
    ("database-servers", include_str!("../../runbooks/database-servers.toml")),
    ("database-users", include_str!("../../runbooks/database-users.toml")),
    ("deploy-code", include_str!("../../runbooks/deploy-code.toml")),
    ("elasticsearch-restore", include_str!("../../runbooks/elasticsearch-restore.toml")),
    ("elasticsearch-rolling-restart", include_str!("../../runbooks/elasticsearch-rolling-restart.toml")),
    ("elasticsearch-snapshot", include_str!("../../runbooks/elasticsearch-snapshot.toml")),
    ("failover-masterdb", include_str!("../../runbooks/failover-masterdb.toml")),
    ("fastly-backends", include_str!("../../runbooks/fastly-backends.toml")),
    ("highstate", include_str!("../../runbooks/highstate.toml")),
    ("highstate-allowed", include_str!("../../runbooks/highstate-allowed.toml")),
    ("highstate-applied", include_str!("../../runbooks/highstate-applied.toml")),
    ("highstate-held", include_str!("../../runbooks/highstate-held.toml")),
    ("highstate-tested", include_str!("../../runbooks/highstate-tested.toml")),
    ("host-as-before", include_str!("../../runbooks/host-as-before.toml")),
    ("host-noted", include_str!("../../runbooks/host-noted.toml")),
    ("job-queue", include_str!("../../runbooks/job-queue.toml")),
    ("mail-queue", include_str!("../../runbooks/mail-queue.toml")),
    ("new-db-credentials", include_str!("../../runbooks/new-db-credentials.toml")),
    ("person-gone", include_str!("../../runbooks/person-gone.toml")),
    ("person-locked", include_str!("../../runbooks/person-locked.toml")),
    ("pillar-sent", include_str!("../../runbooks/pillar-sent.toml")),
    ("promote-masterdb", include_str!("../../runbooks/promote-masterdb.toml")),
    ("rebuild-lost-salt-master", include_str!("../../runbooks/rebuild-lost-salt-master.toml")),
    ("rebuild-salt-master", include_str!("../../runbooks/rebuild-salt-master.toml")),
    ("reboot-silent-host", include_str!("../../runbooks/reboot-silent-host.toml")),
    ("remove-person", include_str!("../../runbooks/remove-person.toml")),
    ("replace-app", include_str!("../../runbooks/replace-app.toml")),
    ("replace-backup", include_str!("../../runbooks/replace-backup.toml")),
    ("replace-backup-age", include_str!("../../runbooks/replace-backup-age.toml")),
    ("replace-db", include_str!("../../runbooks/replace-db.toml")),
    ("replace-elastic", include_str!("../../runbooks/replace-elastic.toml")),
    ("replace-files", include_str!("../../runbooks/replace-files.toml")),
    ("replace-keeps", include_str!("../../runbooks/replace-keeps.toml")),
    ("replace-known", include_str!("../../runbooks/replace-known.toml")),
    ("replace-made-of", include_str!("../../runbooks/replace-made-of.toml")),
    ("replace-mail", include_str!("../../runbooks/replace-mail.toml")),
    ("replace-may-go", include_str!("../../runbooks/replace-may-go.toml")),
    ("replace-memcache", include_str!("../../runbooks/replace-memcache.toml")),
    ("replace-old", include_str!("../../runbooks/replace-old.toml")),
    ("replace-restored", include_str!("../../runbooks/replace-restored.toml")),
    ("replace-serves", include_str!("../../runbooks/replace-serves.toml")),
    ("replace-sessions", include_str!("../../runbooks/replace-sessions.toml")),
    ("replace-vm", include_str!("../../runbooks/replace-vm.toml")),
    ("replace-vm-by-hand", include_str!("../../runbooks/replace-vm-by-hand.toml")),
    ("replace-volumes", include_str!("../../runbooks/replace-volumes.toml")),
    ("replication-level", include_str!("../../runbooks/replication-level.toml")),
    ("replica-same", include_str!("../../runbooks/replica-same.toml")),
    ("replica-seeded", include_str!("../../runbooks/replica-seeded.toml")),
    ("restore-database", include_str!("../../runbooks/restore-database.toml")),
    ("rolling-reboot", include_str!("../../runbooks/rolling-reboot.toml")),
    ("rotate-certificate", include_str!("../../runbooks/rotate-certificate.toml")),
    ("salt-minion-found", include_str!("../../runbooks/salt-minion-found.toml")),
    ("salt-there", include_str!("../../runbooks/salt-there.toml")),
    ("setup-replica", include_str!("../../runbooks/setup-replica.toml")),
];

/// The text of a built-in runbook.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The runbooks that can be run.
#[derive(Debug, Clone, Default)]
pub struct Library {
    runbooks: BTreeMap<String, Shelved>,
}

#[derive(Debug, Clone)]
struct Shelved {
    runbook: Arc<Runbook>,
    own: bool,
}

/// Where runbooks are read from.
struct Sources {
    /// File and text, by name; whether it is the user's own.
    files: BTreeMap<String, (String, String, bool)>,
}

impl Library {
    /// Reads what comes with the program and the `.toml` files of a folder, which replace it by name; a missing folder
    /// is empty. What is wrong is left out, and told.
    #[must_use]
    pub fn load(folder: &Path) -> (Self, Vec<Diagnostic>) {
        let (sources, mut errors) = Sources::read(folder);
        let mut library = Self::default();
        for (name, parsed) in sources.parse() {
            match parsed {
                Ok(Parsed { part: true, .. }) => {}
                Ok(Parsed { runbook, .. }) => {
                    let own = sources.files.get(&name).is_some_and(|(_, _, own)| *own);
                    library.runbooks.insert(name, Shelved { runbook: Arc::new(runbook), own });
                }
                // A mistake in a part is told by each file that includes it.
                Err(found) => errors.extend(found),
            }
        }
        let mut told: Vec<Diagnostic> = Vec::new();
        for error in errors {
            if !told.contains(&error) {
                told.push(error);
            }
        }
        (library, told)
    }

    /// A runbook by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Runbook>> {
        self.runbooks.get(name).map(|shelved| Arc::clone(&shelved.runbook))
    }

    /// Every runbook, by name, as a list shows it. When each was last run is not known here.
    #[must_use]
    pub fn entries(&self) -> Vec<RunbookEntry> {
        self.runbooks.values().map(|shelved| entry(&shelved.runbook, shelved.own)).collect()
    }
}

impl Sources {
    fn read(folder: &Path) -> (Self, Vec<Diagnostic>) {
        let mut errors = Vec::new();
        let mut all: BTreeMap<String, (String, String, bool)> = EMBEDDED
            .iter()
            .map(|(name, text)| {
                ((*name).to_owned(), (format!("runbooks/{name}.toml"), (*text).to_owned(), false))
            })
            .collect();
        let own = files::toml_files(folder).unwrap_or_else(|error| {
            errors.push(*error);
            // They were to replace what comes with the program: that is not run in their place.
            for path in files::toml_files_of_anybody(folder).unwrap_or_default() {
                path.file_stem().and_then(|n| n.to_str()).map(|name| all.remove(name));
            }
            Vec::new()
        });
        for path in own {
            let Some(name) = path.file_stem().and_then(|n| n.to_str()).map(str::to_owned) else { continue };
            match files::read_text(&path) {
                Ok(text) => drop(all.insert(name, (path.display().to_string(), text, true))),
                Err(error) => {
                    errors.push(*error);
                    all.remove(&name);
                }
            }
        }
        (Self { files: all }, errors)
    }

    fn find(&self, name: &str) -> Option<(String, String)> {
        self.files.get(name).map(|(file, text, _)| (file.clone(), text.clone()))
    }

    fn parse(&self) -> Vec<(String, Result<Parsed, Vec<Diagnostic>>)> {
        let includes = |name: &str| self.find(name);
        let read = |(name, (file, text, _)): (&String, &(String, String, bool))| {
            (name.clone(), parse(file, text, &includes))
        };
        self.files.iter().map(read).collect()
    }
}

/// Everything that is wrong with each of the user's own runbooks, and with those of the program that their parts spoil.
#[must_use]
pub fn check(folder: &Path) -> Vec<(PathBuf, Vec<Diagnostic>)> {
    let (sources, errors) = Sources::read(folder);
    let mut all: Vec<(PathBuf, Vec<Diagnostic>)> =
        errors.into_iter().map(|error| (PathBuf::from(error.file()), vec![error])).collect();
    let read: Vec<(String, Vec<Diagnostic>)> =
        sources.parse().into_iter().map(|(name, parsed)| (name, parsed.err().unwrap_or_default())).collect();
    for (name, errors) in &read {
        let Some((file, _, own)) = sources.files.get(name) else { continue };
        // A mistake in an included file is told once, with that file; but for those that only show where it is included.
        let told_there = |error: &Diagnostic| {
            let others = read.iter().filter(|(other, _)| other != name);
            let mut same = others.flat_map(|(other, errors)| errors.iter().map(move |e| (other, e)));
            same.any(|(other, e)| {
                e == error && sources.files.get(other).is_some_and(|(f, _, _)| f == error.file())
            })
        };
        let errors: Vec<Diagnostic> = errors.iter().filter(|e| !told_there(e)).cloned().collect();
        if *own || !errors.is_empty() {
            all.push((PathBuf::from(file), errors));
        }
    }
    all
}

/// Everything that is wrong with a file. What it includes is looked for beside it, then in the user's folder, then in
/// what comes with the program.
#[must_use]
pub fn check_file(path: &Path, text: &str, folder: &Path) -> Vec<Diagnostic> {
    let (sources, _) = Sources::read(folder);
    let includes = |name: &str| {
        let beside = path.with_file_name(format!("{name}.toml"));
        match files::read_text(&beside) {
            Ok(text) => Some((beside.display().to_string(), text)),
            Err(_) => sources.find(name),
        }
    };
    parse(&path.display().to_string(), text, &includes).err().unwrap_or_default()
}

/// A runbook as a list shows it.
fn entry(runbook: &Runbook, own: bool) -> RunbookEntry {
    RunbookEntry {
        name: runbook.name.clone(),
        title: Clean::new(&runbook.title),
        summary: Clean::new(&runbook.summary.split_whitespace().collect::<Vec<_>>().join(" ")),
        danger: runbook.danger,
        own,
        steps: count(&runbook.steps),
        inputs: runbook.inputs.iter().map(Input::view).collect(),
        remedies: runbook.remedies.clone(),
        last_run: None,
    }
}

/// Steps, but for those that only hold others.
fn count(steps: &[Step]) -> usize {
    let inside = |step: &Step| match step.group() {
        Some(_) => step.inside.iter().map(|part| count(&part.steps)).sum(),
        None => 1,
    };
    steps.iter().map(inside).sum()
}

impl Input {
    /// The question as a person sees it.
    #[must_use]
    pub fn view(&self) -> InputView {
        let mut wanted = self.kind.wanted().to_owned();
        if let Some(role) = &self.role {
            wanted.push_str(&format!(" with the role {role}"));
        }
        if !self.not.is_empty() {
            wanted.push_str(&format!(", not {}", self.not.join(" or ")));
        }
        InputView {
            name: self.name.clone(),
            label: Clean::new(&self.label),
            help: self.help.as_deref().map(Clean::new),
            wanted: Clean::new(&wanted),
            choices: self.choices.iter().map(|c| Clean::new(c)).collect(),
            default: self.default.as_deref().map(Clean::new),
            finds: self.find.is_some(),
            because: None,
            sensitive: self.sensitive,
            not: self.not.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::runbook::definition::Ask;
    use jumpdeck_fleet::declared::PROBED_SERVICES;

    #[test]
    fn every_file_of_the_folder_is_in_the_list_and_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        there.sort();
        let mut listed: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(listed, there);
        let (_, errors) = Library::load(Path::new("/nonexistent"));
        let shown: Vec<String> = errors.iter().map(|e| e.render(false)).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n\n"));
    }

    #[test]
    fn services_that_a_runbook_is_for_are_looked_at() {
        let (library, _) = Library::load(Path::new("/nonexistent"));
        for entry in library.entries() {
            for service in entry.remedies.iter().flat_map(|remedy| &remedy.services) {
                let known = PROBED_SERVICES.contains(&service.as_str());
                assert!(known, "{}: nobody looks at a service {service:?}", entry.name);
            }
        }
    }

    /// Issue 11, "Done when" 4: every runbook is in the table of the documents' procedures, and what that names exists. What no
    /// runbook does has a reason.
    #[test]
    fn the_table_of_procedures_names_every_runbook_and_no_other() {
        let docs = include_str!("../../docs/runbooks.md");
        let table = docs.split("## Procedures of the fleets' documents\n").nth(1).unwrap();
        let table = table.split("\n## ").next().unwrap();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.starts_with("| "))
            .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
            .skip(1)
            .collect();
        let (library, _) = Library::load(Path::new("/nonexistent"));
        let mut missing: Vec<String> = library.entries().into_iter().map(|entry| entry.name).collect();
        for row in &rows {
            let [procedure, runbooks, by_hand] = row.as_slice() else { unreachable!("{row:?}") };
            assert!(!procedure.is_empty() && !by_hand.is_empty(), "{row:?}");
            if *runbooks == "none" {
                assert!(by_hand.len() > 1, "nothing does it, and nobody says why: {row:?}");
                continue;
            }
            for name in runbooks.split(", ") {
                let name = name.trim_matches('`');
                assert!(library.get(name).is_some(), "there is no runbook {name}: {row:?}");
                missing.retain(|other| other != name);
            }
        }
        assert_eq!(missing, Vec::<String>::new(), "these are in no row");
    }

    /// Console 45: only a step that machines do reads.
    #[test]
    fn a_step_that_only_talks_to_people_does_not_say_that_it_reads() {
        use crate::runbook::definition::Step;
        use crate::runbook::kinds::DoneBy;
        use jumpdeck_fleet::run::Effect;
        fn walk(steps: &[Step], seen: &mut Vec<(&'static str, &'static str)>) {
            for step in steps {
                let says = step.kind.entry().asks.says(step.effect);
                match step.kind.done_by() {
                    DoneBy::People(_) => {
                        assert_ne!(says, "reads", "{} is a {}", step.id, step.word());
                        seen.push((step.word(), says));
                    }
                    DoneBy::Machines(_) if step.effect == Effect::Read => assert_eq!(says, "reads"),
                    DoneBy::Machines(_) => assert!(says.chars().all(char::is_uppercase), "{says}"),
                    DoneBy::Plan(_) => {}
                }
                step.inside.iter().for_each(|part| walk(&part.steps, seen));
            }
        }
        let (library, _) = Library::load(Path::new("/nonexistent"));
        let mut seen = Vec::new();
        for (name, _) in EMBEDDED {
            if let Some(runbook) = library.get(name) {
                walk(&runbook.steps, &mut seen);
            }
        }
        for expected in [
            ("confirm", "asks you"),
            ("challenge", "asks you"),
            ("input", "asks you"),
            ("manual", "done by you"),
            ("note", "tells you"),
            ("report", "tells you"),
        ] {
            assert!(seen.contains(&expected), "{expected:?}: {seen:?}");
        }
    }

    /// Salt applies no states while any function of its module `state` runs on the minion, one that only reads included; and the
    /// checks of a step are asked side by side.
    #[test]
    fn no_check_asks_salt_something_that_keeps_states_from_being_applied() {
        let (library, _) = Library::load(Path::new("/nonexistent"));
        let mut idle = 0;
        for runbook in EMBEDDED.iter().filter_map(|(name, _)| library.get(name)) {
            let asks_in_a_script = |text: &str| text.contains("list_disabled 2>&1");
            assert!(!runbook.sources.iter().any(|(_, text)| asks_in_a_script(text)), "{}", runbook.name);
            for step in runbook.every_step() {
                for check in step.pre.iter().chain(&step.read_back).chain(&step.done_if) {
                    let Ask::Salt(call) = &check.ask else { continue };
                    match call.function.as_str() {
                        "state.running" => idle += 1,
                        function => assert!(!function.starts_with("state."), "{}: {function}", step.id),
                    }
                }
            }
        }
        assert!(idle > 0, "highstate asks whether states run");
    }

    #[test]
    fn own_runbooks_replace_and_add_and_may_include_parts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let head = "title = \"Mine\"\nsummary = \"s\"\ndanger = \"reads\"\n";
        let include = "[[step]]\nid = \"p\"\nkind = \"include\"\nrunbook = \"part-a\"\n";
        let note = "[[step]]\nid = \"n\"\nkind = \"note\"\ntitle = \"t\"\ntext = \"x\"\n";
        write("promote-masterdb.toml", &format!("name = \"promote-masterdb\"\n{head}{note}{include}"));
        write("part-a.toml", &format!("name = \"part-a\"\npart = true\n{note}"));
        write("broken.toml", "name = 3");
        write("notes.txt", "no runbook");
        let (library, errors) = Library::load(folder.path());
        assert!(!errors.is_empty() && errors.iter().all(|e| e.file().ends_with("broken.toml")), "{errors:?}");
        let own = library.get("promote-masterdb").unwrap();
        assert_eq!(own.steps.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["n", "p/n"]);
        assert_eq!(own.sources.len(), 2);
        let again = Runbook::from_sources(&own.sources).unwrap();
        assert_eq!((again.hash, again.steps.len()), (own.hash.clone(), 2));
        let entries = library.entries();
        let entry = entries.iter().find(|e| e.name == "promote-masterdb").unwrap();
        assert!(entry.own && entry.steps == 2 && entry.title.as_str() == "Mine");
        assert!(!entries.iter().any(|e| e.name == "part-a" || e.name == "broken"));
    }
}
