//! Reads what the server answered to `stats`, or what its silence means.

use std::collections::HashMap;

use crate::collect::probe::{Raw, ServiceProcess, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::service::{Figure, Service, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

/// At most this many characters of a word that the server says.
const MAX_WORD: usize = 80;

pub(super) fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = raw.ok()?;
    let mut lines = text.lines();
    let process = ServiceProcess::read(lines.next().unwrap_or_default())?;
    let mut word = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)).map(str::trim);
    let (Some(status), Some(open), Some(holds)) = (word("@status "), word("@open"), word("@holds")) else {
        return Err(unreadable(text));
    };
    let (status, host) = status.split_once(' ').ok_or_else(|| unreadable(text))?;
    let said: Vec<&str> = lines.collect();
    let mut stats: HashMap<&str, &str> = HashMap::new();
    for (name, value) in said.iter().filter_map(|line| line.strip_prefix("STAT ")?.split_once(' ')) {
        // `stats settings` has another `evictions`: on or off.
        stats.entry(name).or_insert(value.trim());
    }
    if let Some(version) = stats.get("version") {
        return Ok(figures(version, &stats, open, holds));
    }
    let words = said.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or_default();
    let refused = words.is_empty() || words.to_lowercase().contains("connection refused");
    match status {
        // Nobody can ask: its process is all there is to see.
        "127" => without_client(&process),
        "124" => Err(Gap::TimedOut),
        "0" => Err(unreadable(if words.is_empty() { "it answered nothing" } else { words })),
        _ if refused => {
            let host = Clean::first_line(host, MAX_WORD);
            process.refused(&format!("{host}:11211 refuses connections"), "memcached process")
        }
        _ => Err(Gap::Failed(Clean::first_line(words, MAX_WORD))),
    }
}

fn without_client(process: &ServiceProcess) -> Result<Service, Gap> {
    let tool = Gap::NoTool("nc or bash".into());
    match process {
        ServiceProcess::Runs(process) => Ok(Service {
            running: true,
            detail: format!("process {process}").into(),
            readings: [].into(),
            gaps: [("figures", tool)].into(),
            ..Service::default()
        }),
        ServiceProcess::Absent => process.refused("nobody can ask it", "memcached process"),
        ServiceProcess::Hidden => Err(tool),
    }
}

fn figures(version: &str, stats: &HashMap<&str, &str>, open: &str, holds: &str) -> Service {
    let mut readings = Vec::new();
    let mut gaps = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    let number = |name: &str| stats.get(name).and_then(|value| value.parse::<u64>().ok());
    let version = Clean::first_line(version, MAX_WORD);
    add("version", Figure::Text(version.clone()));
    let mut amount = |name: &'static str, field: &str, of: Option<u64>, unit| match number(field) {
        Some(value) => add(name, Figure::Amount { value, of, unit }),
        None => gaps.push((name, Gap::Unreadable(format!("its answer has no number {field}").into()))),
    };
    amount("uptime", "uptime", None, Unit::Seconds);
    amount("memory", "bytes", number("limit_maxbytes"), Unit::Bytes);
    amount("items", "curr_items", None, Unit::Count);
    let asked =
        number("get_hits").zip(number("get_misses")).map(|(hits, misses)| hits.saturating_add(misses));
    amount("hits", "get_hits", asked, Unit::Count);
    amount("evicted", "evictions", None, Unit::Count);
    let most = number("max_connections").or_else(|| number("maxconns"));
    amount("clients", "curr_connections", most, Unit::Count);
    // Of IPv4 and of IPv6.
    let open = if open.split(' ').any(|address| address == "*") { "every address" } else { open };
    if !open.is_empty() {
        add("listens", Figure::text(open));
    }
    if !holds.is_empty() {
        add("holds", Figure::text(holds));
    }
    Service {
        running: true,
        detail: version,
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    }
}
