//! `elect`: the best of the step's hosts, ranked by captured values.

use std::sync::Arc;

use super::{Brings, KindEntry, Part, Reads, StepKind, Used, Where};
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use crate::runbook::place::Places;
use crate::runbook::scope::Scope;
use crate::runbook::spec::Act;
use crate::runbook::spec::read::{Common, Found, Meaning, Reading, keys, place};
use crate::runbook::value::ValueKind;

pub(super) static KIND: KindEntry = KindEntry {
    on: Where::Said,
    brings_at: &["into"],
    ..KindEntry::new("elect", &[keys::ALL, keys::DONE, &["by", "into"]], Reads::Step(read))
};

#[derive(Debug)]
struct ElectStep {
    /// Captured values that rank, the weightiest first (`gtid`, `position`, `int`: more is better).
    by: Vec<String>,
    /// The host variable it goes into.
    into: String,
}

fn read(reading: &mut Reading<'_>, table: &Table<'_>, _: &Common) -> Option<Arc<dyn StepKind>> {
    let hint = "write by = [\"gtid\"], captured values of which more is better, the weightiest first";
    let by = reading.reader.strings(table, "by", hint).unwrap_or_default();
    if by.is_empty() {
        reading.reader.error(place(table, "by"), "nothing tells which host is the best", hint);
    }
    for name in &by {
        ranks(reading, name);
    }
    let into = reading.need_string(table, "into", "write into = \"best\", the variable it becomes");
    let into = into.filter(|into| reading.variable_name(into))?;
    let by = by.into_iter().map(|b| b.value.to_owned()).collect();
    Some(Arc::new(ElectStep { by, into: into.value.to_owned() }))
}

/// Judges a name that ranks hosts.
fn ranks(reading: &mut Reading<'_>, name: &At<&str>) {
    let meaning = match reading.names.find(name.value) {
        Found::Known(meaning) => meaning,
        Found::Sometimes(_) | Found::Later | Found::Unknown => {
            let known = reading.names.usable();
            let help = match nearest(name.value, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "capture it in a step before this one".to_owned(),
            };
            let message = format!("unknown variable {:?}", name.value);
            return reading.reader.error(name.span.clone(), message, help);
        }
    };
    let ranked = [ValueKind::Gtid, ValueKind::Position, ValueKind::Int];
    let fits = match meaning {
        Meaning::Value { kind, secret, .. } => !secret && ranked.contains(&kind),
        Meaning::Anything => true,
        Meaning::Hosts { .. } => false,
    };
    if !fits {
        let message = format!("{:?} ranks nothing", name.value);
        reading.reader.error(name.span.clone(), message, "name a captured gtid, position or int");
    }
}

impl StepKind for ElectStep {
    fn entry(&self) -> &'static KindEntry {
        &KIND
    }

    fn part(&self) -> Part<'_> {
        Part::Act(Act::Elect { by: self.by.clone(), into: self.into.clone() })
    }

    fn lines(&self) -> Vec<String> {
        vec![format!("{} = the host with the most {}", self.into, self.by.join(", then "))]
    }

    fn shown(&self, _: &Scope<'_>, _: &Places) -> String {
        String::new()
    }

    fn uses<'s>(&'s self, names: &mut Used<'s>) {
        names.extend(self.by.iter().map(String::as_str));
    }

    fn brings(&self) -> Option<Brings<'_>> {
        Some(Brings { name: &self.into, kind: ValueKind::Host, secret: false, key: "into" })
    }
}
