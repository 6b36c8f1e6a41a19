//! `jumpdeck runbook list`: the runbooks there are, what may be lost, and when each was run last.

use std::process::ExitCode;

use jiff::Timestamp;

use super::terms::danger;
use crate::cli::common::CliError;
use crate::cli::terminal::paper::{Ink, Paper};
use crate::cli::{print, setup};
use crate::operator::past;
use crate::runbook::journal::{self, RunSummary};
use jumpdeck_fleet::run::RunbookEntry;

pub(super) fn run() -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let shelf = super::shelf()?;
    let mut paper = Paper::of_stdout();
    let runs = journal::runs(&paths.runs());
    write(&mut paper, &shelf.entries(), &runs, Timestamp::now());
    print::answer(&paper.take())?;
    for broken in shelf.unusable() {
        print::complain(&format!("not usable: {broken}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(paper: &mut Paper, entries: &[RunbookEntry], runs: &[RunSummary], now: Timestamp) {
    let head = ["NAME", "RISK", "LAST RUN", "WHAT IT DOES"].map(str::to_owned).to_vec();
    let mut rows = vec![(Ink::Bold, head)];
    let unread: Vec<&RunSummary> = runs.iter().filter(|run| run.is_unread()).collect();
    for entry in entries {
        let own = if entry.own { " (your own)" } else { "" };
        // Runs are told the newest first.
        let last = runs.iter().find(|run| run.runbook.as_str() == entry.name);
        let none = if unread.is_empty() { "-" } else { "?" };
        let last = last.map_or_else(|| none.to_owned(), |run| past::short(run, now));
        let (ink, _) = danger(entry.danger);
        let ink = if ink == Ink::Bad { Ink::Warn } else { Ink::Plain };
        rows.push((
            ink,
            vec![entry.name.clone(), entry.danger.word().to_owned(), last, format!("{}{own}", entry.title)],
        ));
    }
    paper.table(0, &rows);
    paper.gap();
    for run in &unread {
        let message = format!("LAST RUN may be out of date: {} {}", run.id, run.state);
        paper.words(0, Ink::Warn, &message);
    }
    paper.words(0, Ink::Dim, "What one asks and does, step by step: jumpdeck runbook show NAME");
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use jumpdeck_fleet::run::Danger;
    use jumpdeck_fleet::text::Clean;

    fn run(id: &str, state: &str) -> RunSummary {
        RunSummary {
            id: id.to_owned(),
            runbook: Clean::new("freeze"),
            env: Clean::new("production"),
            who: Clean::new("anna@desk"),
            began: Some(jiff::Timestamp::UNIX_EPOCH),
            state: Clean::new(state),
            end: jumpdeck_fleet::run::PastEnd::Finished,
            over: true,
            simulated: true,
            dry_run: false,
            under_way: false,
            may_leave: false,
        }
    }

    fn entry() -> RunbookEntry {
        RunbookEntry {
            name: "freeze".to_owned(),
            title: Clean::new("Freeze the master"),
            summary: Clean::default(),
            danger: Danger::Data,
            own: true,
            steps: 2,
            inputs: Vec::new(),
            remedies: Vec::new(),
            last_run: None,
        }
    }

    /// What cannot be read may have been the last run.
    #[test]
    fn a_runbook_has_no_last_run_only_where_every_run_could_be_read() {
        let told = |runs: &[RunSummary]| {
            let mut paper = Paper::new(100, false);
            write(&mut paper, &[entry()], runs, Timestamp::from_second(3 * 86_400).unwrap());
            paper.take()
        };
        let row = |text: &str| text.lines().nth(1).unwrap().to_owned();
        let none = told(&[]);
        assert!(row(&none).contains(" -  ") && !none.contains("may be out of date"), "{none}");

        let folder = tempfile::tempdir().unwrap();
        let no_folder = folder.path().join("runs");
        std::fs::write(&no_folder, "a file where the folder should be").unwrap();
        let unread = told(&journal::runs(&no_folder));
        assert!(row(&unread).contains(" ?  ") && !row(&unread).contains(" -  "), "{unread}");
        assert!(
            unread.contains("LAST RUN may be out of date") && unread.contains("cannot be read"),
            "{unread}"
        );

        let damaged = RunSummary { began: None, over: false, ..run("3", "cannot be read: line 1") };
        let other = RunSummary { runbook: Clean::default(), ..damaged };
        let mixed = told(&[run("2", "finished"), other.clone()]);
        assert!(
            row(&mixed).contains("finished 3d ago") && mixed.contains("3 cannot be read: line 1"),
            "{mixed}"
        );
        // One that was cut off before it began did nothing.
        let nothing = told(&[RunSummary { over: true, ..other }]);
        assert!(row(&nothing).contains(" -  "), "{nothing}");
    }

    #[test]
    fn the_newest_run_is_told_with_its_runbook() {
        let mut paper = Paper::new(100, false);
        let now = Timestamp::from_second(3 * 86_400).unwrap();
        write(&mut paper, &[entry()], &[run("2", "finished"), run("1", "rolled back")], now);
        let text = paper.take();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .take(2)
            .map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
            .collect();
        assert_eq!(rows[0], ["NAME", "RISK", "LAST RUN", "WHAT IT DOES"], "{text}");
        assert_eq!(
            rows[1],
            ["freeze", "irreversible", "finished 3d ago, SIMULATED", "Freeze the master (your own)"],
            "{text}"
        );
    }
}
