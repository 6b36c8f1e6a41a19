#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::backup::DAY;
use crate::service::{Figure, ServiceReading, Unit};

fn daily() -> DeclaredBackup {
    DeclaredBackup {
        name: "backup db1".to_owned(),
        roles: Vec::new(),
        folder: "/srv/dumps".to_owned(),
        pattern: "*.sql.gz".to_owned(),
        every: DAY,
        when_old: None,
        built_in: false,
    }
}

fn found(age: Option<u64>, size: u64, before: Option<u64>) -> Service {
    let amount = |value, unit| Figure::Amount { value, of: None, unit };
    let mut readings = vec![ServiceReading { name: NEWEST, figure: Figure::text("d.sql.gz") }];
    readings.extend(age.map(|age| ServiceReading { name: AGE, figure: amount(age, Unit::Seconds) }));
    readings.push(ServiceReading { name: SIZE, figure: amount(size, Unit::Bytes) });
    let before = before.map(|size| ServiceReading { name: SIZE_BEFORE, figure: amount(size, Unit::Bytes) });
    readings.extend(before);
    Service { running: true, readings: readings.into(), ..Service::default() }
}

/// Severity and message of all that is wrong.
fn judged(backup: &DeclaredBackup, service: &Service) -> Vec<(Severity, String)> {
    findings(backup, service).into_iter().map(|finding| (finding.severity, finding.message)).collect()
}

const HOUR: u64 = 3600;

#[test]
fn one_that_is_late_warns_and_two_are_critical() {
    let age = |seconds| {
        let found = judged(&daily(), &found(Some(seconds), 900, Some(1000)));
        found.first().map(|(severity, _)| *severity)
    };
    assert_eq!(age(0), None);
    assert_eq!(age(26 * HOUR), None);
    assert_eq!(age(26 * HOUR + 1), Some(Severity::Warning));
    assert_eq!(age(52 * HOUR), Some(Severity::Warning));
    assert_eq!(age(52 * HOUR + 1), Some(Severity::Critical));
    let message = &judged(&daily(), &found(Some(60 * HOUR), 900, None))[0].1;
    let said = "backup db1: newest file d.sql.gz is 2.5 days old, at most 26 h is allowed. ";
    assert!(message.starts_with(said) && message.ends_with("df -h /srv/dumps."), "{message}");
}

#[test]
fn a_week_may_be_a_week_and_half_a_day_old() {
    let weekly = DeclaredBackup { every: DAY * 7, when_old: Some("Call Eve.".to_owned()), ..daily() };
    assert_eq!(judged(&weekly, &found(Some(7 * 24 * HOUR + 13 * HOUR), 9, None)), []);
    let late = judged(&weekly, &found(Some(8 * 24 * HOUR), 9, None));
    assert_eq!(late[0].0, Severity::Warning);
    assert!(late[0].1.ends_with("is 8 days old, at most 7.6 days is allowed. Call Eve."), "{late:?}");
}

#[test]
fn one_that_shrank_or_is_empty_warns_with_both_sizes() {
    let sizes = |size, before| judged(&daily(), &found(Some(HOUR), size, before));
    assert_eq!(sizes(500, Some(1000)), []);
    assert_eq!(sizes(500, None), []);
    let half = sizes(400 << 20, Some(1 << 30));
    assert_eq!(half[0].0, Severity::Warning);
    assert!(half[0].1.contains("d.sql.gz is only 400M, the one before has 1.0G."), "{half:?}");
    assert!(sizes(20, Some(5000))[0].1.contains("is only 20 bytes, the one before has 5K."));
    assert!(sizes(0, Some(5000))[0].1.contains("is empty, the one before has 5K."));
    assert!(sizes(0, Some(0))[0].1.contains("is empty, the one before has 0 bytes."));
    assert!(sizes(0, None)[0].1.contains("is empty. Look"));
    // Late and small: both are said.
    assert_eq!(judged(&daily(), &found(Some(27 * HOUR), 0, None)).len(), 2);
}

#[test]
fn one_of_the_future_is_not_fresh() {
    let future = judged(&daily(), &found(None, 9, None));
    assert_eq!((future.len(), future[0].0), (1, Severity::Unknown));
}

#[test]
fn none_at_all_is_critical() {
    let none = Service { detail: "no file /srv/dumps/*.sql.gz".into(), ..Service::default() };
    let problems = judged(&daily(), &none);
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical));
    assert!(problems[0].1.starts_with("backup db1: no file /srv/dumps/*.sql.gz. Look"), "{problems:?}");
}
