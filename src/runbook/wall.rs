//! Times of the wall clock as they are shown, one way everywhere: local time with its offset from UTC, `13:45:02+01:00`,
//! or `Z` for UTC itself. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A duration for people: `112 ms`, `3.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
#[must_use]
pub fn duration(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => format!("{ms} ms"),
        1..=9 => format!("{}.{} s", s, ms % 1000 / 100),
        10..=59 => format!("{s} s"),
        60..=3599 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// The time of day: `13:45:02+01:00`.
#[must_use]
pub fn time(at: Timestamp, tz: &TimeZone) -> String {
    shown(at, tz, "%H:%M:%S")
}

/// The time of day to the millisecond: `13:45:02.120+01:00`.
#[must_use]
pub fn exact(at: Timestamp, tz: &TimeZone) -> String {
    shown(at, tz, "%H:%M:%S%.3f")
}

/// Date and time: `2026-11-28 13:45:02+01:00`.
#[must_use]
pub fn dated(at: Timestamp, tz: &TimeZone) -> String {
    shown(at, tz, "%Y-%m-%d %H:%M:%S")
}

/// Date and time to the minute: `2026-11-28 13:45+01:00`.
#[must_use]
pub fn minute(at: Timestamp, tz: &TimeZone) -> String {
    shown(at, tz, "%Y-%m-%d %H:%M")
}

/// Date and time to the millisecond: `2026-11-28 13:45:02.120+01:00`.
#[must_use]
pub fn dated_exact(at: Timestamp, tz: &TimeZone) -> String {
    shown(at, tz, "%Y-%m-%d %H:%M:%S%.3f")
}

/// The time of day, with its date unless that is today: for what began at some time and goes on.
#[must_use]
pub fn since(at: Timestamp, now: Timestamp, tz: &TimeZone) -> String {
    let day = |at: Timestamp| at.to_zoned(tz.clone()).date();
    if day(at) == day(now) { time(at, tz) } else { dated(at, tz) }
}

fn shown(at: Timestamp, tz: &TimeZone, form: &str) -> String {
    let at = at.to_zoned(tz.clone());
    let offset = if at.offset().is_zero() { "Z".to_owned() } else { at.strftime("%:z").to_string() };
    format!("{}{offset}", at.strftime(form))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_says_which_zone_it_is_of() {
        let at: Timestamp = "2026-11-28T04:02:29.014Z".parse().unwrap();
        let new_york = TimeZone::fixed(jiff::tz::offset(-5));
        let kathmandu = TimeZone::fixed(jiff::tz::Offset::from_seconds(20_700).unwrap());
        assert_eq!(time(at, &TimeZone::UTC), "04:02:29Z");
        assert_eq!(exact(at, &new_york), "23:02:29.014-05:00");
        assert_eq!(dated(at, &new_york), "2026-11-27 23:02:29-05:00");
        assert_eq!(dated_exact(at, &kathmandu), "2026-11-28 09:47:29.014+05:45");
    }

    #[test]
    fn what_began_on_another_day_says_which() {
        let (at, now) = ("2026-11-27T23:59:59Z".parse().unwrap(), "2026-11-28T00:00:01Z".parse().unwrap());
        assert_eq!(since(at, now, &TimeZone::UTC), "2026-11-27 23:59:59Z");
        assert_eq!(since(now, now, &TimeZone::UTC), "00:00:01Z");
    }
}
