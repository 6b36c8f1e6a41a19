//! Reads what the node answered: its JSON, an error, or that nobody is there.

use serde::Deserialize;
use serde_json::Value;

use crate::collect::probe::{Raw, ServiceProcess, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::{Figure, Service, ServiceReading};
use jumpdeck_fleet::text::Clean;

/// At most this many characters of a word that the node says.
const MAX_WORD: usize = 80;
/// No answer is longer: a healthy one has 400 bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// `_cluster/health` as every version since 0.90 has it. A field of another kind than expected is a gap, and the rest is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Health {
    cluster_name: Value,
    status: Value,
    number_of_nodes: Value,
    number_of_data_nodes: Value,
    unassigned_shards: Value,
    initializing_shards: Value,
    relocating_shards: Value,
    /// Since 1.5.
    number_of_pending_tasks: Value,
}

pub(super) fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    if let Some(refused) = text.strip_prefix("@refused ") {
        let (place, process) = refused.split_once('\n').unwrap_or((refused, ""));
        let refusal = format!("{} refuses connections", Clean::first_line(place, MAX_WORD));
        return ServiceProcess::read(process)?.refused(&refusal, "process of Elasticsearch");
    }
    let (at, answer) =
        text.strip_prefix("@at ").and_then(|text| text.split_once('\n')).ok_or_else(|| odd(text))?;
    let (body, code) = answer.trim_end().rsplit_once("@http ").ok_or_else(|| odd(answer))?;
    // It goes into commands that people copy.
    if !at
        .trim_start_matches("https://")
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'))
    {
        return Err(odd(text));
    }
    let at = Clean::first_line(at, MAX_WORD);
    let no_master = body.contains("MasterNotDiscovered") || body.contains("master_not_discovered");
    match code {
        // 408: it says so itself that it waited in vain, and how it is.
        "200" | "408" => health(at, body),
        "401" | "403" => Ok(closed(at, code)),
        "503" if no_master => Ok(without_master(at)),
        _ => {
            let said = Clean::first_line(body, MAX_WORD);
            let code = Clean::first_line(code, 10);
            Err(Gap::Failed(format!("{at} answers HTTP {code}: {said}").into()))
        }
    }
}

fn odd(text: &str) -> Gap {
    unreadable(if text.trim().is_empty() { "it answered nothing" } else { text })
}

/// It runs, and answers only who logs in.
fn closed(at: Clean, code: &str) -> Service {
    let gap = Gap::NotPermitted(
        format!(
            "it requires a password (HTTP {code}): ask with one on the host, curl -{}u NAME {at}/_cluster/health",
            if at.as_str().starts_with("https") { "k" } else { "" }
        )
        .into(),
    );
    let reading = |name, figure| ServiceReading { name, figure };
    Service {
        running: true,
        detail: "it requires a password".into(),
        readings: [reading("address", Figure::Text(at)), reading("password", Figure::Flag(true))].into(),
        gaps: [("figures", gap)].into(),
        ..Service::default()
    }
}

/// The node runs, and its cluster has elected no master: nobody knows more.
fn without_master(at: Clean) -> Service {
    Service {
        running: true,
        detail: "no master".into(),
        readings: [
            ServiceReading { name: "address", figure: Figure::Text(at) },
            ServiceReading { name: "status", figure: Figure::text("no master") },
        ]
        .into(),
        ..Service::default()
    }
}

fn health(at: Clean, body: &str) -> Result<Service, Gap> {
    if body.len() > MAX_ANSWER {
        return Err(unreadable("its answer is too long"));
    }
    let health: Health = serde_json::from_str(body).map_err(|_| odd(body))?;
    let status = health.status.as_str().filter(|status| matches!(*status, "green" | "yellow" | "red"));
    let status = status.ok_or_else(|| odd(body))?;
    let cluster = health.cluster_name.as_str().map(|name| Clean::first_line(name, MAX_WORD));
    let mut readings = vec![
        ServiceReading { name: "address", figure: Figure::Text(at) },
        ServiceReading { name: "status", figure: Figure::text(status) },
    ];
    let mut gaps = Vec::new();
    if let Some(cluster) = &cluster {
        readings.push(ServiceReading { name: "cluster", figure: Figure::Text(cluster.clone()) });
    }
    for (name, value) in [
        ("nodes", &health.number_of_nodes),
        ("data_nodes", &health.number_of_data_nodes),
        ("unassigned_shards", &health.unassigned_shards),
        ("initializing_shards", &health.initializing_shards),
        ("relocating_shards", &health.relocating_shards),
        ("pending_tasks", &health.number_of_pending_tasks),
    ] {
        match value {
            Value::Null if name == "pending_tasks" => {}
            Value::Null => gaps.push((name, Gap::Unreadable("its answer has no such field".into()))),
            value => match value.as_u64() {
                Some(number) => readings.push(ServiceReading { name, figure: Figure::count(number) }),
                None => gaps.push((name, unreadable(&value.to_string()))),
            },
        }
    }
    let detail = match &cluster {
        Some(cluster) => format!("{cluster}, {status}"),
        None => status.to_owned(),
    };
    Ok(Service {
        running: true,
        detail: detail.into(),
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    })
}
