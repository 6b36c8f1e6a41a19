//! What an answer says, and whether that is what was expected. Pure.

use std::collections::BTreeMap;

use super::definition::{Across, Capture, Condition, Expect, Pick, Test};
use super::event::ProvedFact;
use super::place::Place;
use super::scope::{Scope, ScopeError};
use super::template::Template;
use super::value::{Value, ValueError, gtid};

/// What a command, a statement or Salt said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HostAnswer {
    /// All of it.
    pub text: String,
    /// Rows of SQL, the names of the columns first; none when it was no SQL.
    pub rows: Option<Vec<Vec<String>>>,
}

impl HostAnswer {
    /// The answer of a script.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), rows: None }
    }

    /// The answer of the MariaDB client in batch mode: the names of the columns, then rows, parted by tabs; line ends
    /// and tabs inside values are escaped by the client.
    #[must_use]
    pub fn of_sql(text: &str) -> Self {
        let rows = text.lines().map(|line| line.split('\t').map(unescape).collect()).collect();
        Self { text: text.to_owned(), rows: Some(rows) }
    }

    /// A part of it; `Err` says why there is none.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn pick(&self, pick: &Pick) -> Result<String, String> {
        match pick {
            Pick::Whole => match &self.rows {
                // A single value needs no column's name.
                Some(rows) => match rows.as_slice() {
                    [] => Ok(String::new()),
                    [_names] => Ok(String::new()),
                    [_, one] if one.len() == 1 => Ok(one.first().cloned().unwrap_or_default()),
                    _ => Ok(self.text.trim().to_owned()),
                },
                None => Ok(self.text.trim().to_owned()),
            },
            Pick::Column(name) => self.column(name),
            Pick::Rows => Ok(match &self.rows {
                Some(rows) => rows.len().saturating_sub(1),
                None => self.text.lines().filter(|l| !l.trim().is_empty()).count(),
            }
            .to_string()),
            Pick::Match(regex) => {
                let found =
                    regex.captures(self.text.trim_end()).ok_or_else(|| format!("nothing matches {regex}"))?;
                let group = found.get(1).or_else(|| found.get(0));
                Ok(group.map(|m| m.as_str().to_owned()).unwrap_or_default())
            }
            Pick::Json(path) => json(&self.text, path),
        }
    }

    fn column(&self, name: &str) -> Result<String, String> {
        let rows = self.rows.as_deref().unwrap_or_default();
        let (names, row) = match rows {
            [names, row] => (names, row),
            [] | [_] => return Err("expected 1 row, got none".to_owned()),
            more => return Err(format!("expected 1 row, got {}", more.len() - 1)),
        };
        let at = names.iter().position(|n| n.eq_ignore_ascii_case(name));
        let value = at.and_then(|at| row.get(at)).cloned();
        value.ok_or_else(|| format!("there is no column {name}"))
    }
}

/// What the client escapes in batch mode.
fn unescape(field: &str) -> String {
    let mut text = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('0') => text.push('\0'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    text
}

fn json(text: &str, path: &str) -> Result<String, String> {
    let root: serde_json::Value =
        serde_json::from_str(text.trim()).map_err(|_| "it is not JSON".to_owned())?;
    let mut here = &root;
    for key in path.split('.').filter(|k| !k.is_empty()) {
        let next = match here {
            serde_json::Value::Array(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
            other => other.get(key),
        };
        here = next.ok_or_else(|| format!("its JSON has no {path}"))?;
    }
    Ok(match here {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// Whether a test holds for a text; `Err` says what was wanted.
fn holds(
    test: &Test,
    seen: &str,
    text: &dyn Fn(&Template) -> Result<String, ScopeError>,
) -> Result<bool, ScopeError> {
    let same = |wanted: &Template| Ok::<_, ScopeError>(seen == text(wanted)?);
    let number = seen.trim().parse::<f64>().ok();
    Ok(match test {
        Test::Is(wanted) => same(wanted)?,
        Test::IsNot(wanted) => !same(wanted)?,
        Test::OneOf(all) => {
            let mut any = false;
            for wanted in all {
                any |= same(wanted)?;
            }
            any
        }
        Test::Matches(regex) => regex.is_match(seen),
        Test::AtLeast(least) => number.is_some_and(|n| n >= *least),
        Test::AtMost(most) => number.is_some_and(|n| n <= *most),
        Test::Empty(empty) => seen.trim().is_empty() == *empty,
        Test::GtidCovers(wanted) => gtid::covers(seen, &text(wanted)?).unwrap_or(false),
        Test::GtidIs(wanted) => {
            let wanted = gtid::normal(&text(wanted)?);
            wanted.is_some() && gtid::normal(seen) == wanted
        }
        Test::Any => true,
    })
}

/// What a test wants, in words.
fn wanted(test: &Test, show: &dyn Fn(&Template) -> String) -> String {
    match test {
        Test::Is(t) => format!("{:?}", show(t)),
        Test::IsNot(t) => format!("anything but {:?}", show(t)),
        Test::OneOf(all) => {
            let all: Vec<String> = all.iter().map(|t| format!("{:?}", show(t))).collect();
            format!("one of {}", all.join(", "))
        }
        Test::Matches(regex) => format!("a match of {regex}"),
        Test::AtLeast(n) => format!("at least {n}"),
        Test::AtMost(n) => format!("at most {n}"),
        Test::Empty(true) => "nothing".to_owned(),
        Test::Empty(false) => "something".to_owned(),
        Test::GtidCovers(t) => format!("everything up to {}", show(t)),
        Test::GtidIs(t) => format!("exactly {}", show(t)),
        Test::Any => "anything".to_owned(),
    }
}

fn name_of(pick: &Pick) -> Option<String> {
    match pick {
        Pick::Whole | Pick::Match(_) => None,
        Pick::Column(name) => Some(name.clone()),
        Pick::Rows => Some("rows".to_owned()),
        Pick::Json(path) => Some(path.clone()),
    }
}

/// A value that is as expected is one of many facts: this much of it is shown.
const SHOWN: usize = 120;
/// Of one that is not as expected an operator needs more: it names what is to be looked after.
const SHOWN_WRONG: usize = 480;

/// A value short enough for one line. Secrets give way first: of one that is cut, nobody would find the rest.
fn short(text: &str, hide: Hide<'_>) -> String {
    let line = hide(text).trim().replace('\n', " / ");
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// A value that is not as expected: its first lines, and how many there are when they are not all.
fn wrong_value(text: &str, hide: Hide<'_>) -> String {
    let hidden = hide(text);
    let lines: Vec<&str> = hidden.trim().lines().collect();
    let whole = lines.join(" / ");
    let Some((most, _)) = whole.char_indices().nth(SHOWN_WRONG) else { return whole };
    let mut end = 0;
    let fits = lines.iter().take_while(|line| {
        end += line.len() + " / ".len();
        end <= most
    });
    match fits.count() {
        // One long line is cut where it is long.
        0 => format!("{}…", whole.get(..most).unwrap_or_default()),
        fits => {
            let first = lines.get(..fits).unwrap_or_default().join(" / ");
            format!("{first} / … ({fits} of {} lines)", lines.len())
        }
    }
}

/// Makes secrets in a text unreadable.
pub type Hide<'a> = &'a dyn Fn(&str) -> String;

/// Judges the answers of a question, place by place: a fact for each, that holds when every expectation
/// does. `says` is told to each.
#[must_use]
pub fn judge(
    says: &dyn Fn(&Scope<'_>) -> String,
    expect: &[Expect],
    answers: &BTreeMap<Place, Result<HostAnswer, String>>,
    scope: Scope<'_>,
    hide: Hide<'_>,
) -> Vec<ProvedFact> {
    let mut facts: BTreeMap<&Place, ProvedFact> = BTreeMap::new();
    for (host, answer) in answers {
        let here = scope.on(host.host());
        let mut seen = Vec::new();
        let mut wrong = None;
        match answer {
            Err(why) => wrong = Some(why.clone()),
            Ok(answer) => {
                for expect in expect {
                    match alone(expect, answer, here, hide) {
                        Ok(said) => seen.push(said),
                        Err(why) => wrong = wrong.or(Some(why)),
                    }
                }
                if expect.is_empty() {
                    seen.push(short(&answer.text, hide));
                }
            }
        }
        seen.retain(|s| !s.is_empty());
        seen.dedup();
        let holds = wrong.is_none();
        let seen = wrong.unwrap_or_else(|| seen.join(", "));
        facts.insert(host, ProvedFact { says: says(&here), host: host.clone(), seen, holds });
    }
    for expect in expect.iter().filter(|e| e.across.is_some()) {
        if let Some(why) = together(expect, answers, scope, hide) {
            for fact in facts.values_mut().filter(|fact| fact.holds) {
                (fact.holds, fact.seen) = (false, why.clone());
            }
        }
    }
    facts.into_values().collect()
}

/// One host's part of an expectation: what was seen, or what is wrong.
fn alone(expect: &Expect, answer: &HostAnswer, scope: Scope<'_>, hide: Hide<'_>) -> Result<String, String> {
    let seen = answer.pick(&expect.pick)?;
    let told = match name_of(&expect.pick) {
        Some(name) => format!("{name} {}", short(&seen, hide)),
        None => short(&seen, hide),
    };
    if expect.across.is_some() {
        return Ok(told);
    }
    match holds(&expect.test, &seen, &|t| scope.text(t)) {
        Ok(true) => Ok(told),
        Ok(false) => {
            let wanted = wanted(&expect.test, &|t| scope.shown(t));
            Err(match &expect.pick {
                Pick::Rows => counted(&expect.test, &wanted, &seen, scope),
                Pick::Whole | Pick::Column(_) | Pick::Match(_) | Pick::Json(_) => {
                    let name = name_of(&expect.pick).map(|name| format!("{name}: ")).unwrap_or_default();
                    let got = wrong_value(&seen, hide);
                    let got = if got.is_empty() { "nothing".to_owned() } else { got };
                    format!("{name}expected {wanted}, got {got}")
                }
            })
        }
        Err(error) => Err(error.to_string()),
    }
}

/// `expected 1 row, got 2`.
fn counted(test: &Test, wanted: &str, seen: &str, scope: Scope<'_>) -> String {
    match test {
        Test::Is(number) => {
            let number = scope.shown(number);
            let rows = if number == "1" { "row" } else { "rows" };
            format!("expected {number} {rows}, got {seen}")
        }
        Test::IsNot(_)
        | Test::OneOf(_)
        | Test::Matches(_)
        | Test::AtLeast(_)
        | Test::AtMost(_)
        | Test::Empty(_)
        | Test::GtidCovers(_)
        | Test::GtidIs(_)
        | Test::Any => format!("rows: expected {wanted}, got {seen}"),
    }
}

/// An expectation over all hosts: why it does not hold, when it does not.
fn together(
    expect: &Expect,
    answers: &BTreeMap<Place, Result<HostAnswer, String>>,
    scope: Scope<'_>,
    hide: Hide<'_>,
) -> Option<String> {
    let mut seen: Vec<(&Place, String)> = Vec::new();
    for (host, answer) in answers {
        let Ok(answer) = answer else { continue };
        if let Ok(value) = answer.pick(&expect.pick) {
            seen.push((host, value));
        }
    }
    let what = name_of(&expect.pick).unwrap_or_else(|| "the answer".to_owned());
    match expect.across? {
        Across::Unique => {
            let mut by_value: BTreeMap<&str, &Place> = BTreeMap::new();
            for (host, value) in &seen {
                if let Some(other) = by_value.insert(value, host) {
                    let value = short(value, hide);
                    return Some(format!("{what} is {value} on {other} and on {host}"));
                }
            }
            None
        }
        Across::Same => {
            let (first_host, first) = seen.first()?;
            let (host, other) = seen.iter().find(|(_, v)| v != first)?;
            Some(format!(
                "{what} is {} on {first_host} and {} on {host}",
                short(first, hide),
                short(other, hide)
            ))
        }
        Across::Exactly(count) => {
            let there: Vec<&str> = seen
                .iter()
                .filter(|(host, v)| {
                    let here = scope.on(host.host());
                    holds(&expect.test, v, &|t| here.text(t)).unwrap_or(false)
                })
                .map(|(host, _)| host.as_str())
                .collect();
            (there.len() != count).then(|| {
                let which = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                let wanted = wanted(&expect.test, &|t| scope.shown(t));
                format!(
                    "{what}: expected {wanted} on {count} {}, got it on {which}",
                    if count == 1 { "host" } else { "hosts" }
                )
            })
        }
    }
}

/// Whether an answer is as expected, before there is a run: no variable has a value yet.
#[must_use]
pub fn is_as_expected(expect: &[Expect], answer: &HostAnswer) -> bool {
    let text = |t: &Template| t.fill(|v| Err(ScopeError::Unknown(v.to_string())));
    expect.iter().all(|expect| {
        let seen = answer.pick(&expect.pick);
        seen.is_ok_and(|seen| holds(&expect.test, &seen, &text).unwrap_or(false))
    })
}

/// What is kept of an answer.
///
/// # Errors
/// When a part is not there or does not fit its kind: which, and why.
pub fn capture(
    captures: &[Capture],
    answer: &HostAnswer,
    hide: Hide<'_>,
) -> Result<Vec<(String, Value)>, String> {
    let mut values = Vec::new();
    for capture in captures {
        let text = answer.pick(&capture.pick).map_err(|why| format!("{}: {why}", capture.name))?;
        let value = match capture.sensitive {
            true => Value::secret(capture.kind, &text),
            false => Value::new(capture.kind, &text),
        };
        // What came is cut to be told: secrets in it give way first.
        let value = value.map_err(|error| match Value::new(capture.kind, &hide(&text)) {
            Err(hidden) if !capture.sensitive => hidden,
            Err(_) | Ok(_) => ValueError { value: "…".to_owned(), ..error },
        });
        values.push((capture.name.clone(), value.map_err(|e| format!("{}: {e}", capture.name))?));
    }
    Ok(values)
}

/// Whether a condition holds. One that rests on something unknown does not: the error says on what.
///
/// # Errors
/// What is not known.
pub fn condition(condition: &Condition, scope: &Scope<'_>) -> Result<bool, ScopeError> {
    holds(&condition.test, &scope.text(&condition.value)?, &|t| scope.text(t))
}

/// Why a condition does not hold, in words with its values: why a step does not apply.
#[must_use]
pub fn unmet(condition: &Condition, scope: &Scope<'_>) -> String {
    let (what, seen) = (condition.value.to_string(), scope.shown(&condition.value));
    differs(&what, &seen, &condition.test, &|t| scope.shown(t))
}

fn differs(what: &str, seen: &str, test: &Test, show: &dyn Fn(&Template) -> String) -> String {
    match test {
        Test::IsNot(_) => format!("{what} is {seen:?}"),
        Test::Empty(true) => format!("{what} is not empty"),
        Test::Empty(false) => format!("{what} is empty"),
        Test::Is(_)
        | Test::OneOf(_)
        | Test::Matches(_)
        | Test::AtLeast(_)
        | Test::AtMost(_)
        | Test::GtidCovers(_)
        | Test::GtidIs(_)
        | Test::Any => format!("{what} is {seen:?}, not {}", wanted(test, show)),
    }
}

#[cfg(test)]
mod tests;
