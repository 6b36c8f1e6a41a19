#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::transport::StreamOutput;

const SHOW: &str = "\
+--------------------------------------+----------------------------------------------------------+
| Property                             | Value                                                    |
+--------------------------------------+----------------------------------------------------------+
| OS-EXT-STS:power_state               | 1                                                        |
| OS-EXT-STS:task_state                | -                                                        |
| OS-SRV-USG:launched_at               | 2015-03-01T10:00:40.000000                               |
| id                                   | 5f2b4c1e-8a55-4c0e-9a3e-0d7f7d9d1a01                     |
| name                                 | app1                                                     |
| private-network network              | 10.10.10.21, 203.0.113.9                                 |
| status                               | ACTIVE                                                   |
| updated                              | 2015-03-01T10:00:40Z                                     |
+--------------------------------------+----------------------------------------------------------+
";

fn printed(status: u32, stdout: &str, stderr: &str) -> Recorded {
    let stream = |text: &str| StreamOutput { kept: text.as_bytes().to_vec(), ..StreamOutput::default() };
    Recorded { status: Some(status), stdout: stream(stdout), stderr: stream(stderr), ..Recorded::default() }
}

fn words(lines: &[Clean]) -> Vec<&str> {
    lines.iter().map(Clean::as_str).collect()
}

#[test]
fn a_table_of_nova_is_read() {
    let facts = facts(SHOW, "10.10.10.21").unwrap();
    assert_eq!(
        facts,
        CloudServerFacts {
            id: Some("5f2b4c1e-8a55-4c0e-9a3e-0d7f7d9d1a01".into()),
            status: Some("ACTIVE".into()),
            power: Some("running".into()),
            task: CloudTask::Idle,
            addresses: vec!["10.10.10.21".into(), "203.0.113.9".into()],
            has_address: Some(true),
            launched: Some("2015-03-01T10:00:40.000000".into()),
            updated: Some("2015-03-01T10:00:40Z".into()),
            fault: None,
            under: None,
        }
    );
    assert_eq!(super::facts(SHOW, "10.10.10.22").unwrap().has_address, Some(false));
    assert_eq!(super::facts(SHOW, "app1.example.org").unwrap().has_address, None);
}

#[test]
fn a_table_of_openstack_is_read() {
    let text = "\
| Field                  | Value                               |
| OS-EXT-STS:power_state | Shutdown                            |
| OS-EXT-STS:task_state  | powering-on                         |
| addresses              | {'private-network': ['10.10.10.21', |
|                        | '2001:db8::5']}                     |
| fault                  | {'code': 500, 'message': 'No disk'} |
| host_status            | DOWN                                |
| id                     | 5f2b4c1e-8a55                       |
| status                 | SHUTOFF                             |
";
    let facts = facts(text, "10.10.10.21").unwrap();
    assert_eq!((facts.power, facts.task), (Some("shut down".into()), CloudTask::Doing("powering-on".into())));
    assert_eq!(words(&facts.addresses), ["10.10.10.21", "2001:db8::5"]);
    assert_eq!((facts.has_address, facts.under), (Some(true), Some("DOWN".into())));
    assert!(facts.fault.unwrap().as_str().contains("No disk"));
}

#[test]
fn rows_that_are_missing_are_unknown() {
    let text = "| Property | Value |\n| status | ACTIVE |\n";
    let facts = facts(text, "10.0.0.1").unwrap();
    assert_eq!(
        facts,
        CloudServerFacts { status: Some("ACTIVE".into()), ..CloudServerFacts::default() },
        "neither power state nor task is taken for granted"
    );
    for (nothing, why) in [
        ("", "no table"),
        ("Segmentation fault\n", "no table in it: \"Segmentation fault\""),
        ("| Property | Value |\n| name | app1 |\n", "neither a status nor an id"),
    ] {
        let error = super::facts(nothing, "10.0.0.1").unwrap_err();
        assert!(error.as_str().contains(why), "{error}");
    }
}

#[test]
fn a_value_cannot_pass_for_a_row() {
    // A network that somebody called `status | ACTIVE`, and a value with a line end and escapes.
    let twice = "| Property | Value |\n| status | SHUTOFF |\n| status | ACTIVE network | 10.0.0.1 |\n";
    assert_eq!(facts(twice, "10.0.0.1").unwrap_err().as_str(), "it has status twice");
    let hostile = "| Property | Value |\n| id | ; rm -rf / |\n| status | \x1b[2JACTIVE |\n| fault | a | b |\n|  | c |\n";
    let facts = facts(hostile, "10.0.0.1").unwrap();
    assert_eq!((facts.id, facts.status), (None, Some("^[[2JACTIVE".into())));
    assert_eq!(facts.fault, Some("a | b c".into()));
    let long = format!("| Property | Value |\n| status | {} |\n", "A".repeat(5000));
    assert_eq!(super::facts(&long, "").unwrap().status.unwrap().as_str().chars().count(), VALUE);
}

#[test]
fn no_server_and_several_are_answers_and_a_failure_is_none() {
    let asked = |status, stdout: &str, stderr: &str| shown(&printed(status, stdout, stderr));
    assert!(matches!(
        asked(0, &format!("client nova\n{SHOW}"), "a warning"),
        Ok((CloudClient::Nova, ShowReply::Server(text))) if text == SHOW
    ));
    for said in
        ["ERROR (CommandError): No server with a name or ID of 'app1' exists.", "No Server found for app1"]
    {
        assert!(matches!(asked(1, "client nova\n", said), Ok((_, ShowReply::NoServer))), "{said}");
    }
    for said in [
        "ERROR (CommandError): Multiple server matches found for 'app1', use an ID to be more specific.",
        "More than one server exists with the name 'app1'.",
    ] {
        assert!(matches!(asked(1, "client openstack\n", said), Ok((_, ShowReply::Several))), "{said}");
    }
    for (status, stdout, stderr, word) in [
        (0, "client none\n", "", "no_client"),
        (
            1,
            "client nova\n",
            "ERROR (CommandError): You must provide a username via env[OS_USERNAME]",
            "no_credentials",
        ),
        (1, "client nova\n", "ERROR (ClientException): The server has failed (HTTP 500)", "failed"),
        (0, "", "", "no_answer"),
        (0, "Welcome\nclient nova\n", "", "no_answer"),
    ] {
        let why = asked(status, stdout, stderr).err().unwrap();
        assert_eq!(why.word(), word, "{why:?}");
    }
    // What it prints before it fails says nothing of the server.
    let half = asked(1, &format!("client nova\n{SHOW}"), "ERROR: timeout").err().unwrap();
    assert_eq!(half.describe(), "the client failed: exit 1: ERROR: timeout");
    let lost = Recorded { status: None, ..printed(0, &format!("client nova\n{SHOW}"), "") };
    assert_eq!(shown(&lost).err().unwrap().word(), "no_answer");
}

#[test]
fn servers_of_one_name_are_listed() {
    let text = "\
| ID | Name | Status | Task State | Power State | Networks |
| 11 | app1 | ACTIVE | - | Running | private-network=10.0.0.1 |
| 12 | app10 | ACTIVE | - | Running | private-network=10.0.0.3 |
| 13 | app1 | SHUTOFF | - | Shutdown | private-network=10.0.0.2 |
";
    assert_eq!(
        words(&listed(&printed(0, text, ""), "app1")),
        ["11  ACTIVE  Running  private-network=10.0.0.1", "13  SHUTOFF  Shutdown  private-network=10.0.0.2"]
    );
    assert_eq!(listed(&printed(1, text, ""), "app1"), []);
    let many = format!("| ID | Name |\n{}", "| 1 | app1 |\n".repeat(11));
    assert_eq!(words(&listed(&printed(0, &many, ""), "app1"))[8..], ["and 3 more"]);
}

#[test]
fn the_end_of_a_console_log_is_within_bounds_and_harmless() {
    let log = "one\n\x1b[0;32m[  OK  ]\x1b[0m two\x1b[2J\r\n\tthree\n\n\n";
    let ConsoleTail::Lines(lines) = tail(&printed(0, log, ""), 2) else { panic!() };
    assert_eq!(words(&lines.lines), ["[  OK  ] two^[[2J", "        three"]);
    assert_eq!((lines.dropped, lines.shortened, lines.beyond), (1, 0, 0));
    let long = format!("{}\nend", "é".repeat(LINE + 1));
    let ConsoleTail::Lines(lines) = tail(&printed(0, &long, ""), 9) else { panic!() };
    assert_eq!((lines.shortened, lines.lines[0].as_str().chars().count()), (1, LINE + 1));
    let mut cut = printed(0, "x", "");
    cut.stdout.beyond = 7;
    assert!(matches!(tail(&cut, 9), ConsoleTail::Lines(lines) if lines.beyond == 7));
    let failed = tail(&printed(1, "half", "ERROR: no console"), 9);
    assert_eq!(failed, ConsoleTail::Unknown("the client failed: exit 1: ERROR: no console".into()));
}
