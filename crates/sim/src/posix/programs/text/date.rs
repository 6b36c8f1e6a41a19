//! `date` and its formats. The clock is the host's in its world, in UTC.

use std::sync::PoisonError;
use std::time::Duration;

use crate::program::{BoxFuture, Call, Program};

use super::{Options, answer, failure, output};

/// The program.
#[derive(Debug)]
pub struct Date;

static OPTIONS: Options = Options::new("uRd:", &[("utc", 'u'), ("date", 'd')]);

impl Program for Date {
    fn name(&self) -> &'static str {
        "date"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        let parsed = match OPTIONS.read(&call.args) {
            Ok(parsed) => parsed,
            Err(reply) => return answer(call, reply),
        };
        let now = match parsed.value('d') {
            None | Some("now") => now(&call),
            Some(text) => match moment_of(text) {
                Some(time) => time,
                None => return answer(call, failure("date", &format!("invalid date '{text}'"), 1)),
            },
        };
        let now = now.to_zoned(jiff::tz::TimeZone::UTC);
        let format = match parsed.operands.first().and_then(|text| text.strip_prefix('+')) {
            Some(format) => format.to_owned(),
            None if parsed.has('R') => "%a, %d %b %Y %H:%M:%S +0000".to_owned(),
            None => "%a %b %e %H:%M:%S UTC %Y".to_owned(),
        };
        let reply = match jiff::fmt::strtime::format(&format, &now) {
            Ok(text) => output(format!("{text}\n")),
            Err(_) => failure("date", &format!("format not simulated: '{format}'"), 1),
        };
        answer(call, reply)
    }
}

/// `@1448796327`, or as certificates write it: `Nov 29 11:25:27 2015 GMT`.
fn moment_of(text: &str) -> Option<jiff::Timestamp> {
    match text.strip_prefix('@') {
        Some(seconds) => jiff::Timestamp::from_second(seconds.parse().ok()?).ok(),
        None => {
            let read = jiff::fmt::strtime::parse("%b %e %H:%M:%S %Y GMT", text).ok()?;
            Some(read.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        }
    }
}

/// What the host's clock shows.
fn now(call: &Call) -> jiff::Timestamp {
    let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
    let epoch = Duration::try_from_secs_f64(world.epoch(&call.host)).unwrap_or_default();
    let since = jiff::SignedDuration::try_from(epoch).unwrap_or_default();
    jiff::Timestamp::from_duration(since).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
