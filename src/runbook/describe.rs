//! Runbooks in words: conditions, expectations; for plans and screens, before values are known.

use std::collections::BTreeMap;
use std::time::Duration;

use super::definition::{Across, Condition, Expect, Pick, Test};
use super::place::Place;
use super::template::{Part, Template};
use super::wall::duration;
use jumpdeck_fleet::text::Clean;

/// A text of several lines as one: what an author or an operator wrote is told in running text.
#[must_use]
pub fn prose(text: &str) -> Clean {
    Clean::new(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Condition {
    /// What must hold: `using_gtid is "No"`.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} {}", bare(&self.value), self.test.words())
    }
}

/// What holds when these conditions do not all hold: `using_gtid is "No"` for `using_gtid is not "No"`.
#[must_use]
pub fn opposite(conditions: &[Condition]) -> Option<String> {
    match conditions {
        [] => None,
        [one] => Some(format!("{} {}", bare(&one.value), one.test.opposite())),
        all => {
            let all: Vec<String> = all.iter().map(Condition::words).collect();
            Some(format!("not all of: {}", all.join(", ")))
        }
    }
}

/// Conditions that must all hold: `when a is "1" and b is not "2"`. None: nothing to say.
#[must_use]
pub fn when(conditions: &[Condition]) -> Option<String> {
    joined("when", conditions)
}

/// The other way of a branch: `unless a is "1" and b is not "2"`.
#[must_use]
pub fn unless(conditions: &[Condition]) -> Option<String> {
    joined("unless", conditions)
}

fn joined(word: &str, conditions: &[Condition]) -> Option<String> {
    let all: Vec<String> = conditions.iter().map(Condition::words).collect();
    (!all.is_empty()).then(|| format!("{word} {}", all.join(" and ")))
}

impl Expect {
    /// What must be seen: `Slave_IO_Running is "Yes"`, `server_id differs on every host`.
    #[must_use]
    pub fn words(&self) -> String {
        let part = match &self.pick {
            Pick::Whole => "the answer".to_owned(),
            Pick::Column(name) => name.clone(),
            Pick::Rows => "the number of rows".to_owned(),
            Pick::Match(regex) => format!("what matches {regex}"),
            Pick::Json(path) => format!("{path} of its JSON"),
        };
        match self.across {
            None => format!("{part} {}", self.test.words()),
            Some(Across::Unique) => format!("{part} differs on every host"),
            Some(Across::Same) => format!("{part} is the same on every host"),
            Some(Across::Exactly(count)) => {
                let hosts = if count == 1 { "host" } else { "hosts" };
                format!("{part} {} on exactly {count} {hosts}", self.test.words())
            }
        }
    }
}

impl Test {
    /// What holds when it does not.
    fn opposite(&self) -> String {
        match self {
            Self::Is(text) => Self::IsNot(text.clone()).words(),
            Self::IsNot(text) => Self::Is(text.clone()).words(),
            Self::Empty(empty) => Self::Empty(!empty).words(),
            Self::OneOf(_) => self.words().replacen("is one of", "is none of", 1),
            Self::Matches(regex) => format!("does not match {regex}"),
            Self::AtLeast(number) => format!("is less than {number}"),
            Self::AtMost(number) => format!("is more than {number}"),
            Self::GtidCovers(_) => self.words().replacen("has everything", "lacks something", 1),
            Self::GtidIs(_) => self.words().replacen("is exactly", "is not exactly", 1),
            Self::Any => "is not there".to_owned(),
        }
    }

    /// What must hold: `is "1"`, `is at least 3`.
    #[must_use]
    pub fn words(&self) -> String {
        let quoted = |text: &Template| match text.parts.as_slice() {
            [Part::Variable(variable)] => variable.to_string(),
            _ => format!("{:?}", text.to_string()),
        };
        match self {
            Self::Is(text) => format!("is {}", quoted(text)),
            Self::IsNot(text) => format!("is not {}", quoted(text)),
            Self::OneOf(all) => {
                format!("is one of {}", all.iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
            Self::Matches(regex) => format!("matches {regex}"),
            Self::AtLeast(number) => format!("is at least {number}"),
            Self::AtMost(number) => format!("is at most {number}"),
            Self::Empty(true) => "is empty".to_owned(),
            Self::Empty(false) => "is not empty".to_owned(),
            Self::GtidCovers(text) => format!("has everything up to {}", quoted(text)),
            Self::GtidIs(text) => format!("is exactly the position {}", quoted(text)),
            Self::Any => "is anything".to_owned(),
        }
    }
}

/// What a window promises, in a line.
pub(super) fn limited(limit: Duration) -> String {
    format!(
        "no questions inside; if it does not succeed within {}, it is undone at once",
        duration(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
    )
}

/// The steps that a yes is for, in words; nothing for none.
pub(super) fn covered(covers: &[String]) -> Vec<String> {
    if covers.is_empty() { Vec::new() } else { vec![format!("for {}", covers.join(", "))] }
}

/// The commands of a step, for who agrees to them. The same text for several places is shown once; the places are
/// named when other places have another text.
pub(super) fn commands(shown: BTreeMap<Place, String>) -> Vec<Clean> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (place, text) in shown {
        let name = place.to_string();
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![name])),
        }
    }
    let several = groups.len() > 1;
    let mut lines = Vec::new();
    for (text, names) in groups {
        if several {
            lines.push(Clean::new(&format!("    on {}:", names.join(", "))));
        }
        let indent = if several { "      " } else { "    " };
        lines.extend(Clean::lines(&text).iter().map(|line| Clean::new(&format!("{indent}{line}"))));
    }
    lines
}

/// A template that is one variable, without its braces.
fn bare(template: &Template) -> String {
    match template.parts.as_slice() {
        [Part::Variable(variable)] => variable.to_string(),
        _ => format!("{:?}", template.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jumpdeck_fleet::names::HostName;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn the_same_command_on_many_hosts_stands_there_once() {
        let shown = |texts: &[(&str, &str)]| {
            let place = |name: &str| Place::Host(HostName::new(name).unwrap());
            let shown = texts.iter().map(|(name, text)| (place(name), (*text).to_owned())).collect();
            commands(shown).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(&[("app1", "a\nb"), ("app2", "a\nb")]), ["    a", "    b"]);
        assert_eq!(
            shown(&[("app1", "a"), ("app2", "b"), ("app3", "a")]),
            ["    on app1, app3:", "      a", "    on app2:", "      b"]
        );
        assert_eq!(shown(&[]), Vec::<String>::new());
    }

    #[test]
    fn conditions_and_expectations_are_told_in_words() {
        let gtid = Condition { value: template("{mode}"), test: Test::Is(template("gtid")) };
        let level = Condition { value: template("{level}"), test: Test::IsNot(template("test")) };
        assert_eq!(gtid.words(), "mode is \"gtid\"");
        assert_eq!(unless(&[gtid, level]).unwrap(), "unless mode is \"gtid\" and level is not \"test\"");
        assert_eq!(when(&[]), None);
        // Console finding 35: the other branch is told as what holds there.
        let not_no = Condition { value: template("{using_gtid}"), test: Test::IsNot(template("No")) };
        assert_eq!(opposite(std::slice::from_ref(&not_no)).unwrap(), "using_gtid is \"No\"");
        let level = || Condition { value: template("{level}"), test: Test::Is(template("test")) };
        assert_eq!(opposite(&[level()]).unwrap(), "level is not \"test\"");
        assert_eq!(
            opposite(&[not_no, level()]).unwrap(),
            "not all of: using_gtid is not \"No\", level is \"test\""
        );
        let expect = |pick, test, across| Expect { pick, test, across }.words();
        let column = || Pick::Column("read_only".to_owned());
        assert_eq!(expect(column(), Test::Is(template("{x}")), None), "read_only is x");
        assert_eq!(expect(column(), Test::Any, Some(Across::Unique)), "read_only differs on every host");
        assert_eq!(
            expect(column(), Test::Is(template("0")), Some(Across::Exactly(1))),
            "read_only is \"0\" on exactly 1 host"
        );
        assert_eq!(expect(Pick::Rows, Test::AtLeast(2.0), None), "the number of rows is at least 2");
    }
}
