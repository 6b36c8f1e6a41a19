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
        if let (false, Some(name)) = (line.starts_with(' '), line.split_whitespace().next()) {
            let role = value("role:").unwrap_or("?").to_owned();
            found.push(DrbdDevice {
                name: name.to_owned(),
                connection: "Connected".into(),
                role,
                ..DrbdDevice::default()
            });
            continue;
        }
        let Some(device) = found.last_mut() else { continue };
        if let Some(disk) = value("disk:").filter(|_| device.disk.is_empty() || device.disk == "UpToDate") {
            device.disk = disk.to_owned();
        }
        if let Some(connection) = value("connection:").or_else(|| value("replication:")) {
            device.connection = connection.to_owned();
        }
        device.done = value("done:").map(str::to_owned).or(device.done.take());
    }
    found
}

impl DrbdDevice {
    pub(super) fn words(&self) -> String {
        format!("{} {} {}", self.name, self.role, self.disk)
    }

    fn is_synced(&self) -> bool {
        ["Sync", "Verify", "PausedSync"].iter().any(|start| self.connection.starts_with(start))
            || matches!(self.connection.as_str(), "WFBitMapS" | "WFBitMapT" | "Ahead" | "Behind")
    }

    /// Its own copy is not good, and nothing mends it.
    pub(super) fn broken(&self) -> Option<String> {
        let good = matches!(self.disk.as_str(), "UpToDate" | "Consistent");
        (!good && !self.is_synced()).then(|| format!("{} is {}", self.name, self.disk))
    }

    /// It has no peer.
    pub(super) fn alone(&self) -> Option<String> {
        let connected = matches!(self.connection.as_str(), "Connected" | "Established" | "Off");
        (!connected && !self.is_synced()).then(|| format!("{} is {}", self.name, self.connection))
    }

    pub(super) fn synced(&self) -> Option<String> {
        let done = self.done.as_ref().map(|done| format!(", {done} % done")).unwrap_or_default();
        self.is_synced().then(|| format!("{} is {}{done}", self.name, self.connection))
    }
}
