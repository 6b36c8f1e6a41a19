//! `jumpdeck runbook show NAME`: what it is for, what it asks, which hosts it means, what it does, how it is taken back.

use std::process::ExitCode;

use super::terms::{NO_RETURN, danger, effect};
use crate::cli::common::CliError;
use crate::cli::print;
use crate::cli::terminal::paper::{Ink, Paper};
use crate::runbook::definition::{Input, On, Runbook, Select, Step, Target, Undo};
use jumpdeck_fleet::run::Effect;
use jumpdeck_fleet::text::Clean;

pub(super) fn run(name: &str) -> Result<ExitCode, CliError> {
    let runbook = super::runbook(name)?;
    let mut paper = Paper::of_stdout();
    runbook_text(&mut paper, &runbook);
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

fn runbook_text(paper: &mut Paper, runbook: &Runbook) {
    paper.words(0, Ink::Bold, &format!("{}: {}", runbook.name, clean(&runbook.title)));
    for paragraph in runbook.summary.trim().split("\n\n") {
        paper.words(2, Ink::Plain, clean(paragraph).as_str());
    }
    let (ink, words) = danger(runbook.danger);
    paper.field(2, "risk", ink, words);
    paper.field(2, "hash", Ink::Dim, &runbook.hash);
    if !runbook.inputs.is_empty() {
        paper.gap();
        paper.words(0, Ink::Bold, "It asks");
        runbook.inputs.iter().for_each(|input| input_text(paper, input));
    }
    if !runbook.targets.is_empty() {
        paper.gap();
        paper.words(0, Ink::Bold, "Its hosts");
        runbook
            .targets
            .iter()
            .for_each(|target| paper.field(2, &target.name, Ink::Plain, &target_words(target)));
    }
    paper.gap();
    paper.words(0, Ink::Bold, "What it does");
    steps_text(paper, &runbook.steps, 0);
}

fn input_text(paper: &mut Paper, input: &Input) {
    let mut words = format!("{} ({}", clean(&input.label), input.kind.wanted());
    if let Some(role) = &input.role {
        words.push_str(&format!(" of role {role}"));
    }
    if !input.not.is_empty() {
        words.push_str(&format!(", not {}", input.not.join(", ")));
    }
    if !input.choices.is_empty() {
        words.push_str(&format!(": {}", input.choices.join(", ")));
    }
    if let Some(default) = &input.default {
        words.push_str(&format!("; default {default}"));
    }
    words.push_str(if input.sensitive { "; a secret, asked on the terminal)" } else { ")" });
    paper.field(2, &input.name, Ink::Plain, clean(&words).as_str());
    if let Some(help) = &input.help {
        Clean::lines(help).iter().for_each(|line| paper.words(12, Ink::Dim, line.as_str()));
    }
}

fn target_words(target: &Target) -> String {
    let mut words = match &target.select {
        Select::All => "every host".to_owned(),
        Select::Role(role) => format!("every host of role {role}"),
        Select::Host(host) => format!("the host {host}"),
        Select::DatabaseFiles => "every host with database_files in the inventory".to_owned(),
        Select::Jump => "the jump box".to_owned(),
    };
    if !target.except.is_empty() {
        words.push_str(&format!(", except {}", target.except.join(", ")));
    }
    match target.at_most {
        Some(most) if most == target.at_least => words.push_str(&format!("; there must be {most}")),
        Some(most) => words.push_str(&format!("; there must be {} to {most}", target.at_least)),
        None if target.at_least > 1 => {
            words.push_str(&format!("; there must be at least {}", target.at_least))
        }
        None => {}
    }
    words
}

fn steps_text(paper: &mut Paper, steps: &[Step], depth: usize) {
    for step in steps {
        step_text(paper, step, depth);
    }
}

fn step_text(paper: &mut Paper, step: &Step, depth: usize) {
    let indent = 2 + 2 * depth;
    let on = match &step.on {
        On::Nowhere => String::new(),
        On::Jump => "  on the jump box".to_owned(),
        On::Named(name) => format!("  on {name}"),
    };
    let effect = effect(step.kind.entry().asks, step.effect);
    let heading = format!("{}  {}{on}{effect}", step.id, step.word());
    paper.words(indent, if step.effect == Effect::Read { Ink::Dim } else { Ink::Warn }, &heading);
    let inside = indent + 2;
    paper.words(inside, Ink::Bold, clean(&step.title.to_string()).as_str());
    let conditions: Vec<String> =
        step.when.iter().map(crate::runbook::definition::Condition::words).collect();
    if !conditions.is_empty() {
        paper.field(inside, "when", Ink::Plain, clean(&conditions.join(" and ")).as_str());
    }
    if let Some(why) = &step.why {
        paper.field(inside, "why", Ink::Plain, clean(why.to_string().trim()).as_str());
    }
    if let Some(impact) = &step.impact {
        paper.field(inside, "impact", Ink::Warn, clean(&impact.to_string()).as_str());
    }
    for check in &step.pre {
        paper.field(inside, "if", Ink::Plain, clean(&check.says.to_string()).as_str());
    }
    step.kind.lines().iter().flat_map(|text| Clean::lines(text)).for_each(|line| {
        paper.exact(inside + 2, Ink::Plain, line.as_str());
    });
    for check in &step.read_back {
        paper.field(inside, "proof", Ink::Plain, clean(&check.says.to_string()).as_str());
    }
    match &step.undo {
        Undo::By { kind, .. } => {
            paper.field(inside, "undo", Ink::Plain, "");
            kind.lines().iter().flat_map(|text| Clean::lines(text)).for_each(|line| {
                paper.exact(inside + 2, Ink::Plain, line.as_str());
            });
        }
        Undo::NotNeeded(why) => {
            paper.field(inside, "undo", Ink::Dim, &format!("not needed: {}", clean(&why.to_string())))
        }
        Undo::Nothing | Undo::Impossible => {}
    }
    if step.point_of_no_return {
        paper.words(inside, Ink::Bad, NO_RETURN);
    }
    for part in step.inside.iter().filter(|part| !part.steps.is_empty()) {
        if !part.heading.is_empty() {
            paper.words(indent, Ink::Dim, part.heading);
        }
        steps_text(paper, &part.steps, depth + 1);
    }
}

fn clean(text: &str) -> Clean {
    Clean::new(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
