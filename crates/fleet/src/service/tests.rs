#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::declared::default_services;

static QUEUE: ServiceKind = ServiceKind {
    name: "queue",
    hosts: HostsOf::Roles(&["jobrunner"]),
    stopped: Severity::Critical,
    when_stopped: "Start it: systemctl start queue.",
    rule: |service, limits, found| {
        if service
            .reading("waiting")
            .and_then(Figure::percent)
            .is_some_and(|used| used > limits.memory.warning)
        {
            found.push(Finding::of("waiting", Severity::Warning, "queue is nearly full".to_owned()));
        }
    },
    short: |service| service.text("role"),
};
static CACHE: ServiceKind = ServiceKind {
    name: "cache",
    hosts: HostsOf::Roles(&["memcache"]),
    stopped: Severity::Critical,
    when_stopped: "Start it.",
    rule: |_, _, _| {},
    short: |_| None,
};

fn running(waiting: u64) -> Service {
    let figure = Figure::Amount { value: waiting, of: Some(100), unit: Unit::Count };
    Service {
        running: true,
        readings: [ServiceReading { name: "waiting", figure }].into(),
        ..Service::default()
    }
}

fn found(service: &Service) -> (ServiceHealth, Vec<(Severity, String)>) {
    let findings = QUEUE.findings(service, &Thresholds::default());
    let health = ServiceHealth::of(service, &findings);
    (health, findings.into_iter().map(|finding| (finding.severity, finding.message)).collect())
}

#[test]
fn one_service_does_not_overwrite_another() {
    let mut services = Services::default();
    services.take(&QUEUE, Ok(running(1)), Moment(1));
    services.take(&CACHE, Err(Gap::TimedOut), Moment(2));
    services.take(&QUEUE, Err(Gap::Stuck), Moment(3));
    services.take(&CACHE, Ok(running(2)), Moment(4));
    let names: Vec<&str> = services.iter().map(|entry| entry.name()).collect();
    assert_eq!(names, ["cache", "queue"]);
    let queue = services.get("queue").unwrap();
    assert_eq!(
        (queue.gap.clone(), queue.age(Moment(11))),
        (Some(Gap::Stuck), Some(std::time::Duration::from_millis(10)))
    );
    assert_eq!(services.get("cache").unwrap().current().unwrap().amount("waiting"), Some(2));
}

#[test]
fn a_stopped_service_is_critical_and_says_what_to_do() {
    let stopped = Service { detail: "no process".into(), ..Service::default() };
    let message = "queue is stopped: no process. Start it: systemctl start queue.".to_owned();
    assert_eq!(found(&stopped), (ServiceHealth::Down, vec![(Severity::Critical, message)]));
}

#[test]
fn a_service_of_which_something_is_unknown_is_not_ok() {
    assert_eq!(found(&running(10)), (ServiceHealth::Ok, vec![]));
    let open = Service { gaps: [("workers", Gap::TimedOut)].into(), ..running(10) };
    let message = "queue workers timed out".to_owned();
    assert_eq!(found(&open), (ServiceHealth::Unknown, vec![(Severity::Unknown, message)]));
    assert_eq!(found(&running(90)).0, ServiceHealth::Degraded);
}

#[test]
fn figures_are_shown_with_their_limit_and_unit() {
    let amount = |value, of, unit| Figure::Amount { value, of, unit }.to_string();
    assert_eq!(amount(3, Some(100), Unit::Count), "3 of 100");
    assert_eq!(amount(831_488, Some(512 << 20), Unit::Bytes), "812K of 512M");
    assert_eq!(amount(45, None, Unit::Seconds), "45 s");
    assert_eq!(amount(36_000, Some(93_600), Unit::Seconds), "10 h of 26 h");
    assert_eq!(
        (Figure::Flag(true).to_string(), Figure::text("a\x1b[2J").to_string()),
        ("yes".into(), "a^[[2J".into())
    );
}

#[test]
fn one_that_is_stopped_is_critical_and_says_how_to_start_it() {
    let mut apache = default_services().into_iter().find(|service| service.name == "apache").unwrap();
    let mut service = Service { detail: "no process apache2 or httpd".into(), ..Service::default() };
    let said = |apache: &DeclaredService, service: &Service| {
        let found = declared_findings(apache, service);
        assert!(found.iter().all(|finding| finding.severity == Severity::Critical));
        found.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        said(&apache, &service),
        "apache is stopped: no process apache2 or httpd. Look at its log, then start it: service apache2 start."
    );
    service.readings = [ServiceReading { name: UNIT, figure: Figure::text("httpd") }].into();
    assert!(said(&apache, &service).ends_with("service httpd start."));
    apache.when_stopped = Some("Call the web team.".to_owned());
    assert!(said(&apache, &service).ends_with(". Call the web team."));
    service.running = true;
    assert_eq!(said(&apache, &service), "");
}

#[test]
fn web_servers_whose_workers_are_all_busy_say_so() {
    use super::web::{ACTIVE, IDLE, QUEUE, WORKERS};
    let amount =
        |name, value, of| ServiceReading { name, figure: Figure::Amount { value, of, unit: Unit::Count } };
    let found = |readings: Vec<ServiceReading>| {
        let service = Service { running: true, readings: readings.into(), ..Service::default() };
        web::findings("apache", &service)
            .into_iter()
            .map(|found| (found.severity, found.message))
            .collect::<Vec<_>>()
    };
    for (busy, of, severity) in [
        (135, Some(150), None),
        (136, Some(150), Some(Severity::Warning)),
        (149, Some(150), Some(Severity::Warning)),
        (150, Some(150), Some(Severity::Critical)),
        // How many there can be is not known.
        (150, None, None),
        (0, Some(0), None),
    ] {
        let said = found(vec![amount(WORKERS, busy, of)]);
        assert_eq!(said.first().map(|(severity, _)| *severity), severity, "{said:?}");
        assert!(
            said.iter().all(|(_, m)| m.starts_with(&format!("apache: {busy} of 150 workers busy, "))),
            "{said:?}"
        );
    }
    let php = |queue, idle| {
        found(vec![amount(ACTIVE, 5, None), amount(IDLE, idle, None), amount(QUEUE, queue, None)])
    };
    assert_eq!((php(0, 0), php(3, 1)), (vec![], vec![]));
    let said = php(3, 0);
    assert_eq!((said.len(), said[0].0), (1, Severity::Warning));
    assert!(said[0].1.starts_with("apache: 3 requests wait, as all 5 processes are busy."), "{said:?}");
}

static FOUND: ServiceKind = ServiceKind {
    name: "found",
    hosts: HostsOf::Found { except: &["mail"] },
    stopped: Severity::Warning,
    when_stopped: "Start it.",
    rule: |_, _, _| {},
    short: |_| None,
};

fn host(roles: &[&str], services: &[&str], unwatched: &[&str]) -> Host {
    let declared = |name: &&str| DeclaredService {
        name: (*name).to_owned(),
        roles: Vec::new(),
        units: Vec::new(),
        processes: Vec::new(),
        ..DeclaredService::default()
    };
    Host {
        id: crate::names::HostId {
            env: crate::names::EnvName::new("e").unwrap(),
            host: crate::names::HostName::new("h").unwrap(),
        },
        peers: [].into(),
        database_files: [].into(),
        address: "10.0.0.1".into(),
        port: 22,
        access: Arc::new(crate::access::Access {
            user: "root".into(),
            keys: Vec::new(),
            agent: None,
            password: false,
            known_hosts: crate::access::KnownHosts::own(Vec::new()),
        }),
        roles: roles.iter().map(|role| crate::names::RoleName::new(role).unwrap()).collect(),
        roles_declared: true,
        hostname: None,
        sudo: false,
        services: services.iter().map(declared).map(Arc::new).collect(),
        backups: Vec::new(),
        checks: Vec::new(),
        unwatched: unwatched.iter().map(|name| (*name).to_owned()).collect(),
        logs: Vec::new(),
    }
}

/// A host without Exim is neither unknown nor a problem, as long as nobody says that it runs it.
#[test]
fn a_service_that_is_shown_where_it_is_found_is_missed_only_where_it_is_expected() {
    let nobody = host(&["app"], &[], &[]);
    assert!(FOUND.is_asked_of(&nobody));
    assert!(!FOUND.is_asked_of(&host(&["mail"], &[], &[])));
    assert!(!FOUND.is_asked_of(&host(&["app"], &[], &["found"])));
    assert!(FOUND.is_asked_of(&host(&["mail"], &["found"], &[])));
    let mut services = Services::default();
    services.follow(&nobody);
    for gap in [Gap::NotInstalled, Gap::TimedOut, Gap::Unreadable("truncated report".into())] {
        services.take(&FOUND, Err(gap), Moment(1));
        assert!(services.is_empty());
    }
    services.take(&FOUND, Ok(running(1)), Moment(2));
    services.take(&FOUND, Err(Gap::TimedOut), Moment(3));
    assert_eq!(services.get("found").unwrap().gap, Some(Gap::TimedOut), "it was found once");
    services.take(&FOUND, Err(Gap::NotInstalled), Moment(4));
    assert!(services.is_empty(), "it is gone");

    services.follow(&host(&["app"], &["found"], &[]));
    services.take(&FOUND, Err(Gap::NotInstalled), Moment(5));
    assert_eq!(services.get("found").unwrap().gap, Some(Gap::NotInstalled));
    // Nobody expects it any more.
    services.follow(&nobody);
    services.take(&FOUND, Err(Gap::NotInstalled), Moment(6));
    assert!(services.is_empty());
}

/// A host of its role is where it may be: what nobody could look at there is unknown.
#[test]
fn a_service_that_a_role_may_have_is_unknown_where_nobody_could_look() {
    static FOUND_IN: ServiceKind =
        ServiceKind { name: "found-in", hosts: HostsOf::FoundIn(&["salt"]), ..FOUND };
    let salt = host(&["salt"], &[], &[]);
    assert!(FOUND_IN.is_asked_of(&salt) && !FOUND_IN.is_asked_of(&host(&["app"], &[], &[])));
    let mut services = Services::default();
    services.follow(&salt);
    services.take(&FOUND_IN, Err(Gap::NotInstalled), Moment(1));
    assert!(services.is_empty());
    services.take(&FOUND_IN, Err(Gap::TimedOut), Moment(2));
    assert_eq!(services.get("found-in").unwrap().gap, Some(Gap::TimedOut));
}
