//! What changed: a real console in a pseudo-terminal, on a simulated fleet that is reached over SSH, that ends, is killed and begins
//! again; and `jumpdeck events`, which reads what it wrote.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::exec::{command, ran};
use crate::inventory::Site;

fn file(site: &Site) -> PathBuf {
    site.home.path().join(".local/state/jumpdeck/events/production.jsonl")
}

/// The events that are printed, one a line.
fn printed(site: &Site, arguments: &[&str]) -> String {
    let ran = ran(command(site.home.path(), &[&["events"], arguments].concat()));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out
}

fn records(site: &Site) -> Vec<serde_json::Value> {
    let text = printed(site, &["production", "--format", "json"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(site: &Site, event: &str, field: &str, value: &str) -> usize {
    records(site).iter().filter(|one| one["event"] == event && one[field] == value).count()
}

#[test]
fn what_changed_while_no_console_looked_is_seen_and_nothing_is_doubled() {
    let site = Site::start();
    site.write("app1 = {}\napp2 = {}\n");
    assert!(printed(&site, &[]).contains("no event is on disk"));
    let mut console = site.console(&["--screen", "events"]);
    console.until_it_shows("the first look", |s| s.contains("since ") && s.contains("2 of 2 hosts up"));
    console.until_it_shows("the file", |_| file(&site).exists());
    assert_eq!(fs::metadata(file(&site)).unwrap().permissions().mode() & 0o777, 0o600);
    console.kill();

    // Of two consoles one records.
    site.write("app1 = {}\nghost = { address = \"127.0.0.1\", port = 1 }\n");
    let mut first = site.console(&["--screen", "events"]);
    first.until_it_shows("the host that was added meanwhile", |s| s.contains("ghost") && s.contains("added"));
    first.until_it_shows("the host that was removed meanwhile", |s| s.contains("removed from the inventory"));
    let mut second = site.console(&["--screen", "events"]);
    second.until_it_shows("who records", |s| s.contains("another console of this account records"));
    second.until_it_shows("the same events", |s| s.contains("removed from the inventory"));
    first.until_it_shows("a host that does not answer", |s| s.contains("1 of 2 hosts up"));
    first.types("qq");
    assert_eq!(first.ends(), 0);
    second.until_it_shows("that it records now", |s| !s.contains("another console"));
    second.types("qq");
    assert_eq!(second.ends(), 0);
    assert_eq!(count(&site, "added", "host", "ghost"), 1);
    assert_eq!(count(&site, "removed", "host", "app2"), 1);
    assert_eq!(count(&site, "began", "host", "ghost"), 1, "{}", printed(&site, &[]));
    let text = printed(&site, &["--since", "1d"]);
    assert!(text.contains("ghost") && text.contains("critical"), "{text}");
    assert!(printed(&site, &["--format", "csv"]).starts_with("AT,ENVIRONMENT,STATE,"));
}

#[test]
fn half_a_line_and_a_broken_file_stop_no_console() {
    let site = Site::start();
    site.write("app1 = {}\n");
    let mut console = site.console(&["--screen", "events"]);
    console.until_it_shows("the file", |s| file(&site).exists() && s.contains("1 of 1 hosts up"));
    console.types("qq");
    assert_eq!(console.ends(), 0);
    let text = fs::read_to_string(file(&site)).unwrap();
    fs::write(file(&site), format!("{text}{{\"at\":\"2026-")).unwrap();
    printed(&site, &[]);

    fs::write(file(&site), "rubbish\n").unwrap();
    let asked = ran(command(site.home.path(), &["events"]));
    assert_eq!(asked.code, Some(1), "{}", asked.out);
    assert!(
        asked.err.contains("the events of production are unknown") && asked.err.contains("line 1"),
        "{}",
        asked.err
    );
    let mut console = site.console(&["--screen", "events"]);
    console.until_it_shows("what is wrong", |s| s.contains("earlier events are unknown"));
    console.until_it_shows("the fleet all the same", |s| s.contains("1 of 1 hosts up"));
    console.until_it_shows("a new file", |_| file(&site).exists());
    console.types("qq");
    assert_eq!(console.ends(), 0);
    let aside = file(&site).with_file_name("production.broken-1");
    assert_eq!(fs::read_to_string(aside).unwrap(), "rubbish\n");
    let folder: Vec<_> = fs::read_dir(file(&site).parent().unwrap()).unwrap().flatten().collect();
    let kept = fs::read_to_string(file(&site)).unwrap_or_default();
    assert!(kept.contains("looked"), "{kept} {folder:?}");
}

#[test]
fn a_simulated_fleet_keeps_none() {
    let home = tempfile::tempdir().unwrap();
    let asked = ran(command(home.path(), &["--demo", "events"]));
    assert_eq!(asked.code, Some(2));
    assert!(asked.err.contains("key 6"), "{}", asked.err);
    let wrong = ran(command(home.path(), &["events", "--since", "soon"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("8h"), "{}", wrong.err);
}
