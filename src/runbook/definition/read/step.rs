//! Steps: the keys they have in common, and the rules that hold between them.

use std::sync::Arc;
use std::time::Duration;

use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Table};
use jumpdeck_fleet::run::Effect;

use super::names::{Meaning, NameFound};
use super::text::Use;
use super::{KindEntry, Reading, Reads, Where, is_name, place};
use crate::runbook::definition::{Condition, Confirming, On, OnFail, Step, Undo};
use crate::runbook::kinds::{self, Brings, Inside, StepKind};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

/// What was read of a step before its kind's own keys.
pub(crate) struct StepHead {
    /// Its whole id.
    pub(in crate::runbook) id: String,
    pub(in crate::runbook) on: On,
    pub(in crate::runbook) effect: Effect,
    when: Vec<Condition>,
}

impl StepHead {
    /// What is known to hold where its conditions do, and what where they do not.
    pub(in crate::runbook) fn both_ways(&self) -> (Vec<String>, String) {
        let yes: Vec<String> = self.when.iter().map(|c| format!("{} {:?}", c.value, c.test)).collect();
        let no = format!("not: {}", yes.join(" and "));
        (yes, no)
    }

    /// Whether it has no conditions.
    pub(in crate::runbook) fn is_always(&self) -> bool {
        self.when.is_empty()
    }
}

impl Reading<'_> {
    /// Reads a step, or the steps that stand for it.
    pub(super) fn step(&mut self, table: &Table<'_>, out: &mut Vec<Step>) {
        let Some(kind) = self.step_kind(table) else { return };
        self.reader.only(table, &kind.all_keys());
        let id = self.id(table);
        let when = self.when(table);
        let on = self.step_on(table, kind);
        let effect = self.effect(table, kind);
        let common = StepHead { id, on, effect, when };
        self.ids.note(&common.id, place(table, "id"), effect, kind);
        let host = std::mem::replace(&mut self.names.host, common.on != On::Nowhere);
        let around = std::mem::replace(&mut self.place, common.on.clone());
        match kind.reads {
            Reads::Group { read, .. } => read(self, table, common, out),
            Reads::Step(read) => {
                let entered = self.enter(&common);
                let step = self.single(table, kind, read, common);
                self.names.leave(&entered);
                out.extend(step);
            }
        }
        self.names.host = host;
        self.place = around;
    }

    /// Takes a step's conditions for given; returns those that are new, for [`super::names::Names::leave`].
    pub(in crate::runbook) fn enter(&mut self, common: &StepHead) -> Vec<String> {
        let (yes, _) = common.both_ways();
        self.names.enter(yes)
    }

    fn step_kind(&mut self, table: &Table<'_>) -> Option<&'static KindEntry> {
        let kind = self.need_string(table, "kind", &kinds::all_words())?;
        let found = kinds::by_word(kind.value);
        if found.is_none() {
            let message = format!("unknown kind of step {:?}", kind.value);
            self.reader.error(kind.span, message, kinds::instead_of(kind.value));
        }
        found
    }

    fn id(&mut self, table: &Table<'_>) -> String {
        let Some(id) = self.need_string(table, "id", "write id = \"freeze\", a name for it in this runbook")
        else {
            return format!("{}?{}", self.prefix, table.span.start);
        };
        let full = format!("{}{}", self.prefix, id.value);
        if !is_name(id.value) {
            let message = format!("{:?} is not a step's id", id.value);
            self.reader.error(id.span, message, "use small letters, digits and \"-\", a letter first");
        } else if let Some(first) = self.ids.first(&full) {
            let message = format!("step {:?} appears twice", id.value);
            self.reader.conflict(
                id.span,
                message,
                (first, "first here"),
                "rename one of the two or remove it",
            );
        } else if self.ids.is_taken(&full) {
            self.reader.error(id.span, format!("step {full:?} appears twice"), "rename one of the two");
        }
        full
    }

    /// Its title.
    pub(in crate::runbook) fn title(&mut self, table: &Table<'_>, kind: &KindEntry) -> Option<Template> {
        if let Some(untitled) = kind.untitled
            && table.get("title").is_none()
        {
            return Some(Template::plain(untitled));
        }
        let help = "write title = \"Freeze {old}: no more writes\", one line";
        let text = self.need_string(table, "title", help)?;
        if text.value.contains('\n') {
            self.reader.error(text.span.clone(), "the title has several lines", help);
        }
        Some(self.template(&text, Use::Shown))
    }

    /// Where a step runs, and whether its kind may run there.
    fn step_on(&mut self, table: &Table<'_>, kind: &KindEntry) -> On {
        let Some(on) = self.on(table) else {
            if kind.on == Where::Said && table.get("on").is_none() {
                let help = "add on = the name of a target, of a host input, of an elected host, or \"jump\"";
                self.reader.error(table.span.clone(), "on is missing: where this step runs", help);
            }
            return if kind.on == Where::JumpBox { On::Jump } else { On::Nowhere };
        };
        if kind.on == Where::Nowhere {
            let message = format!("a {} runs on no host", kind.word);
            self.reader.error(place(table, "on"), message, "remove it");
        }
        if kind.one_host
            && let On::Named(name) = &on
            && matches!(self.names.find(name), NameFound::Known(meaning) if meaning.is_several())
        {
            let message = format!("a {} runs on one host, but {name:?} may be several", kind.word);
            let help = "give the target exactly = 1, or repeat the step for each host with for_each";
            self.reader.error(place(table, "on"), message, help);
        }
        on
    }

    /// Judges the name of a place.
    pub(super) fn place_named(&mut self, name: &At<&str>, help: &str) {
        let (message, help) = match self.names.find(name.value) {
            NameFound::Known(meaning) if meaning.is_place() => return,
            NameFound::Known(_) => (format!("{:?} is not a host to run on", name.value), help.to_owned()),
            NameFound::Sometimes(step) => (
                format!("{:?} may be unknown here", name.value),
                format!("step {step:?} sets it under a condition: put this under the same `when`"),
            ),
            NameFound::Later => (
                format!("{:?} is not known yet: a later step sets it", name.value),
                "set it in an earlier step".to_owned(),
            ),
            NameFound::Unknown => {
                let known = self.names.usable();
                let help = nearest(name.value, known.iter().map(String::as_str))
                    .map_or_else(|| help.to_owned(), |near| format!("did you mean {near:?}?"));
                (format!("unknown target {:?}", name.value), help)
            }
        };
        self.reader.error(name.span.clone(), message, help);
    }

    /// Whether a name is known to mean one host.
    pub(super) fn is_one(&self, name: &str) -> bool {
        match self.names.find(name) {
            NameFound::Known(meaning) => !meaning.is_several() && meaning != Meaning::Anything,
            _ => false,
        }
    }

    /// A step that holds no others.
    fn single(
        &mut self,
        table: &Table<'_>,
        entry: &KindEntry,
        read: fn(&mut Self, &Table<'_>, &StepHead) -> Option<Arc<dyn StepKind>>,
        common: StepHead,
    ) -> Option<Step> {
        let title = self.title(table, entry);
        let why = self.text(table, "why", Use::Shown);
        let pre = self.checks(table, "pre", &common.on);
        let kind = read(self, table, &common);
        let asked = kind.as_ref().and_then(|kind| kind.answers_like());
        let expect = self.expects(table, asked.as_ref(), &common.on);
        let read_back = self.checks(table, "read_back", &common.on);
        let done_if = self.checks(table, "done_if", &common.on);
        let captured = self.captures(table, asked.as_ref());
        let sensitive = self.reader.boolean(table, "sensitive").unwrap_or(false);
        for (capture, span) in &captured {
            if capture.sensitive && !sensitive {
                let message =
                    format!("the secret {:?} is captured from output that is shown and kept", capture.name);
                self.reader.error(span.clone(), message, "add sensitive = true to the step");
            }
            let meaning = Meaning::Value { kind: capture.kind, secret: capture.sensitive, place: false };
            self.bring(&capture.name, meaning, &common.id, span.clone());
        }
        self.bring_of(kind.as_deref(), &common.id, table);
        let undo = self.undo(table, &common.on);
        let lasts = self.lasts(table, &common);
        let limits = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
        let timeout = self.reader.duration(table, "timeout", limits.clone()).unwrap_or(entry.timeout);
        let flag = |reading: &mut Self, key| reading.reader.boolean(table, key).unwrap_or(false);
        let mut step = Step {
            id: common.id,
            title: title.unwrap_or_default(),
            why,
            on: common.on,
            when: common.when,
            pre,
            expect,
            capture: captured.into_iter().map(|(c, _)| c).collect(),
            sensitive,
            effect: common.effect,
            read_back,
            done_if,
            undo: Undo::Nothing,
            point_of_no_return: flag(self, "point_of_no_return"),
            safe_point: flag(self, "safe_point"),
            writes: self.writes(table, common.effect),
            lasts,
            timeout,
            retries: self
                .reader
                .integer(table, "retries", 0..=20)
                .and_then(|n| u8::try_from(n).ok())
                .unwrap_or(0),
            on_fail: self.on_fail(table),
            max_dwell: self.reader.duration(table, "max_dwell", limits),
            impact: self.text(table, "impact", Use::Shown),
            always: flag(self, "always"),
            confirm: Confirming::No,
            detached: flag(self, "detached"),
            kind: kind?,
            inside: Vec::new(),
        };
        (entry.rules)(self, table, &mut step);
        step.undo = self.judge(table, entry, &step, undo);
        Some(step)
    }

    /// The variable that a kind brings by itself.
    fn bring_of(&mut self, kind: Option<&dyn StepKind>, id: &str, table: &Table<'_>) {
        let Some(Brings { name, kind, secret, key }) = kind.and_then(StepKind::brings) else { return };
        let meaning = Meaning::Value { kind, secret, place: kind == ValueKind::Host };
        self.bring(name, meaning, id, place(table, key));
    }
}

impl StepHead {
    /// A step that holds others.
    pub(in crate::runbook) fn holding(
        self,
        title: Template,
        kind: Arc<dyn StepKind>,
        inside: Vec<Inside>,
    ) -> Step {
        Step {
            id: self.id,
            title,
            why: None,
            on: On::Nowhere,
            when: self.when,
            pre: Vec::new(),
            kind,
            inside,
            expect: Vec::new(),
            capture: Vec::new(),
            sensitive: false,
            effect: Effect::Read,
            read_back: Vec::new(),
            done_if: Vec::new(),
            undo: Undo::Nothing,
            point_of_no_return: false,
            safe_point: false,
            writes: None,
            lasts: None,
            timeout: Duration::ZERO,
            retries: 0,
            on_fail: OnFail::Stop,
            max_dwell: None,
            impact: None,
            always: false,
            confirm: Confirming::No,
            detached: false,
        }
    }
}
