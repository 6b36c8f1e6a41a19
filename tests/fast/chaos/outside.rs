//! What users would see: sites that are down, certificates near their end, ports that are open, a mail host that relays; and
//! nothing is said of it when it cannot be looked at.

use jumpdeck_fleet::outside::{OutsideHealth, OutsideResult};

use super::*;

const WWW: &str = "www.webplatform.org from jump";
const DOCS: &str = "docs.webplatform.org from jump";

impl Bench {
    fn seen(&self, id: &str) -> &OutsideResult {
        self.outside.results.iter().find(|result| result.id == id).unwrap()
    }

    /// Changes the world, looks again, and waits until a check is so; its problems.
    async fn seen_as(
        &mut self,
        id: &str,
        health: OutsideHealth,
        change: impl FnOnce(&mut World),
    ) -> Vec<(Severity, String)> {
        change(&mut self.world.lock().unwrap());
        self.collector.refresh(&self.env.name);
        self.until(&format!("{id} is {health:?}"), LONG, |b| b.seen(id).health() == health).await;
        self.problems_of(id)
    }

    fn problems_of(&self, id: &str) -> Vec<(Severity, String)> {
        let own = |p: &Problem| p.kind == ProblemKind::Outside && p.service.as_deref() == Some(id);
        self.problems().into_iter().filter(own).map(|p| (p.severity, p.message)).collect()
    }
}

fn one(problems: &[(Severity, String)], severity: Severity, says: &[&str]) {
    let [(is, message)] = problems else { panic!("{problems:?}") };
    assert_eq!(*is, severity, "{message}");
    says.iter().for_each(|part| assert!(message.contains(part), "{part}: {message}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_users_see_is_seen() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let all_well = |b: &Bench| b.outside.results.iter().all(|result| result.health() == OutsideHealth::Ok);
    bench.until("all is well from outside", LONG, all_well).await;
    assert!(bench.outside.results.len() >= 8, "{:?}", bench.outside.results);

    let down = |down| move |w: &mut World| w.set_public_site_down("www.webplatform.org", down);
    let found = bench.seen_as(WWW, OutsideHealth::Critical, down(true)).await;
    one(
        &found,
        Severity::Critical,
        &["https://www.webplatform.org/ does not answer", "seen from the jump box"],
    );
    assert_eq!(bench.seen(DOCS).health(), OutsideHealth::Ok);
    assert_eq!(bench.seen_as(WWW, OutsideHealth::Ok, down(false)).await, []);

    let days = |days| move |w: &mut World| w.set_public_certificate_days(days);
    let found = bench.seen_as(WWW, OutsideHealth::Warning, days(Some(10))).await;
    one(&found, Severity::Warning, &["www.webplatform.org expires in 10.5 days", "renew it"]);
    let found = bench.seen_as(WWW, OutsideHealth::Critical, days(Some(-3))).await;
    one(&found, Severity::Critical, &["expired 2.5 days ago"]);
    bench.seen_as(WWW, OutsideHealth::Ok, days(None)).await;

    let address = bench.world.lock().unwrap().public_database_address().unwrap();
    let port = format!("{address}:3306 from here");
    let open = |open| {
        let address = address.clone();
        move |w: &mut World| w.set_public_port_open(&address, 3306, open)
    };
    let found = bench.seen_as(&port, OutsideHealth::Critical, open(true)).await;
    one(&found, Severity::Critical, &[&address, "port 3306", "must be closed", "seen from this machine"]);
    bench.seen_as(&port, OutsideHealth::Ok, open(false)).await;

    let mail = "mail.webplatform.org relay from here";
    let found = bench.seen_as(mail, OutsideHealth::Critical, |w| w.set_open_relay(true)).await;
    one(&found, Severity::Critical, &["mail.webplatform.org relays for strangers", "your own networks"]);
    bench.seen_as(mail, OutsideHealth::Ok, |w| w.set_open_relay(false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_dns_says_is_seen() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let all_well = |b: &Bench| b.outside.results.iter().all(|result| result.health() == OutsideHealth::Ok);
    bench.until("all is well from outside", LONG, all_well).await;

    let www = "www.webplatform.org A from here";
    let address = |address: Option<&str>| {
        let address = address.map(|address| address.parse().unwrap());
        move |w: &mut World| w.set_public_name_address("www.webplatform.org", address)
    };
    let found = bench.seen_as(www, OutsideHealth::Critical, address(Some("203.0.113.66"))).await;
    let says = "www.webplatform.org (A): resolver 192.0.2.53 answers 203.0.113.66 (kept for up to 300 s), expected 192.0.2.80";
    one(&found, Severity::Critical, &[says, "seen from this machine"]);
    assert_eq!(bench.seen_as(www, OutsideHealth::Ok, address(None)).await, []);

    let mail = "mail.webplatform.org reverse from here";
    let found = bench.seen_as(mail, OutsideHealth::Warning, |w| w.set_mail_reverse_missing(true)).await;
    one(
        &found,
        Severity::Warning,
        &["mail host mail.webplatform.org", "has no PTR record", "seen from this machine"],
    );
    bench.seen_as(mail, OutsideHealth::Ok, |w| w.set_mail_reverse_missing(false)).await;

    // The name server of the inside is stopped: nothing listens on its port.
    let inside = "masterdb.production.wpdn A from jump";
    let stop = |w: &mut World| {
        let jump = w.jump().unwrap().clone();
        assert!(w.set_service(&jump, "gdnsd", false));
    };
    let found = bench.seen_as(inside, OutsideHealth::Critical, stop).await;
    one(
        &found,
        Severity::Critical,
        &["masterdb.production.wpdn (A) has no answer", "check that it runs", "seen from the jump box"],
    );
}

/// The jump box is gone: what was seen from it is unknown, and no site is said to be down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_jump_box_nothing_is_said_of_what_is_seen_from_it() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    bench.until("www is well", LONG, |b| b.seen(WWW).health() == OutsideHealth::Ok).await;
    bench.servers.set_jump_down(&bench.env.name, true);
    bench.until("www is unknown", LONG, |b| b.seen(WWW).health() == OutsideHealth::Unknown).await;
    assert_eq!(bench.seen(WWW).detail(), "failed: the jump box is not connected");
    assert!(bench.seen(WWW).fact.last().is_some(), "its last answer stays");
    bench.until("the jump box is down", LONG, |b| b.jump.as_ref().is_some_and(|j| !j.link.is_up())).await;
    let problems = bench.problems();
    let from_jump = |p: &&Problem| p.service.as_deref().is_some_and(|id| id.ends_with("from jump"));
    assert_eq!(problems.iter().filter(from_jump).collect::<Vec<_>>(), Vec::<&Problem>::new());
    bench.servers.set_jump_down(&bench.env.name, false);
    bench.collector.retry(&bench.env.name, None);
    bench.until("www is well again", LONG, |b| b.seen(WWW).health() == OutsideHealth::Ok).await;
}
