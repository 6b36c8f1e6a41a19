//! `include`: another file's steps in its place, their ids behind this one's.

use std::sync::Arc;

use super::{DoneBy, HoldsSteps, Inside, KindEntry, Reads, StepKind, Turn, Used};
use crate::config::reader::{At, Reader, Table};
use crate::runbook::definition::Step;
use crate::runbook::definition::read::{NameFound, PART_KEYS, Reading, StepHead, keys};
use crate::runbook::place::Places;
use crate::runbook::plan::Frozen;
use crate::runbook::scope::Scope;

pub(super) static KIND: KindEntry = KindEntry {
    untitled: Some(""),
    ..KindEntry::new(
        "include",
        &[keys::ALL, &["runbook"]],
        Reads::Group { read, inside: &[], repeats: false },
    )
};

/// Included steps under conditions; without conditions the steps take the place of the group.
#[derive(Debug)]
struct IncludeStep;

fn read(reading: &mut Reading<'_>, table: &Table<'_>, common: StepHead, out: &mut Vec<Step>) {
    let title = reading.title(table, &KIND).unwrap_or_default();
    reading.names.host = false;
    let entered = reading.enter(&common);
    let steps = read_file(reading, table, &common);
    reading.names.leave(&entered);
    let Some(steps) = steps else { return };
    if common.is_always() {
        out.extend(steps);
    } else {
        out.push(common.holding(title, Arc::new(IncludeStep), vec![Inside { heading: "", steps }]));
    }
}

fn read_file(reading: &mut Reading<'_>, table: &Table<'_>, common: &StepHead) -> Option<Vec<Step>> {
    let name = reading.need_string(table, "runbook", "write runbook = \"repoint-replica\", a part's name")?;
    if reading.way.iter().any(|w| w == name.value) {
        let way: Vec<&str> =
            reading.way.iter().map(String::as_str).skip_while(|w| *w != name.value).collect();
        let message = format!("{:?} includes itself: {} → {}", name.value, way.join(" → "), name.value);
        reading.reader.error(name.span, message, "remove one of these includes");
        return None;
    }
    let Some((file, text)) = (reading.includes)(name.value) else {
        let message = format!("there is no runbook {:?} to include", name.value);
        let help = "it is the name of a file with part = true, in runbooks/ or in your own folder";
        reading.reader.error(name.span, message, help);
        return None;
    };
    let mut own = Reader::new(&file, &text);
    let Some(root) = own.parse(&text) else {
        reading.inner.extend(own.finish(None::<()>).err().unwrap_or_default());
        return None;
    };
    let root_table = own.root(&root);
    if own.boolean(&root_table, "part") != Some(true) {
        let message = format!("{:?} is a runbook of its own", name.value);
        let help = "only a file with part = true can be included";
        reading.reader.error(name.span, message, help);
        return None;
    }
    let missing = check_needs(reading, &mut own, &root_table, &name);
    if !reading.sources.iter().any(|(f, _)| *f == file) {
        reading.sources.push((file, text.clone()));
    }
    let steps = read_part(reading, own, &text, &name, &root_table, common);
    missing.iter().for_each(|need| reading.names.forget(need));
    Some(steps)
}

/// What a part needs must be known. What is not is told once, here, and taken for known within.
fn check_needs(
    reading: &mut Reading<'_>,
    own: &mut Reader,
    root: &Table<'_>,
    name: &At<&str>,
) -> Vec<String> {
    let mut missing = Vec::new();
    for need in own.strings(root, "needs", "write needs = [\"old\"]").unwrap_or_default() {
        if !matches!(reading.names.find(need.value), NameFound::Known(_)) {
            let message = format!("{:?} needs {{{}}}, which is not known here", name.value, need.value);
            let help = "give this runbook an input, a target or a captured value of that name";
            reading.reader.error(name.span.clone(), message, help);
            if matches!(reading.names.find(need.value), NameFound::Unknown | NameFound::Later) {
                reading.names.anything(need.value);
                missing.push(need.value.to_owned());
            }
        }
    }
    missing
}

/// Reads a part's steps: with its own text, and ids that stand behind the include's.
fn read_part(
    reading: &mut Reading<'_>,
    own: Reader,
    text: &str,
    name: &At<&str>,
    root: &Table<'_>,
    common: &StepHead,
) -> Vec<Step> {
    let reader = std::mem::replace(&mut reading.reader, own);
    let outer_text = std::mem::replace(&mut reading.text, text.to_owned());
    let prefix = std::mem::replace(&mut reading.prefix, format!("{}/", common.id));
    let later = std::mem::take(&mut reading.names.later);
    reading.ids.within.push(common.id.clone());
    let ids = reading.ids.enter();
    reading.ids.part = true;
    reading.way.push(name.value.to_owned());
    reading.reader.only(root, PART_KEYS);
    let steps = reading.top_steps(root);
    reading.way.pop();
    reading.ids.leave(ids, name.span.clone());
    reading.ids.within.pop();
    reading.names.later = later;
    reading.prefix = prefix;
    reading.text = outer_text;
    let own = std::mem::replace(&mut reading.reader, reader);
    reading.inner.extend(own.finish(Some(())).err().unwrap_or_default());
    steps
}

impl StepKind for IncludeStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn done_by(&self) -> DoneBy<'_> {
        DoneBy::Plan(self)
    }

    fn lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, _: &mut Used<'s>) {}
}

impl HoldsSteps for IncludeStep {
    fn turns<'s>(&self, inside: &'s [Inside], _: &Frozen) -> Vec<Turn<'s>> {
        inside.iter().map(|part| Turn { steps: &part.steps, wanted: true, batch: None }).collect()
    }
}
