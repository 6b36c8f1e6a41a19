//! docs/probes.md says for each role what the console shows of it: as the simulated fleet answers.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::gather::Picture;
use super::unknown_tests::pictures;
use jumpdeck_fleet::snapshot::HostSnapshot;

const BEGIN: &str = "<!-- what each role shows: written by a test -->\n";
const END: &str = "<!-- end -->\n";

/// What a host shows beside load, memory, disks and uptime, which every host has: services with their figures, and databases.
fn shows(host: &HostSnapshot) -> BTreeSet<String> {
    let services = host.facts.services.iter().map(|entry| {
        let service = entry.fact.current();
        let readings = service.into_iter().flat_map(|service| &service.readings);
        let perfdata = service.into_iter().flat_map(|service| service.perfdata());
        let figures = readings.map(|reading| reading.name.replace('_', " "));
        let figures: Vec<String> = figures.chain(perfdata.map(|datum| datum.label.to_string())).collect();
        match figures.as_slice() {
            [] => format!("`{}`", entry.name()),
            figures => format!("`{}`: {}", entry.name(), figures.join(", ")),
        }
    });
    let databases = host.facts.databases.current().into_iter().flatten();
    let databases = databases.map(|database| {
        format!(
            "{}: replication, lag, TLS, GTID, connections, slow queries, commits, longest transaction",
            database.engine.word()
        )
    });
    services.chain(databases).collect()
}

fn table(picture: &Picture) -> String {
    let mut roles: BTreeMap<&str, (Vec<&str>, BTreeSet<String>)> = BTreeMap::new();
    let everywhere: BTreeSet<String> = picture
        .hosts
        .iter()
        .map(|host| shows(host))
        .reduce(|all, one| all.intersection(&one).cloned().collect())
        .unwrap_or_default();
    for host in &picture.hosts {
        for role in &picture.env.host(&host.id.host).unwrap().roles {
            let (hosts, shown) = roles.entry(role.as_str()).or_default();
            hosts.push(host.id.host.as_str());
            shown.extend(shows(host).difference(&everywhere).cloned());
        }
    }
    let mut out = "| role | hosts | services and their figures |\n| --- | --- | --- |\n".to_owned();
    let all: Vec<&str> = everywhere.iter().map(String::as_str).collect();
    if !all.is_empty() {
        let _ = writeln!(out, "| every role | all {} | {} |", picture.hosts.len(), all.join("; "));
    }
    for (role, (hosts, shown)) in roles {
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let shown = if shown.is_empty() { "none of its own".to_owned() } else { shown.join("; ") };
        let _ = writeln!(out, "| {role} | {} | {shown} |", hosts.join(", "));
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_what_each_role_shows() {
    let picture = pictures("wpd-2015").await.remove(0);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/probes.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let shown = table(&picture);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{shown}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            told, shown,
            "UPDATE_EXPECT=1 cargo test --lib roles_tests writes it anew: read the difference"
        );
    }
}
