//! What the cloud says of a host, as it is drawn.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use super::*;
use crate::app::model::power::PowerLook;
use jumpdeck_fleet::power::*;
use jumpdeck_fleet::text::Clean;

fn facts() -> CloudServerFacts {
    CloudServerFacts {
        id: Some("df0dc30a-a37e-4cce-946e-e353a9f1e109".into()),
        status: Some("ACTIVE".into()),
        power: Some("running".into()),
        task: CloudTask::Idle,
        addresses: vec!["10.10.10.16".into(), "208.113.157.163".into()],
        has_address: Some(true),
        launched: Some("2026-09-24T13:40:34Z".into()),
        updated: Some("2026-09-24T13:40:34Z".into()),
        fault: None,
        under: None,
    }
}

fn hung() -> ConsoleTail {
    let lines = [
        "[    1.204117] EXT4-fs (vda1): mounted filesystem with ordered data mode. Opts: (null)",
        "[912345.000001] INFO: task jbd2/vda1-8:215 blocked for more than 120 seconds.",
        "[912345.000002]       Tainted: G            E   3.13.0-46-generic #77-Ubuntu",
        "[912345.000003] \"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.",
        "^[[2J you have been owned",
    ];
    let lines = lines.iter().cycle().take(30).map(|line| Clean::new(line)).collect();
    ConsoleTail::Lines(ConsoleLines { asked: 30, lines, dropped: 3, shortened: 1, beyond: 0 })
}

fn report(says: Option<ServerReply>, without: Vec<PowerMiss>) -> PowerReport {
    let answer = says.map(|says| CloudReply { by: name("salt"), client: CloudClient::Nova, says });
    PowerReport { without, answer }
}

fn looked(report: Option<PowerReport>, ago: u64, asking: bool) -> Model {
    let mut model = on(trouble(), Screen::Power(name("piwik")));
    let at = |seconds: u64| Moment(NOW.0 - seconds * 1000);
    model.power = Some(PowerLook {
        id: 1,
        env: model.environments[0].spec.name.clone(),
        host: name("piwik"),
        asking: asking.then(|| at(7)),
        last: report.map(|report| (at(ago), Arc::new(report))),
        scroll: 0,
    });
    model
}

/// With the answer to what was asked.
pub(super) fn told(mut model: Model) -> Model {
    let look = model.power.as_mut().unwrap();
    look.asking = None;
    look.last = Some((model.now, Arc::new(running())));
    model
}

fn running() -> PowerReport {
    report(Some(ServerReply::Server(Box::new(facts()), hung())), Vec::new())
}

#[test]
fn a_host_that_hangs() {
    for size in SIZES {
        snapshot("power-hangs", &looked(Some(running()), 12, false), size);
    }
    snapshot("power-old", &looked(Some(running()), 300, true), (80, 24));
    snapshot("power-asking", &looked(None, 0, true), (80, 24));
    snapshot("power-narrow", &looked(Some(running()), 12, false), (60, 15));
}

#[test]
fn answers_that_are_no_state() {
    let two = vec!["11  ACTIVE  Running  net=10.0.0.1".into(), "12  SHUTOFF  Shutdown  net=10.0.0.2".into()];
    snapshot(
        "power-several",
        &looked(Some(report(Some(ServerReply::Several(two)), vec![])), 12, false),
        (80, 24),
    );
    snapshot(
        "power-no-server",
        &looked(Some(report(Some(ServerReply::NoServer), vec![])), 12, false),
        (80, 24),
    );
    let misses = [
        ("gate", MissReason::NoLogin("jump box gate: no connection to 10.0.0.1:22: refused".into())),
        ("salt", MissReason::NoAnswer("the host itself: no answer within 40 s".into())),
    ];
    let misses = misses.map(|(at, why)| PowerMiss { at: name(at), why }).to_vec();
    snapshot("power-unknown", &looked(Some(report(None, misses)), 12, false), (80, 24));
    let half = CloudServerFacts { status: Some("SHUTOFF".into()), ..CloudServerFacts::default() };
    let log = ConsoleTail::Unknown("the client failed: exit 1: ERROR (HTTP 404)".into());
    let half = report(Some(ServerReply::Server(Box::new(half), log)), vec![]);
    snapshot("power-half", &looked(Some(half), 12, false), (80, 24));
}

#[test]
fn an_old_answer_is_not_shown_as_a_new_one() {
    let old = text(&looked(Some(running()), 300, false), (120, 40));
    assert!(old.lines().any(|line| line.contains("5m ago: r asks again")), "{old}");
    let again = text(&looked(Some(running()), 300, true), (120, 40));
    assert!(again.contains("running, 5m ago") && again.contains("asking the cloud"), "{again}");
}

#[test]
fn nothing_of_the_log_looks_like_a_line_of_jumpdeck() {
    let screen = text(&looked(Some(running()), 12, false), (120, 60));
    let owned: Vec<&str> = screen.lines().filter(|line| line.contains("owned")).collect();
    assert!(!owned.is_empty() && owned.iter().all(|line| line.starts_with(" | ^[[2J")), "{screen}");
}

#[test]
fn no_size_is_too_odd_for_it() {
    for size in [(60, 15), (61, 16), (133, 15), (300, 80)] {
        drawn(&looked(Some(running()), 12, false), &styles("dark"), size);
    }
}
