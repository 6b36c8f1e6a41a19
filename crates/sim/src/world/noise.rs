//! Noise that is a pure function of its key: the same world twice from the same seed.

/// The key of something that has a name, in a world with a seed.
pub(crate) fn key(seed: u64, name: &str) -> u64 {
    // FNV-1a, then mixed: near names must not give near keys.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(hash ^ mix(seed))
}

/// A key drawn from a key and a number (the finalizer of `SplitMix64`).
pub(crate) fn draw(key: u64, number: u64) -> u64 {
    mix(key ^ mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// Uniform in 0..1.
pub(crate) fn unit(key: u64, number: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    let value = (draw(key, number) >> 11) as f64;
    value / 9_007_199_254_740_992.0
}

/// About normal: mean 0, deviation 1, never beyond ±4.
pub(crate) fn bell(key: u64, number: u64) -> f64 {
    let base = draw(key, number);
    let sum: f64 = (0..4).map(|part| unit(base, part)).sum();
    (sum - 2.0) * 3.0_f64.sqrt()
}

/// A slow wave in −1..1 that wanders: random points each `period` seconds, smoothly joined.
pub(crate) fn wave(key: u64, seconds: f64, period: f64) -> f64 {
    let place = (seconds / period).max(0.0);
    let left = place.floor();
    let part = place - left;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = left as u64;
    let at = |number: u64| unit(key, number) * 2.0 - 1.0;
    let smooth = part * part * (3.0 - 2.0 * part);
    at(index) * (1.0 - smooth) + at(index + 1) * smooth
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A UUID, version 4 by its form (RFC 9562), of two drawn numbers.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
