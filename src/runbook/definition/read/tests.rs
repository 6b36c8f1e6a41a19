#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
use std::time::Duration;

use super::*;
use crate::runbook::definition::{Confirming, On, OnFail, RoleOf, Select, Undo};
use crate::runbook::template::Template;
use crate::runbook::value::ValueKind;

const HEAD: &str = r#"
title = "t"
summary = "s"
danger = "data"
[[input]]
name = "candidate"
label = "Which?"
kind = "host"
[[target]]
name = "old"
role = "masterdb"
exactly = 1
[[target]]
name = "replicas"
role = "db"
except = ["old"]
"#;

const FREEZE: &str = r#"
[[step]]
id = "go"
kind = "confirm"
title = "t"
text = "Writes stop on {old}"
covers = ["freeze"]
[[step]]
id = "freeze"
kind = "sql"
title = "Freeze {old}: no more writes on {host}"
on = "old"
why = "…"
when = [{ value = "{level}", not = "test" }]
pre = [{ says = "{candidate} follows", on = "candidate", sql = "SHOW ALL SLAVES STATUS", expect = [{ column = "Slave_IO_Running", is = "Yes" }, { rows = true, is = 1 }] }]
sql = "SET GLOBAL read_only = 1"
capture = [{ name = "g", kind = "gtid", column = "pos" }]
effect = "mutate"
read_back = [{ says = "{host} is read-only", sql = "SELECT @@read_only", expect = [{ is = "1" }] }]
undo = { sql = "SET GLOBAL read_only = 0", read_back = [{ says = "it is not", sql = "SELECT @@read_only", expect = [{ is = "0" }] }] }
timeout = "45s"
on_fail = { skip = "it is frozen by hand" }
max_dwell = "30s"
safe_point = true
"#;

fn none(_: &str) -> Option<(String, String)> {
    None
}

fn read(name: &str, body: &str, includes: Includes<'_>) -> Result<Runbook, String> {
    let text = format!("name = {name:?}\n{HEAD}{body}");
    let read = Runbook::read(&format!("runbooks/{name}.toml"), &text, includes);
    read.map_err(|errors| errors.iter().map(|e| format!("{e}\n")).collect())
}

#[test]
fn a_step_is_read_with_all_it_says() {
    let runbook = read("a", FREEZE, &none).unwrap();
    assert_eq!((runbook.name.as_str(), runbook.inputs.len(), runbook.hash.len()), ("a", 1, 64));
    assert_eq!((runbook.targets[0].at_least, runbook.targets[0].at_most), (1, Some(1)));
    let [go, freeze] = runbook.steps.as_slice() else { panic!("{:?}", runbook.steps) };
    assert_eq!(go.why.as_ref().unwrap().to_string(), "Writes stop on {old}");
    assert_eq!(freeze.on, On::Named("old".to_owned()));
    assert_eq!(freeze.confirm, Confirming::CoveredBy("go".to_owned()));
    assert_eq!((freeze.timeout, freeze.max_dwell), (Duration::from_secs(45), Some(Duration::from_secs(30))));
    assert_eq!(freeze.on_fail, OnFail::Skip(Template::plain("it is frozen by hand")));
    assert_eq!(freeze.pre[0].on, Some(On::Named("candidate".to_owned())));
    assert_eq!((freeze.pre[0].expect.len(), freeze.read_back.len()), (2, 1));
    assert_eq!((freeze.capture[0].kind, freeze.safe_point), (ValueKind::Gtid, true));
    assert!(
        matches!(&freeze.undo, Undo::By { kind, read_back, .. } if kind.entry().word == "sql" && read_back.len() == 1)
    );
}

#[test]
fn who_confirms_a_change_is_told_by_what_covers_it() {
    let body = FREEZE.replace("covers = [\"freeze\"]", "");
    assert_eq!(read("a", &body, &none).unwrap().steps[1].confirm, Confirming::Asked);
    // To cover what holds steps is to cover the changes in it.
    let inner = FREEZE.split_once("[[step]]\nid = \"freeze\"").unwrap();
    let body = format!(
        "{}[[step]]\nid = \"each\"\nkind = \"for_each\"\nover = \"replicas\"\nitem = \"one\"\n[[step.step]]\nid = \"freeze\"{}",
        inner.0.replace("\"freeze\"", "\"each\""),
        inner.1.replace("on = \"old\"", "on = \"one\"")
    );
    let runbook = read("a", &body, &none).unwrap();
    let each = &runbook.steps[1];
    assert_eq!(each.kind.lines(), ["replicas, 1 at a time, as one; 0 may fail"]);
    assert_eq!(each.inside[0].steps[0].confirm, Confirming::CoveredBy("go".to_owned()));
}

const PART: &str = "part = true\nneeds = [\"candidate\"]\n[[step]]\nid = \"look\"\nkind = \"check\"\ntitle = \"{candidate.address}\"\non = \"candidate\"\nrun = \"true\"\n";
const INCLUDE: &str = "[[step]]\nid = \"inc\"\nkind = \"include\"\nrunbook = \"part\"\n";

#[test]
fn parts_stand_in_place_of_their_include() {
    let parts =
        |name: &str| (name == "part").then(|| ("x/part.toml".to_owned(), format!("name = \"part\"\n{PART}")));
    let runbook = read("a", INCLUDE, &parts).unwrap();
    assert_eq!(runbook.steps[0].id, "inc/look");
    assert_eq!(runbook.sources.len(), 2);
    let again = Runbook::from_sources(&runbook.sources).unwrap();
    assert_eq!((again.hash.as_str(), again.steps.len()), (runbook.hash.as_str(), 1));
    let other = |name: &str| parts(name).map(|(file, text)| (file, text + "\n"));
    assert_ne!(read("a", INCLUDE, &other).unwrap().hash, runbook.hash);
    let under = format!("{INCLUDE}when = [{{ value = \"{{level}}\", is = \"test\" }}]\n");
    let runbook = read("a", &under, &parts).unwrap();
    let [step] = runbook.steps.as_slice() else { panic!("{:?}", runbook.steps) };
    let [inside] = step.inside.as_slice() else { panic!("{step:?}") };
    assert_eq!((inside.steps[0].id.as_str(), step.when.len()), ("inc/look", 1));
    // By itself it is sound as well.
    let alone = parse("part.toml", &format!("name = \"part\"\n{PART}"), &none).unwrap();
    assert!(alone.part && alone.runbook.inputs.is_empty());
}

/// What a part leaves in effect is ended by a step of what includes it, or by one of the part itself.
#[test]
fn a_later_step_of_what_includes_a_part_ends_what_the_part_leaves_in_effect() {
    let change = "[[step]]\nid = \"look\"\nkind = \"run\"\ntitle = \"t\"\non = \"jump\"\nrun = \"true\"\neffect = \"mutate\"\nread_back = [{ says = \"x\", run = \"true\" }]\nundo = { not_needed = \"x\" }\n";
    let part = format!(
        "name = \"part\"\npart = true\n{change}lasts = {{ says = \"It lies there\", until = [\"gone\"] }}\n"
    );
    let parts = |_: &str| Some(("x/part.toml".to_owned(), part.clone()));
    let gone = change.replace("look", "gone");
    let runbook = read("a", &format!("{INCLUDE}{gone}"), &parts).unwrap();
    let lasts = runbook.steps[0].lasts.as_ref().unwrap();
    assert_eq!(lasts.until, ["inc/gone", "gone"]);
    assert!(parse("part.toml", &part, &none).unwrap().part);
    let errors = read("a", INCLUDE, &parts).unwrap_err();
    assert!(
        errors.contains("unknown step \"gone\": the part says that it ends what \"inc/look\" begins"),
        "{errors}"
    );
    assert!(errors.starts_with("runbooks/a.toml:"), "{errors}");
    let errors = read("a", &format!("{gone}{INCLUDE}"), &parts).unwrap_err();
    assert!(errors.contains("step \"gone\" comes before \"inc/look\""), "{errors}");
}

#[test]
fn a_mistake_in_a_part_is_told_at_its_place_there() {
    let wrong = PART.replace("candidate.address", "candidate.adress");
    let parts = |_: &str| Some(("x/part.toml".to_owned(), format!("name = \"part\"\n{wrong}")));
    assert_eq!(read("a", INCLUDE, &parts).unwrap_err(), "x/part.toml:7:10: {candidate} has no \"adress\"\n");
}

#[test]
fn a_ring_of_includes_is_told_with_the_way_round() {
    let parts = |name: &str| {
        let other = if name == "one" { "two" } else { "one" };
        let text = format!(
            "name = \"{name}\"\npart = true\n[[step]]\nid = \"i\"\nkind = \"include\"\nrunbook = \"{other}\"\n"
        );
        Some((format!("{name}.toml"), text))
    };
    let body = INCLUDE.replace("\"part\"", "\"one\"");
    let errors = read("a", &body, &parts).unwrap_err();
    assert_eq!(errors, "two.toml:6:11: \"one\" includes itself: one → two → one\n");
}

#[test]
fn what_a_part_captures_is_known_after_it_and_an_elected_host_is_a_place() {
    let part = "name = \"part\"\npart = true\n[[step]]\nid = \"pos\"\nkind = \"check\"\ntitle = \"t\"\non = \"replicas\"\nsql = \"SELECT 1\"\ncapture = [{ name = \"at\", kind = \"position\" }]\n".replace("part = true", "part = true\nneeds = [\"replicas\"]");
    let parts = |_: &str| Some(("part.toml".to_owned(), part.clone()));
    let elect = "[[step]]\nid = \"e\"\nkind = \"elect\"\ntitle = \"t\"\non = \"replicas\"\nby = [\"at\"]\ninto = \"best\"\n";
    let use_it = "[[target]]\nname = \"others\"\nrole = \"db\"\nexcept = [\"best\"]\n[[step]]\nid = \"u\"\nkind = \"check\"\ntitle = \"{best.address} {host}\"\non = \"best\"\nsql = \"SELECT {at.file}, {at.offset}\"\nexpect = [{ empty = false }]\n";
    let runbook = read("a", &format!("{INCLUDE}{elect}{use_it}"), &parts).unwrap();
    assert_eq!(runbook.steps.len(), 3);
    let errors = read("a", &format!("{INCLUDE}{use_it}{elect}"), &parts).unwrap_err();
    assert!(errors.contains("\"best\" is not known yet: a later step sets it"), "{errors}");
}

/// Issue 11, part 2: one runbook for every role that has code.
#[test]
fn a_role_may_be_what_an_input_before_it_says() {
    let body = |kind: &str, role: &str| {
        format!(
            "[[input]]\nname = \"kind_of\"\nlabel = \"Which role?\"\nkind = \"{kind}\"\n[[input]]\nname = \"first\"\n\
             label = \"Which host?\"\nkind = \"host\"\nrole = \"{role}\"\n[[target]]\nname = \"several\"\nrole = \"{role}\"\n\
             [[step]]\nid = \"n\"\nkind = \"note\"\ntitle = \"t\"\ntext = \"t\"\n"
        )
    };
    let runbook = read("a", &body("word", "{kind_of}"), &none).unwrap();
    let meant = RoleOf::Input("kind_of".to_owned());
    let target = runbook.targets.iter().find(|target| target.name == "several").unwrap();
    assert_eq!(target.select, Select::Role(meant.clone()));
    assert_eq!(runbook.inputs.iter().find(|input| input.name == "first").unwrap().role, Some(meant));
    for (kind, role) in
        [("text", "{kind_of}"), ("word", "{other}"), ("word", "{first}"), ("word", "{kind_of")]
    {
        let errors = read("a", &body(kind, role), &none).unwrap_err();
        assert!(
            errors.contains("not an earlier input of kind word") || errors.contains("role"),
            "{kind} {role}: {errors}"
        );
    }
}

#[test]
fn an_unfinished_file_is_no_reason_to_panic() {
    let whole = format!("name = \"a\"\n{HEAD}{FREEZE}{INCLUDE}");
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        let _ = Runbook::read("a.toml", &whole[..end], &none);
    }
}

#[test]
fn the_example_of_the_documentation_is_sound() {
    let docs = include_str!("../../../../docs/runbooks.md");
    let example = docs.split("`freeze.toml`:\n\n```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let runbook = Runbook::read("freeze.toml", example, &none).unwrap();
    assert_eq!(runbook.steps.len(), 3);
}

#[test]
fn the_documentation_names_every_kind_of_step_and_of_value() {
    let docs = include_str!("../../../../docs/runbooks.md");
    let kinds = crate::runbook::kinds::KINDS.iter().map(|kind| kind.word);
    for kind in kinds.chain(ValueKind::ALL.iter().map(|(word, _)| *word)) {
        assert!(docs.contains(&format!("| `{kind}` |")), "{kind}");
    }
}
