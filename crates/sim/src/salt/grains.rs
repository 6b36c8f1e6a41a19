//! What a minion says of its machine.

use serde_json::{Map, Value, json};

use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// The grains there are.
pub static NAMES: &[&str] = &[
    "id",
    "host",
    "fqdn",
    "domain",
    "level",
    "roles",
    "num_cpus",
    "mem_total",
    "ipv4",
    "os",
    "osrelease",
    "kernelrelease",
    "saltversion",
    "master",
];

impl World {
    /// A grain. The grains file is read as it stands, so that what was written to it counts.
    #[must_use]
    pub fn grain(&self, host: &HostName, name: &str) -> Option<Value> {
        let machine = self.machine(host)?;
        let (os, release) = machine.os.id.split_once(' ').unwrap_or((machine.os.id, ""));
        Some(match name {
            "id" => json!(self.minion_id(host)),
            "host" => json!(machine.hostname.as_str()),
            "fqdn" => json!(self.fqdn(host)),
            "domain" => json!(self.domain().unwrap_or_default()),
            "num_cpus" => json!(machine.cpus),
            "mem_total" => json!(self.memory(host)?.total / 1024),
            "ipv4" => json!(["127.0.0.1", machine.address]),
            "os" => json!(if os == "ubuntu" { "Ubuntu" } else { "Debian" }),
            "osrelease" => json!(release),
            "kernelrelease" => json!(machine.os.kernel),
            "saltversion" => json!(self.salt_version(host)),
            "master" => json!("salt"),
            // What `state.disable` writes, and `state.list_disabled` reads.
            "state_runs_disabled" => json!(self.salt.disabled.get(host)?),
            // The fleet's own grains module tells the roles by the name where the file lists none.
            "roles" => self.in_grains_file(host, name).unwrap_or_else(|| {
                Value::Array(machine.roles().iter().map(|role| json!(role.as_str())).collect())
            }),
            other => return self.in_grains_file(host, other),
        })
    }

    /// All of them.
    #[must_use]
    pub fn grains(&self, host: &HostName) -> Value {
        let found = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), self.grain(host, name)?)));
        Value::Object(found.collect::<Map<_, _>>())
    }

    /// The id a machine's minion calls itself by: its host name.
    #[must_use]
    pub fn minion_id(&self, host: &HostName) -> String {
        self.machine(host).map_or_else(|| host.to_string(), |m| m.hostname.to_string())
    }

    /// The version of Salt on a machine.
    #[must_use]
    pub fn salt_version(&self, host: &HostName) -> &'static str {
        let modern = self.machine(host).is_some_and(|m| m.os.has_systemd());
        if modern { "3006.9" } else { "2014.7.5" }
    }

    /// A top-level key of the grains file: a text or a list of texts.
    fn in_grains_file(&self, host: &HostName, name: &str) -> Option<Value> {
        let file = self.read_file(host, "/etc/salt/grains")?;
        let text = String::from_utf8_lossy(&file);
        let mut lines = text.lines();
        let value =
            lines.by_ref().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))?;
        if !value.is_empty() {
            return Some(json!(value.trim_matches(['"', '\''])));
        }
        let items = lines.map_while(|line| line.trim_start().strip_prefix("- ").map(str::trim));
        Some(Value::Array(items.map(|item| json!(item)).collect()))
    }
}
