//! What Salt prints, and what it is taken for.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn call(states: bool) -> SaltCall {
    SaltCall { function: "state.sls".to_owned(), arguments: Vec::new(), states, job: false }
}

fn places(names: &[&str]) -> Places {
    Places::hosts_of(names.iter().map(|name| HostName::new(name).unwrap())).unwrap()
}

fn of(said: &Result<String, Trouble>, host: &str, states: bool) -> Result<HostAnswer, Trouble> {
    let place = Place::from(&HostName::new(host).unwrap());
    answers(said, &places(&["app1", "app2"]), &call(states)).into_map().remove(&place).unwrap()
}

#[test]
fn each_host_has_its_own_part() {
    for (text, host, states, wanted) in [
        (r#"{"app1": "well", "app2": 7}"#, "app1", false, Ok("well")),
        (r#"{"app1": "well", "app2": {"a": [1]}}"#, "app2", false, Ok(r#"{"a":[1]}"#)),
        ("[WARNING ] old\nmore\n{\"app1\": true, \"app2\": true}\n", "app2", false, Ok("true")),
        (r#"{"app1": {"x": {"result": true}}}"#, "app1", true, Ok(r#"{"x":{"result":true}}"#)),
        (r#"{"app1": {"x": {"result": true}}}"#, "app2", true, Err("the minion did not answer")),
        (
            r#"{"app1": "Minion did not return. [No response]"}"#,
            "app1",
            false,
            Err("the minion did not answer"),
        ),
        // One that cannot be read says nothing of the others.
        (r#"{"app1": 1e999, "app2": "well"}"#, "app2", false, Ok("well")),
        (r#"{"app1": 1e999, "app2": "well"}"#, "app1", false, Err("Salt printed no JSON about app1")),
        // Cut in the middle nothing of it counts.
        (r#"{"app1": "well", "app2": "we"#, "app1", false, Err("Salt printed no JSON")),
        ("", "app1", false, Err("it printed nothing")),
        ("Salt request timed out.", "app1", false, Err("Salt request timed out.")),
    ] {
        let answer = of(&Ok(text.to_owned()), host, states);
        match (answer, wanted) {
            (Ok(answer), Ok(wanted)) => assert_eq!(answer.text, wanted, "{text}"),
            (Err(Trouble::Failed(why)), Err(wanted)) => assert!(why.contains(wanted), "{text}: {why}"),
            (answer, _) => panic!("{text} of {host}: {answer:?}"),
        }
    }
}

#[test]
fn a_long_answer_is_read_whole() {
    let long = "x".repeat(2 << 20);
    let said = Ok(format!(r#"{{"app1": "{long}", "app2": "well"}}"#));
    assert_eq!(of(&said, "app1", false).unwrap().text.len(), long.len());
    assert_eq!(of(&said, "app2", false).unwrap().text, "well");
}

#[test]
fn what_is_lost_here_may_go_on_on_the_minions_and_is_said_so() {
    let lost = on_minions(Trouble::Unknown("the jump box: gone".to_owned()));
    let Trouble::Unknown(why) = &lost else { panic!("{lost:?}") };
    assert!(why.starts_with("the jump box: gone") && why.contains("salt-run jobs.active"), "{why}");
    assert_eq!(of(&Err(lost.clone()), "app1", true), Err(lost));
    let failed = Trouble::Failed("refused; nothing was started".to_owned());
    assert_eq!(on_minions(failed.clone()), failed);
}
