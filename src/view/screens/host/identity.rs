//! The way to a host, and who it says it is against what the inventory says.

use ratatui::text::{Line, Span};

use crate::view::scene::{Scene, ShownFact};
use crate::view::signs::Status;
use crate::view::text::{round_trip, span, two_units};
use jumpdeck_fleet::fleet::{Host, Jump};
use jumpdeck_fleet::names::RoleName;
use jumpdeck_fleet::snapshot::{Grains, HostSnapshot, LinkState};
use jumpdeck_fleet::time::{Freshness, short_age};
use jumpdeck_fleet::upkeep::support;

use super::{HostPage, known};

pub(super) fn lines<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, spec: &'a Host, host: &'a HostSnapshot) {
    link(page, scene, host);
    let styles = scene.styles;
    let facts = &host.facts;
    page.labelled(
        "machine",
        known(scene, host, &facts.identity, |identity, _| {
            let mut spans = vec![Span::raw(identity.hostname.as_str())];
            if let Some(id) = &identity.machine_id {
                spans.push(span(format!("   machine-id {id}"), styles.muted));
            }
            Line::from(spans)
        }),
    );
    page.labelled("env", known(scene, host, &facts.grains, |grains, _| level(scene, grains)));
    roles(page, scene, spec, host);
    page.labelled(
        "system",
        known(scene, host, &facts.os, |os, _| {
            let mut spans = vec![Span::raw(os.pretty.as_str())];
            if let Some(kernel) = &os.kernel {
                spans.push(span(format!("   kernel {kernel}"), styles.muted));
            }
            spans.extend(supported(scene, host, os.release.as_str()));
            Line::from(spans)
        }),
    );
    let mut up = known(scene, host, &facts.uptime, |up, _| Line::from(two_units(*up)));
    up.push_span(span("   clock offset ", styles.muted));
    up.extend(known(scene, host, &facts.clock_offset_ms, |offset, _| Line::from(clock(*offset))).spans);
    page.labelled("uptime", up);
}

/// Until when its makers mend it.
fn supported<'a>(scene: &Scene<'a>, host: &HostSnapshot, release: &str) -> Option<Span<'a>> {
    let day = support::ends(release)?;
    let today = host.facts.upkeep.last().and_then(|upkeep| upkeep.today.as_ref())?;
    Some(match support::ended(release, today.as_str()) {
        Some(day) => span(format!("   out of support since {day}"), scene.styles.warning),
        None => span(format!("   supported until {day}"), scene.styles.muted),
    })
}

/// A clock's difference: `+12 ms`, `-3.2 s`.
#[allow(clippy::cast_precision_loss)] // shown to a tenth of a second
fn clock(offset_ms: i64) -> String {
    if offset_ms.unsigned_abs() < 1000 {
        format!("{offset_ms:+} ms")
    } else {
        format!("{:+.1} s", offset_ms as f64 / 1000.0)
    }
}

fn link<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, host: &'a HostSnapshot) {
    let styles = scene.styles;
    let link = &host.link;
    let status = match link.state {
        _ if scene.jump_is_down() => Status::Unknown,
        // Up, as far as is known: what it last said may be old.
        LinkState::Up => match scene.freshness(host) {
            Some(Freshness::Fresh) => Status::Ok,
            Some(Freshness::Stale) => Status::Stale,
            Some(Freshness::Expired) => Status::Unknown,
            None => Status::Pending,
        },
        LinkState::Pending => Status::Pending,
        LinkState::Unreachable
        | LinkState::TimedOut
        | LinkState::NoAlgorithm
        | LinkState::NotUsable
        | LinkState::AuthFailed
        | LinkState::HostKeyUnknown
        | LinkState::HostKeyChanged
        | LinkState::HostKeyRefused
        | LinkState::IdentityMismatch => Status::Critical,
    };
    let state = if scene.jump_is_down() { "unknown: the jump box is down" } else { link.state.label() };
    let mut spans = vec![span(format!("{} {state}", status.sign()), styles.status(status))];
    if !scene.jump_is_down() {
        spans.push(span(format!(" for {}", scene.ago(link.since)), styles.muted));
    }
    if let Some(took) = host.took.filter(|_| status == Status::Ok) {
        spans.push(span(format!("   report took {}", round_trip(took)), styles.muted));
    }
    page.labelled("connection", Line::from(spans));
    if !link.is_up() && !scene.jump_is_down() && link.state != LinkState::Pending {
        let at = link.hop.as_ref().map_or_else(String::new, |hop| format!("at {hop}, "));
        let again = match link.retry_at {
            Some(at) if at > scene.now => format!("trying again in {}", short_age(at.since(scene.now))),
            Some(_) => "trying again now".to_owned(),
            None => "no automatic retry".to_owned(),
        };
        page.labelled("", span(format!("{at}{again}"), styles.muted));
        // What happened stands above, where it was judged.
        if scene.problem_of(&host.id.host).is_none() && !link.detail.is_empty() {
            page.wrapped("", link.detail.as_str(), styles.base);
        }
    }
    let way = match (&scene.env.jump.second, &scene.env.spec.jump) {
        (Some(second), _) => {
            format!("this machine → {} ({}, second jump box) → {}", second.name, second.address, host.address)
        }
        (None, Jump::Local { name }) => format!("{name} (this machine) → {}", host.address),
        (None, Jump::Remote(jump)) => {
            let route = jump.route().into_iter().map(|jump| format!("{} ({})", jump.name, jump.place()));
            let route: Vec<String> = route.collect();
            format!("this machine → {} → {}", route.join(" → "), host.address)
        }
    };
    page.labelled("route", span(way, styles.muted));
}

fn level<'a>(scene: &Scene<'_>, grains: &'a Grains) -> Line<'a> {
    let styles = scene.styles;
    let wanted = &scene.env.spec.level;
    match &grains.level {
        Some(level) if level.as_str() == wanted => Line::from(level.as_str()),
        Some(level) => Line::from(vec![
            span(level.as_str(), styles.critical),
            span(format!("   ✖ the inventory says {wanted}"), styles.critical),
        ]),
        None => span("▲ none in its grains; many states then assume production", styles.warning).into(),
    }
}

/// The inventory's roles and the host's own, marked where they differ.
fn roles<'a>(page: &mut HostPage<'a>, scene: &Scene<'a>, spec: &'a Host, host: &'a HostSnapshot) {
    let styles = scene.styles;
    let join = |roles: &[RoleName]| roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(" ");
    let from = if spec.roles_declared { "inventory" } else { "(from host name)" };
    let told = |roles: &[RoleName]| {
        Line::from(vec![Span::raw(join(roles)), span(format!("   {from}"), styles.muted)])
    };
    let grains = match scene.shown(host, &host.facts.grains) {
        ShownFact::Value(grains, _) => Some(grains),
        ShownFact::Gap(_) | ShownFact::Expired => None,
    };
    let own = grains.and_then(|g| g.roles.as_ref());
    match own {
        None => page.labelled("roles", told(&spec.roles)),
        Some(own) if *own == spec.roles => {
            let line = vec![Span::raw(join(own)), span(format!("   {from} and its grains"), styles.muted)];
            page.labelled("roles", Line::from(line));
        }
        Some(own) => {
            page.labelled("roles", told(&spec.roles));
            let mut spans: Vec<Span<'a>> = Vec::new();
            for role in own {
                let extra = !spec.roles.contains(role);
                let style = if extra { styles.warning } else { styles.base };
                spans.push(span(format!("{}{role} ", if extra { "+" } else { "" }), style));
            }
            for role in spec.roles.iter().filter(|r| !own.contains(r)) {
                spans.push(span(format!("-{role} "), styles.warning));
            }
            spans.push(span("  ▲ its grains", styles.warning));
            page.labelled("", Line::from(spans));
        }
    }
    let odd = grains.map(|g| g.odd_roles.as_slice()).unwrap_or_default();
    if !odd.is_empty() {
        let names: Vec<&str> = odd.iter().map(|o| o.as_str()).collect();
        page.wrapped("", &format!("in its grains, but not role names: {}", names.join(", ")), styles.warning);
    }
}
