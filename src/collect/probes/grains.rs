//! Level and roles, from the host's own Salt grains: the file, or Salt itself where there is no file.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use crate::domain::fact::Gap;
use crate::domain::names::RoleName;
use crate::domain::snapshot::{Grains as Said, HostFacts};
use crate::domain::text::Clean;
use crate::domain::time::Moment;

/// Roles that a host may name: more are no roles of a real host, and each is judged and drawn again every second.
const MAX_ROLES: usize = 256;

/// Nodes that aliases of the file may add: `*a` repeats all that `&a` marks, and aliases of aliases multiply.
const MAX_REPLAYED: usize = 4_096;

pub(super) struct Grains;

impl Probe for Grains {
    fn name(&self) -> &'static str {
        "grains"
    }

    fn script(&self) -> &'static str {
        // salt-call costs seconds of CPU: asked once, then every twentieth time this section is asked for.
        r#"
        probe_grains() {
            if [ -e /etc/salt/grains ]; then
                say @file
                slurp /etc/salt/grains && return
                [ -n "$SUDO" ] || { jd_out="/etc/salt/grains: Permission denied$NL"; return 126; }
                apart grains 3 $SUDO cat /etc/salt/grains
                return
            fi
            command -v salt-call >/dev/null || { say @none; return 0; }
            if [ "${grains_turn:-0}" -gt 0 ]; then
                grains_turn=$((grains_turn - 1)) jd_out=$grains_said
                return "$grains_status"
            fi
            say @salt-call
            apart grains 4 $SUDO salt-call --local --retcode-passthrough --out=json grains.item level roles
            grains_status=$? grains_said=$jd_out grains_turn=20
            return "$grains_status"
        }
        "#
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
struct Wanted {
    #[serde(default)]
    level: Value,
    #[serde(default)]
    roles: Value,
}

fn parse(raw: &Raw) -> Result<Said, Gap> {
    if raw.status != 0 && raw.text.contains("a password is required") {
        return Err(Gap::NotPermitted(last_line(&raw.text)));
    }
    if raw.status != 0 && raw.status != 124 && raw.text.starts_with('@') {
        return Err(Gap::Failed(last_line(&raw.text)));
    }
    let text = raw.ok()?;
    if text == "@none\n" {
        return Err(Gap::NotInstalled);
    }
    if let Some(file) = text.strip_prefix("@file\n") {
        // As Salt's own reader does: of a key that stands twice, the last one counts.
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        };
        let wanted: Result<Option<Wanted>, _> = serde_saphyr::from_str_with_options(file, options);
        let wanted = wanted.map_err(|e| unreadable(&format!("/etc/salt/grains: {e}")))?;
        return said(&wanted.unwrap_or_default());
    }
    if let Some(answer) = text.strip_prefix("@salt-call\n") {
        // Warnings may stand before it.
        let json = answer.find('{').and_then(|start| answer.get(start..)).unwrap_or_default();
        let value: Value = serde_json::Deserializer::from_str(json)
            .into_iter()
            .next()
            .and_then(Result::ok)
            .ok_or_else(|| unreadable(answer))?;
        let local = value.get("local").cloned().unwrap_or_default();
        let wanted: Wanted = serde_json::from_value(local).map_err(|_| unreadable(answer))?;
        return said(&wanted);
    }
    Err(unreadable(text))
}

fn last_line(text: &str) -> Clean {
    Clean::first_line(text.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or_default(), 200)
}

fn said(wanted: &Wanted) -> Result<Said, Gap> {
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
            let limit = format!("its grains name more than {MAX_ROLES} roles: jumpdeck reads no more");
            return Err(unreadable(&limit));
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
        parse(&Raw { status: 0, text: format!("@file\n{text}") })
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

    #[test]
    fn salt_call() {
        let answer = |status, text: &str| parse(&Raw { status, text: format!("@salt-call\n{text}") });
        let warned = "[WARNING ] something\n{\n    \"local\": {\n        \"level\": \"production\",\n        \"roles\": [\"app\"]\n    }\n}\n";
        let said = answer(0, warned).unwrap();
        assert_eq!((said.level.as_ref().unwrap().as_str(), names(&said)), ("production", vec!["app"]));
        assert_eq!(answer(0, "{\"local\": {\"level\": \"\", \"roles\": \"\"}}").unwrap(), Said::default());
        assert_eq!(answer(124, ""), Err(Gap::TimedOut));
        assert!(matches!(answer(1, "sudo: a password is required\n"), Err(Gap::NotPermitted(_))));
        assert!(
            matches!(answer(1, "Traceback\nKeyError: 'x'\n"), Err(Gap::Failed(f)) if f.as_str() == "KeyError: 'x'")
        );
        assert!(matches!(answer(0, "nothing"), Err(Gap::Unreadable(_))));
    }

    #[test]
    fn what_is_no_grains_is_unreadable() {
        for odd in ["[1, 2", "level: [", "- a\n- b\n", "\u{0}\u{1}", "level: &a [*a]"] {
            assert!(matches!(file(odd), Err(Gap::Unreadable(_))), "{odd:?}");
        }
        assert_eq!(parse(&Raw { status: 0, text: "@none\n".into() }), Err(Gap::NotInstalled));
        assert!(matches!(parse(&Raw { status: 127, text: String::new() }), Err(Gap::NoTool(_))));
        let denied = Raw { status: 126, text: "/etc/salt/grains: Permission denied\n".into() };
        assert!(matches!(parse(&denied), Err(Gap::NotPermitted(_))));
    }

    #[test]
    fn more_roles_than_are_read_are_told_as_our_own_limit() {
        let list = |count: usize| (0..count).map(|n| format!("r{n}")).collect::<Vec<_>>().join(", ");
        let most = file(&format!("roles: [{}]\n", list(MAX_ROLES))).unwrap();
        assert_eq!(most.roles.unwrap().len(), MAX_ROLES);
        let odd = "'!', ".repeat(MAX_ROLES);
        for roles in [list(39_000), format!("{odd}{}", list(1))] {
            let Err(Gap::Unreadable(said)) = file(&format!("roles: [{roles}]\n")) else { panic!("read") };
            assert!(said.as_str().contains("256 roles") && said.as_str().contains("jumpdeck"), "{said}");
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
        fn nothing_panics(text in "(@file\n|@salt-call\n)?(level:|roles:|[-\\[\\]{},:&*!|>'\" \n]|\\PC)*") {
            let _ = parse(&Raw { status: 0, text });
        }
    }
}
