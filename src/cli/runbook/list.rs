//! `jumpdeck runbook list`: the runbooks there are, what may be lost, and when each was run last.

use std::process::ExitCode;

use super::text::{Ink, Paper};
use super::{runs, show};
use crate::cli::{CliError, print, setup};
use crate::domain::run::RunbookEntry;
use crate::runbook::journal::{self, RunSummary};

pub(super) fn run() -> Result<ExitCode, CliError> {
    let (paths, _) = setup::places()?;
    let library = super::library()?;
    let mut paper = Paper::of_stdout();
    write(&mut paper, &library.entries(), &journal::runs(&paths.runs()));
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

fn write(paper: &mut Paper, entries: &[RunbookEntry], runs: &[RunSummary]) {
    for (i, entry) in entries.iter().enumerate() {
        if i > 0 {
            paper.gap();
        }
        let own = if entry.own { "  (your own)" } else { "" };
        paper.words(0, Ink::Bold, &format!("{}  {}{own}", entry.name, entry.title));
        let (ink, danger) = show::danger(entry.danger);
        paper.field(2, "danger", ink, danger);
        if !entry.inputs.is_empty() {
            let inputs: Vec<&str> = entry.inputs.iter().map(|i| i.name.as_str()).collect();
            paper.field(2, "asks", Ink::Plain, &inputs.join(", "));
        }
        // Runs are told the newest first.
        if let Some(last) = runs.iter().find(|run| run.runbook.as_str() == entry.name) {
            paper.field(2, "last run", Ink::Plain, &runs::brief(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::Danger;
    use crate::domain::text::Clean;

    #[test]
    fn the_newest_run_is_told_with_its_runbook() {
        let entry = RunbookEntry {
            name: "freeze".to_owned(),
            title: Clean::new("Freeze the master"),
            summary: Clean::default(),
            danger: Danger::Data,
            own: true,
            steps: 2,
            inputs: Vec::new(),
            last_run: None,
        };
        let run = |id: &str, state: &str| RunSummary {
            id: id.to_owned(),
            runbook: Clean::new("freeze"),
            env: Clean::new("production"),
            who: Clean::new("anna@desk"),
            began: Some(jiff::Timestamp::UNIX_EPOCH),
            state: Clean::new(state),
            over: true,
            simulated: true,
            dry_run: false,
        };
        let mut paper = Paper::new(100, false);
        write(&mut paper, &[entry], &[run("2", "finished"), run("1", "rolled back")]);
        let text = paper.take();
        assert!(text.starts_with("freeze  Freeze the master  (your own)\n"), "{text}");
        assert!(text.contains("finished by anna@desk in production, SIMULATED"), "{text}");
        assert!(!text.contains("rolled back"), "{text}");
    }
}
