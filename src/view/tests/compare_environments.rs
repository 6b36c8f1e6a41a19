//! Two environments side by side, as they are drawn.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::app::screens::compare_environments::EnvironmentPair;
use jumpdeck_fleet::names::EnvName;

fn compared(model: Model, other: &str) -> Model {
    let name = |text: &str| EnvName::new(text).unwrap();
    on(model, Screen::CompareEnvironments(EnvironmentPair { shown: name("production"), other: name(other) }))
}

#[test]
fn two_environments_side_by_side() {
    snapshot("compare-environments", &compared(healthy(), "staging"), (80, 24));
    snapshot("compare-environments-trouble", &compared(trouble(), "staging"), (120, 40));
    snapshot("compare-environments-jump-down", &compared(jump_down(300), "staging"), (80, 24));
    snapshot("compare-environments-waiting", &compared(waiting(), "secondary"), (80, 24));
}

/// The left side is the environment of the header.
#[test]
fn each_side_is_named_on_the_band_of_its_guard() {
    let styles = styles("dark");
    let buf = drawn(&compared(healthy(), "staging"), &styles, (120, 40));
    let band = &rows(&buf)[2];
    let x = |word: &str| u16::try_from(band.chars().collect::<String>().find(word).unwrap()).unwrap();
    assert!(x("PRODUCTION") < x("STAGING"), "{band}");
    assert!(rows(&buf)[1].contains("PRODUCTION"));
    assert_eq!(buf[(x("PRODUCTION"), 2)].bg, styles.guarded.bg.unwrap());
    assert_ne!(buf[(x("STAGING"), 2)].bg, styles.guarded.bg.unwrap());
}

#[test]
fn no_size_is_too_odd_for_two_environments() {
    for size in [(60, 15), (61, 16), (133, 15), (300, 80)] {
        drawn(&compared(trouble(), "staging"), &styles("dark"), size);
        drawn(&compared(trouble(), "gone"), &styles("dark"), size);
    }
}
