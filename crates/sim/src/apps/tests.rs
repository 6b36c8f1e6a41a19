#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use crate::programs::tests::{Shared, shell, world};
use jumpdeck_fleet::names::HostName;

use super::Application;

const OLD: &str = "db1-masterdb";
const NEW: &str = "db2";

fn pass(world: &Shared, seconds: u64) {
    let mut world = world.lock().unwrap();
    world.advance(Duration::from_secs(seconds));
    world.applications();
}

fn fleet() -> Shared {
    let world = world("wpd-2015", 0);
    pass(&world, 5);
    world
}

fn does(world: &Shared, on: &str, script: &str) -> String {
    let (out, err, status) = shell(world, on, script);
    assert_eq!((err.as_str(), status), ("", 0), "{on}: {script}: {out}");
    out
}

fn of(world: &Shared, role: &str) -> Application {
    let all = world.lock().unwrap().applications();
    all.into_iter().find(|application| application.kind.role == role).unwrap()
}

fn writes_to(world: &Shared, role: &str) -> String {
    of(world, role).server.unwrap_or_default()
}

/// Puts the new server's address in place of the old one's.
fn edit(world: &Shared, on: &str, file: &str) {
    does(world, on, &format!("sed -i 's/10.10.10.14/10.10.10.15/' {file}"));
}

#[test]
fn each_application_writes_and_is_seen_in_the_masters_process_list() {
    let world = fleet();
    pass(&world, 20);
    let query =
        "SELECT user, db, SUBSTRING_INDEX(host, ':', 1) FROM information_schema.processlist WHERE db <> ''";
    let list = does(&world, OLD, &format!("mysql -N -e \"{query}\""));
    for application in world.lock().unwrap().applications() {
        let (host, kind) = (application.host, application.kind);
        assert!(list.contains(&format!("{}\t{}\t10.10.10.", kind.user, kind.database)), "{host}: {list}");
        assert!(application.acknowledged > 0 && application.refused == 0, "{host}");
    }
    let rows = does(&world, NEW, "mysql -N -e 'SELECT COUNT(*) > 0, MIN(app) FROM irclogs.journal'");
    assert_eq!(rows, "1\tbots\n");
}

#[test]
fn an_application_follows_its_configuration_when_a_program_of_its_kind_does() {
    let world = fleet();
    // PHP asks for each request: the name in the hosts file, the address in its own file.
    edit(&world, "blog", "/etc/hosts");
    edit(&world, "piwik", "/etc/piwik/config.ini.php");
    pass(&world, 2);
    assert_eq!((writes_to(&world, "blog").as_str(), writes_to(&world, "piwik").as_str()), (NEW, NEW));
    let refused = of(&world, "blog");
    assert!(refused.last_error.unwrap().starts_with("ERROR 1290"), "a read-only replica");
    // The others go on until they are reloaded, or restarted.
    for (role, host, file, act) in [
        ("project", "project", "/etc/thebuggenie/b2db_bootstrap.inc.php", "service apache2 reload"),
        ("jobrunner", "app1-jobrunner", "/etc/hosts", "service jobrunner restart"),
        ("accounts", "accounts", "/etc/fxa/auth-db.json", "service fxa-auth-server restart"),
        ("bots", "bots", "/srv/bots/pierc.conf", "service pierc restart"),
    ] {
        edit(&world, host, file);
        pass(&world, 30);
        assert_eq!(writes_to(&world, role), OLD, "{role}: nothing was reloaded");
        does(&world, host, act);
        pass(&world, 2);
        assert_eq!(writes_to(&world, role), NEW, "{role}");
    }
}

#[test]
fn a_highstate_before_the_promotion_lets_that_host_write_to_a_read_only_replica() {
    let world = fleet();
    edit(&world, "salt", "/srv/pillar/infra/production.sls");
    does(&world, "salt", "salt accounts state.disable highstate");
    does(&world, "salt", "salt --async -L piwik,accounts,bots state.highstate");
    pass(&world, 60);
    does(&world, "salt", "salt-run jobs.active");
    pass(&world, 10);
    let piwik = of(&world, "piwik");
    assert_eq!(piwik.server.as_deref(), Some(NEW));
    assert!(piwik.refused > 0 && piwik.last_error.unwrap().starts_with("ERROR 1290"));
    assert_eq!(writes_to(&world, "accounts"), OLD, "its highstate is disabled");
    assert_eq!(writes_to(&world, "bots"), OLD, "no state renders its file");
    assert!(does(&world, "bots", "cat /etc/hosts").contains("10.10.10.15 masterdb"), "its hosts file is");
}

#[test]
fn a_zone_is_served_after_a_reload_and_an_answer_is_kept_for_its_ttl() {
    let world = fleet();
    let name = "mysql.production.wpdn";
    let alias = "mysql.production.wpdn is an alias for masterdb.production.wpdn.\n";
    let at = |address: &str| format!("{alias}masterdb.production.wpdn has address {address}\n");
    assert_eq!(does(&world, "notes", "host mysql"), at("10.10.10.14"));
    assert!(does(&world, "notes", &format!("getent hosts {name}")).starts_with("10.10.10.14 "));
    edit(&world, "salt", "/etc/gdnsd/zones/production.wpdn");
    assert_eq!(does(&world, "notes", "host mysql"), at("10.10.10.14"), "nobody reloaded it");
    does(&world, "salt", "service gdnsd reload");
    assert_eq!(does(&world, "notes", "host mysql"), at("10.10.10.15"));
    let short = does(&world, "notes", &format!("dig +short {name} @salt"));
    assert_eq!(short, "masterdb.production.wpdn.\n10.10.10.15\n");
    // A restart in time still finds the old one.
    does(&world, "notes", "service hypothesis restart");
    pass(&world, 2);
    assert_eq!(writes_to(&world, "notes"), OLD);
    assert!(does(&world, "notes", &format!("getent hosts {name}")).starts_with("10.10.10.14 "), "kept");
    does(&world, "notes", "nscd -i hosts; service hypothesis restart");
    pass(&world, 2);
    assert_eq!(writes_to(&world, "notes"), NEW);
    // What /etc/hosts says comes first, and only for programs that ask as all do.
    does(&world, "bots", &format!("echo '10.10.10.99 {name}' >> /etc/hosts"));
    assert!(does(&world, "bots", &format!("getent hosts {name}")).starts_with("10.10.10.99 "));
    assert_eq!(does(&world, "bots", "host mysql"), at("10.10.10.15"));
    does(&world, "salt", "service gdnsd stop");
    assert_eq!(shell(&world, "bots", "host mysql").2, 1);
}

#[test]
fn a_zone_that_the_name_server_refuses_leaves_it_with_the_one_that_it_has() {
    let world = fleet();
    let (zone, soa) = ("/etc/gdnsd/zones/production.wpdn", "dig +short production.wpdn SOA");
    let before = does(&world, "notes", soa);
    does(&world, "salt", "gdnsd checkconf");
    does(&world, "salt", &format!("sed -i 's/( [0-9]* /( 7 /' {zone}; echo 'bad IN A 10.10.10' >> {zone}"));
    let (_, said, status) = shell(&world, "salt", "gdnsd checkconf");
    assert!(status == 42 && said.contains("IPv4 address '10.10.10' invalid"), "{said}");
    assert_eq!(shell(&world, "salt", "service gdnsd reload").2, 1);
    assert_eq!(does(&world, "notes", soa), before);
    does(&world, "salt", "service gdnsd stop");
    assert_eq!(shell(&world, "salt", "service gdnsd start").2, 1, "it does not start with it either");
    does(&world, "salt", &format!("sed -i '/^bad/d' {zone}; service gdnsd start"));
    assert_eq!(does(&world, "notes", soa).split(' ').nth(2), Some("7"));
    assert_eq!(shell(&world, "notes", "command -v gdnsd").2, 127);
}

#[test]
fn a_name_server_that_is_told_another_address_runs_and_answers_only_itself() {
    let world = fleet();
    does(
        &world,
        "salt",
        "sed -i 's/10[.]10[.]10[.]10,/10.10.10.99,/' /etc/gdnsd/config; service gdnsd restart",
    );
    assert_eq!(does(&world, "salt", "dig +short masterdb.production.wpdn @127.0.0.1"), "10.10.10.14\n");
    assert_eq!(shell(&world, "notes", "dig +short masterdb.production.wpdn").2, 9);
    assert_eq!(shell(&world, "notes", "host mysql").2, 1);
}

#[test]
fn the_state_of_the_name_server_renders_the_zone_from_the_pillar() {
    let world = fleet();
    edit(&world, "salt", "/srv/pillar/infra/production.sls");
    does(&world, "salt", "salt salt saltutil.refresh_pillar; salt --async salt state.sls gdnsd");
    pass(&world, 20);
    does(&world, "salt", "salt-run jobs.active");
    assert!(does(&world, "app1", "host masterdb").ends_with("has address 10.10.10.15\n"));
    assert_eq!(world.lock().unwrap().zone_path().unwrap(), "/etc/gdnsd/zones/production.wpdn");
}

#[test]
fn what_is_on_a_volume_goes_with_the_volume_and_not_with_the_server() {
    let world = fleet();
    let host = HostName::new("source").unwrap();
    does(&world, "source", "mkdir /srv/git; echo HEAD > /srv/git/wiki");
    let before = does(&world, "source", "df -P /srv");
    assert!(before.contains("/dev/vdb"), "{before}");
    let machine = world.lock().unwrap().machine(&host).unwrap().clone();
    let new = {
        let mut world = world.lock().unwrap();
        let new = world.add_machine(&host, "10.10.10.200", &host).unwrap();
        world.advance(Duration::from_secs(60));
        new
    };
    assert_eq!(machine.mounts.iter().filter(|mount| mount.path == "/srv").count(), 1);
    assert_eq!(shell(&world, new.as_str(), "cat /srv/git/wiki").2, 1, "a new server has none of it");
    assert!(!does(&world, new.as_str(), "df -P").contains("/srv"));
    assert_eq!(shell(&world, new.as_str(), "mount /dev/vdb /srv").2, 32, "nothing is attached");
    does(&world, "source", "umount /srv");
    assert_eq!(shell(&world, "source", "cat /srv/git/wiki").2, 1);
    let list = does(&world, "salt", "nova volume-list");
    assert!(list.contains("source-srv"), "{list}");
    assert!(world.lock().unwrap().mount_volume(&host, "/dev/vdb", "/srv"));
    assert_eq!(does(&world, "source", "cat /srv/git/wiki"), "HEAD\n");
    does(&world, "salt", "nova delete source");
    let list = does(&world, "salt", "nova volume-list | grep source-srv");
    assert!(list.contains("available"), "{list}");
}
