//! How bad a line is, by its words: few programs say it in a field, and each in another one.

use std::sync::LazyLock;

use regex::Regex;

use jumpdeck_fleet::log::LogLevel;

/// Words of an error, and a status 500 to 599 of a web server's access log.
static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"(?i)\b(?:emerg(?:ency)?|alert|crit(?:ical)?|fatal|panic|err(?:or)?|fail(?:ed|ure)?|exception|segfault|traceback|denied|oom-killer|out of memory|no space left)\b";
    Regex::new(&format!(r#"{words}|" 5\d\d [\d-]"#)).ok()
});
static WARNING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:warn(?:ing)?|deprecated|timed out|timeout|retry(?:ing)?|refused)\b").ok()
});
/// Counts of nothing.
static NONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:no|0|without) (?:err(?:or)?s?|fail(?:ed|ures?)?|warnings?)\b").ok()
});

/// The level of a line.
#[must_use]
pub(super) fn of_line(line: &str) -> LogLevel {
    let has = |words: &LazyLock<Option<Regex>>, line: &str| {
        words.as_ref().is_some_and(|words| words.is_match(line))
    };
    let (error, warning) = (has(&ERROR, line), has(&WARNING, line));
    if (error || warning) && has(&NONE, line) {
        let rest = NONE.as_ref().map_or_else(|| line.into(), |none| none.replace_all(line, ""));
        return match (has(&ERROR, &rest), has(&WARNING, &rest)) {
            (true, _) => LogLevel::Error,
            (false, true) => LogLevel::Warning,
            (false, false) => LogLevel::Plain,
        };
    }
    match (error, warning) {
        (true, _) => LogLevel::Error,
        (false, true) => LogLevel::Warning,
        (false, false) => LogLevel::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_bad_it_is() {
        for (line, level) in [
            ("Nov 30 17:02:11 db1 mysqld: [ERROR] Slave SQL: Could not execute", LogLevel::Error),
            ("[Sat Nov 30 18:02:11 2013] [error] [client 10.0.0.1] File does not exist", LogLevel::Error),
            ("10.0.0.1 - - [30/Nov/2013:17:02:11 +0000] \"GET / HTTP/1.1\" 503 120", LogLevel::Error),
            ("10.0.0.1 - - [30/Nov/2013:17:02:11 +0000] \"GET / HTTP/1.1\" 200 512", LogLevel::Plain),
            ("kernel: Out of memory: Kill process 3", LogLevel::Error),
            ("sshd[3]: Failed password for root", LogLevel::Error),
            ("131130 17:02:11 [Warning] Aborted connection 7", LogLevel::Warning),
            ("upstream timed out (110: Connection timed out)", LogLevel::Warning),
            ("backup done, 0 errors", LogLevel::Plain),
            ("0 errors, 1 warning", LogLevel::Warning),
            ("terror in errorless prewarning times", LogLevel::Plain),
            ("", LogLevel::Plain),
        ] {
            assert_eq!(of_line(line), level, "{line}");
        }
    }
}
