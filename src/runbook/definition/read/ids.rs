//! The ids of steps, and who confirms whom: judged when all steps are known.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use jumpdeck_fleet::run::Effect;

use super::session::SessionSteps;
use super::text::Use;
use super::{KindEntry, Reading, StepHead, place};
use crate::runbook::definition::{Confirming, Lasting, Step};

/// What is known of an id.
#[derive(Debug, Clone)]
struct SeenId {
    /// Its place among all ids.
    order: usize,
    effect: Effect,
    /// The `for_each`, `branch` and `include` around it.
    within: Vec<String>,
    group: bool,
    batch: bool,
}

/// An id that a step names, to be judged later.
struct NamedId {
    id: String,
    span: Range<usize>,
    /// The step that names it.
    by: String,
    role: Role,
    /// The step that names it is of a part, and the part has no such step: it is looked for in what includes the part.
    outward: bool,
}

/// What for a step names another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It confirms it.
    Covers,
    /// It ends before it.
    EndsBefore,
    /// What it leaves in effect is ended by it.
    EndedBy,
}

/// All ids so far.
#[derive(Default)]
pub(in crate::runbook) struct Ids {
    seen: BTreeMap<String, SeenId>,
    /// Places in the file that is read at the moment.
    places: BTreeMap<String, Range<usize>>,
    named: Vec<NamedId>,
    /// Who confirms whom.
    covered: BTreeMap<String, String>,
    pub(in crate::runbook) within: Vec<String>,
    /// The step that is read at the moment, or was read last.
    now: String,
    pub(super) sessions: SessionSteps,
    /// Whether the file that is read is a part: what its steps leave in effect may be ended by what includes it.
    pub(in crate::runbook) part: bool,
    /// What steps of a part name, and the part has not.
    outward: Vec<NamedId>,
}

impl Ids {
    /// The place of the same id in this file, when it is there already.
    pub(super) fn first(&self, id: &str) -> Option<Range<usize>> {
        self.places.get(id).cloned()
    }

    pub(super) fn is_taken(&self, id: &str) -> bool {
        self.seen.contains_key(id)
    }

    /// A step.
    pub(super) fn note(&mut self, id: &str, span: Range<usize>, effect: Effect, kind: &KindEntry) {
        let (order, within) = (self.seen.len(), self.within.clone());
        let seen = SeenId { order, effect, within, group: kind.is_group(), batch: kind.repeats() };
        self.seen.insert(id.to_owned(), seen);
        id.clone_into(&mut self.now);
        self.places.insert(id.to_owned(), span);
    }

    /// The file changes: what was noted of the other one, to be put back.
    pub(in crate::runbook) fn enter(&mut self) -> Ids {
        let seen = self.seen.clone();
        let (covered, within) = (self.covered.clone(), self.within.clone());
        let sessions = self.sessions.only_open();
        let inner = Ids { seen, covered, within, sessions, ..Ids::default() };
        std::mem::replace(self, inner)
    }

    /// The other file goes on; the part was included at this place.
    pub(in crate::runbook) fn leave(&mut self, outer: Ids, span: Range<usize>) {
        let inner = std::mem::replace(self, outer);
        self.seen = inner.seen;
        self.covered = inner.covered;
        // A mistake is told where the part is included: the part itself is right.
        self.named.extend(inner.outward.into_iter().map(|named| NamedId { span: span.clone(), ..named }));
        self.sessions.take_open(inner.sessions);
    }

    /// The step that is read at the moment.
    pub(super) fn now(&self) -> &str {
        &self.now
    }

    /// The place of a step among all, when it is one.
    pub(super) fn order(&self, id: &str) -> Option<usize> {
        self.seen.get(id).map(|seen| seen.order)
    }

    /// Whether a step may be several where another one stands: it is in a `for_each` that the other is not in.
    pub(super) fn may_be_several(&self, id: &str, by: &str) -> bool {
        self.seen.get(id).is_some_and(|seen| self.is_several(seen, by))
    }

    fn covers(&mut self, by: &str, id: String, span: Range<usize>) {
        self.named.push(NamedId { id, span, by: by.to_owned(), role: Role::Covers, outward: false });
    }

    fn until(&mut self, by: &str, id: String, span: Range<usize>) {
        self.named.push(NamedId { id, span, by: by.to_owned(), role: Role::EndsBefore, outward: false });
    }

    fn ended_by(&mut self, by: &str, id: String, span: Range<usize>) {
        self.named.push(NamedId { id, span, by: by.to_owned(), role: Role::EndedBy, outward: false });
    }

    /// Whether a step stands in a `for_each` that another one is not in: its batches are several steps.
    fn is_several(&self, seen: &SeenId, by: &str) -> bool {
        let around = self.seen.get(by).map(|by| by.within.as_slice()).unwrap_or_default();
        seen.within.iter().any(|outer| self.is_batch(outer) && !around.contains(outer))
    }

    /// Says of each change who confirms it.
    pub(super) fn confirm(&self, steps: &mut [Step]) {
        for step in steps {
            step.inside.iter_mut().for_each(|part| self.confirm(&mut part.steps));
            step.confirm = match (step.effect, self.covered.get(&step.id)) {
                (Effect::Read, _) => Confirming::No,
                (_, Some(by)) => Confirming::CoveredBy(by.clone()),
                (_, None) => Confirming::Asked,
            };
        }
    }

    fn is_batch(&self, id: &str) -> bool {
        self.seen.get(id).is_some_and(|seen| seen.batch)
    }

    fn changes_within(&self, id: &str) -> Vec<String> {
        let all = self.seen.iter().filter(|(own, seen)| {
            seen.effect != Effect::Read && (*own == id || seen.within.iter().any(|w| w == id))
        });
        all.map(|(own, _)| own.clone()).collect()
    }
}

impl Reading<'_> {
    /// The later steps that a step covers, by their whole ids.
    pub(in crate::runbook) fn covers(&mut self, table: &Table<'_>, id: &str) -> Vec<String> {
        let hint = "write covers = [\"freeze\", \"repoint\"], ids of later steps";
        let mut covers = Vec::new();
        for covered in self.reader.strings(table, "covers", hint).unwrap_or_default() {
            let full = format!("{}{}", self.prefix, covered.value);
            self.ids.covers(id, full.clone(), covered.span);
            covers.push(full);
        }
        covers
    }

    /// The whole id of the later step before which a step ends.
    pub(in crate::runbook) fn until(&mut self, by: &str, until: &At<&str>) -> String {
        let id = format!("{}{}", self.prefix, until.value);
        self.ids.until(by, id.clone(), until.span.clone());
        id
    }

    /// What a step leaves in effect, and the later steps that end it.
    pub(super) fn lasts(&mut self, table: &Table<'_>, common: &StepHead) -> Option<Lasting> {
        let hint = "write lasts = { says = \"Highstate is disabled\", until = [\"allow-highstate\"] }";
        let inner = self.reader.subtable(table, "lasts", hint)?;
        self.reader.only(&inner, &["says", "until"]);
        if common.effect == Effect::Read {
            let message = "lasts on a step that changes nothing";
            self.reader.error(place(table, "lasts"), message, "put it on the step that begins it");
        }
        let says = self.text(&inner, "says", Use::Shown);
        if says.is_none() {
            self.reader.error(inner.span.clone(), "`says` is missing: what stays in effect", hint);
        }
        let mut until = Vec::new();
        for ending in self.reader.strings(&inner, "until", hint).unwrap_or_default() {
            let mut id = format!("{}{}", self.prefix, ending.value);
            self.ids.ended_by(&common.id, id.clone(), ending.span);
            // Of a part: what includes it may have the step.
            loop {
                until.push(id.clone());
                let Some(outer) = outward(&id, ending.value) else { break };
                id = outer;
            }
        }
        if until.is_empty() {
            self.reader.error(inner.span.clone(), "`until` is missing: the steps that end it", hint);
        }
        Some(Lasting { says: says?, until })
    }

    /// Judges the ids that steps of this file name.
    pub(super) fn settle(&mut self) {
        self.settle_sessions();
        for named in std::mem::take(&mut self.ids.named) {
            let Some(seen) = self.ids.seen.get(&named.id).cloned() else {
                if self.ids.part && named.role == Role::EndedBy {
                    let own = named.id.strip_prefix(&self.prefix).unwrap_or(&named.id);
                    let id = outward(&named.id, own).unwrap_or_default();
                    self.ids.outward.push(NamedId { id, outward: true, ..named });
                    continue;
                }
                let short = named.id.strip_prefix(&self.prefix).unwrap_or(&named.id).to_owned();
                let all = self.ids.seen.keys().filter_map(|id| id.strip_prefix(&self.prefix));
                let help = match nearest(&short, all) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => "name the id of a later step of this runbook".to_owned(),
                };
                let message = match named.outward {
                    true => format!(
                        "unknown step {short:?}: the part says that it ends what {:?} begins",
                        named.by
                    ),
                    false => format!("unknown step {short:?}"),
                };
                self.reader.error(named.span, message, help);
                continue;
            };
            let by = self.ids.seen.get(&named.by).map_or(0, |s| s.order);
            if seen.order <= by {
                let message = format!("step {:?} comes before {:?}", named.id, named.by);
                self.reader.error(named.span, message, "name a step that comes after this one");
            } else {
                match named.role {
                    Role::Covers => self.cover(&named),
                    Role::EndsBefore => {
                        if seen.group || seen.within.iter().any(|w| self.ids.is_batch(w)) {
                            let message = format!("{:?} is not a single step", named.id);
                            self.reader.error(named.span, message, "name a step outside every for_each");
                        }
                    }
                    Role::EndedBy => {
                        if seen.group || self.ids.is_several(&seen, &named.by) {
                            let message = format!("{:?} is not a single step", named.id);
                            let help = "name a step of the same for_each, or one outside every for_each";
                            self.reader.error(named.span, message, help);
                        }
                    }
                }
            }
        }
    }

    fn cover(&mut self, named: &NamedId) {
        let changes = self.ids.changes_within(&named.id);
        if changes.is_empty() {
            let message = format!("step {:?} changes nothing: it needs no confirmation", named.id);
            self.reader.error(named.span.clone(), message, "remove it from the list");
        }
        for id in changes {
            if let Some(other) = self.ids.covered.insert(id.clone(), named.by.clone()) {
                let message = format!("step {id:?} is confirmed twice: by {other:?} and by {:?}", named.by);
                self.reader.error(named.span.clone(), message, "remove it from one of the two");
            }
        }
    }
}

/// The id `own` of a part's step as the file that includes the part would write it; none where nothing includes it.
fn outward(id: &str, own: &str) -> Option<String> {
    let around = id.strip_suffix(own)?.strip_suffix('/')?;
    Some(match around.rsplit_once('/') {
        Some((outer, _)) => format!("{outer}/{own}"),
        None => own.to_owned(),
    })
}
