//! What a collector of metrics and a monitoring system read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;

use super::gather::Picture;
use super::json::EnvironmentStatus;
use super::unknown_tests::pictures;
use super::{columns, nagios, openmetrics, table};
use jumpdeck_fleet::contact::{Contact, Contacts};
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::snapshot::{HostFacts, Link, LinkState};

pub(super) fn metrics(picture: &Picture) -> String {
    let status = EnvironmentStatus::new(picture, "now".to_owned());
    openmetrics::render(&[status], Timestamp::UNIX_EPOCH).unwrap()
}

/// The samples of a host, `name{labels} value`.
fn samples<'t>(text: &'t str, host: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.contains(&format!("host=\"{host}\""))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_every_figure_that_is_known_and_no_other() {
    let mut picture = pictures("wpd-2015").await.remove(0);
    let text = metrics(&picture);
    let sample = Regex::new(
        r#"^[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9.]+(e[0-9]+)?$"#,
    )
    .unwrap();
    let (told, samples_): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    assert_eq!(told.last(), Some(&"# EOF"));
    assert!(text.ends_with("# EOF\n"));
    for line in &samples_ {
        assert!(sample.is_match(line), "{line}");
    }
    let once: BTreeSet<&str> = samples_.iter().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(once.len(), samples_.len(), "one is there twice");
    for wanted in [
        "jumpdeck_simulated{environment=\"production\"} 1.0",
        "jumpdeck_service_up{environment=\"production\",host=\"sessions1\",service=\"redis\"} 1.0",
        "jumpdeck_service_limit_bytes{environment=\"production\",host=\"sessions1\",service=\"redis\",reading=\"memory\"} 536870912.0",
        "jumpdeck_role_met{environment=\"production\",role=\"masterdb\"} 1.0",
        "jumpdeck_outside_ok{environment=\"production\",check=\"www.webplatform.org\",kind=\"site\",from=\"jump\"} 1.0",
    ] {
        assert!(samples_.contains(&wanted), "{wanted} is missing:\n{text}");
    }
    assert!(samples(&text, "db2").iter().any(|line| line.starts_with("jumpdeck_replication_lag_seconds{")));

    // A host that is not up: no figure of it is left, and none became 0.
    let at = picture.hosts.iter().position(|host| host.id.host.as_str() == "db2").unwrap();
    let host = Arc::make_mut(&mut picture.hosts[at]);
    host.link = Link { state: LinkState::TimedOut, ..host.link.clone() };
    let text = metrics(&picture);
    let left: BTreeSet<&str> =
        samples(&text, "db2").iter().map(|line| line.split_once('{').unwrap().0).collect();
    assert_eq!(
        left,
        BTreeSet::from(["jumpdeck_host_up", "jumpdeck_host_problems", "jumpdeck_host_report_age_seconds"])
    );
    assert!(text.contains("jumpdeck_host_up{environment=\"production\",host=\"db2\"} 0.0"), "{text}");

    // A host that answers and says nothing: it is up, and that is all.
    let host = Arc::make_mut(&mut picture.hosts[at]);
    host.link = Link { state: LinkState::Up, ..host.link.clone() };
    host.facts = HostFacts::default();
    let text = metrics(&picture);
    assert!(!samples(&text, "db2").iter().any(|line| line.starts_with("jumpdeck_host_load")), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_says_the_worst_first_and_figures_only_behind_the_bar() {
    let mut picture = pictures("wpd-2015").await.remove(0);
    let all = picture.hosts.len();
    picture.problems.clear();
    let ok = nagios::render(&[picture]);
    assert!(ok.starts_with(&format!("JUMPDECK OK SIMULATED: production {all} of {all} hosts up | ")), "{ok}");
    assert!(
        ok.contains(&format!("'production hosts up'={all};;;0;{all} 'production critical'=0;;;0; ")),
        "{ok}"
    );
    assert_eq!(ok.lines().count(), 1);

    let mut picture = pictures("wpd-2015").await.remove(0);
    let (env, host) = (picture.env.name.clone(), picture.hosts[0].id.host.clone());
    let problem = |severity, message: &str| Problem {
        severity,
        env: env.clone(),
        host: Some(host.clone()),
        named: Vec::new(),
        kind: ProblemKind::Service,
        service: None,
        subject: None,
        message: message.to_owned(),
    };
    let mut problems = vec![problem(Severity::Critical, "redis | 'x'=1 is stopped")];
    problems.extend((0..400).map(|n| problem(Severity::Unknown, &format!("figure {n} is not known"))));
    picture.problems = problems;
    let text = nagios::render(&[picture]);
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("JUMPDECK CRITICAL SIMULATED: production "), "{first}");
    assert!(first.contains(", 1 critical, 400 unknown: "), "{first}");
    assert_eq!(text.matches('|').count(), 1, "{first}");
    assert!(text.len() < 8192, "{}", text.len());
    let last = text.lines().last().unwrap();
    let shown = text.lines().count() - 2;
    assert_eq!(last, format!("{} more problems: jumpdeck status", 401 - shown));

    // Whom it is for is in the problem's own line, and behind it in the table.
    let mut picture = pictures("wpd-2015").await.remove(0);
    picture.problems = vec![problem(Severity::Critical, "redis is stopped")];
    let owner = Contact {
        owner: Some("a | b".to_owned()),
        docs: Some("https://a.example/x".to_owned()),
        runbook: None,
    };
    Arc::make_mut(&mut picture.env).contacts = Contacts { environment: owner, ..Contacts::default() };
    let host = picture.hosts[0].id.host.clone();
    let table = table::render(&picture, false, None);
    assert!(
        table.ends_with(&format!(
            "CRIT  {host}: redis is stopped\n      owner: a | b\n      docs: https://a.example/x\n"
        )),
        "{table}"
    );
    let json = serde_json::to_value(EnvironmentStatus::new(&picture, "now".to_owned())).unwrap();
    let told = &json["problems"][0];
    assert_eq!((&told["owner"], &told["docs"]), (&"a | b".into(), &"https://a.example/x".into()));
    assert!(told["runbook"].is_null() && json["hosts"][0]["problems"][0] == *told);
    let text = nagios::render(&[picture]);
    let line =
        format!("critical production {host}: redis is stopped; owner: a / b; docs: https://a.example/x");
    assert_eq!(text.lines().nth(1), Some(line.as_str()), "{text}");
    assert!(nagios::could_not_look("no inventory\nat all").starts_with("JUMPDECK UNKNOWN: no inventory\n"));
}

#[test]
fn columns_are_chosen_by_name_and_only_tables_have_them() {
    use clap::Parser as _;
    let read = |words: &[&str]| {
        let cli = crate::cli::Cli::try_parse_from([&["jumpdeck", "status"][..], words].concat()).unwrap();
        match cli.command {
            Some(crate::cli::Command::Status(args)) => columns(&args).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&["--columns", "name,role,load"]), Ok(Some(vec!["HOST", "ROLES", "LOAD 1"])));
    let csv = ["--format", "csv", "--columns", "15m,host,problem"];
    assert_eq!(read(&csv), Ok(Some(vec!["LOAD 15", "HOST", "WORST PROBLEM"])));
    let error = read(&["--columns", "host,os"]).unwrap_err();
    assert!(error.contains("no column \"os\"; columns are: host, roles, load-1, load-5"), "{error}");
    for format in ["json", "nagios", "openmetrics"] {
        let error = read(&["--format", format, "--columns", "host"]).unwrap_err();
        assert!(error.contains("table, csv and markdown"), "{format}: {error}");
    }
}
