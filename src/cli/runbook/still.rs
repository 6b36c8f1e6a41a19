//! What a run began and has not ended: told on every way out of it, with the command that rolls it back first.

use crate::cli::terminal::paper::{Ink, Paper};
use crate::operator::commands;
use jumpdeck_fleet::run::{EndedBy, InEffect};

/// What becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// It stands, and may be rolled back or resumed.
    Stands,
    /// A process has it under way.
    UnderWay,
    /// It is over: nothing of it ends what is in effect.
    Over,
    /// Its fleet was simulated, and is gone with the program.
    Simulated,
}

/// Tells it. For a run that stands the commands follow, the rollback first.
pub(super) fn tell(paper: &mut Paper, indent: usize, in_effect: &[InEffect], id: &str, run: Run, tail: &str) {
    if !in_effect.is_empty() {
        let title = match run {
            Run::Stands | Run::UnderWay | Run::Over => "STILL IN EFFECT:",
            Run::Simulated => {
                "STILL IN EFFECT when the simulated fleet ended; on a real fleet it would stay:"
            }
        };
        paper.words(indent, Ink::Bad, title);
        for one in in_effect {
            paper.words(indent + 2, Ink::Bad, &one.line());
            if run == Run::Over {
                by_hand(paper, indent + 4, one, id);
            }
        }
    }
    match run {
        Run::Stands => {
            if in_effect.iter().any(|one| one.ended_by == EndedBy::Rollback) {
                paper.command(indent, Ink::Bold, "roll back ", &commands::rollback(id, tail));
            }
            paper.command(indent, Ink::Plain, "go on     ", &commands::resume(id, tail));
        }
        Run::Simulated => paper.words(indent, Ink::Plain, &format!("go on     {}", commands::WORLD_GONE)),
        Run::UnderWay | Run::Over => {}
    }
}

/// The commands of its undo, or where to look.
fn by_hand(paper: &mut Paper, indent: usize, one: &InEffect, id: &str) {
    let commands = match &one.ended_by {
        EndedBy::Hand(commands) => commands.as_slice(),
        EndedBy::Rollback | EndedBy::GoingOn | EndedBy::NotThisRun => &[],
    };
    if one.ended_by == EndedBy::NotThisRun {
        paper.words(indent, Ink::Plain, "this run did not cause it and will not end it");
    } else if commands.is_empty() {
        let text = format!("the runbook has no undo for step {}; what was done:", one.step);
        paper.words(indent, Ink::Plain, &text);
        paper.command(indent, Ink::Plain, "", &commands::report(id));
    }
    for (host, lines) in commands {
        let on = host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        paper.words(indent, Ink::Plain, &format!("end it by hand{on}:"));
        for line in lines {
            paper.exact(indent + 2, Ink::Plain, line.as_str());
        }
    }
}
