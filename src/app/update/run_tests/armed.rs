//! Arming: how it begins, and what ends it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;

#[test]
fn arming_ends_on_time_on_idleness_on_reconnect_and_on_another_environment() {
    let armed = |time: u64| {
        let mut model = start();
        keys(&mut model, "A");
        keys(&mut model, "disks");
        key(&mut model, KeyCode::Tab);
        ctrl(&mut model, 'u');
        keys(&mut model, &format!("{time}m"));
        key(&mut model, KeyCode::Enter);
        assert!(model.is_armed(&env_name("production")));
        model
    };
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let mut model = armed(10);
    wait(&mut model, minutes(10) - Duration::from_secs(1));
    assert!(model.runs.armed.is_some());
    wait(&mut model, Duration::from_secs(1));
    assert_eq!(
        (model.runs.armed.is_some(), model.runs.disarmed.clone()),
        (false, Some((env_name("production"), "time is up")))
    );
    assert!(model.notice.as_ref().unwrap().0.contains("read-only again"));

    let mut model = armed(60);
    wait(&mut model, minutes(14));
    keys(&mut model, "k");
    wait(&mut model, minutes(14));
    assert!(model.runs.armed.is_some());
    wait(&mut model, minutes(1));
    assert!(model.runs.armed.is_none());

    let mut model = armed(60);
    wait(&mut model, minutes(1));
    jump_up(&mut model, "staging");
    assert!(model.runs.armed.is_some(), "another's jump box");
    jump_up(&mut model, "production");
    assert!(model.runs.armed.is_none());

    let mut model = armed(60);
    key(&mut model, KeyCode::Tab);
    assert!(model.runs.armed.is_none());

    let mut model = armed(60);
    keys(&mut model, "A");
    assert!(model.runs.armed.is_none(), "by hand");
}

#[test]
fn times_are_read_and_bounded() {
    let minutes = |text| arming::span(text).map(|t| t.as_secs() / 60);
    for (text, expected) in [
        ("30m", Some(30)),
        ("45", Some(45)),
        ("2h", Some(120)),
        ("1h30m", Some(90)),
        ("1H 5", Some(65)),
        ("8h", Some(480)),
        ("8h1m", None),
        ("0", None),
        ("", None),
        ("m", None),
        ("-5", None),
        ("99999999999999999999h", None),
        ("18446744073709551615h", None),
    ] {
        assert_eq!(minutes(text), expected, "{text}");
    }
}
