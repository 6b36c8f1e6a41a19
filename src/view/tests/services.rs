//! Services in the fleet's rows and on the host's page.

use std::sync::Arc;

use super::*;
use jumpdeck_fleet::outside::{ClosedPort, OutsideCheck, OutsideReading, OutsideTarget, Viewpoint};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{HostsOf, Service, ServiceKind};

/// Hosts whose services are well, damaged, stopped and unknown.
fn serving() -> Model {
    let mut model = healthy();
    let production = &mut model.environments[0];
    edit(production, "sessions1", |h| serve(h, 0));
    edit(production, "redis-alpha1", |h| serve(h, 3));
    edit(production, "bots", fail);
    settled(model)
}

#[test]
fn services_are_shown_with_their_readings() {
    for host in ["sessions1", "redis-alpha1", "bots"] {
        let page = on(serving(), Screen::Host(name(host)));
        snapshot(&format!("services-{host}"), &page, (120, 40));
    }
    let mut old = serving();
    edit(&mut old.environments[0], "sessions1", |h| h.reported_at = Some(Moment(NOW.0 - 60_000)));
    snapshot("services-expired", &on(settled(old), Screen::Host(name("sessions1"))), (120, 40));
}

#[test]
fn a_space_follows_a_name_however_long_it_is() {
    static LONG: ServiceKind = ServiceKind {
        name: "a-service-with-a-long-name",
        hosts: HostsOf::Roles(&[]),
        stopped: Severity::Critical,
        when_stopped: "Start it.",
        rule: |_, _, _| {},
        short: |_| None,
    };
    let mut model = healthy();
    edit(&mut model.environments[0], "sessions1", |host| {
        let service = Service { running: true, detail: "three workers".into(), ..Service::default() };
        host.facts.services.take(&LONG, Ok(service), NOW);
    });
    let page = text(&on(settled(model), Screen::Host(name("sessions1"))), (120, 40));
    assert!(page.contains("a-service-with-a-long-name three workers"), "{page}");
}

#[test]
fn every_service_has_a_row_with_the_hosts_where_it_is_not_well_first() {
    for size in [(120, 40), (80, 24)] {
        snapshot("services", &on(serving(), Screen::Services), size);
    }
    snapshot("services-none", &on(healthy(), Screen::Services), (80, 24));
}

#[test]
fn the_fleet_shows_a_hosts_worst_service() {
    snapshot("services-fleet", &serving(), (200, 50));
    // Where jumpdeck looks at no service, no column is lost to them.
    assert!(!text(&healthy(), (200, 50)).contains("SERVICE"));
}

/// Three looks from outside: at a port that is closed, at one that is open, and at one that nobody could look at.
fn looked_at() -> Model {
    let mut model = healthy();
    let production = &mut model.environments[0];
    let port = |port| {
        Arc::new(OutsideCheck {
            name: format!("192.0.2.1:{port}"),
            from: if port == 9200 { Viewpoint::JumpBox } else { Viewpoint::ThisMachine },
            target: OutsideTarget::Closed(ClosedPort { address: "192.0.2.1".to_owned(), port }),
        })
    };
    Arc::make_mut(&mut production.spec).outside.checks = [3306, 6379, 9200].map(port).into();
    let mut seen = production.outside.follow(&production.spec.outside);
    seen.results[0].fact.learn(OutsideReading::Open, NOW);
    seen.results[1].fact.learn(OutsideReading::Closed("connection refused".into()), NOW);
    seen.results[2].fact.learn(OutsideReading::Closed("connection refused".into()), NOW);
    seen.results[2].fact.miss(Gap::Failed("the jump box is not connected".into()));
    production.outside = Arc::new(seen);
    settled(model)
}

#[test]
fn what_is_looked_at_from_outside_has_a_row_with_its_place_and_its_age() {
    let screen = text(&on(looked_at(), Screen::Services), (120, 40));
    // The strip of problems names the first one, too.
    let row_of = |screen: &str, name: &str| {
        let is_row = |line: &&str| line.contains("from here ") || line.contains("from jump ");
        let mut lines = screen.lines().filter(is_row).filter(|line| line.contains(name));
        lines.next().unwrap_or_default().to_owned()
    };
    let row = |name: &str| row_of(&screen, name);
    let has =
        |row: &str, all: &[&str]| all.iter().for_each(|part| assert!(row.contains(part), "{part}: {screen}"));
    has(&row("192.0.2.1:3306"), &["critical", "from here", "0s ago", "open"]);
    has(&row("192.0.2.1:6379"), &["ok", "from here", "closed: connection refused"]);
    has(&row("192.0.2.1:9200"), &["?", "from jump", "the jump box is not connected"]);
    let mut model = looked_at();
    model.now = Moment(NOW.0 + 600_000);
    let old = text(&on(settled(model), Screen::Services), (120, 40));
    let closed = row_of(&old, "192.0.2.1:6379");
    assert!(closed.contains("too old") && !closed.contains("ok "), "what was well ten minutes ago: {old}");
}

#[test]
fn the_jump_box_shows_its_banner_and_no_other_host_does() {
    let page_of = |host: &str| {
        let mut model = healthy();
        let jump = &mut model.environments[0].jump;
        Arc::make_mut(jump).banner = vec!["level: PRODUCTION".into(), "  be careful".into()];
        text(&on(settled(model), Screen::Host(name(host))), (120, 120))
    };
    let page = page_of("salt");
    assert!(page.contains("BANNER") && page.contains("level: PRODUCTION"), "{page}");
    assert!(!page_of("bots").contains("BANNER"));
}

#[test]
fn a_check_is_shown_with_its_figures_and_their_limits() {
    let mut model = healthy();
    check(&mut model.environments[0], "bots");
    let page = text(&on(settled(model), Screen::Host(name("bots"))), (120, 60));
    let has = |part: &str| assert!(page.contains(part), "{part}: {page}");
    has("check disk");
    has("DISK WARNING");
    has("/srv");
    has("91%");
    has("(warning over 90, critical over 95)");
}
