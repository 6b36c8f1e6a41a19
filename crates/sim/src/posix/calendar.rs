//! Moments as text.

/// A moment (seconds since 1970) in a format of `strftime`, UTC: the simulated machines' zone.
#[must_use]
pub(crate) fn moment(epoch: f64, format: &str) -> String {
    #[allow(clippy::cast_possible_truncation)] // saturating
    let microseconds = (epoch * 1_000_000.0) as i64;
    let stamp = jiff::Timestamp::from_microsecond(microseconds).unwrap_or_default();
    stamp.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
}
