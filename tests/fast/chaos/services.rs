//! Services that stop, want a password, lose data: each by its own name, and well again when it is.

use jumpdeck_fleet::service::{Service, ServiceHealth};
use jumpdeck_sim::redis::Redis;

use super::*;

const REDIS: &str = "redis";

impl Bench {
    fn service(&self, host: &str) -> Option<&Service> {
        self.hosts.get(host)?.facts.services.get(REDIS)?.current().map(AsRef::as_ref)
    }

    /// How the Redis of a host is, and its problems.
    fn judged(&self, host: &str) -> Option<(ServiceHealth, Vec<(Severity, String)>)> {
        self.judged_of(host, REDIS)
    }

    /// How a service of a host is, and the problems of its services.
    fn judged_of(&self, host: &str, kind: &str) -> Option<(ServiceHealth, Vec<(Severity, String)>)> {
        let facts = &self.hosts.get(host)?.facts;
        let entry = facts.services.iter().find(|entry| entry.kind.name == kind)?;
        let service = entry.fact.current()?;
        let health = ServiceHealth::of(service, &entry.kind.findings(service, &self.env.thresholds));
        let own = |p: &Problem| {
            p.kind == ProblemKind::Service && p.host.as_ref().is_some_and(|h| h.as_str() == host)
        };
        let problems = self.problems().into_iter().filter(own).map(|p| (p.severity, p.message)).collect();
        Some((health, problems))
    }

    async fn judged_as(&mut self, host: &str, what: &str, health: ServiceHealth) -> Vec<(Severity, String)> {
        self.until(what, LONG, |b| b.judged(host).is_some_and(|judged| judged.0 == health)).await;
        self.judged(host).unwrap().1
    }

    fn redis(&self, host: &str, change: impl FnOnce(&mut Redis)) {
        change(self.world.lock().unwrap().redis(&HostName::new(host).unwrap()).unwrap());
    }

    fn serve(&self, host: &str, runs: bool) {
        assert!(self.world.lock().unwrap().set_service(&HostName::new(host).unwrap(), "redis-server", runs));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stops_is_critical_and_one_nobody_may_look_at_is_unknown() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let host = "sessions1";
    assert_eq!(bench.judged_as(host, "it is well", ServiceHealth::Ok).await, []);
    let service = bench.service(host).unwrap();
    assert_eq!((service.text("role"), service.amount("evicted")), (Some("master"), Some(0)));
    assert!(service.reading("memory").unwrap().to_string().ends_with(" of 512M"), "{service:?}");
    // Nobody asks hosts whose roles run none.
    assert!(bench.hosts["app1"].facts.services.is_empty());

    bench.serve(host, false);
    let problems = bench.judged_as(host, "it is stopped", ServiceHealth::Down).await;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical));
    assert!(
        problems[0].1.starts_with("redis is stopped: 127.0.0.1:6379 refuses connections"),
        "{problems:?}"
    );
    bench.serve(host, true);
    assert_eq!(bench.judged_as(host, "it is well again", ServiceHealth::Ok).await, []);

    bench.redis(host, |redis| redis.wants_password = true);
    let problems = bench.judged_as(host, "it requires a password", ServiceHealth::Unknown).await;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Unknown));
    bench.redis(host, |redis| (redis.wants_password, redis.evicted, redis.save_failed) = (false, 3, true));
    let problems = bench.judged_as(host, "it is damaged", ServiceHealth::Degraded).await;
    let severities: Vec<Severity> = problems.iter().map(|(severity, _)| *severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Warning], "{problems:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elasticsearch_that_stops_is_critical_and_well_again_when_it_is_back() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let (host, kind) = ("elastic", "elasticsearch");
    let name = HostName::new(host).unwrap();
    bench.until("it is well", LONG, |b| b.judged_of(host, kind) == Some((ServiceHealth::Ok, vec![]))).await;

    assert!(bench.world.lock().unwrap().set_service(&name, "elasticsearch", false));
    let down = |b: &Bench| b.judged_of(host, kind).filter(|judged| judged.0 == ServiceHealth::Down);
    bench.until("it is stopped", LONG, |b| down(b).is_some()).await;
    let problems = down(&bench).unwrap().1;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical));
    assert!(problems[0].1.starts_with("elasticsearch is stopped: 127.0.0.1:9200 refuses"), "{problems:?}");
    assert!(bench.world.lock().unwrap().set_service(&name, "elasticsearch", true));
    bench
        .until("it is well again", LONG, |b| b.judged_of(host, kind) == Some((ServiceHealth::Ok, vec![])))
        .await;
}
