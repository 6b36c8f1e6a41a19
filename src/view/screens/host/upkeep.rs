//! Upkeep of a host: updates, a reboot, failed units, kills, who is logged in, what sets its clock.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::view::scene::Scene;
use crate::view::text::{count, span};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostSnapshot;
use jumpdeck_fleet::time::short_age;
use jumpdeck_fleet::upkeep::{Upkeep, WaitingUpdates};

use super::{HostPage, known};

/// One part of it as a line.
type Shown<'a> = fn(&Scene<'a>, &'a Upkeep) -> Line<'a>;

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    page.section("UPKEEP");
    let fact = &host.facts.upkeep;
    let parts: [(&str, Shown<'a>); 8] = [
        ("updates", |scene, upkeep| {
            part(scene, &upkeep.updates, "nobody counts them here", |all| updates(scene, *all))
        }),
        ("reboot", |scene, upkeep| {
            part(scene, &upkeep.reboot, "no kernel in /boot to compare with", |reason| match reason {
                None => Line::from("not required"),
                Some(reason) => span(format!("required: {}", reason.words()), scene.styles.warning).into(),
            })
        }),
        ("units", |scene, upkeep| {
            part(scene, &upkeep.failed_units, "no systemd", |units| match units.as_slice() {
                [] => Line::from("none failed"),
                [first, rest @ ..] => {
                    let more =
                        if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
                    span(format!("failed: {first}{more}"), scene.styles.warning).into()
                }
            })
        }),
        ("OOM kills", |scene, upkeep| {
            part(scene, &upkeep.oom_kills, "not counted before Linux 4.13", |kills| {
                let style = if *kills > 0 { scene.styles.warning } else { scene.styles.base };
                span(format!("{kills} since boot"), style).into()
            })
        }),
        ("logged in", |scene, upkeep| part(scene, &upkeep.logged_in, "", |who| logged_in(scene, who))),
        ("Salt states", |scene, upkeep| {
            part(scene, &upkeep.states_age_s, "no Salt minion", |age| match age {
                None => span("never applied", scene.styles.muted).into(),
                Some(age) => {
                    Line::from(format!("last applied or tested {} ago", short_age(Duration::from_secs(*age))))
                }
            })
        }),
        ("daily jobs", |scene, upkeep| {
            part(scene, &upkeep.daily_jobs_age_s, "no anacron", |age| {
                Line::from(format!("ended {} ago, by anacron", short_age(Duration::from_secs(*age))))
            })
        }),
        ("clock", |scene, upkeep| {
            part(scene, &upkeep.clock_keeper, "", |keeper| match keeper {
                None => span("no NTP client found", scene.styles.muted).into(),
                Some(keeper) => Line::from(format!("set by {keeper}")),
            })
        }),
    ];
    if fact.last().is_none() {
        page.labelled("", known(scene, host, fact, |_, _| Line::default()));
        return;
    }
    for (label, show) in parts {
        page.labelled(label, known(scene, host, fact, |upkeep, _| show(scene, upkeep)));
    }
}

/// A part, or why it is not known; `without`: what the host does not have.
fn part<'a, T>(
    scene: &Scene<'a>,
    value: &'a Result<T, Gap>,
    without: &'static str,
    show: impl FnOnce(&'a T) -> Line<'a>,
) -> Line<'a> {
    match value {
        Ok(value) => show(value),
        Err(Gap::NotInstalled) => span(without, scene.styles.muted).into(),
        Err(Gap::NotAsked) => span("not asked yet", scene.styles.muted).into(),
        Err(gap) => span(format!("? {}", gap.describe_access()), scene.styles.unknown).into(),
    }
}

fn updates(scene: &Scene<'_>, updates: WaitingUpdates) -> Line<'static> {
    let style: Style = if updates.security > 0 { scene.styles.warning } else { scene.styles.base };
    let mut spans: Vec<Span<'static>> = vec![span(format!("{} for security", updates.security), style)];
    if let Some(all) = updates.all {
        spans.push(Span::raw(format!(", {all} in all")));
    }
    let age = updates.lists_age_s.map(|age| format!(", lists {} old", short_age(Duration::from_secs(age))));
    let source = format!("   by {}{}", updates.source.word(), age.unwrap_or_default());
    spans.push(span(source, scene.styles.muted));
    Line::from(spans)
}

fn logged_in<'a>(scene: &Scene<'a>, who: &'a [jumpdeck_fleet::text::Clean]) -> Line<'a> {
    match who {
        [] => span("nobody on a terminal", scene.styles.muted).into(),
        [one] => Line::from(one.as_str()),
        [first, rest @ ..] => Line::from(format!("{first} and {}", count(rest.len(), "more session"))),
    }
}
