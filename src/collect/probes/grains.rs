//! Level and roles, from the host's own Salt grains, read from every place that Salt merges: `grains:` in the minion's
//! configuration wins over grains that a module computes, which win over `/etc/salt/grains`.
//!
//! Files are read, and merged here. Salt itself is asked where a module of the fleet's own speaks of levels or roles, and
//! where there is no file. What a program says on standard error is a reason, never data.

mod merge;

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::names::RoleName;
use jumpdeck_fleet::snapshot::{Grains as Said, HostFacts};
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

/// Roles that a host may name: more are no roles of a real host, and each is judged and drawn again every second.
const MAX_ROLES: usize = 256;
pub(super) struct GrainsProbe;

impl Probe for GrainsProbe {
    fn name(&self) -> &'static str {
        "grains"
    }

    fn script(&self) -> &'static str {
        include_str!("grains/probe.sh")
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.grains.take(raw.and_then(parse), at);
    }
}

/// The two grains we want, whatever else there is.
#[derive(Deserialize, Default)]
struct WantedGrains {
    #[serde(default)]
    level: Value,
    #[serde(default)]
    roles: Value,
}

fn parse(raw: &Raw) -> Result<Said, Gap> {
    let text = raw.ok()?;
    match text.split_once('\n') {
        Some(("@none", _)) => Err(Gap::NotInstalled),
        Some(("@files", files)) => said(&merge::files(files)?),
        Some(("@salt-call", answer)) => said(&salt_call(answer)?),
        Some(_) | None => Err(unreadable(text)),
    }
}

/// What `salt-call` printed, then `@status N`, then a line `!MESSAGE` for each of its messages.
fn salt_call(text: &str) -> Result<WantedGrains, Gap> {
    let (answer, rest) = text.rsplit_once("\n@status ").ok_or_else(|| unreadable(text))?;
    let (status, messages) = rest.split_once('\n').unwrap_or((rest, ""));
    let said = reason(messages.lines().filter_map(|l| l.strip_prefix('!')));
    let silent = format!("salt-call ended with status {} and printed nothing", status.trim());
    let why = || Clean::first_line(if said.is_empty() { &silent } else { said }, 200);
    match status.trim() {
        "0" => {}
        "124" | "137" | "143" => return Err(Gap::TimedOut),
        "127" => return Err(Gap::NoTool("sudo or salt-call".into())),
        _ if messages.contains("a password is required") => return Err(Gap::NotPermitted(why())),
        _ => return Err(Gap::Failed(why())),
    }
    // Warnings of its own may stand before it, each on a line that starts otherwise.
    let start = if answer.starts_with('{') { Some(0) } else { answer.find("\n{").map(|at| at + 1) };
    let json = start.and_then(|at| answer.get(at..)).unwrap_or_default();
    let value: Option<Value> =
        serde_json::Deserializer::from_str(json).into_iter().next().and_then(Result::ok);
    let local = value.as_ref().and_then(|v| v.get("local")).ok_or_else(|| unreadable(answer))?;
    serde_json::from_value(local.clone()).map_err(|_| unreadable(answer))
}

/// The line that says why: the last one that says something. What sudo and the shells remark on any host is no reason.
fn reason<'a>(messages: impl DoubleEndedIterator<Item = &'a str> + Clone) -> &'a str {
    const REMARKS: &[&str] =
        &["unable to resolve host", "warning: setlocale", "cannot change locale", "perl: warning"];
    let told = messages.rev().filter(|l| !l.trim().is_empty());
    let mut first = told.clone();
    told.clone().find(|l| !REMARKS.iter().any(|r| l.contains(r))).or_else(|| first.next()).unwrap_or_default()
}

fn said(wanted: &WantedGrains) -> Result<Said, Gap> {
    let mut said = Said { level: word(&wanted.level).map(|w| Clean::new(&w)), ..Said::default() };
    let named = match &wanted.roles {
        Value::Array(roles) => roles.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut known = HashSet::new();
    let mut roles = Vec::new();
    for role in named.iter().filter_map(word) {
        match RoleName::new(&role) {
            Ok(role) => {
                if known.insert(role.clone()) {
                    roles.push(role);
                }
            }
            Err(_) => said.odd_roles.push(Clean::new(&role)),
        }
        // A part of them would be judged as if it were all.
        if roles.len() + said.odd_roles.len() > MAX_ROLES {
            let limit = format!("its grains name more than {MAX_ROLES} roles");
            return Err(Gap::Cut(Clean::new(&limit)));
        }
    }
    // `roles: []` says that it has none; no `roles` says nothing.
    if !roles.is_empty() || wanted.roles.is_array() || !said.odd_roles.is_empty() {
        said.roles = Some(roles);
    }
    Ok(said)
}

/// A scalar as it was written; nothing for null and the empty text (Salt prints that for a grain that is not there).
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn file(text: &str) -> Result<Said, Gap> {
        parse(&Raw { status: 0, text: format!("@files\n@conf grains /etc/salt/grains\n{text}") })
    }

    fn names(said: &Said) -> Vec<&str> {
        said.roles.iter().flatten().map(RoleName::as_str).collect()
    }

    #[test]
    fn the_file_in_the_forms_people_write() {
        let both =
            file("# by hand\nlevel: production\nroles:\n  - db\n  - masterdb\n  - db\nother: {a: [1, 2]}\n")
                .unwrap();
        assert_eq!(both.level.as_ref().unwrap().as_str(), "production");
        assert_eq!(names(&both), ["db", "masterdb"]);
        assert_eq!(names(&file("roles: [app, jobrunner]\n").unwrap()), ["app", "jobrunner"]);
        assert_eq!(names(&file("roles: salt\nlevel: 'staging'\n").unwrap()), ["salt"]);
        assert_eq!(file("level: a\nlevel: b\n").unwrap().level.unwrap().as_str(), "b");
        assert_eq!(file("level: 1\n").unwrap().level.unwrap().as_str(), "1");
    }

    #[test]
    fn missing_and_empty_are_not_the_same() {
        let none = file("").unwrap();
        assert_eq!(none, Said::default());
        assert_eq!(file("# nothing\n").unwrap(), Said::default());
        assert_eq!(file("level:\nroles:\n").unwrap(), Said::default());
        assert_eq!(file("roles: []\n").unwrap().roles, Some(Vec::new()));
    }

    #[test]
    fn odd_roles_are_shown_never_used() {
        let odd = file("roles: [db, 'a;rm -rf /', \"x\\e[2J\"]\nlevel: \"\\e[31mprod\"\n").unwrap();
        assert_eq!(names(&odd), ["db"]);
        assert_eq!(odd.odd_roles.iter().map(Clean::as_str).collect::<Vec<_>>(), ["a;rm -rf /", "x^[[2J"]);
        assert_eq!(odd.level.unwrap().as_str(), "^[[31mprod");
    }

    /// What `salt-call` prints, with its exit status and messages.
    fn call(answer: &str, status: u8, messages: &str) -> Result<Said, Gap> {
        let messages: String = messages.lines().map(|l| format!("!{l}\n")).collect();
        parse(&Raw { status: 0, text: format!("@salt-call\n{answer}\n@status {status}\n{messages}") })
    }

    #[test]
    fn salt_s_own_answer() {
        let json = "{\n    \"local\": {\n        \"level\": \"production\",\n        \"roles\": [\"app\"]\n    }\n}\n";
        for before in ["", "[WARNING ] something {odd}\n"] {
            let said = call(&format!("{before}{json}"), 0, "").unwrap();
            assert_eq!((said.level.as_ref().unwrap().as_str(), names(&said)), ("production", vec!["app"]));
        }
        assert_eq!(call("{\"local\": {\"level\": \"\", \"roles\": \"\"}}", 0, "").unwrap(), Said::default());
        assert_eq!(call("", 124, ""), Err(Gap::TimedOut));
        assert_eq!(parse(&Raw { status: 124, text: "@salt-call\n".into() }), Err(Gap::TimedOut));
        assert!(matches!(call("", 1, "sudo: a password is required"), Err(Gap::NotPermitted(_))));
        assert!(matches!(call("", 127, "sudo: salt-call: command not found"), Err(Gap::NoTool(_))));
        assert!(matches!(call("nothing", 0, ""), Err(Gap::Unreadable(_))));
        assert!(matches!(call("{\"local\": 3}", 0, ""), Err(Gap::Unreadable(_))));
    }

    /// Case 08: the traceback of a grain that fails holds braces, and Salt answers well.
    #[test]
    fn a_traceback_is_no_answer() {
        let traceback = "Traceback (most recent call last):\n  File \"rack.py\", line 2, in rack\n    return {\"rack\": open(\"/etc/rack\").read()}\nFileNotFoundError: [Errno 2]\n";
        let said = call("{\"local\": {\"level\": \"production\"}}", 0, traceback).unwrap();
        assert_eq!(said.level.unwrap().as_str(), "production");
        assert_eq!(call("", 1, traceback), Err(Gap::Failed("FileNotFoundError: [Errno 2]".into())));
    }

    /// Case 03: what sudo remarks on a host whose name it cannot resolve is not why it failed.
    #[test]
    fn a_remark_is_no_reason() {
        let remark = "sudo: unable to resolve host app1: Name or service not known";
        for messages in
            [format!("{remark}\nsalt: no disk space\n"), format!("salt: no disk space\n{remark}\n")]
        {
            assert_eq!(call("", 1, &messages), Err(Gap::Failed("salt: no disk space".into())));
        }
        assert_eq!(call("", 1, remark), Err(Gap::Failed(remark.into())));
    }

    #[test]
    fn what_is_no_grains_is_unreadable() {
        for odd in ["[1, 2", "level: [", "- a\n- b\n", "\u{0}\u{1}", "level: &a [*a]"] {
            assert!(matches!(file(odd), Err(Gap::Unreadable(_))), "{odd:?}");
        }
        assert_eq!(parse(&Raw { status: 0, text: "@none\n".into() }), Err(Gap::NotInstalled));
        assert!(matches!(parse(&Raw { status: 127, text: "cat\n".into() }), Err(Gap::NoTool(_))));
        assert!(matches!(parse(&Raw { status: 0, text: String::new() }), Err(Gap::Unreadable(_))));
    }

    #[test]
    fn more_roles_than_are_read_are_told_as_our_own_limit() {
        let list = |count: usize| (0..count).map(|n| format!("r{n}")).collect::<Vec<_>>().join(", ");
        let most = file(&format!("roles: [{}]\n", list(MAX_ROLES))).unwrap();
        assert_eq!(most.roles.unwrap().len(), MAX_ROLES);
        let odd = "'!', ".repeat(MAX_ROLES);
        for roles in [list(39_000), format!("{odd}{}", list(1))] {
            let Err(gap @ Gap::Cut(_)) = file(&format!("roles: [{roles}]\n")) else { panic!("read") };
            assert_eq!(gap.describe(), "cut by jumpdeck: its grains name more than 256 roles");
        }
        // The same one again is no more roles.
        assert_eq!(names(&file(&format!("roles: [{}]\n", "db, ".repeat(40_000))).unwrap()), ["db"]);
    }

    #[test]
    fn aliases_do_not_multiply() {
        let bomb = |width: usize| {
            let mut text = format!("a0: &a0 [{}]\n", "x, ".repeat(width));
            for level in 1..8 {
                let below = format!("*a{}, ", level - 1).repeat(width);
                text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
            }
            text + "roles: *a7\n"
        };
        for width in [2, 9] {
            let said = file(&bomb(width));
            assert!(width == 2 || matches!(said, Err(Gap::Unreadable(_))), "{said:?}");
        }
        assert_eq!(names(&file("common: &c [db, app]\nroles: *c\n").unwrap()), ["db", "app"]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(@files\n|@salt-call\n)?(@conf main /m\n|level:|roles:|[-\\[\\]{},:&*!|>'\" \n]|\\PC)*") {
            let _ = parse(&Raw { status: 0, text });
        }
    }
}
