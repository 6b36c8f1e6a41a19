//! `jumpdeck runbook show NAME`: what it is for, what it asks, which hosts it means, what it does, how it is taken back.

use std::process::ExitCode;

use super::story;
use super::text::{Ink, Paper};
use crate::cli::{CliError, print};
use crate::domain::run::{Danger, Effect};
use crate::domain::text::Clean;
use crate::runbook::spec::{Act, Ask, Change, Input, On, Runbook, SaltCall, Select, Step, Target, Undo};

pub(super) fn run(name: &str) -> Result<ExitCode, CliError> {
    let library = super::library()?;
    let runbook = super::find(&library, name)?;
    let mut paper = Paper::of_stdout();
    runbook_text(&mut paper, &runbook);
    print::answer(&paper.take())?;
    Ok(ExitCode::SUCCESS)
}

/// What may be lost, in words.
pub(super) fn danger(danger: Danger) -> (Ink, &'static str) {
    match danger {
        Danger::Reads => (Ink::Good, "only looks"),
        Danger::Changes => (Ink::Warn, "changes what can be taken back"),
        Danger::Data => (Ink::Bad, "somebody's data or service may be lost"),
    }
}

fn runbook_text(paper: &mut Paper, runbook: &Runbook) {
    paper.words(0, Ink::Bold, &format!("{}: {}", runbook.name, clean(&runbook.title)));
    for paragraph in runbook.summary.trim().split("\n\n") {
        paper.words(2, Ink::Plain, clean(paragraph).as_str());
    }
    let (ink, words) = danger(runbook.danger);
    paper.field(2, "danger", ink, words);
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
        words.push_str(&format!("; {default} unless said"));
    }
    words.push_str(if input.sensitive { "; a secret, asked on the terminal)" } else { ")" });
    paper.field(2, &input.name, Ink::Plain, clean(&words).as_str());
    if let Some(help) = &input.help {
        Clean::lines(help).iter().for_each(|line| paper.words(12, Ink::Dim, line.as_str()));
    }
}

fn target_words(target: &Target) -> String {
    let mut words = match &target.select {
        Select::Role(role) => format!("every host of role {role}"),
        Select::Host(host) => format!("the host {host}"),
        Select::Jump => "the jump box".to_owned(),
    };
    if !target.except.is_empty() {
        words.push_str(&format!(", but for {}", target.except.join(", ")));
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
    let effect = effect(step.effect);
    let heading = format!("{}  {}{on}{effect}", step.id, step.act.word());
    paper.words(indent, if step.effect == Effect::Read { Ink::Dim } else { Ink::Warn }, &heading);
    let inside = indent + 2;
    paper.words(inside, Ink::Bold, clean(&step.title.to_string()).as_str());
    let conditions: Vec<String> = step.when.iter().map(crate::runbook::spec::Condition::words).collect();
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
    act_lines(&step.act).iter().flat_map(|text| Clean::lines(text)).for_each(|line| {
        paper.exact(inside + 2, Ink::Plain, line.as_str());
    });
    for check in &step.read_back {
        paper.field(inside, "proof", Ink::Plain, clean(&check.says.to_string()).as_str());
    }
    match &step.undo {
        Undo::By { act, .. } => {
            paper.field(inside, "undo", Ink::Plain, "");
            act_lines(act).iter().flat_map(|text| Clean::lines(text)).for_each(|line| {
                paper.exact(inside + 2, Ink::Plain, line.as_str());
            });
        }
        Undo::NotNeeded(why) => {
            paper.field(inside, "undo", Ink::Dim, &format!("not needed: {}", clean(&why.to_string())))
        }
        Undo::Nothing | Undo::Impossible => {}
    }
    if step.point_of_no_return {
        paper.words(inside, Ink::Bad, story::NO_RETURN);
    }
    match &step.act {
        Act::ForEach { steps, .. } => steps_text(paper, steps, depth + 1),
        Act::Branch { steps, otherwise } => {
            steps_text(paper, steps, depth + 1);
            if !otherwise.is_empty() {
                paper.words(indent, Ink::Dim, "otherwise");
                steps_text(paper, otherwise, depth + 1);
            }
        }
        _ => {}
    }
}

/// The word of what a step may change, set off from what is before it; none for reading.
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "",
        Effect::Mutate => "  CHANGES",
        Effect::Destructive => "  DESTROYS",
    }
}

/// What an act does, as the runbook says it.
fn act_lines(act: &Act) -> Vec<String> {
    match act {
        Act::Note(text) | Act::Approve { text } | Act::Manual { text, .. } => vec![text.to_string()],
        Act::Input(input) => vec![input.label.clone()],
        Act::Check(ask) => vec![ask_line(ask)],
        Act::WaitUntil { ask, every } => {
            vec![ask_line(ask), format!("again every {} s", every.as_secs_f64())]
        }
        Act::Run(script) | Act::Fence(script) => vec![script.text.trim_end().to_owned()],
        Act::Sql(sql) | Act::Hold { sql, .. } => vec![sql.text.to_string()],
        Act::Salt(call) => vec![salt_line(call)],
        Act::Edit(edit) => {
            let changes = edit.changes.iter().map(|change| match change {
                Change::Key { path, value } => format!("  {path} = {value}"),
                Change::Bump { path } => format!("  {path} one higher"),
                Change::Line { find, put } => format!("  the line {find} becomes {put}"),
            });
            std::iter::once(edit.file.to_string()).chain(changes).collect()
        }
        Act::HostKey(key) => {
            vec![format!("known_hosts: {} ({}) at {}", key.key, key.fingerprint, key.address)]
        }
        Act::Confirm { covers } => covered(covers),
        Act::Challenge { value, covers } => {
            std::iter::once(format!("type {value}")).chain(covered(covers)).collect()
        }
        Act::Elect { by, into } => vec![format!("{into} = the host with the most {}", by.join(", then "))],
        Act::ForEach { over, item, batch, max_failures, .. } => {
            vec![format!("{over}, {batch} at a time, as {item}; {max_failures} may fail")]
        }
        Act::Branch { .. } | Act::Report => Vec::new(),
    }
}

fn covered(covers: &[String]) -> Vec<String> {
    if covers.is_empty() { Vec::new() } else { vec![format!("for {}", covers.join(", "))] }
}

fn ask_line(ask: &Ask) -> String {
    match ask {
        Ask::Run(script) => script.text.trim_end().to_owned(),
        Ask::Sql(sql) => sql.text.to_string(),
        Ask::Salt(call) => salt_line(call),
        Ask::Value(value) => value.to_string(),
    }
}

fn salt_line(call: &SaltCall) -> String {
    let arguments: String = call.arguments.iter().map(|a| format!(" {a}")).collect();
    format!("salt: {}{arguments}", call.function)
}

fn clean(text: &str) -> Clean {
    Clean::new(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
