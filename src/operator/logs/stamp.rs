//! The time that a line of a log begins with: ISO 8601, syslog, Apache, nginx, MySQL, the common log format.

use std::sync::LazyLock;

use jiff::civil;
use jiff::tz::{Offset, TimeZone};
use regex::Regex;

/// How far behind its beginning a line may have its time, in bytes.
const REACH: usize = 160;

/// The clock of a host, as it said when it was asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HostClock {
    /// East of UTC, in seconds: what a time without a zone means.
    pub(super) offset: i32,
    /// Now there: milliseconds since 1970. A time without a year is of the last twelve months before that, or of the next day.
    pub(super) now: i64,
}

/// Year, month, day, hour, minute, second, fraction, zone; month as number or as name.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // 2013-11-30T17:02:11.5+0100, 2013-11-30 17:02:11,123 and nginx's 2013/11/30 17:02:11, with a bracket before it or none
        r"^\W{0,2}(?P<y>\d{4})[-/](?P<m>\d\d)[-/](?P<d>\d\d)[T ](?P<h>\d\d):(?P<i>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))? ?(?P<z>Z|[+-]\d\d:?\d\d)?",
        // syslog: Nov 30 17:02:11, perhaps behind <13>
        r"^(?:<\d{1,3}>)?(?P<m>[A-Z][a-z]{2}) (?P<d>[ \d]\d) (?P<h>\d\d):(?P<i>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))?",
        // Apache: [Sat Nov 30 17:02:11.123456 2013]
        r"^\[[A-Z][a-z]{2} (?P<m>[A-Z][a-z]{2}) (?P<d>[ \d]\d) (?P<h>\d\d):(?P<i>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))? (?P<y>\d{4})\]",
        // MySQL 5: 131130 17:02:11, with a blank for the hour's first digit
        r"^(?P<yy>\d\d)(?P<m>\d\d)(?P<d>\d\d) (?P<h>[ \d]\d):(?P<i>\d\d):(?P<s>\d\d)",
        // Access logs: 10.0.0.1 - - [30/Nov/2013:17:02:11 +0100]
        r"^\S+ \S+ .{1,80}? ?\[(?P<d>\d\d)/(?P<m>[A-Z][a-z]{2})/(?P<y>\d{4}):(?P<h>\d\d):(?P<i>\d\d):(?P<s>\d\d) (?P<z>[+-]\d{4})\]",
    ]
    .iter()
    // They are constants: a test reads each.
    .filter_map(|form| Regex::new(form).ok())
    .collect()
});

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineStamp {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// Where it ends, when the line begins with it and it says no more than the second.
    pub(super) end: Option<usize>,
}

/// The line's own time; `None` when it has none that is known.
#[must_use]
pub(super) fn of_line(line: &str, clock: HostClock) -> Option<LineStamp> {
    let mut end = line.len().min(REACH);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let line = line.get(..end)?;
    // Most lines of most logs have the form of the line before; they are few enough to be tried in order.
    FORMS.iter().find_map(|form| {
        let found = form.captures(line)?;
        let at = moment(&found, clock)?;
        let is_alone = found.name("f").is_none() && !line.get(..found.get(0)?.end())?.contains('[');
        Some(LineStamp { at, end: is_alone.then(|| found.get(0).map(|whole| whole.end())).flatten() })
    })
}

fn moment(found: &regex::Captures<'_>, clock: HostClock) -> Option<i64> {
    let number = |name: &str| -> Option<i64> { found.name(name)?.as_str().trim().parse().ok() };
    let month = match number("m") {
        Some(month) => month,
        None => {
            let name = found.name("m")?.as_str();
            i64::try_from(MONTHS.iter().position(|known| *known == name)?).ok()? + 1
        }
    };
    let offset = match found.name("z").map(|zone| zone.as_str()) {
        None => clock.offset,
        Some("Z") => 0,
        Some(zone) => {
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let seconds =
                digits.get(..2)?.parse::<i32>().ok()? * 3600 + digits.get(2..)?.parse::<i32>().ok()? * 60;
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    let zone = TimeZone::fixed(Offset::from_seconds(offset).ok()?);
    let millis = found.name("f").map_or(0, |fraction| {
        let three: String = fraction.as_str().chars().chain("000".chars()).take(3).collect();
        three.parse::<i64>().unwrap_or(0)
    });
    let at = |year: i64| -> Option<i64> {
        let short = |value: i64| i8::try_from(value).ok();
        let (day, hour) = (short(number("d")?)?, short(number("h")?)?);
        // A leap second is shown as the one before it.
        let (minute, second) = (short(number("i")?)?, short(number("s")?)?.min(59));
        let time =
            civil::DateTime::new(i16::try_from(year).ok()?, short(month)?, day, hour, minute, second, 0)
                .ok()?;
        Some(time.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond() + millis)
    };
    if let Some(year) = number("y").or_else(|| number("yy").map(|year| 2000 + year)) {
        return at(year);
    }
    const DAY: i64 = 86_400_000;
    let now = jiff::Timestamp::from_millisecond(clock.now).ok()?.to_zoned(zone.clone());
    let year = i64::from(now.year());
    [year + 1, year, year - 1].into_iter().filter_map(at).find(|moment| *moment <= clock.now + DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2013-11-30T17:02:11Z
    const NOON: i64 = 1_385_830_931_000;
    const HOUR: i64 = 3_600_000;

    fn of(line: &str) -> Option<i64> {
        of_line(line, HostClock { offset: 3600, now: NOON + 5000 }).map(|stamp| stamp.at)
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(FORMS.len(), 5, "each is a regular expression");
        for (line, at) in [
            ("2013-11-30T17:02:11Z app1 sshd[1]: x", NOON),
            ("2013-11-30T18:02:11+0100 app1 sshd[1]: x", NOON),
            ("2013-11-30T12:32:11.250-04:30 x", NOON + 250),
            ("[2013-11-30 18:02:11,5] x", NOON + 500),
            ("2013/11/30 18:02:11 [error] 12#0: x", NOON),
            ("Nov 30 18:02:11 app1 CRON[7]: x", NOON),
            ("<13>Nov 30 18:02:11 app1 CRON[7]: x", NOON),
            ("[Sat Nov 30 18:02:11 2013] [error] x", NOON),
            ("[Sat Nov 30 18:02:11.004711 2013] [core:error] x", NOON + 4),
            ("131130 18:02:11 [ERROR] x", NOON),
            ("131130  8:02:11 [Note] x", NOON - 10 * HOUR),
            ("10.0.0.1 - - [30/Nov/2013:17:02:11 +0000] \"GET / HTTP/1.1\" 200", NOON),
            ("Nov 30 18:02:60 app1 leap", NOON + 48_000),
        ] {
            assert_eq!(of(line), Some(at), "{line}");
        }
    }

    #[test]
    fn a_time_without_a_year_is_of_the_last_one_that_fits() {
        let new_year = HostClock { offset: 0, now: 1_388_534_460_000 }; // 2014-01-01T00:01:00Z
        let at = |line| of_line(line, new_year).map(|stamp| stamp.at);
        assert_eq!(at("Dec 31 23:59:00 x"), Some(1_388_534_460_000 - 120_000));
        assert_eq!(at("Jan  1 00:00:30 x"), Some(1_388_534_460_000 - 30_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in [
            "",
            "x",
            "at 17:02:11 it failed",
            "Foo 30 18:02:11 x",
            "2013-13-30T17:02:11Z",
            "Feb 30 18:02:11 x",
            "2013-11-30T25:02:11Z",
            "[30/Nov/2013:17:02:11 +0000]",
            "12345678901234567890",
            "äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_odd(line in ".{0,200}") {
            let _ = of(&line);
        }
    }
}
