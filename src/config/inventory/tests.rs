#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use std::time::Duration;

use super::*;
use jumpdeck_fleet::access::{KeySource, KnownHosts};
use jumpdeck_fleet::backup::DeclaredBackup;
use jumpdeck_fleet::check::{CheckRule, DeclaredCheck};
use jumpdeck_fleet::fleet::{Host, Jump, Requirement};
use jumpdeck_fleet::names::HostName;

fn context() -> Context {
    Context {
        home: "/home/ada".into(),
        ssh_auth_sock: Some("/run/agent".into()),
        user: "ada".into(),
        default_keys: vec!["/home/ada/.ssh/id_rsa".into()],
    }
}

fn fleet(text: &str) -> Fleet {
    parse("inventory.toml", text, &context()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(|e| e.render(false)).collect::<Vec<_>>().join("\n"))
    })
}

fn host(fleet: &Fleet, environment: usize, name: &str) -> Host {
    let found = fleet.environments[environment].host(&HostName::new(name).unwrap());
    Host::clone(found.unwrap())
}

fn requirement(environment: &Environment, role: &str) -> Option<Requirement> {
    environment.requirements.iter().find(|r| r.role.as_str() == role).cloned()
}

#[test]
fn the_example_is_read() {
    let fleet = fleet(EXAMPLE);
    let names: Vec<_> = fleet.environments.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["production", "staging", "secondary"]);
    let [production, staging, secondary] = &fleet.environments[..] else { panic!("three") };
    assert_eq!(production.hosts.len(), 25);
    assert_eq!(production.hosts[0].id.host.as_str(), "salt", "the file's order");
    assert_eq!(
        [production, staging, secondary].map(|e| e.guard),
        [Guard::Challenge, Guard::Confirm, Guard::Challenge]
    );
    let db = host(&fleet, 0, "db1-masterdb");
    assert_eq!(db.address, "db1-masterdb.production.wpdn");
    assert_eq!(db.roles.iter().map(ToString::to_string).collect::<Vec<_>>(), ["db", "masterdb"]);
    assert!(db.sudo && !db.roles_declared && !host(&fleet, 0, "app1").sudo);
    assert!(host(&fleet, 0, "project").roles_declared);
    assert_eq!((host(&fleet, 0, "redis-alpha1").port, db.port), (2222, 22));
    assert_eq!(production.thresholds.disk.critical, 95.0);
    assert_eq!(staging.thresholds.disk.critical, 97.0);
    assert_eq!(
        (production.cadence.poll, staging.cadence.poll),
        (Duration::from_secs(5), Duration::from_secs(10))
    );
    assert_eq!(staging.cadence.deadline, Duration::from_secs(8));
    assert_eq!(requirement(production, "app").unwrap().at_least, 2);
    assert_eq!(requirement(staging, "accounts"), None);
    assert_eq!(requirement(staging, "masterdb").unwrap().describe(), "exactly 1");
    assert_eq!(secondary.requirements.len(), 2);
    let Jump::Local { name } = &secondary.jump else { panic!("local") };
    assert_eq!(name.as_str(), "salt");
    let key = KeySource::File {
        path: "/home/ada/.ssh/secondary".into(),
        certificate: Some("/home/ada/.ssh/secondary-cert.pub".into()),
    };
    assert_eq!(host(&fleet, 2, "db1").access.keys, [key]);
}

#[test]
fn every_key_is_documented_and_the_smallest_inventory_is_one() {
    let docs = include_str!("../../../docs/inventory.md");
    let keys = [&scope::KEYS[..], &ENVIRONMENT_KEYS, &host::FIELDS, &thresholds::NAMES].concat();
    for key in keys {
        assert!(docs.contains(&format!("`{key}`")), "{key}");
    }
    let smallest = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(fleet(smallest).environments[0].hosts.len(), 2);
}

#[test]
fn what_is_not_said_has_a_default() {
    let fleet = fleet("[environments.test]\njump.address = \"::1\"\nhosts.app1 = {}\n");
    let environment = &fleet.environments[0];
    assert_eq!((environment.level.as_str(), environment.guard), ("test", Guard::Confirm));
    let Jump::Remote(jump) = &environment.jump else { panic!("remote") };
    assert_eq!((jump.name.as_str(), jump.address.as_str(), jump.port), ("salt", "::1", 22));
    assert!(jump.access.password);
    let app = host(&fleet, 0, "app1");
    assert_eq!(app.address, "app1");
    assert!(!app.access.password);
    assert_eq!(app.access.user, "ada");
    assert_eq!(app.access.agent.as_deref(), Some("/run/agent".as_ref()));
    assert_eq!(
        app.access.keys,
        [KeySource::File { path: "/home/ada/.ssh/id_rsa".into(), certificate: None }]
    );
    let KnownHosts::Files(files) = &app.access.known_hosts else { panic!("files") };
    assert_eq!(
        files.known_hosts().collect::<Vec<_>>(),
        [
            "/home/ada/.ssh/known_hosts",
            "/home/ada/.ssh/known_hosts2",
            "/etc/ssh/ssh_known_hosts",
            "/etc/ssh/ssh_known_hosts2"
        ]
        .map(std::path::Path::new)
    );
    assert!(files.revoked.is_empty());
    assert_eq!(environment.requirements, jumpdeck_fleet::fleet::default_requirements());
}

#[test]
fn the_nearer_setting_holds() {
    let text = "user = 'top'\nport = 1\nagent = false\nsudo = true\n\
                [environments.a]\nuser = 'env'\njump = { address = 'j', user = 'jump', password = false }\n\
                hosts.app1 = { user = 'host', port = 3, sudo = false, keys = ['/k'] }\nhosts.app2 = {}\n\
                [environments.b]\njump = 'local'\nhosts.app1 = {}\n";
    let fleet = fleet(text);
    let Jump::Remote(jump) = &fleet.environments[0].jump else { panic!("remote") };
    assert_eq!((jump.access.user.as_str(), jump.port, jump.access.password), ("jump", 1, false));
    let (first, second, other) = (host(&fleet, 0, "app1"), host(&fleet, 0, "app2"), host(&fleet, 1, "app1"));
    assert_eq!((first.access.user.as_str(), first.port, first.sudo), ("host", 3, false));
    assert_eq!(first.access.keys.len(), 1);
    assert_eq!((second.access.user.as_str(), second.port, second.sudo), ("env", 1, true));
    assert_eq!(other.access.user, "top");
    assert_eq!(other.access.agent, None);
}

#[test]
fn a_second_jump_box_is_a_route_of_its_own() {
    let fleet = fleet(
        "user = 'ops'\n[environments.a]\n\
         jump = [{ name = 'edge', address = '203.0.113.7' }, { name = 'salt', address = '10.0.0.2' }]\n\
         second_jump = [{ name = 'edge', address = '203.0.113.7' }, { name = 'db2', address = '10.0.0.3', user = 'me' }]\n\
         hosts = { app1 = {}, db2 = { address = '10.0.0.3' } }\n\
         [environments.b]\njump.address = 'b1'\nsecond_jump = { name = 'b2', address = 'b2', port = 2222 }\nhosts.app1 = {}\n\
         [environments.c]\njump.address = 'c1'\nhosts.app1 = {}\n",
    );
    let [a, b, c] = fleet.environments.as_slice() else { panic!("three") };
    assert_eq!(a.second_jump.as_ref().unwrap().route_text(), "203.0.113.7:22 → 10.0.0.3:22");
    let by_second = a.by_second().unwrap();
    assert_eq!((by_second.jump.name().as_str(), &by_second.second_jump), ("db2", &None));
    assert_eq!(by_second.hosts, a.hosts);
    assert_eq!(b.second_jump.as_ref().unwrap().place(), "b2:2222");
    assert!(c.second_jump.is_none() && c.by_second().is_none());
    // The host keeps the account that it has behind the jump box.
    assert_eq!(host(&fleet, 0, "db2").access.user, "ops");
}

#[test]
fn jump_boxes_in_a_row() {
    let fleet = fleet(
        "user = 'ops'\n[environments.a]\n\
         jump = [{ name = 'edge', address = '203.0.113.7', user = 'me', port = 2222 }, { name = 'inner', address = '10.0.0.1' }, \
         { name = 'salt', address = '10.0.0.2', password = false }]\nhosts = { app1 = {}, edge = {}, salt = {} }\n",
    );
    let environment = &fleet.environments[0];
    let Jump::Remote(jump) = &environment.jump else { panic!("remote") };
    let route: Vec<String> =
        jump.route().iter().map(|j| format!("{}@{} {}", j.access.user, j.place(), j.name)).collect();
    assert_eq!(route, ["me@203.0.113.7:2222 edge", "ops@10.0.0.1:22 inner", "ops@10.0.0.2:22 salt"]);
    assert!(!jump.access.password && jump.route()[0].access.password);
    assert_eq!(environment.jump.name().as_str(), "salt");
    let host = |name: &str| environment.hosts.iter().find(|h| h.id.host.as_str() == name).unwrap();
    assert_eq!((host("edge").address.as_str(), host("edge").port), ("203.0.113.7", 2222));
    assert_eq!((host("salt").address.as_str(), host("app1").address.as_str()), ("10.0.0.2", "app1"));
}

#[test]
fn the_jump_box_as_a_host_is_reached_as_the_jump_box() {
    let fleet = fleet(
        "[environments.a]\ndomain = 'x.y'\njump = { address = 'j.example', port = 2200 }\nhosts.salt = {}\n",
    );
    let salt = host(&fleet, 0, "salt");
    assert_eq!((salt.address.as_str(), salt.port), ("j.example", 2200));
    assert!(salt.access.password);
}

#[test]
fn hosts_may_be_listed_apart() {
    let text = "[environments.a]\njump = 'local'\n[environments.b]\njump = 'local'\nhosts.db1 = {}\n\
                [[hosts]]\nname = 'app1'\nenvironment = 'a'\n[[hosts]]\nname = 'app1'\nenvironment = 'b'\n";
    let fleet = fleet(text);
    assert_eq!(fleet.environments.iter().map(|e| e.hosts.len()).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn requirements_change_field_by_field() {
    let text = "[requirements]\nmasterdb = { at_most = 2 }\nsource = { at_least = 2, at_most = 'any' }\nmail = false\n\
                web = { at_least = 3, implies = ['app'] }\n\
                [environments.a]\njump = 'local'\nhosts.x = {}\n\
                [environments.b]\njump = 'local'\nhosts.x = {}\ndefault_requirements = false\nrequirements.db = {}\n\
                [environments.c]\njump = 'local'\nhosts.x = {}\ndefault_requirements = true\n";
    let fleet = fleet(text);
    let a = &fleet.environments[0];
    let master = requirement(a, "masterdb").unwrap();
    assert_eq!((master.describe().as_str(), master.implies.len()), ("1 to 2", 1));
    assert_eq!(requirement(a, "source").unwrap().describe(), "2 or more");
    assert_eq!(requirement(a, "mail"), None);
    assert_eq!(requirement(a, "web").unwrap().implies[0].as_str(), "app");
    assert_eq!(fleet.environments[1].requirements.len(), 1);
    assert_eq!(fleet.environments[2].requirements, jumpdeck_fleet::fleet::default_requirements());
}

#[test]
fn times_have_units() {
    let poll = |text: &str| {
        let text = format!("cadence.poll = {text}\n[environments.a]\njump = 'local'\nhosts.x = {{}}\n");
        fleet(&text).environments[0].cadence.poll
    };
    assert_eq!(poll("2"), Duration::from_secs(2));
    assert_eq!(poll("1.5"), Duration::from_millis(1500));
    assert_eq!(poll("'1500ms'"), Duration::from_millis(1500));
    assert_eq!(poll("'2m'"), Duration::from_secs(120));
    assert_eq!(poll("'1 h'"), Duration::from_secs(3600));
}

#[test]
fn an_account_is_never_guessed() {
    let nobody = Context { user: String::new(), ..context() };
    let text = "[environments.a]\njump = 'local'\nhosts.x = {}\n";
    assert_eq!(parse("f", text, &nobody).unwrap_err().len(), 1);
    assert!(parse("f", &format!("user = 'u'\n{text}"), &nobody).is_ok());
}

/// Case 28: a route over two jump boxes, first hop first; each may be a host too, and is asked over its own connection.
#[test]
fn a_route_may_have_several_jump_boxes() {
    let fleet = fleet(
        "[environments.a]\njump = [{ name = 'bastion1', address = '203.0.113.7', user = 'CORP\\\\alice' }, \
         { name = 'bastion2', address = '10.1.0.9', port = 2200, password = false, host_key_alias = 'b2' }]\n\
         hosts.app1 = {}\nhosts.bastion1 = {}\nhosts.bastion2 = {}\n",
    );
    let Jump::Remote(jump) = &fleet.environments[0].jump else { panic!("remote") };
    let route: Vec<_> =
        jump.route().into_iter().map(|jump| (jump.name.as_str(), jump.address.as_str(), jump.port)).collect();
    assert_eq!(route, [("bastion1", "203.0.113.7", 22), ("bastion2", "10.1.0.9", 2200)]);
    assert_eq!((jump.access.password, jump.access.known_hosts.alias()), (false, Some("b2")));
    assert_eq!(jump.route()[0].access.user, "CORP\\\\alice");
    assert_eq!(host(&fleet, 0, "bastion1").address, "203.0.113.7");
    assert_eq!(
        (host(&fleet, 0, "bastion2").address.as_str(), host(&fleet, 0, "bastion2").port),
        ("10.1.0.9", 2200)
    );
    assert_eq!(fleet.environments[0].jump.name().as_str(), "bastion2");
}

/// Case 28: an agent at a socket of its own, a host key alias, and an address with a zone.
#[test]
fn an_agent_an_alias_and_a_zone() {
    let fleet = fleet(
        "agent = '~/.1password/agent.sock'\n[environments.a]\njump = { address = 'fe80::1%eth0' }\n\
         hosts.app1 = { address = '10.0.0.5', host_key_alias = 'app1.test' }\nhosts.app2 = {}\n\
         [environments.b]\nagent = false\njump = 'local'\nhosts.app1 = {}\n\
         [environments.c]\nagent = true\njump = 'local'\nhosts.app1 = {}\n",
    );
    let agent = |at: usize| host(&fleet, at, "app1").access.agent.clone();
    assert_eq!(agent(0).as_deref(), Some("/home/ada/.1password/agent.sock".as_ref()));
    assert_eq!((agent(1), agent(2).as_deref()), (None, Some("/run/agent".as_ref())));
    assert_eq!(host(&fleet, 0, "app1").access.known_hosts.alias(), Some("app1.test"));
    assert_eq!(host(&fleet, 0, "app2").access.known_hosts.alias(), None);
    let Jump::Remote(jump) = &fleet.environments[0].jump else { panic!("remote") };
    assert_eq!(jump.address, "fe80::1%eth0");
}

/// Case 20: the default files are asked for revocations when others are named.
#[test]
fn default_files_stay_asked_for_revocations() {
    let files = |text: &str| {
        let text = format!("{text}\n[environments.a]\njump = 'local'\nhosts.app1 = {{}}\n");
        let KnownHosts::Files(files) = &host(&fleet(&text), 0, "app1").access.known_hosts else {
            panic!("files")
        };
        files.revocations_only.iter().map(|p| p.display().to_string()).collect::<Vec<_>>()
    };
    let user = ["/home/ada/.ssh/known_hosts", "/home/ada/.ssh/known_hosts2"];
    let system = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
    assert!(files("").is_empty());
    assert_eq!(files("known_hosts = ['/k']"), user);
    assert_eq!(files("known_hosts = ['~/.ssh/known_hosts']"), user[1..]);
    assert_eq!(files("global_known_hosts = []"), system);
    assert_eq!(files("known_hosts = ['/k']\nglobal_known_hosts = ['/g']"), [user, system].concat());
}

#[test]
fn every_mistake_is_told_in_one_go() {
    let text = "usr = 'x'\n[environments.a]\nlevle = 'x'\njump = { address = 'a b' }\nhosts.app1 = { port = 0 }\n\
                hosts.app2 = { rolse = [] }\n";
    let errors = parse("f", text, &context()).unwrap_err();
    let lines: Vec<_> = errors.iter().map(|e| e.position().unwrap().0).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6]);
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in ".{0,200}") {
        if let Err(errors) = parse("f", &text, &Context::default()) {
            for error in errors { let _ = error.render(true); }
        }
    }

    #[test]
    fn no_damage_to_the_example_breaks_the_reader(cut in 0_usize..EXAMPLE.len(), byte in 0x20_u8..0x7f) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        bytes[cut] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Err(errors) = parse("f", &text, &Context::default())
        {
            proptest::prop_assert!(!errors.is_empty());
            for error in errors { let _ = error.render(false); }
        }
    }
}

#[test]
fn services_change_field_by_field() {
    let text = "[services]\napache = { processes = ['httpd'] }\nnginx = false\nredis = false\n\
                worker = { roles = ['app'], units = ['worker@1.service'], when_stopped = 'Call the web team.' }\n\
                [environments.a]\njump = 'local'\nhosts.app1 = {}\nhosts.nginx1 = {}\nhosts.other = {}\n\
                [environments.b]\njump = 'local'\nhosts.app1 = {}\ndefault_services = false\nservices.redis = true\n";
    let fleet = fleet(text);
    let off = |env: usize| fleet.environments[env].hosts[0].unwatched.clone();
    assert_eq!((off(0), off(1)), (vec!["nginx".to_owned(), "redis".to_owned()], vec!["nginx".to_owned()]));
    let of = |env: usize, host: usize| {
        let services = &fleet.environments[env].hosts[host].services;
        services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(0, 0), ["apache", "worker"]);
    assert_eq!((of(0, 1), of(0, 2)), (vec![], vec![]), "one was taken away, and nobody runs the other");
    let apache = &fleet.environments[0].hosts[0].services[0];
    assert_eq!((apache.units.len(), apache.processes.as_slice()), (2, &["httpd".to_owned()][..]));
    let worker = &fleet.environments[0].hosts[0].services[1];
    assert_eq!(worker.units, ["worker@1"]);
    assert_eq!(worker.when_stopped.as_deref(), Some("Call the web team."));
    assert_eq!(of(1, 0), Vec::<&str>::new());
}

#[test]
fn a_service_that_was_turned_off_is_looked_at_again_as_it_was_declared() {
    let text = "[services]\napache = false\nworker = { roles = ['app'], units = ['worker'] }\n\
                [environments.a]\njump = 'local'\nhosts.app1 = {}\nservices.worker = false\n\
                [environments.b]\njump = 'local'\nhosts.app1 = {}\ndefault_services = false\n\
                services = { apache = true, worker = true }\n";
    let fleet = fleet(text);
    let of = |env: usize| {
        let services = &fleet.environments[env].hosts[0].services;
        services.iter().map(|s| (s.name.as_str(), s.units.len())).collect::<Vec<_>>()
    };
    assert_eq!(of(0), []);
    assert_eq!(of(1), [("apache", 2), ("worker", 1)]);
}

#[test]
fn an_inventory_says_which_roles_run_a_service_with_a_probe() {
    let text = "[environments.a]\njump = 'local'\nhosts.app1 = {}\nhosts.sessions1 = {}\n\
                services = { redis = { roles = ['app'] }, exim = { roles = ['app'] } }\n";
    let fleet = fleet(text);
    let of = |host: usize| {
        let host = &fleet.environments[0].hosts[host];
        let services = host.services.iter().filter(|s| s.units.is_empty()).map(|s| s.name.clone());
        (services.collect::<Vec<_>>(), host.unwatched.clone())
    };
    let both = vec!["redis".to_owned(), "exim".to_owned()];
    assert_eq!(of(0), (both.clone(), vec![]));
    assert_eq!(of(1), (vec![], both));
}

#[test]
fn backups_change_field_by_field_down_to_the_host() {
    let text = "[backups]\ndb1 = { roles = ['backup'], files = '/srv/db1/*.sql.gz' }\nsalt = false\n\
                databases = { every = '12h' }\n\
                [environments.a]\njump = 'local'\nhosts.backup = {}\nhosts.app1 = {}\n\
                backups.db1.every = '7d'\n\
                [environments.a.hosts.nas.backups]\nimages = { files = '/srv/images/img?.tar' }\n\
                [environments.b]\njump = 'local'\ndefault_services = false\n\
                hosts.backup = { backups = { db1 = false, x = { files = '/x/*', when_old = 'Call Eve.' } } }\n";
    let fleet = fleet(text);
    let of = |env: usize, host: usize| {
        let backups = &fleet.environments[env].hosts[host].backups;
        let shown = |b: &DeclaredBackup| {
            format!("{} {}h {}/{}", b.name, b.every.as_secs() / 3600, b.folder, b.pattern)
        };
        backups.iter().map(|b| shown(b)).collect::<Vec<_>>()
    };
    let (files, databases) =
        ("backup files 168h /mnt/backup/files/*.tar.gz", "backup databases 12h /mnt/backup/mysql/*.sql.gz");
    assert_eq!(of(0, 0), [databases, files, "backup db1 168h /srv/db1/*.sql.gz"]);
    assert_eq!(of(0, 1), Vec::<String>::new());
    assert_eq!(of(0, 2), ["backup images 24h /srv/images/img?.tar"]);
    assert_eq!(of(1, 0), ["backup x 24h /x/*"]);
    let backups = &fleet.environments[0].hosts[0].backups;
    assert_eq!(backups.iter().map(|b| b.built_in).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(fleet.environments[1].hosts[0].backups[0].when_old.as_deref(), Some("Call Eve."));
}

#[test]
fn checks_change_field_by_field_down_to_the_host() {
    let text = "[checks]\njobs = { roles = ['app'], command = 'php showJobs.php', warning = 100, critical = '~:1000' }\n\
                raid = { roles = ['db'], command = \"check_raid -w '1 2'\", timeout = '2500ms' }\n\
                [environments.a]\njump = 'local'\nhosts.app1 = {}\nhosts.db1 = {}\n\
                checks.jobs.warning = '5:'\n\
                [environments.a.hosts.db2]\nchecks = { raid = false, own = { command = 'true', every = '1h', when_bad = 'Call Eve.' } }\n\
                [environments.b]\njump = 'local'\nhosts.app1 = { checks = { jobs = { every = 10 } } }\nchecks.raid = false\nhosts.db1 = {}\n";
    let fleet = fleet(text);
    let of = |env: usize, host: usize| {
        let checks = &fleet.environments[env].hosts[host].checks;
        let shown = |c: &DeclaredCheck| {
            let rule = match &c.rule {
                CheckRule::Plugin => "plugin".to_owned(),
                CheckRule::Number(limits) => limits.to_string(),
            };
            format!(
                "{} {}s {}s {} {rule}",
                c.name,
                c.every.as_secs(),
                c.timeout.as_secs(),
                c.command.as_str()
            )
        };
        checks.iter().map(|c| shown(c)).collect::<Vec<_>>()
    };
    assert_eq!(of(0, 0), ["check jobs 60s 3s php showJobs.php warning below 5, critical over 1000"]);
    assert_eq!(of(0, 1), ["check raid 60s 3s check_raid -w '1 2' plugin"]);
    assert_eq!(of(0, 2), ["check own 3600s 3s true plugin"]);
    assert_eq!(of(1, 0), ["check jobs 10s 3s php showJobs.php warning over 100, critical over 1000"]);
    assert_eq!(of(1, 1), Vec::<String>::new());
    assert_eq!(fleet.environments[0].hosts[2].checks[0].when_bad.as_deref(), Some("Call Eve."));
}
