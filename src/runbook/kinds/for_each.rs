//! `for_each`: the same steps for batches of a target's hosts.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::de::DeValue;

use super::{Batch, DoneBy, HoldsSteps, Inside, KindEntry, Reads, StepKind, Turn, Used};
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{Meaning, NameFound, Reading, StepHead, keys, place};
use crate::runbook::place::Places;
use crate::runbook::plan::{Frozen, FrozenHost};
use crate::runbook::scope::Scope;
use crate::runbook::value::ValueKind;
use jumpdeck_fleet::fleet::Environment;

const OWN: &[&str] = &["over", "item", "batch", "apart", "leave_required", "max_failures", "step"];

pub(super) static KIND: KindEntry = KindEntry {
    untitled: Some(""),
    ..KindEntry::new("for_each", &[keys::ALL, OWN], Reads::Group { read, inside: &["step"], repeats: true })
};

#[derive(Debug)]
struct ForEachStep {
    /// The target.
    over: String,
    /// The name of the batch inside: steps run `on` it.
    item: String,
    /// Hosts at once.
    batch: Size,
    /// Of each of these roles at most one host is in a batch.
    apart: Vec<String>,
    /// A batch of several hosts leaves of each role as many as the inventory requires, and at least one.
    leave_required: bool,
    /// So many hosts may fail and be left out.
    max_failures: usize,
}

/// How many hosts a batch has.
#[derive(Debug)]
enum Size {
    Number(usize),
    /// What this input says.
    Input(String),
}

impl Size {
    /// The number, where the inputs are known; one for what cannot be a size, which is a problem of the plan.
    fn of(&self, frozen: &Frozen) -> usize {
        match self {
            Self::Number(number) => *number,
            Self::Input(name) => frozen.inputs.get(name).and_then(|text| text.parse().ok()).unwrap_or(0),
        }
    }
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: StepHead, out: &mut Vec<Step>) {
    let entered = reading.enter(&common);
    let title = reading.title(table, &KIND);
    let held = read_held(reading, table, &common);
    reading.names.leave(&entered);
    out.extend(held.zip(title).map(|((kind, inside), title)| common.holding(title, kind, inside)));
}

fn read_held(
    reading: &mut Reading<'_>,
    table: &Table<'_>,
    common: &StepHead,
) -> Option<(Arc<dyn StepKind>, Vec<Inside>)> {
    if let Some(outer) = reading.batched.clone() {
        let message = format!("a for_each within the for_each {outer:?}");
        let help = "put it after the other one, or run its steps on a target: they then run on all its hosts at once";
        reading.reader.error(place(table, "kind"), message, help);
        return None;
    }
    let over = reading.need_string(table, "over", "write over = \"replicas\", a target's name");
    if let Some(over) = &over {
        target_named(reading, over);
    }
    let item = reading.need_string(table, "item", "write item = \"replica\": steps run on it");
    let item = item.filter(|item| reading.variable_name(item));
    let batch = size(reading, table);
    let help = "write apart = [\"db\"], roles of which only one host may be down at a time";
    let apart = reading.reader.strings(table, "apart", help).unwrap_or_default();
    let apart = apart.into_iter().map(|role| role.value.to_owned()).collect();
    let leave_required = reading.reader.boolean(table, "leave_required").unwrap_or(false);
    let max_failures = reading.reader.integer(table, "max_failures", 0..=1000).unwrap_or(0) as usize;
    let free = item.as_ref().is_some_and(|item| {
        let free = matches!(reading.names.find(item.value), NameFound::Unknown | NameFound::Later);
        if !free {
            let message = format!("the name {:?} appears twice", item.value);
            reading.reader.error(item.span.clone(), message, "choose another name for the item");
        }
        free
    });
    if let Some(item) = item.as_ref().filter(|_| free) {
        reading
            .names
            .always(item.value, Meaning::Hosts { one: matches!(batch, Size::Number(1)), target: false });
    }
    reading.batched = Some(common.id.clone());
    let steps = reading.inner_steps(table, "step", &common.id);
    reading.batched = None;
    if let Some(item) = item.as_ref().filter(|_| free) {
        reading.names.forget(item.value);
    }
    if steps.is_empty() && table.get("step").is_none() {
        let help = "write [[step.step]] and its keys below it";
        reading.reader.error(table.span.clone(), "this for_each has no steps", help);
    }
    let (over, item) = (over?.value.to_owned(), item?.value.to_owned());
    let kind = ForEachStep { over, item, batch, apart, leave_required, max_failures };
    Some((Arc::new(kind), vec![Inside { heading: "", steps }]))
}

/// The size of its batches: a number, or an input of kind int.
fn size(reading: &mut Reading<'_>, table: &Table<'_>) -> Size {
    if !matches!(table.get("batch").map(toml::Spanned::get_ref), Some(DeValue::String(_))) {
        return Size::Number(reading.reader.integer(table, "batch", 1..=1000).unwrap_or(1) as usize);
    }
    let help = "write batch = 2, or batch = \"{batch}\" with an [[input]] of kind \"int\" above";
    let Some(text) = reading.reader.string(table, "batch", help) else { return Size::Number(1) };
    let int = Meaning::Value { kind: ValueKind::Int, secret: false, place: false };
    let name = text.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match name.filter(|name| matches!(reading.names.find(name), NameFound::Known(meaning) if meaning == int))
    {
        Some(name) => Size::Input(name.to_owned()),
        None => {
            let message = format!("{:?} is neither a number nor an input of kind int", text.value);
            reading.reader.error(text.span, message, help);
            Size::Number(1)
        }
    }
}

/// Judges the name of what it goes over.
fn target_named(reading: &mut Reading<'_>, name: &At<&str>) {
    match reading.names.find(name.value) {
        NameFound::Known(Meaning::Hosts { target: true, .. } | Meaning::Anything) => {}
        NameFound::Known(_) | NameFound::Sometimes(_) => {
            let message = format!("{:?} is not a target", name.value);
            reading.reader.error(name.span.clone(), message, "a for_each goes over a [[target]]'s hosts");
        }
        NameFound::Later | NameFound::Unknown => {
            let known = reading.names.usable();
            let help = match nearest(name.value, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "name a [[target]] of this runbook".to_owned(),
            };
            reading.reader.error(name.span.clone(), format!("unknown target {:?}", name.value), help);
        }
    }
}

impl StepKind for ForEachStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Plan(self)
    }

    fn lines(&self) -> Vec<String> {
        let Self { over, item, batch, apart, leave_required, max_failures } = self;
        let batch = match batch {
            Size::Number(number) => number.to_string(),
            Size::Input(name) => format!("{{{name}}}"),
        };
        let mut lines = vec![format!("{over}, {batch} at a time, as {item}; {max_failures} may fail")];
        if !apart.is_empty() {
            lines.push(format!("never two hosts of the same role at once: {}", apart.join(", ")));
        }
        if *leave_required {
            lines.push(
                "a batch of several hosts leaves as many hosts of each role as the inventory requires, at least one"
                    .to_owned(),
            );
        }
        lines
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl HoldsSteps for ForEachStep {
    fn problems(&self, env: &Environment, frozen: &Frozen) -> Vec<String> {
        let size = self.batch.of(frozen);
        if let (Size::Input(name), true) = (&self.batch, !(1..=1000).contains(&size)) {
            return vec![format!("{name} is the number of hosts at once, from 1 to 1000")];
        }
        let hosts = frozen.targets.get(&self.over).map(Vec::as_slice).unwrap_or_default();
        let several = hosts.chunks(size.max(1)).filter(|batch| batch.len() > 1);
        let mut problems: Vec<String> = several.flat_map(|batch| self.too_many(batch, env)).collect();
        problems.sort();
        problems.dedup();
        problems
    }

    fn turns<'s>(&self, inside: &'s [Inside], frozen: &Frozen) -> Vec<Turn<'s>> {
        let hosts: Vec<String> =
            frozen.targets.get(&self.over).into_iter().flatten().map(|h| h.name.clone()).collect();
        let batches: Vec<&[String]> = hosts.chunks(self.batch.of(frozen).max(1)).collect();
        let batch = |(at, names): (usize, &&[String])| Batch {
            number: format!("[{}/{}]", at + 1, batches.len()),
            item: self.item.clone(),
            hosts: names.to_vec(),
            max_failures: self.max_failures,
        };
        let turns = batches
            .iter()
            .enumerate()
            .flat_map(|(at, names)| inside.iter().map(move |part| (at, names, part.steps.as_slice())));
        turns
            .map(|(at, names, steps)| Turn { steps, wanted: true, batch: Some(batch((at, names))) })
            .collect()
    }
}

impl ForEachStep {
    /// What is wrong with these hosts being away together.
    fn too_many(&self, batch: &[FrozenHost], env: &Environment) -> Vec<String> {
        let roles: BTreeSet<&String> = batch.iter().flat_map(|host| &host.roles).collect();
        let problem = |role: &String| {
            let of_role = batch.iter().filter(|host| host.roles.contains(role));
            let away: Vec<&str> = of_role.map(|host| host.name.as_str()).collect();
            let names = away.join(" and ");
            if self.apart.contains(role) && away.len() > 1 {
                return Some(format!(
                    "{names} would be down at once, but only one host of role {role} may be: choose smaller batches, or one run for each host"
                ));
            }
            let required = env.requirements.iter().find(|wanted| wanted.role.as_str() == role);
            let required = required.map_or(1, |wanted| wanted.at_least.max(1)) as usize;
            let all = env.hosts.iter().filter(|host| host.has_role(role)).count();
            let left = all.saturating_sub(away.len());
            (self.leave_required && left < required).then(|| {
                format!(
                    "{names} would be down at once, leaving {left} of {all} hosts of role {role}; {required} must stay: choose smaller batches"
                )
            })
        };
        roles.into_iter().filter_map(problem).collect()
    }
}
