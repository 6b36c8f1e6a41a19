//! Which variables a step uses to be done: what it asks or does, where, and what it judges by. Pure. Imports `spec`,
//! `template`.

use std::collections::BTreeSet;

use super::spec::{Act, Ask, Change, Check, Condition, Edit, Expect, On, SaltCall, Script, Step, Test};
use super::template::Template;

type Names<'s> = BTreeSet<&'s str>;

/// The variables a step uses, its proofs and its way back aside.
#[must_use]
pub(super) fn names(step: &Step) -> Names<'_> {
    let mut names = Names::new();
    place(&step.on, &mut names);
    act(&step.act, &mut names);
    step.pre.iter().for_each(|one| check(one, &mut names));
    step.expect.iter().for_each(|one| expect(one, &mut names));
    names
}

/// The variables that conditions rest on.
#[must_use]
pub(super) fn conditions<'s>(conditions: impl Iterator<Item = &'s Condition>) -> Names<'s> {
    let mut names = Names::new();
    for condition in conditions {
        template(&condition.value, &mut names);
        test(&condition.test, &mut names);
    }
    names
}

fn template<'s>(text: &'s Template, names: &mut Names<'s>) {
    names.extend(text.variables().map(|variable| variable.name.as_str()));
}

fn place<'s>(on: &'s On, names: &mut Names<'s>) {
    if let On::Named(name) = on {
        names.insert(name);
    }
}

fn script<'s>(script: &'s Script, names: &mut Names<'s>) {
    names.extend(script.with.iter().chain(&script.secrets).map(|variable| variable.name.as_str()));
}

fn salt<'s>(call: &'s SaltCall, names: &mut Names<'s>) {
    call.arguments.iter().for_each(|argument| template(argument, names));
}

fn edit<'s>(edit: &'s Edit, names: &mut Names<'s>) {
    template(&edit.file, names);
    template(&edit.message, names);
    for change in &edit.changes {
        match change {
            Change::Key { value, .. } | Change::Line { put: value, .. } => template(value, names),
            Change::Bump { .. } => {}
        }
    }
}

fn ask<'s>(ask: &'s Ask, names: &mut Names<'s>) {
    match ask {
        Ask::Run(text) => script(text, names),
        Ask::Sql(sql) => template(&sql.text, names),
        Ask::Salt(call) => salt(call, names),
        Ask::Value(text) => template(text, names),
    }
}

fn act<'s>(act: &'s Act, names: &mut Names<'s>) {
    match act {
        Act::Check(question) | Act::WaitUntil { ask: question, .. } => ask(question, names),
        Act::Run(text) | Act::Fence(text) => script(text, names),
        Act::Sql(sql) | Act::Hold { sql, .. } => template(&sql.text, names),
        Act::Salt(call) => salt(call, names),
        Act::Edit(change) => edit(change, names),
        Act::HostKey(key) => {
            [&key.key, &key.fingerprint, &key.address].into_iter().for_each(|text| template(text, names));
        }
        Act::Elect { by, .. } => names.extend(by.iter().map(String::as_str)),
        // What is told to people stands for itself; what holds others is unrolled.
        Act::Note(_)
        | Act::Input(_)
        | Act::Manual { .. }
        | Act::Confirm { .. }
        | Act::Challenge { .. }
        | Act::Approve { .. }
        | Act::ForEach { .. }
        | Act::Branch { .. }
        | Act::Report => {}
    }
}

fn check<'s>(check: &'s Check, names: &mut Names<'s>) {
    check.on.iter().for_each(|on| place(on, names));
    ask(&check.ask, names);
    check.expect.iter().for_each(|one| expect(one, names));
}

fn expect<'s>(expect: &'s Expect, names: &mut Names<'s>) {
    test(&expect.test, names);
}

fn test<'s>(test: &'s Test, names: &mut Names<'s>) {
    match test {
        Test::Is(text) | Test::IsNot(text) | Test::GtidCovers(text) | Test::GtidIs(text) => {
            template(text, names);
        }
        Test::OneOf(all) => all.iter().for_each(|text| template(text, names)),
        Test::Matches(_) | Test::AtLeast(_) | Test::AtMost(_) | Test::Empty(_) | Test::Any => {}
    }
}
