//! What is wrong with a cluster that answers.

use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Finding, Service};

/// More tasks than these wait only where the master cannot keep up.
const MANY_TASKS: u64 = 50;

pub(super) fn rule(service: &Service, _limits: &Thresholds, found: &mut Vec<Finding>) {
    let of = "status";
    match service.text("status") {
        Some("red") => found.push(Finding::of(of, Severity::Critical, red(service))),
        Some("yellow") => found.push(Finding::of(of, Severity::Warning, yellow(service))),
        Some("no master") => {
            let message = "elasticsearch has no master, so its cluster refuses writes. Start the nodes that are away, \
                           then look at their logs below /var/log/elasticsearch.";
            found.push(Finding::of(of, Severity::Critical, message.to_owned()));
        }
        _ => {}
    }
    if let Some(waiting) = service.amount("pending_tasks").filter(|waiting| *waiting > MANY_TASKS) {
        let message = format!(
            "elasticsearch: {waiting} tasks wait for the master of the cluster. See which: {}.",
            ask(service, "_cluster/pending_tasks?pretty")
        );
        found.push(Finding::of("pending_tasks", Severity::Warning, message));
    }
}

/// Shards that are nowhere, as far as that is known.
fn unassigned(service: &Service) -> String {
    match service.amount("unassigned_shards") {
        None => "an unknown number of shards is unassigned".to_owned(),
        Some(1) => "1 shard is unassigned".to_owned(),
        Some(number) => format!("{number} shards are unassigned"),
    }
}

/// Shards that are on their way.
fn moving(service: &Service) -> u64 {
    ["initializing_shards", "relocating_shards"].into_iter().filter_map(|name| service.amount(name)).sum()
}

/// The command that asks the node on its host.
fn ask(service: &Service, path: &str) -> String {
    let at = service.text("address").unwrap_or("127.0.0.1:9200");
    // The certificate that Elasticsearch makes is signed by nobody that curl knows.
    let certificate = if at.starts_with("https") { "k" } else { "" };
    format!("curl -s{certificate} '{at}/{path}'")
}

fn red(service: &Service) -> String {
    let which = ask(service, "_cluster/health?level=indices&pretty");
    let next = if moving(service) > 0 {
        format!("{} are being recovered: wait for them. If it stays red", moving(service))
    } else {
        "Start the nodes that are away. If it stays red".to_owned()
    };
    format!(
        "elasticsearch is red, a part of the data cannot be reached: {}. {next}, see which indices: {which}.",
        unassigned(service)
    )
}

fn yellow(service: &Service) -> String {
    let which = ask(service, "_cluster/health?level=indices&pretty");
    let next = if moving(service) > 0 {
        format!(
            "{} are being recovered: wait for them. If it stays yellow, see which indices",
            moving(service)
        )
    } else if service.amount("data_nodes") == Some(1) {
        "One data node has no place for a second copy: start the others, or, if there are none, set \
         number_of_replicas to 0. See which indices"
            .to_owned()
    } else {
        "Start the nodes that are away, then see which indices".to_owned()
    };
    format!(
        "elasticsearch is yellow, all data are there but not every copy: {}. {next}: {which}.",
        unassigned(service)
    )
}
