//! Worlds of any size, for benchmarks: one environment of many like hosts.

use super::spec::{ConnectionSpec, DatabaseSpec, EnvironmentSpec, Era, HostSpec, WorldSpec};

/// One database in so many hosts.
const PER_DATABASE: usize = 100;

/// The description of a world of so many hosts, jump box included.
pub(crate) fn spec(hosts: usize) -> WorldSpec {
    let names = std::iter::once("salt".to_owned()).chain((1..hosts).map(|number| match number {
        1 => "db1-masterdb".to_owned(),
        n if n % PER_DATABASE == 0 => format!("db{}", n / PER_DATABASE + 1),
        n if n % 10 == 0 => format!("memcache{}", n / 10),
        n => format!("app{n}"),
    }));
    let environment = EnvironmentSpec {
        name: "production".to_owned(),
        level: "production".to_owned(),
        challenge: true,
        domain: Some("production.sim".to_owned()),
        jump: "salt".to_owned(),
        public_address: "198.51.100.1".to_owned(),
        second_jump: None,
        second_address: None,
        subnet: "10.20.0".to_owned(),
        people: vec!["operator".to_owned()],
        requirements: Some(Vec::new()),
        also_required: Vec::new(),
        os: "debian 12".to_owned(),
        services: Era::default(),
        hosts: names.enumerate().map(|(index, name)| host(index, name)).collect(),
        outside: Vec::new(),
    };
    WorldSpec {
        summary: format!("{hosts} like hosts"),
        alive: true,
        started: 1_767_225_600,
        environments: vec![environment],
    }
}

fn host(index: usize, name: String) -> HostSpec {
    let part = |number: usize| u32::try_from(index * number % 89).map(f64::from).unwrap_or(0.0) / 89.0;
    let mean = 0.05 + part(31) * 1.4;
    HostSpec {
        address: Some(format!("10.{}.{}.{}", 20 + index / 62_500, index / 250 % 250, index % 250 + 2)),
        public_address: None,
        os: None,
        cpus: 4,
        ram_gb: 8.0,
        disk_gb: 80,
        load: [mean, mean, mean],
        load_mean: None,
        memory_percent: 30.0 + part(17) * 40.0,
        swap_mb: 1024,
        swap_percent: 0.0,
        uptime_days: None,
        clock_skew: 0.0,
        df: vec![
            "/dev/vda1 ext4 20G 6.1G 13G 33% /".to_owned(),
            "/dev/vdb ext4 59G 21G 36G 37% /srv".to_owned(),
        ],
        memory_filesystems: true,
        grows_mb_per_hour: part(13),
        level: None,
        grain_roles: None,
        writes_per_second: 0.0,
        database: name.starts_with("db").then(|| database(index)),
        name,
    }
}

fn database(index: usize) -> DatabaseSpec {
    let replica = index != 1;
    let connection =
        ConnectionSpec { name: String::new(), master: "db1-masterdb".to_owned(), tls: true, gtid: true };
    DatabaseSpec {
        version: "10.11.6-MariaDB-0+deb12u1-log".to_owned(),
        server_id: u64::try_from(index).unwrap_or(1),
        read_only: replica,
        tls: true,
        writes_per_second: if replica { 0.0 } else { 40.0 },
        writers: Vec::new(),
        log_slave_updates: true,
        gtid_strict_mode: false,
        written: if replica { 0 } else { 1_830_000 },
        connections: if replica { vec![connection] } else { Vec::new() },
        outside_replicas: Vec::new(),
    }
}
