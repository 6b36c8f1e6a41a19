#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use crate::posix::storage::use_percent;
use jumpdeck_fleet::storage::human_kb;

use super::universe::Universe;
use super::*;

const SEED_2013: &str = include_str!("../../../../tests/fixtures/seeds/000_wpd-2013.txt");

fn still(name: &str, seed: u64, environment: usize) -> World {
    let universe = Universe::load_still(name, seed).unwrap();
    let shared = universe.environments[environment].1.clone();
    drop(universe);
    std::sync::Arc::try_unwrap(shared).unwrap().into_inner().unwrap()
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

/// What the seed says: loads in the order they stand, `df` rows by host.
#[derive(Debug, Default)]
struct Seed {
    loads: BTreeMap<String, Vec<[f64; 3]>>,
    rows: BTreeMap<String, Vec<Vec<String>>>,
}

/// Reads the seed's own text. A section starts with `Node <tt>NAME</tt>`; a `df` block may be labelled `host:`.
fn read_seed() -> Seed {
    let mut seed = Seed::default();
    let (mut node, mut labelled) = (String::new(), String::new());
    for line in SEED_2013.lines() {
        if let Some(rest) = line.split("<tt>").nth(1).filter(|_| line.starts_with("|+Node")) {
            node = rest.split("</tt>").next().unwrap().to_owned();
            labelled = node.clone();
            continue;
        }
        let words: Vec<&str> =
            line.trim_start_matches(['|', '*', ' ']).split([' ', ',']).filter(|w| !w.is_empty()).collect();
        if words.len() == 3 && words.iter().all(|w| w.parse::<f64>().is_ok()) && !node.is_empty() {
            let load = [0, 1, 2].map(|i: usize| words[i].parse().unwrap());
            seed.loads.entry(node.clone()).or_default().push(load);
        } else if words.len() == 1 && line.starts_with("  ") && line.trim().ends_with(':') {
            labelled = words[0].trim_end_matches(':').to_owned();
        } else if words.len() == 6 && words[4].ends_with('%') && line.starts_with("  ") {
            seed.rows
                .entry(labelled.clone())
                .or_default()
                .push(words.iter().map(|w| (*w).to_owned()).collect());
        }
    }
    seed
}

#[test]
fn wpd_2013_is_the_seed_host_by_host_and_row_by_row() {
    let seed = read_seed();
    let mut world = still("wpd-2013", 3, 0);
    world.advance(Duration::from_secs(86_400));
    assert_eq!(world.machines().count(), 19);
    assert_eq!(seed.rows.len(), 19, "{:?}", seed.rows.keys());
    let mut rows = 0;
    for (name, wanted) in &seed.rows {
        let shown: Vec<Vec<String>> = world
            .filesystems(&host(name))
            .unwrap()
            .into_iter()
            .filter(|m| m.size_kb > 0)
            .map(|m| {
                let [size, used, available] = [m.size_kb, m.used_kb, m.available_kb].map(human_kb);
                let percent = use_percent(m.used_kb, m.available_kb).unwrap();
                vec![m.device, size, used, available, format!("{percent}%"), m.path]
            })
            .collect();
        assert_eq!(&shown, wanted, "{name}");
        rows += shown.len();
    }
    assert_eq!(rows, 46);
    let mut loads = 0;
    for (node, wanted) in &seed.loads {
        // `app[n]` lists the loads of app1, app2, …; piwik counts from 0; storage has 3 and 5.
        let names: Vec<String> = match node.strip_suffix("[n]") {
            None => vec![node.clone()],
            Some("piwik") => vec!["piwik0".into(), "piwik1".into()],
            Some("storage") => vec!["storage3".into(), "storage5".into()],
            Some(kind) => (1..=wanted.len()).map(|n| format!("{kind}{n}")).collect(),
        };
        for (name, load) in names.iter().zip(wanted) {
            assert_eq!(world.load(&host(name)).unwrap(), *load, "{name}");
            loads += 1;
        }
    }
    assert_eq!(loads, 19);
}

/// Everything a host shows, as bytes.
fn everything(world: &mut World) -> Vec<u8> {
    let hosts: Vec<HostName> = world.machines().map(|m| m.name.clone()).collect();
    let mut bytes = Vec::new();
    for name in hosts {
        for path in ["/proc/loadavg", "/proc/meminfo", "/proc/uptime", "/proc/stat", "/etc/machine-id"] {
            bytes.extend(world.read_file(&name, path).unwrap());
        }
        bytes.extend(format!("{:?}", world.filesystems(&name)).into_bytes());
    }
    bytes.extend(format!("{:?}", world.databases()).into_bytes());
    bytes
}

#[test]
fn the_same_seed_and_time_show_the_same_however_often_it_was_asked() {
    let at = |seed, steps: &[u64]| {
        let mut world = still("wpd-2015", seed, 0);
        for step in steps {
            world.advance(Duration::from_secs(*step));
            everything(&mut world);
        }
        everything(&mut world)
    };
    assert_eq!(at(5, &[3600]), at(5, &[7, 593, 1000, 2000]));
    assert_ne!(at(5, &[3600]), at(6, &[3600]));
    assert_ne!(at(5, &[3600]), at(5, &[3605]));
}

#[test]
fn loads_live_near_their_mean_and_within_bounds() {
    let mut world = still("wpd-2015", 1, 0);
    let hosts: Vec<(HostName, f64)> = world.machines().map(|m| (m.name.clone(), f64::from(m.cpus))).collect();
    let (mut sum, mut count) = (0.0, 0.0);
    for _ in 0..2000 {
        world.advance(Duration::from_secs(30));
        for (name, cpus) in &hosts {
            let load = world.load(name).unwrap();
            assert!(load.iter().all(|l| (0.0..=cpus * 4.0).contains(l)), "{name} {load:?}");
            if name.as_str() == "app2" {
                let [_, five, _] = load;
                assert!(five / cpus > 1.0 && five / cpus < 2.0, "the busy host: {load:?}");
                sum += five;
                count += 1.0;
            }
        }
    }
    assert!((sum / count - 5.6_f64).abs() < 0.7, "{}", sum / count);
}

#[test]
fn inventories_have_unique_addresses_and_a_jump_of_their_own() {
    for name in Universe::names().into_iter().chain(["big-1000"]) {
        let universe = Universe::load_still(name, 1).unwrap();
        let access = std::sync::Arc::new(jumpdeck_fleet::access::Access {
            user: "root".to_owned(),
            keys: Vec::new(),
            agent: None,
            password: false,
            known_hosts: jumpdeck_fleet::access::KnownHosts::Text(String::new()),
        });
        let fleet = universe.fleet(|_| access.clone());
        assert!(fleet.simulated);
        for env in &fleet.environments {
            assert!(env.host(env.jump.name()).is_some());
            let addresses: std::collections::BTreeSet<&str> =
                env.hosts.iter().map(|h| h.address.as_str()).collect();
            assert_eq!(addresses.len(), env.hosts.len());
            for requirement in &env.requirements {
                let found = env.hosts.iter().filter(|h| h.has_role(requirement.role.as_str())).count();
                let found = u32::try_from(found).unwrap();
                assert!(found >= requirement.at_least, "{name} {} {}", env.name, requirement.role);
                assert!(requirement.at_most.is_none_or(|most| found <= most));
            }
        }
    }
    assert!(Universe::load_still("big-0", 1).is_err());
    assert!(Universe::load_still("nowhere", 1).unwrap_err().to_string().contains("wpd-2013"));
}

#[test]
fn files_are_listed_read_and_written() {
    let mut world = still("wpd-2013", 1, 0);
    let (app1, monitor) = (host("app1"), host("monitor"));
    assert!(world.read_file(&app1, "/etc/os-release").is_none(), "10.04 has none");
    assert!(world.read_file(&monitor, "/etc/os-release").is_some());
    assert_eq!(world.read_file(&app1, "/etc/salt/grains").unwrap(), b"level: production\n");
    assert!(world.list_dir(&app1, "/etc").unwrap().contains(&"lsb-release".to_owned()));
    assert!(!world.list_dir(&app1, "/etc").unwrap().contains(&"os-release".to_owned()));
    assert!(world.list_dir(&app1, "/nope").is_none());
    assert_eq!(world.list_dir(&app1, "/srv/webplatform/wiki").unwrap(), ["images"]);
    world.write_file(&app1, "/tmp/a/b", b"x".to_vec());
    assert_eq!(world.list_dir(&app1, "/tmp").unwrap(), ["a"]);
    assert_eq!(world.read_file(&app1, "/tmp/a/b").unwrap(), b"x");
}

#[test]
fn files_are_removed_moved_and_have_times_and_modes() {
    let mut world = still("wpd-2013", 1, 0);
    let backup = host("backup");
    world.write_file(&backup, "/srv/x/a", b"one\n".to_vec());
    world.append_file(&backup, "/srv/x/a", b"two\n");
    assert_eq!(world.metadata(&backup, "/srv/x/a").unwrap().size, 8);
    assert!(world.set_attributes(&backup, "/srv/x/a", |a| a.mode = 0o600));
    world.advance(Duration::from_secs(60));
    world.write_file(&backup, "/srv/x/a", b"three\n".to_vec());
    let found = world.metadata(&backup, "/srv/x/a").unwrap();
    assert_eq!((found.size, found.attributes.mode), (6, 0o600));
    assert!(found.attributes.modified >= world.epoch(&backup));
    assert!(world.rename(&backup, "/srv/x", "/srv/y"));
    assert!(world.list_dir(&backup, "/srv/x").is_none());
    assert_eq!(world.read_file(&backup, "/srv/y/a").unwrap(), b"three\n");
    assert!(!world.remove_dir(&backup, "/srv/y"), "not empty");
    assert!(world.remove_file(&backup, "/srv/y/a"));
    assert!(!world.remove_file(&backup, "/srv/y/a"));
    assert_eq!(world.list_dir(&backup, "/srv/y").unwrap(), Vec::<String>::new());
    assert!(world.remove_dir(&backup, "/srv/y"));
    // What the world wrote itself can go, and come back.
    assert!(world.remove_file(&backup, "/etc/hosts"));
    assert!(world.read_file(&backup, "/etc/hosts").is_none());
    assert!(!world.list_dir(&backup, "/etc").unwrap().contains(&"hosts".to_owned()));
    world.write_file(&backup, "/etc/hosts", Vec::new());
    assert!(world.read_file(&backup, "/etc/hosts").is_some());
    let root = world.metadata(&backup, "/etc/hosts").unwrap().attributes;
    world.store_file(&backup, "/srv/dumps/db.sql.gz", b"\x1f\x8b".to_vec(), 3 << 30, root);
    assert_eq!(world.metadata(&backup, "/srv/dumps/db.sql.gz").unwrap().size, 3 << 30);
    assert_eq!(world.written_below(&backup, "/srv/dumps"), 3 << 30);
}

#[test]
fn a_machine_comes_boots_and_goes_and_two_may_bear_one_name() {
    let mut world = still("wpd-2015", 1, 0);
    let app1 = host("app1");
    let old = world.machine(&app1).unwrap().clone();
    let twin = world.add_machine(&app1, "10.10.10.77", &app1).unwrap();
    assert_ne!(twin, app1);
    assert_eq!(world.add_machine(&host("app9"), "10.10.10.77", &app1), None, "the address is taken");
    assert_eq!(world.fqdn(&twin), "app1.production.wpdn");
    assert_eq!(world.resolve("10.10.10.77"), Some(twin.clone()));
    assert_eq!(world.resolve("app1"), Some(app1.clone()));
    assert_ne!(world.machine(&twin).unwrap().machine_id, old.machine_id);
    assert!(!world.is_up(&twin));
    world.advance(Duration::from_secs(20));
    assert!(world.is_up(&twin));
    assert!(world.uptime(&twin).unwrap() < 20.0);
    world.power_off(&twin);
    assert!(!world.is_up(&twin));
    world.power_on(&twin, 1.0);
    world.advance(Duration::from_secs(2));
    assert!(world.is_up(&twin));
    assert!(world.remove_machine(&app1));
    assert_eq!(world.resolve("app1"), Some(twin));
    let again = world.add_machine(&app1, &old.address, &host("app2")).unwrap();
    assert_eq!(again, app1);
    assert_ne!(world.machine(&again).unwrap().machine_id, old.machine_id);
}
