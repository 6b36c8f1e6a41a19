//! Inputs that answer themselves: database servers are asked what a runbook wants to know, where it says so
//! (`find`). Only reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use zeroize::Zeroizing;

use super::{choices, named};
use crate::runbook::act::client;
use crate::runbook::definition::{Find, Finds, Input, Pick, Runbook};
use crate::runbook::judge::{self, HostAnswer};
use crate::runbook::value::Value;
use crate::transport::HostSessions;
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::names::HostName;

/// A server that has not answered in this time is not known.
const LIMIT: Duration = Duration::from_secs(15);

/// What facts say of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// They answer it.
    Value {
        /// With this.
        value: String,
        /// Why, in words.
        because: String,
    },
    /// They do not: why.
    Nothing(String),
}

/// Asks what answers an input, when `given` is what is known of the inputs before it; `None` when the runbook does not
/// say what does.
pub async fn find(
    runbook: &Runbook,
    env: &Environment,
    input: &Input,
    given: &BTreeMap<String, Zeroizing<String>>,
    reach: &dyn HostSessions,
) -> Option<Found> {
    let find = input.find.as_ref()?;
    Some(match &find.what {
        Finds::OnlyHost(expect) => {
            let known = known(runbook, given);
            let taken: Vec<String> =
                input.not.iter().flat_map(|name| named(runbook, env, &known, name, 0)).collect();
            let hosts: Vec<String> =
                choices(input, env).into_iter().filter(|host| !taken.contains(host)).collect();
            let answers = ask(env, &hosts, find, reach).await;
            only(find, &answers, |answer| judge::is_as_expected(expect, answer))
        }
        Finds::Value { on, pick } => match given.get(on) {
            None => Found::Nothing(format!("{on} is not known")),
            Some(host) => {
                let answers = ask(env, &[host.to_string()], find, reach).await;
                match answers.into_iter().next() {
                    Some((host, answer)) => value(find, input, &host, answer, pick),
                    None => Found::Nothing(format!("{on} is not a host of {}", env.name)),
                }
            }
        },
    })
}

type FindAnswers = Vec<(String, Result<HostAnswer, String>)>;

async fn ask(env: &Environment, hosts: &[String], find: &Find, reach: &dyn HostSessions) -> FindAnswers {
    let hosts = hosts.iter().filter_map(|name| env.host(&HostName::new(name).ok()?).cloned());
    let asked = hosts.map(|host: Arc<Host>| async move {
        (host.id.host.to_string(), client::look(reach, &host, &find.sql, LIMIT).await)
    });
    join_all(asked).await
}

/// The only host that answers so. One that did not answer may be another.
fn only(find: &Find, answers: &FindAnswers, fits: impl Fn(&HostAnswer) -> bool) -> Found {
    let silent: Vec<String> = answers
        .iter()
        .filter_map(|(host, answer)| answer.as_ref().err().map(|why| format!("{host}: {why}")))
        .collect();
    if !silent.is_empty() {
        return Found::Nothing(format!("not every host answered: {}", silent.join("; ")));
    }
    let fitting: Vec<&str> = answers
        .iter()
        .filter(|(_, answer)| answer.as_ref().is_ok_and(&fits))
        .map(|(host, _)| host.as_str())
        .collect();
    match fitting.as_slice() {
        [one] => Found::Value { value: (*one).to_owned(), because: find.says.clone() },
        [] => Found::Nothing(format!("no host is {}", find.says)),
        several => Found::Nothing(format!("several hosts match: {}", several.join(", "))),
    }
}

fn value(find: &Find, input: &Input, host: &str, answer: Result<HostAnswer, String>, pick: &Pick) -> Found {
    let picked = answer.and_then(|answer| answer.pick(pick));
    let fitting = picked.and_then(|text| match Value::new(input.kind, &text) {
        Ok(_) if text.is_empty() => Err("the answer is empty".to_owned()),
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    });
    match fitting {
        Ok(value) => Found::Value { value, because: format!("{}, asked on {host}", find.says) },
        Err(why) => Found::Nothing(format!("{host}: {why}")),
    }
}

/// The inputs that are known, as values. What does not fit is told when the plan is made.
fn known(runbook: &Runbook, given: &BTreeMap<String, Zeroizing<String>>) -> BTreeMap<String, Value> {
    let values = runbook.inputs.iter().filter_map(|input| {
        let text = given.get(&input.name)?;
        Some((input.name.clone(), Value::new(input.kind, text).ok()?))
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn find_of(says: &str) -> Find {
        Find { sql: String::new(), what: Finds::OnlyHost(Vec::new()), says: says.to_owned() }
    }

    fn said(text: &str) -> Result<HostAnswer, String> {
        Ok(HostAnswer::of_sql(&format!("read_only\n{text}\n")))
    }

    fn writable(answer: &HostAnswer) -> bool {
        answer.pick(&Pick::Whole).as_deref() == Ok("0")
    }

    #[test]
    fn one_host_answers_so_and_every_other_one_was_heard() {
        let find = find_of("the only one that takes writes");
        let of = |answers: &[(&str, Result<HostAnswer, String>)]| {
            let answers = answers.iter().map(|(h, a)| ((*h).to_owned(), a.clone())).collect();
            only(&find, &answers, writable)
        };
        let because = find.says.clone();
        assert_eq!(
            of(&[("a", said("0")), ("b", said("1"))]),
            Found::Value { value: "a".to_owned(), because }
        );
        let nothing = |answers: &[(&str, Result<HostAnswer, String>)], wanted: &str| match of(answers) {
            Found::Nothing(why) => assert!(why.contains(wanted), "{why}"),
            Found::Value { value, .. } => panic!("found {value}"),
        };
        nothing(&[("a", said("0")), ("b", said("0"))], "several hosts match: a, b");
        nothing(&[("a", said("1")), ("b", said("1"))], "no host is the only one");
        nothing(
            &[("a", said("0")), ("b", Err("timed out".to_owned()))],
            "not every host answered: b: timed out",
        );
        nothing(&[("a", said("NULL"))], "no host");
        nothing(&[], "no host");
    }
}
