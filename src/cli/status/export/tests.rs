#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use super::*;
use crate::cli::status::unknown_tests::pictures;
use jumpdeck_fleet::snapshot::{HostSnapshot, Link, LinkState};

const NOW: &str = "2026-11-30T14:20:17Z";

fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn host<'p>(picture: &'p mut Picture, name: &str) -> &'p mut HostSnapshot {
    let at = picture.hosts.iter().position(|host| host.id.host.as_str() == name).unwrap();
    Arc::make_mut(&mut picture.hosts[at])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_host_is_a_line_with_the_cells_of_the_table() {
    let mut pictures = vec![pictures("wpd-2015").await.remove(0)];
    let silent = host(&mut pictures[0], "db2");
    silent.link = Link { state: LinkState::TimedOut, ..silent.link.clone() };
    let all = records(&csv(&pictures, NOW, None).unwrap());
    assert_eq!(all[0][..5], ["TAKEN AT", "ENVIRONMENT", "FLEET", "STATE", "HOST"]);
    assert!(all.iter().all(|record| record.len() == 14));
    let lone = pictures[0].problems.iter().filter(|problem| problem.host.is_none()).count();
    assert_eq!(all.len(), 1 + pictures[0].hosts.len() + lone);
    assert!(all[1..].iter().all(|record| record[..3] == [NOW, "production", "simulated"]));
    let line = all.iter().find(|record| record[4] == "db2").unwrap();
    assert_eq!(line[6..10], ["?", "?", "?", "?"], "no figure of a host that does not answer: {line:?}");
    let db1 = all.iter().find(|record| record[4] == "db1-masterdb").unwrap();
    let table: Vec<String> = table::row(
        &pictures[0],
        pictures[0].hosts.iter().find(|h| h.id.host.as_str() == "db1-masterdb").unwrap(),
    );
    assert_eq!(db1[3..13], table.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()[..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chosen_columns_come_in_their_order_after_the_state() {
    let pictures = vec![pictures("wpd-2015").await.remove(0)];
    let chosen: &[&str] = &["WORST PROBLEM", "HOST", "LOAD 5"];
    let all = records(&csv(&pictures, NOW, Some(chosen)).unwrap());
    assert_eq!(all[0][3..], ["STATE", "WORST PROBLEM", "HOST", "LOAD 5"]);
    assert!(all.iter().all(|record| record.len() == 7));
    let whole = records(&csv(&pictures, NOW, None).unwrap());
    for (few, whole) in all.iter().zip(&whole) {
        assert_eq!(few[3..], [&whole[3], &whole[13], &whole[4], &whole[7]].map(String::clone));
    }
    let text = markdown(&pictures, NOW, Some(chosen));
    assert!(
        text.contains("| STATE | WORST PROBLEM | HOST | LOAD 5 |\n| --- | --- | --- | --- |\n"),
        "{text}"
    );
    let text = table::render(&pictures[0], false, Some(chosen));
    let titles: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(titles.join(" "), "WORST PROBLEM HOST LOAD 5");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_is_a_cell_and_nothing_else() {
    let mut picture = pictures("wpd-2015").await.remove(0);
    let mut problem = picture.problems.first().unwrap().clone();
    problem.message = "=HYPERLINK(\"http://evil\",\"a,b\")|x [y](https://evil) www.evil `z`".into();
    problem.host = None;
    picture.problems = vec![problem];
    let pictures = vec![picture];
    let all = records(&csv(&pictures, NOW, None).unwrap());
    let last = all.last().unwrap();
    assert!(last[13].starts_with("'=HYPERLINK(\"http://evil\",\"a,b\")"), "{last:?}");
    assert_eq!(last.len(), 14);
    let text = markdown(&pictures, NOW, None);
    let line = text.lines().last().unwrap();
    assert!(
        line.contains("http\\://evil") && line.contains("\\[y\\](https\\://evil) www\\.evil \\`z\\`"),
        "{line}"
    );
    assert!(line.contains("\\|x"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markdown_is_a_table_with_its_heading_and_problems() {
    let pictures = pictures("wpd-2015").await;
    let text = markdown(&pictures, NOW, None);
    assert!(text.starts_with("## PRODUCTION  jump "), "{text}");
    assert!(text.lines().next().unwrap().ends_with("SIMULATED"), "{text}");
    assert!(text.contains(&literal(NOW)));
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let hosts: usize = pictures.iter().map(|picture| picture.hosts.len()).sum();
    assert_eq!(rows.len(), hosts + 2 * pictures.len());
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, COLUMNS.len() + 1, "{row}");
    }
    let problems: usize = pictures.iter().map(|picture| picture.problems.len()).sum();
    assert_eq!(text.lines().filter(|line| line.starts_with("- ")).count(), problems);
}
