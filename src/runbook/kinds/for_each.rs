//! `for_each`: the same steps for batches of a target's hosts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Batch, DoneBy, HoldsSteps, Inside, KindEntry, Reads, StepKind, Turn, Used};
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::runbook::place::Places;
use crate::runbook::plan::FrozenHost;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Step;
use crate::runbook::spec::read::{Common, Found, Meaning, Reading, keys, place};

const OWN: &[&str] = &["over", "item", "batch", "max_failures", "step"];

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
    batch: usize,
    /// So many hosts may fail and be left out.
    max_failures: usize,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: Common, out: &mut Vec<Step>) {
    let entered = reading.enter(&common);
    let title = reading.title(table, &KIND);
    let held = read_held(reading, table, &common);
    reading.names.leave(&entered);
    out.extend(held.zip(title).map(|((kind, inside), title)| common.holding(title, kind, inside)));
}

fn read_held(
    reading: &mut Reading<'_>,
    table: &Table<'_>,
    common: &Common,
) -> Option<(Arc<dyn StepKind>, Vec<Inside>)> {
    if let Some(outer) = reading.batched.clone() {
        let message = format!("a for_each within the for_each {outer:?}");
        let help = "put it behind the other one, or let its steps run on a target: they run on all its hosts at once";
        reading.reader.error(place(table, "kind"), message, help);
        return None;
    }
    let over = reading.need_string(table, "over", "write over = \"replicas\", a target's name");
    if let Some(over) = &over {
        target_named(reading, over);
    }
    let item = reading.need_string(table, "item", "write item = \"replica\": steps run on it");
    let item = item.filter(|item| reading.variable_name(item));
    let batch = reading.reader.integer(table, "batch", 1..=1000).unwrap_or(1) as usize;
    let max_failures = reading.reader.integer(table, "max_failures", 0..=1000).unwrap_or(0) as usize;
    let free = item.as_ref().is_some_and(|item| {
        let free = matches!(reading.names.find(item.value), Found::Unknown | Found::Later);
        if !free {
            let message = format!("the name {:?} is there twice", item.value);
            reading.reader.error(item.span.clone(), message, "name the item otherwise");
        }
        free
    });
    if let Some(item) = item.as_ref().filter(|_| free) {
        reading.names.always(item.value, Meaning::Hosts { one: batch == 1, target: false });
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
    let kind = ForEachStep { over, item, batch, max_failures };
    Some((Arc::new(kind), vec![Inside { heading: "", steps }]))
}

/// Judges the name of what it goes over.
fn target_named(reading: &mut Reading<'_>, name: &At<&str>) {
    match reading.names.find(name.value) {
        Found::Known(Meaning::Hosts { target: true, .. } | Meaning::Anything) => {}
        Found::Known(_) | Found::Sometimes(_) => {
            let message = format!("{:?} is not a target", name.value);
            reading.reader.error(name.span.clone(), message, "a for_each goes over a [[target]]'s hosts");
        }
        Found::Later | Found::Unknown => {
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
        let Self { over, item, batch, max_failures } = self;
        vec![format!("{over}, {batch} at a time, as {item}; {max_failures} may fail")]
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl HoldsSteps for ForEachStep {
    fn turns<'s>(&self, inside: &'s [Inside], targets: &BTreeMap<String, Vec<FrozenHost>>) -> Vec<Turn<'s>> {
        let hosts: Vec<String> =
            targets.get(&self.over).into_iter().flatten().map(|h| h.name.clone()).collect();
        let batches: Vec<&[String]> = hosts.chunks(self.batch.max(1)).collect();
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
