//! Real Postfix, Apache, Redis, Memcached, nginx and PHP-FPM, stopped and started as an administrator of a host without systemd does it.

use std::time::{Duration, Instant};

use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::time::Moment;
use serde_json::Value;

use super::{Fleet, Watcher, host};

/// As the script in `/etc/init.d` does it; what it prints goes nowhere, as a daemon keeps what it inherits.
const fn on<'a>(host: &'a str, script: &'a str) -> [&'a str; 5] {
    ["exec", host, "sh", "-c", script]
}

const START_POSTFIX: [&str; 5] = on("mail", "service postfix start >/dev/null 2>&1");

const STOPPED_POSTFIX: &str = "postfix is stopped: postqueue cannot reach it, and no master process of postfix runs. Look at its log, then start it: service postfix start.";

/// The fleet with real services; says so where Debian's packages of them could not be had.
fn hold() -> Option<Fleet> {
    let fleet = Fleet::hold()?;
    if std::fs::read_to_string(fleet.inventory()).unwrap().contains("default_services = false") {
        println!("skipped: no real services (tests/fleet packages install, before the fleet comes up)");
        return None;
    }
    Some(fleet)
}

fn service<'a>(document: &'a Value, on: &str, name: &str) -> &'a Value {
    let services = host(document, on)["services"].as_array().unwrap();
    services.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("no {name} on {on}: {services:?}"))
}

impl Watcher {
    fn of_service(&self, host: &str) -> Vec<Problem> {
        let its = |p: &Problem| {
            matches!(p.kind, ProblemKind::Service | ProblemKind::Unreadable)
                && p.host.as_ref().is_some_and(|name| name.as_str() == host)
        };
        self.problems().into_iter().filter(its).collect()
    }

    /// What is wrong with the services of each of the hosts, once it is as wanted: within two polls of what came after `since`.
    async fn within_two_polls(
        &mut self,
        hosts: &[&str],
        since: Moment,
        as_wanted: impl Fn(&[Problem]) -> bool,
    ) {
        let mut polls = vec![(0, 0); hosts.len()];
        // For a host that does not report at all.
        let until = Instant::now() + Duration::from_secs(40);
        loop {
            let mut waits = false;
            for (name, (seen, last)) in hosts.iter().zip(&mut polls) {
                let host = &self.hosts[*name];
                if host.generation > *last && host.reported_at > Some(since) {
                    *seen += 1;
                    *last = host.generation;
                }
                let problems = self.of_service(name);
                if *seen == 0 || !as_wanted(&problems) {
                    waits = true;
                    assert!(*seen < 2, "two polls of {name}, and it is not seen: {problems:#?}");
                }
            }
            if !waits {
                return;
            }
            assert!(self.next(until).await, "{}", self.tell());
        }
    }

    fn message(&self, host: &str) -> (Severity, String) {
        let problems = self.of_service(host);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        (problems[0].severity, problems[0].message.clone())
    }
}

/// Host, service, and its script.
const STOPPED: [(&str, &str, &str); 5] = [
    ("mail", "postfix", "postfix"),
    ("app3", "apache", "apache2"),
    ("sessions1", "redis", "redis-server"),
    ("memcache1", "memcached", "memcached"),
    ("accounts", "nginx", "nginx"),
];

#[tokio::test]
async fn services_that_were_stopped_are_critical_within_two_polls_and_well_again_when_started() {
    let Some(fleet) = hold() else { return };
    let (document, _) = fleet.status();
    for (on, name) in [
        ("mail", "postfix"),
        ("app3", "apache"),
        ("sessions1", "redis"),
        ("sessions1", "memcached"),
        ("memcache1", "memcached"),
        ("accounts", "nginx"),
        ("accounts", "php-fpm"),
    ] {
        let found = service(&document, on, name);
        assert_eq!(found["state"], "ok", "{found}");
    }

    let mut watcher = Watcher::start(&fleet).await;
    let hosts = STOPPED.map(|(host, ..)| host);
    let scripts = |action: &str| {
        STOPPED.map(|(host, _, unit)| (host, format!("service {unit} {action} >/dev/null 2>&1")))
    };
    let starts = scripts("start");
    let starts = starts.each_ref().map(|(host, script)| on(host, script));
    let starts = starts.each_ref().map(<[&str; 5]>::as_slice);
    let undo = fleet.undo(&starts);
    for (host, script) in scripts("stop") {
        fleet.verb(&on(host, &script));
    }
    let one_critical = |p: &[Problem]| matches!(p, [p] if p.severity == Severity::Critical);
    watcher.within_two_polls(&hosts, watcher.clock.now(), one_critical).await;
    for (host, name, unit) in STOPPED {
        let (severity, said) = watcher.message(host);
        let next = format!(" Look at its log, then start it: service {unit} start.");
        assert!(said.starts_with(&format!("{name} is stopped: ")) && said.ends_with(&next), "{said}");
        assert_eq!(severity, Severity::Critical);
        println!("{host}: {said}");
    }

    // What the messages say to do.
    drop(undo);
    watcher.within_two_polls(&hosts, watcher.clock.now(), <[Problem]>::is_empty).await;
}

#[tokio::test]
async fn main_processes_that_were_killed_are_seen_within_two_polls_and_the_advice_works() {
    let Some(fleet) = hold() else { return };
    let mut watcher = Watcher::start(&fleet).await;
    let gone = "while pgrep -x apache2 >/dev/null; do sleep 0.05; done";
    let start_anew = format!("pkill -9 -x apache2; {gone}; service apache2 start >/dev/null 2>&1");
    let undo: [&[&str]; 2] = [&START_POSTFIX, &on("app3", &start_anew)];
    let _undo = fleet.undo(&undo);
    let main = fleet.verb(&["exec", "app3", "cat", "/run/apache2/apache2.pid"]).trim().to_owned();
    fleet.verb(&["exec", "mail", "pkill", "-9", "-x", "master"]);
    fleet.verb(&["exec", "app3", "kill", "-9", &main]);
    let both = ["mail", "app3"];
    watcher.within_two_polls(&both, watcher.clock.now(), |problems| problems.len() == 1).await;
    assert_eq!(watcher.message("mail"), (Severity::Critical, STOPPED_POSTFIX.to_owned()));
    // Apache's workers go on and serve pages: it is neither well nor stopped.
    let (severity, said) = watcher.message("app3");
    assert_eq!(severity, Severity::Unknown);
    let (what, advice) = said.split_once(" End them: ").unwrap_or_else(|| panic!("{said}"));
    let (before, count) = what.split_once(", and ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(before, "apache failed: its main process is gone", "{said}");
    assert!(count.ends_with(" of its processes go on without it."), "{said}");
    let (end, start) = advice.split_once(". Then: ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!((end, start), (format!("kill -TERM -{main}").as_str(), "service apache2 start"));

    // Word for word what the messages say to do.
    fleet.verb(&on("app3", &format!("{end} && {gone}; {start} >/dev/null 2>&1")));
    fleet.verb(&START_POSTFIX);
    watcher.within_two_polls(&both, watcher.clock.now(), <[Problem]>::is_empty).await;
}

/// PHP's page is asked for through nginx.
#[tokio::test]
async fn figures_come_from_status_pages_and_a_pool_of_php_that_stopped_is_critical() {
    let Some(fleet) = hold() else { return };
    let (document, _) = fleet.status();
    let figures = |on: &str, name: &str| -> Vec<String> {
        let readings = service(&document, on, name)["readings"].as_array().unwrap().clone();
        readings.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(figures("app3", "apache"), ["workers", "idle"]);
    assert_eq!(figures("accounts", "nginx"), ["connections", "waiting"]);
    assert_eq!(figures("accounts", "php-fpm"), ["active", "idle", "queue", "limit_reached"]);

    let mut watcher = Watcher::start(&fleet).await;
    let script = |action: &str| format!("cd /etc/init.d && service php*-fpm {action} >/dev/null 2>&1");
    let (start, stop) = (script("start"), script("stop"));
    let started = on("accounts", &start);
    let starts: [&[&str]; 1] = [&started];
    let undo = fleet.undo(&starts);
    fleet.verb(&on("accounts", &stop));
    let host = ["accounts"];
    watcher.within_two_polls(&host, watcher.clock.now(), |p| p.len() == 1).await;
    let (severity, said) = watcher.message("accounts");
    assert_eq!(severity, Severity::Critical, "{said}");
    assert!(said.starts_with("php-fpm is stopped: "), "{said}");
    drop(undo);
    watcher.within_two_polls(&host, watcher.clock.now(), <[Problem]>::is_empty).await;
}

#[test]
fn mail_that_waits_is_counted_with_its_reason() {
    let Some(fleet) = hold() else { return };
    let _undo = fleet.undo(&[&["exec", "mail", "sh", "-c", "postsuper -d ALL 2>&1"]]);
    // Exim of another host gives it to Postfix, and nobody takes mail on app1.
    let send = "printf 'Subject: to nobody\\n\\n' | sendmail -i nobody@app1.production.wpdn";
    fleet.verb(&on("backup", send));
    let until = Instant::now() + Duration::from_secs(20);
    while !fleet.verb(&on("mail", "postqueue -p")).contains("refused") {
        assert!(
            Instant::now() < until,
            "Postfix does not try to send it: {}",
            fleet.verb(&on("backup", "exim4 -bp"))
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let (document, _) = fleet.status();
    let postfix = service(&document, "mail", "postfix");
    assert_eq!(postfix["state"], "ok", "one is not many: {postfix}");
    let reading = |name: &str| {
        let readings = postfix["readings"].as_array().unwrap();
        readings.iter().find(|r| r["name"] == name).unwrap_or_else(|| panic!("no {name}: {postfix}"))["value"]
            .clone()
    };
    assert_eq!((reading("queue"), reading("deferred")), (1.into(), 1.into()));
    let reason = reading("reason").as_str().unwrap().to_owned();
    assert!(reason.contains("app1.production.wpdn") && reason.contains("Connection refused"), "{reason}");
}
