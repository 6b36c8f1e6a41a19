//! A look at a host as a JSON document, schema 1, as docs/look-json.md has it. What is not known is null, never 0.

use serde::Serialize;

use super::LookSite;
use jumpdeck_fleet::look::{HostLook, LookContent, MountRoom, PortOwner};

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct LookDocument<'a> {
    schema: u32,
    ended_at: String,
    environment: &'a str,
    simulated: bool,
    host: &'a str,
    notes: Vec<&'a str>,
    #[serde(flatten)]
    rows: LookRows<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum LookRows<'a> {
    Processes { count: usize, listed: Vec<ProcessEntry<'a>> },
    Ports(Vec<PortEntry<'a>>),
    Mounts(Vec<MountEntry<'a>>),
}

#[derive(Serialize)]
struct ProcessEntry<'a> {
    pid: u32,
    parent: u32,
    name: &'a str,
    user: Option<&'a str>,
    state: &'static str,
    cpu_percent: Option<f32>,
    cpu_seconds: f64,
    memory_kb: Option<u64>,
    age_s: u64,
}

#[derive(Serialize)]
struct PortEntry<'a> {
    protocol: &'static str,
    address: &'a str,
    port: u16,
    waiting: Option<u64>,
    waiting_most: Option<u64>,
    /// `processes`, `kernel`, `hidden`.
    owner: &'static str,
    processes: Option<Vec<PortProcess<'a>>>,
}

#[derive(Serialize)]
struct PortProcess<'a> {
    name: &'a str,
    pid: u32,
}

#[derive(Serialize)]
struct MountEntry<'a> {
    mount: &'a str,
    device: &'a str,
    fstype: &'a str,
    options: &'a str,
    read_only: bool,
    /// `known`, `unknown`, `not_asked`.
    room: &'static str,
    size_kb: Option<u64>,
    used_kb: Option<u64>,
    available_kb: Option<i64>,
    use_percent: Option<u8>,
}

pub(super) fn render(site: &LookSite, look: &HostLook) -> serde_json::Result<String> {
    let document = LookDocument {
        schema: SCHEMA,
        ended_at: jiff::Timestamp::now().to_string(),
        environment: site.env.name.as_str(),
        simulated: site.simulated,
        host: site.host.as_str(),
        notes: look.notes.iter().map(|note| note.as_str()).collect(),
        rows: rows(&look.content),
    };
    Ok(serde_json::to_string(&document)? + "\n")
}

fn rows(content: &LookContent) -> LookRows<'_> {
    match content {
        LookContent::Processes(table) => {
            LookRows::Processes { count: table.count, listed: table.rows.iter().map(process).collect() }
        }
        LookContent::Ports(ports) => LookRows::Ports(ports.iter().map(port).collect()),
        LookContent::Mounts(mounts) => LookRows::Mounts(mounts.iter().map(mount).collect()),
    }
}

fn process(row: &jumpdeck_fleet::look::RunningProcess) -> ProcessEntry<'_> {
    #[allow(clippy::cast_precision_loss)] // hundredths of seconds
    let cpu_seconds = row.ticks as f64 / 100.0;
    ProcessEntry {
        pid: row.pid,
        parent: row.parent,
        name: row.name.as_str(),
        user: row.user.as_ref().map(|user| user.as_str()),
        state: row.state_word(),
        cpu_percent: row.cpu,
        cpu_seconds,
        memory_kb: row.memory_kb,
        age_s: row.seconds,
    }
}

fn port(row: &jumpdeck_fleet::look::ListeningPort) -> PortEntry<'_> {
    let (owner, processes) = match &row.owner {
        PortOwner::Processes(all) => {
            let all = all.iter().map(|(name, pid)| PortProcess { name: name.as_str(), pid: *pid }).collect();
            ("processes", Some(all))
        }
        PortOwner::Kernel => ("kernel", None),
        PortOwner::Hidden => ("hidden", None),
    };
    PortEntry {
        protocol: row.protocol.word(),
        address: row.address.as_str(),
        port: row.port,
        waiting: row.queue.map(|(waiting, _)| waiting),
        waiting_most: row.queue.and_then(|(_, room)| room),
        owner,
        processes,
    }
}

fn mount(row: &jumpdeck_fleet::look::MountedHere) -> MountEntry<'_> {
    let (room, usage) = match row.room {
        MountRoom::Known(usage) => ("known", Some(usage)),
        MountRoom::Unknown => ("unknown", None),
        MountRoom::NotAsked => ("not_asked", None),
    };
    MountEntry {
        mount: row.mount.as_str(),
        device: row.device.as_str(),
        fstype: row.fstype.as_str(),
        options: row.options.as_str(),
        read_only: row.is_read_only(),
        room,
        size_kb: usage.map(|usage| usage.size_kb),
        used_kb: usage.map(|usage| usage.used_kb),
        available_kb: usage.map(|usage| usage.available_kb),
        use_percent: usage.and_then(|usage| usage.use_percent),
    }
}
