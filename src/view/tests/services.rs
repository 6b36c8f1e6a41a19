//! Services in the fleet's rows and on the host's page.

use super::*;

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
