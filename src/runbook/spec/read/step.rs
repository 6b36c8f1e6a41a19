//! Steps: the keys they have in common, and the rules that hold between them.

use std::time::Duration;

use crate::config::reader::{At, Table};
use crate::domain::run::Effect;

use super::kinds::{KINDS, Sort, common_keys, own_keys, sort};
use super::names::{Found, Meaning};
use super::text::Use;
use super::{Reading, is_name, place};
use crate::config::diagnostic::nearest;
use crate::runbook::spec::{Act, Ask, Condition, Confirming, On, OnFail, Step, Undo, Writes};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

/// What was read of a step before its kind's own keys.
pub(super) struct Common {
    /// Its whole id.
    pub(super) id: String,
    pub(super) on: On,
    pub(super) effect: Effect,
    when: Vec<Condition>,
}

impl Common {
    /// What is known to hold where its conditions do, and what where they do not.
    pub(super) fn both_ways(&self) -> (Vec<String>, String) {
        let yes: Vec<String> = self.when.iter().map(|c| format!("{} {:?}", c.value, c.test)).collect();
        let no = format!("not: {}", yes.join(" and "));
        (yes, no)
    }
}

impl Reading<'_> {
    /// Reads a step, or the steps that stand for it.
    pub(super) fn step(&mut self, table: &Table<'_>, out: &mut Vec<Step>) {
        let Some(kind) = self.step_kind(table) else { return };
        self.reader.only(table, &[common_keys(kind), own_keys(kind)].concat());
        let id = self.id(table);
        let when = self.when(table);
        let on = self.step_on(table, kind);
        let effect = self.effect(table, kind);
        let common = Common { id, on, effect, when };
        let group = (sort(kind) == Sort::Holds).then_some(kind);
        self.ids.note(&common.id, place(table, "id"), effect, group);
        let host = std::mem::replace(&mut self.names.host, common.on != On::Nowhere);
        match kind {
            "include" => self.included(table, common, out),
            "branch" => {
                let title = self.title(table, kind);
                let act = self.branch(table, &common);
                out.extend(act.zip(title).map(|(act, title)| plain(common, title, act)));
            }
            _ => {
                let (yes, _) = common.both_ways();
                let entered = self.names.enter(yes);
                let step = match kind {
                    "for_each" => {
                        let title = self.title(table, kind);
                        let act = self.for_each(table, &common);
                        act.zip(title).map(|(act, title)| plain(common, title, act))
                    }
                    _ => self.single(table, kind, common),
                };
                self.names.leave(&entered);
                out.extend(step);
            }
        }
        self.names.host = host;
    }

    fn step_kind(&mut self, table: &Table<'_>) -> Option<&'static str> {
        let help = format!("write kind = one of \"{}\"", KINDS.join("\", \""));
        let kind = self.need_string(table, "kind", &help)?;
        let found = KINDS.into_iter().find(|k| *k == kind.value);
        if found.is_none() {
            let help = match nearest(kind.value, KINDS) {
                Some(near) => format!("did you mean {near:?}?"),
                None => help,
            };
            self.reader.error(kind.span, format!("unknown kind of step {:?}", kind.value), help);
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
            let message = format!("step {:?} is there twice", id.value);
            self.reader.conflict(
                id.span,
                message,
                (first, "first here"),
                "rename one of the two or remove it",
            );
        } else if self.ids.is_taken(&full) {
            self.reader.error(id.span, format!("step {full:?} is there twice"), "rename one of the two");
        }
        full
    }

    fn title(&mut self, table: &Table<'_>, kind: &str) -> Option<Template> {
        if table.get("title").is_none() && matches!(kind, "for_each" | "branch" | "include" | "report") {
            return Some(Template::plain(if kind == "report" { "Report" } else { "" }));
        }
        let help = "write title = \"Freeze {old}: no more writes\", one line";
        let text = self.need_string(table, "title", help)?;
        if text.value.contains('\n') {
            self.reader.error(text.span.clone(), "a title of several lines", help);
        }
        Some(self.template(&text, Use::Shown))
    }

    /// Where a step runs, and whether its kind may run there.
    fn step_on(&mut self, table: &Table<'_>, kind: &str) -> On {
        let quiet = matches!(kind, "note" | "input" | "confirm" | "challenge" | "approve" | "report");
        let Some(on) = self.on(table) else {
            let needs = sort(kind) == Sort::Does && kind != "edit" || kind == "elect";
            if needs && table.get("on").is_none() {
                let help = "add on = the name of a target, of a host input, of an elected host, or \"jump\"";
                self.reader.error(table.span.clone(), "it is not said where this step runs", help);
            }
            return if kind == "edit" { On::Jump } else { On::Nowhere };
        };
        if quiet {
            let message = format!("a {kind} runs on no host");
            self.reader.error(place(table, "on"), message, "remove it");
        }
        let single = matches!(kind, "hold" | "edit" | "host_key" | "manual");
        if single
            && let On::Named(name) = &on
            && matches!(self.names.find(name), Found::Known(meaning) if meaning.is_several())
        {
            let message = format!("a {kind} on several hosts: {name:?} may be more than one");
            let help = "let the target have exactly = 1, or go over its hosts by for_each";
            self.reader.error(place(table, "on"), message, help);
        }
        on
    }

    /// Judges the name of a place.
    pub(super) fn place_named(&mut self, name: &At<&str>, help: &str) {
        let (message, help) = match self.names.find(name.value) {
            Found::Known(meaning) if meaning.is_place() => return,
            Found::Known(_) => (format!("{:?} is no host to run on", name.value), help.to_owned()),
            Found::Sometimes(step) => (
                format!("{:?} is not known on every way here", name.value),
                format!("step {step:?} brings it under a condition: put this under the same `when`"),
            ),
            Found::Later => (
                format!("{:?} is not known yet: a later step brings it", name.value),
                "bring it in a step before this one".to_owned(),
            ),
            Found::Unknown => {
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
            Found::Known(meaning) => !meaning.is_several() && meaning != Meaning::Anything,
            _ => false,
        }
    }

    fn included(&mut self, table: &Table<'_>, common: Common, out: &mut Vec<Step>) {
        let title = self.title(table, "include").unwrap_or_default();
        self.names.host = false;
        let (yes, _) = common.both_ways();
        let entered = self.names.enter(yes);
        let steps = self.include(table, &common);
        self.names.leave(&entered);
        let Some(steps) = steps else { return };
        if common.when.is_empty() {
            out.extend(steps);
        } else {
            out.push(plain(common, title, Act::Branch { steps, otherwise: Vec::new() }));
        }
    }

    /// A step that holds no others.
    fn single(&mut self, table: &Table<'_>, kind: &str, common: Common) -> Option<Step> {
        let title = self.title(table, kind);
        let why = self.why(table, kind);
        let pre = self.checks(table, "pre", &common.on);
        let act = self.act(table, kind, &common);
        let asked = act.as_ref().and_then(as_ask);
        let expect = self.expects(table, asked.as_ref(), &common.on);
        let read_back = self.checks(table, "read_back", &common.on);
        let done_if = self.checks(table, "done_if", &common.on);
        let captured = self.captures(table, asked.as_ref());
        let sensitive = self.reader.boolean(table, "sensitive").unwrap_or(false);
        for (capture, span) in &captured {
            if capture.sensitive && !sensitive {
                let message =
                    format!("the secret {:?} stands in an output that is shown and kept", capture.name);
                self.reader.error(span.clone(), message, "add sensitive = true to the step");
            }
            let meaning = Meaning::Value { kind: capture.kind, secret: capture.sensitive, place: false };
            self.bring(&capture.name, meaning, &common.id, span.clone());
        }
        self.bring_of(act.as_ref(), &common.id, table);
        let undo = self.undo(table, &common.on);
        let limits = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
        let usual = Duration::from_secs(if kind == "salt" { 120 } else { 30 });
        let timeout = self.reader.duration(table, "timeout", limits.clone()).unwrap_or(usual);
        let flag = |reading: &mut Self, key| reading.reader.boolean(table, key).unwrap_or(false);
        let step = Step {
            id: common.id,
            title: title.unwrap_or_default(),
            why,
            on: common.on,
            when: common.when,
            pre,
            expect,
            capture: captured.into_iter().map(|(c, _)| c).collect(),
            sensitive: sensitive && kind != "input",
            effect: common.effect,
            read_back,
            done_if,
            undo: Undo::Nothing,
            point_of_no_return: flag(self, "point_of_no_return"),
            safe_point: flag(self, "safe_point"),
            writes: table.get("writes").and_then(|_| {
                self.reader.word(table, "writes", &[("stop", Writes::Stop), ("resume", Writes::Resume)])
            }),
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
            act: act?,
        };
        let undo = self.judge(table, kind, &step, undo);
        Some(Step { undo, ..step })
    }

    /// Why; a confirmation's text is its why.
    fn why(&mut self, table: &Table<'_>, kind: &str) -> Option<Template> {
        let why = self.text(table, "why", Use::Shown);
        if kind != "confirm" {
            return why;
        }
        let text = self.text(table, "text", Use::Shown);
        if why.is_some() && text.is_some() {
            let message = "a confirmation with both why and text";
            self.reader.error(place(table, "text"), message, "keep one of the two");
        }
        why.or(text)
    }

    /// The variables that an act brings by itself.
    fn bring_of(&mut self, act: Option<&Act>, id: &str, table: &Table<'_>) {
        let (name, kind, secret, key) = match act {
            Some(Act::Input(input)) => (&input.name, input.kind, input.sensitive, "name"),
            Some(Act::Manual { state: Some((name, kind)), .. }) => (name, *kind, false, "state"),
            Some(Act::Elect { into, .. }) => (into, ValueKind::Host, false, "into"),
            _ => return,
        };
        let meaning = Meaning::Value { kind, secret, place: kind == ValueKind::Host };
        self.bring(name, meaning, id, place(table, key));
    }
}

/// What the answer to a step's act is like, for what picks a part of it.
fn as_ask(act: &Act) -> Option<Ask> {
    match act {
        Act::Check(ask) | Act::WaitUntil { ask, .. } => Some(ask.clone()),
        Act::Run(script) | Act::Fence(script) => Some(Ask::Run(script.clone())),
        Act::Sql(sql) | Act::Hold { sql, .. } => Some(Ask::Sql(sql.clone())),
        Act::Salt(call) => Some(Ask::Salt(call.clone())),
        _ => None,
    }
}

/// A step that holds others.
fn plain(common: Common, title: Template, act: Act) -> Step {
    Step {
        id: common.id,
        title,
        why: None,
        on: On::Nowhere,
        when: common.when,
        pre: Vec::new(),
        act,
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
