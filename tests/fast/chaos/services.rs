//! Services that stop, want a password, lose data: each by its own name, and well again when it is.

use jumpdeck_fleet::service::{Service, ServiceHealth};
use jumpdeck_sim::redis::Redis;
use jumpdeck_sim::web::status::WebLoad;

use super::*;

const REDIS: &str = "redis";

impl Bench {
    fn service(&self, host: &str, name: &str) -> Option<&Service> {
        self.hosts.get(host)?.facts.services.get(name)?.current().map(AsRef::as_ref)
    }

    /// How a service of a host is, and the problems of the host's services.
    pub(super) fn judged(&self, host: &str, name: &str) -> Option<(ServiceHealth, Vec<(Severity, String)>)> {
        let facts = &self.hosts.get(host)?.facts;
        let entry = facts.services.iter().find(|entry| entry.name() == name)?;
        let service = entry.fact.current()?;
        let health = ServiceHealth::of(service, &entry.findings(service, &self.env.thresholds));
        let own = |p: &Problem| {
            p.kind == ProblemKind::Service && p.host.as_ref().is_some_and(|h| h.as_str() == host)
        };
        let problems = self.problems().into_iter().filter(own).map(|p| (p.severity, p.message)).collect();
        Some((health, problems))
    }

    async fn judged_as(&mut self, host: &str, what: &str, health: ServiceHealth) -> Vec<(Severity, String)> {
        self.named_as((host, REDIS), what, health).await
    }

    pub(super) async fn named_as(
        &mut self,
        (host, name): (&str, &str),
        what: &str,
        health: ServiceHealth,
    ) -> Vec<(Severity, String)> {
        self.until(what, LONG, |b| b.judged(host, name).is_some_and(|judged| judged.0 == health)).await;
        self.judged(host, name).unwrap().1
    }

    fn redis(&self, host: &str, change: impl FnOnce(&mut Redis)) {
        change(self.world.lock().unwrap().redis(&HostName::new(host).unwrap()).unwrap());
    }

    fn serve(&self, host: &str, runs: bool) {
        self.run(host, "redis-server", runs);
    }

    fn run(&self, host: &str, service: &str, runs: bool) {
        assert!(self.world.lock().unwrap().set_service(&HostName::new(host).unwrap(), service, runs));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_stops_is_critical_and_one_nobody_may_look_at_is_unknown() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let host = "sessions1";
    assert_eq!(bench.judged_as(host, "it is well", ServiceHealth::Ok).await, []);
    let service = bench.service(host, REDIS).unwrap();
    assert_eq!((service.text("role"), service.amount("evicted")), (Some("master"), Some(0)));
    assert!(service.reading("memory").unwrap().to_string().ends_with(" of 512M"), "{service:?}");
    // Nobody asks hosts whose roles run none.
    assert!(bench.hosts["app1"].facts.services.get(REDIS).is_none());

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

/// A host was green while the service that it exists for was dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_role_runs_is_critical_when_it_stops() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    for (host, name, unit) in [
        ("app3", "apache", "apache2"),
        ("nginx1", "nginx", "nginx"),
        ("salt", "salt-master", "salt-master"),
        ("piwik", "php-fpm", "php5-fpm"),
    ] {
        assert_eq!(bench.named_as((host, name), "it is well", ServiceHealth::Ok).await, []);
        bench.run(host, unit, false);
        let problems = bench.named_as((host, name), "it is stopped", ServiceHealth::Down).await;
        assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical), "{host}: {problems:?}");
        let said = format!("{name} is stopped: no process ");
        assert!(problems[0].1.starts_with(&said), "{host}: {problems:?}");
        assert!(problems[0].1.ends_with(&format!("service {unit} start.")), "{host}: {problems:?}");
        bench.run(host, unit, true);
        assert_eq!(bench.named_as((host, name), "it is well again", ServiceHealth::Ok).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elasticsearch_that_stops_is_critical_and_well_again_when_it_is_back() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let (host, kind) = ("elastic", "elasticsearch");
    let name = HostName::new(host).unwrap();
    bench.until("it is well", LONG, |b| b.judged(host, kind) == Some((ServiceHealth::Ok, vec![]))).await;

    assert!(bench.world.lock().unwrap().set_service(&name, "elasticsearch", false));
    let down = |b: &Bench| b.judged(host, kind).filter(|judged| judged.0 == ServiceHealth::Down);
    bench.until("it is stopped", LONG, |b| down(b).is_some()).await;
    let problems = down(&bench).unwrap().1;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical));
    assert!(problems[0].1.starts_with("elasticsearch is stopped: 127.0.0.1:9200 refuses"), "{problems:?}");
    assert!(bench.world.lock().unwrap().set_service(&name, "elasticsearch", true));
    bench
        .until("it is well again", LONG, |b| b.judged(host, kind) == Some((ServiceHealth::Ok, vec![])))
        .await;
}

/// Every machine of 2015 has Exim, except the mail host; those of 2013 have none, and that is nothing to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exim_that_stops_is_a_warning_and_a_host_without_it_is_well() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let exim = "exim";
    assert_eq!(bench.named_as(("db2", exim), "it is well", ServiceHealth::Ok).await, []);
    bench.named_as(("project", exim), "it has a queue", ServiceHealth::Ok).await;
    let queue = bench.service("project", exim).unwrap();
    assert_eq!((queue.amount("queue"), queue.amount("frozen")), (Some(11), Some(2)), "{queue:?}");
    assert!(queue.text("reason").is_some_and(|why| why.contains("rate limited")), "{queue:?}");
    bench.named_as(("mail", "postfix"), "it has Postfix", ServiceHealth::Ok).await;
    assert!(bench.service("mail", exim).is_none());

    bench.run("db2", "exim4", false);
    let problems = bench.named_as(("db2", exim), "it is stopped", ServiceHealth::Down).await;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Warning), "{problems:?}");
    assert!(problems[0].1.starts_with("exim is stopped: no process of its daemon runs. "), "{problems:?}");
    bench.run("db2", "exim4", true);
    assert_eq!(bench.named_as(("db2", exim), "it is well again", ServiceHealth::Ok).await, []);

    drop(bench);
    let mut bench = Bench::up("wpd-2013", cadence(POLL, Duration::from_secs(8))).await;
    bench.named_as(("app1", "apache"), "it reports", ServiceHealth::Ok).await;
    assert!(bench.hosts.values().all(|host| host.facts.services.get(exim).is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memcached_that_throws_sessions_away_or_stops_is_named() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let memcached = "memcached";
    for host in ["sessions1", "memcache1"] {
        assert_eq!(bench.named_as((host, memcached), "it is well", ServiceHealth::Ok).await, []);
    }
    let service = bench.service("memcache1", memcached).unwrap();
    assert!(service.reading("memory").unwrap().to_string().ends_with(" of 1.0G"), "{service:?}");
    assert!(service.amount("hits").is_some_and(|hits| hits > 0), "{service:?}");
    let change = |host: &str, evicted, clients| {
        let mut world = bench.world.lock().unwrap();
        let server = world.memcached(&HostName::new(host).unwrap()).unwrap();
        (server.evicted, server.clients) = (evicted, clients);
    };
    // A cache that is full is none of a problem, and a lost session is one.
    change("memcache1", 7, 0);
    change("sessions1", 7, 990);
    let problems = bench.named_as(("sessions1", memcached), "it is damaged", ServiceHealth::Degraded).await;
    let severities: Vec<Severity> = problems.iter().map(|(severity, _)| *severity).collect();
    assert_eq!(severities, [Severity::Warning; 2], "{problems:?}");
    assert!(problems.iter().any(|(_, said)| said.starts_with("memcached threw away 7 sessions early")));
    let evicted = |b: &Bench| b.service("memcache1", memcached).and_then(|service| service.amount("evicted"));
    bench.until("the cache says what it threw away", LONG, |b| evicted(b) == Some(7)).await;
    bench.named_as(("memcache1", memcached), "it is well all the same", ServiceHealth::Ok).await;

    bench.run("memcache1", "memcached", false);
    let problems = bench.named_as(("memcache1", memcached), "it is stopped", ServiceHealth::Down).await;
    assert_eq!((problems.len(), problems[0].0), (1, Severity::Critical), "{problems:?}");
    assert!(problems[0].1.starts_with("memcached is stopped: 127.0.0.1:11211 refuses"), "{problems:?}");
}

/// Web servers that run and have nobody left to serve: seen on their own status pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_servers_whose_workers_are_all_busy_are_critical_and_php_that_queues_is_a_warning() {
    let mut bench = Bench::up("wpd-2015", cadence(Duration::from_millis(300), Duration::from_secs(8))).await;
    let load = |bench: &Bench, host: &str, load| {
        bench.world.lock().unwrap().set_web_load(&HostName::new(host).unwrap(), load);
    };
    let has = |b: &Bench, host: &str, name: &str, reading: &str| {
        b.service(host, name).is_some_and(|service| service.reading(reading).is_some())
    };
    for (host, name, reading) in
        [("app3", "apache", "workers"), ("nginx1", "nginx", "connections"), ("piwik", "php-fpm", "queue")]
    {
        bench.until("it has figures", LONG, |b| has(b, host, name, reading)).await;
        assert_eq!(bench.named_as((host, name), "it is well", ServiceHealth::Ok).await, []);
    }
    assert_eq!(bench.service("app3", "apache").unwrap().reading("workers").unwrap().to_string(), "2 of 150");

    for (host, name, busy, severity, begin) in [
        ("app3", "apache", 140, Severity::Warning, "apache: 140 of 150 workers busy, "),
        ("app3", "apache", 150, Severity::Critical, "apache: 150 of 150 workers busy, "),
        ("piwik", "php-fpm", 5, Severity::Warning, "php-fpm: 7 requests wait, as all 5 processes are busy."),
    ] {
        load(&bench, host, Some(WebLoad { busy, queue: 7 }));
        let is = |b: &Bench| {
            matches!(b.judged(host, name), Some((ServiceHealth::Degraded, said))
                if matches!(said.as_slice(), [(worst, message)] if *worst == severity && message.starts_with(begin)))
        };
        bench.until(begin, LONG, is).await;
    }
    for (host, name) in [("app3", "apache"), ("piwik", "php-fpm")] {
        load(&bench, host, None);
        assert_eq!(bench.named_as((host, name), "it is well again", ServiceHealth::Ok).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn monit_that_stops_is_a_warning_of_its_host() {
    let mut bench = Bench::up("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let monit = ("app1", "monit");
    assert_eq!(bench.named_as(monit, "it runs", ServiceHealth::Ok).await, []);
    bench.run("app1", "monit", false);
    let stopped = bench.named_as(monit, "it is stopped", ServiceHealth::Down).await;
    assert!(
        matches!(stopped.as_slice(), [(Severity::Warning, message)] if message.starts_with("monit is stopped")),
        "{stopped:?}"
    );
    bench.run("app1", "monit", true);
    assert_eq!(bench.named_as(monit, "it runs again", ServiceHealth::Ok).await, []);
}
