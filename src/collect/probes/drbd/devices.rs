//! Devices of DRBD, as `/proc/drbd` (8.x) and `drbdadm status` (9) tell of them.

/// A device, or a resource of DRBD 9.
#[derive(Debug, Default)]
pub(super) struct DrbdDevice {
    name: String,
    /// `Connected`, `WFConnection`, `StandAlone`, `SyncTarget`, ...; the worst of several peers.
    connection: String,
    role: String,
    /// Its own disk: `UpToDate`, `Inconsistent`, `Diskless`, ...
    disk: String,
    /// How far a synchronization is, percent.
    done: Option<String>,
}

/// The disk of one that is meant to have none of its own, and reads and writes by its peers.
const CLIENT: &str = "Diskless on purpose";

pub(super) fn read(text: &str) -> Vec<DrbdDevice> {
    match text.split_once("@status\n") {
        Some((_, status)) => resources(status),
        None => devices(text),
    }
}

/// ` 0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----`
fn devices(text: &str) -> Vec<DrbdDevice> {
    let mut found: Vec<DrbdDevice> = Vec::new();
    for line in text.lines() {
        let value = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
        if let Some(connection) = value("cs:") {
            // Taken down: Pacemaker does so with a node in standby.
            if connection == "Unconfigured" {
                continue;
            }
            let minor = line.split(':').next().unwrap_or_default().trim();
            let own =
                |key: &str| value(key).and_then(|pair| pair.split('/').next()).unwrap_or("?").to_owned();
            found.push(DrbdDevice {
                name: format!("drbd{minor}"),
                connection: connection.to_owned(),
                // DRBD before 8.3 calls it st.
                role: if value("ro:").is_some() { own("ro:") } else { own("st:") },
                disk: own("ds:"),
                done: None,
            });
        } else if let (Some(device), Some((_, rest))) = (found.last_mut(), line.split_once("sync'ed:")) {
            device.done = rest.split_once('%').map(|(percent, _)| percent.trim().to_owned());
        }
    }
    found
}

/// `r0 role:Primary`, `  disk:UpToDate`, `  peer1 role:Secondary`, `    replication:SyncSource peer-disk:Inconsistent done:4.2`;
/// a peer that is not connected is `  peer1 connection:Connecting`.
fn resources(text: &str) -> Vec<DrbdDevice> {
    let mut found: Vec<DrbdDevice> = Vec::new();
    for line in text.lines() {
        let value = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
        if !line.starts_with(' ') {
            // A line without a role is a warning, or a blank one.
            if let (Some(name), Some(role)) = (line.split_whitespace().next(), value("role:")) {
                found.push(DrbdDevice {
                    name: name.to_owned(),
                    connection: "Connected".into(),
                    role: role.to_owned(),
                    ..DrbdDevice::default()
                });
            }
            continue;
        }
        let Some(device) = found.last_mut() else { continue };
        let disk = match value("disk:") {
            Some("Diskless") if value("client:") == Some("yes") => Some(CLIENT),
            disk => disk,
        };
        if let Some(disk) = disk.filter(|_| device.disk.is_empty() || is_good(&device.disk)) {
            device.disk = disk.to_owned();
        }
        let connection = value("connection:").or_else(|| value("replication:"));
        if let Some(connection) = connection.filter(|other| badness(other) > badness(&device.connection)) {
            device.connection = connection.to_owned();
        }
        device.done = device.done.take().or_else(|| value("done:").map(str::to_owned));
    }
    found
}

fn is_good(disk: &str) -> bool {
    matches!(disk, "UpToDate" | "Consistent" | CLIENT)
}

/// 0: connected, 1: being synchronized, 2: without that peer.
fn badness(connection: &str) -> u8 {
    if matches!(connection, "Connected" | "Established" | "Off") {
        0
    } else if ["Sync", "Verify", "PausedSync"].iter().any(|start| connection.starts_with(start))
        || matches!(connection, "WFBitMapS" | "WFBitMapT" | "Ahead" | "Behind")
    {
        1
    } else {
        2
    }
}

impl DrbdDevice {
    pub(super) fn words(&self) -> String {
        format!("{} {} {}", self.name, self.role, self.disk)
    }

    fn is_synced(&self) -> bool {
        badness(&self.connection) == 1
    }

    /// Its own copy is not good, and nothing mends it.
    pub(super) fn broken(&self) -> Option<String> {
        // One peer may mend it while another is gone.
        let mended = self.is_synced() || self.done.is_some();
        (!is_good(&self.disk) && !mended).then(|| format!("{} is {}", self.name, self.disk))
    }

    /// It has no peer.
    pub(super) fn alone(&self) -> Option<String> {
        (badness(&self.connection) == 2).then(|| format!("{} is {}", self.name, self.connection))
    }

    pub(super) fn synced(&self) -> Option<String> {
        let done = self.done.as_ref().map(|done| format!(", {done} % done")).unwrap_or_default();
        self.is_synced().then(|| format!("{} is {}{done}", self.name, self.connection))
    }
}
