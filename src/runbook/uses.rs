//! Which variables a step uses to be done: what it asks or does, where, and what it judges by. Pure.

use super::definition::{Ask, Check, Condition, Expect, On, SaltCall, Script, Step, Test};
use super::kinds::Used;
use super::template::Template;

/// The variables a step uses, its proofs and its way back aside.
#[must_use]
pub(super) fn names(step: &Step) -> Used<'_> {
    let mut names = Used::new();
    place(&step.on, &mut names);
    step.kind.uses(&mut names);
    step.pre.iter().for_each(|one| check(one, &mut names));
    step.expect.iter().for_each(|one| expect(one, &mut names));
    names
}

/// The variables that conditions rest on.
#[must_use]
pub(super) fn conditions<'s>(conditions: impl Iterator<Item = &'s Condition>) -> Used<'s> {
    let mut names = Used::new();
    for condition in conditions {
        template(&condition.value, &mut names);
        test(&condition.test, &mut names);
    }
    names
}

/// The variables of it.
pub(super) fn template<'s>(text: &'s Template, names: &mut Used<'s>) {
    names.extend(text.variables().map(|variable| variable.name.as_str()));
}

fn place<'s>(on: &'s On, names: &mut Used<'s>) {
    if let On::Named(name) = on {
        names.insert(name);
    }
}

/// The variables of it.
pub(super) fn script<'s>(script: &'s Script, names: &mut Used<'s>) {
    names.extend(script.with.iter().chain(&script.secrets).map(|variable| variable.name.as_str()));
}

/// The variables of it.
pub(super) fn salt<'s>(call: &'s SaltCall, names: &mut Used<'s>) {
    call.arguments.iter().for_each(|argument| template(argument, names));
}

/// The variables of it.
pub(super) fn ask<'s>(ask: &'s Ask, names: &mut Used<'s>) {
    match ask {
        Ask::Run(text) => script(text, names),
        Ask::Sql(sql) => template(&sql.text, names),
        Ask::Salt(call) => salt(call, names),
        Ask::Value(text) => template(text, names),
    }
}

fn check<'s>(check: &'s Check, names: &mut Used<'s>) {
    check.on.iter().for_each(|on| place(on, names));
    ask(&check.ask, names);
    check.expect.iter().for_each(|one| expect(one, names));
}

fn expect<'s>(expect: &'s Expect, names: &mut Used<'s>) {
    test(&expect.test, names);
}

fn test<'s>(test: &'s Test, names: &mut Used<'s>) {
    match test {
        Test::Is(text) | Test::IsNot(text) | Test::GtidCovers(text) | Test::GtidIs(text) => {
            template(text, names);
        }
        Test::OneOf(all) => all.iter().for_each(|text| template(text, names)),
        Test::Matches(_) | Test::AtLeast(_) | Test::AtMost(_) | Test::Empty(_) | Test::Any => {}
    }
}
