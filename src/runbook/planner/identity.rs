//! Who a host says it is: hostname, machine-id, level and roles.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::transport::HostSessions;
use jumpdeck_fleet::fleet::Environment;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::text::Clean;

/// A host that says nothing in this time is not known.
const LIMIT: Duration = Duration::from_secs(15);

/// What a host says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostIdentity {
    /// Its short name.
    pub hostname: String,
    /// `/etc/machine-id`.
    pub machine_id: Option<String>,
    /// Its level, from its Salt grains.
    pub level: Option<String>,
    /// Its roles, from its Salt grains; none where it has no such grain.
    pub roles: Option<Vec<String>>,
}

const SCRIPT: &str = r#"{
hostname 2>/dev/null || uname -n
cat /etc/machine-id 2>/dev/null || echo none
if [ -e /etc/salt/grains ]; then echo @file; cat /etc/salt/grains 2>/dev/null || sudo -n cat /etc/salt/grains
elif command -v salt-call >/dev/null; then echo @salt; salt-call --local --out=json grains.item level roles
fi
} </dev/null
"#;

/// Asks a host.
pub(super) async fn ask(
    reach: &dyn HostSessions,
    env: &Environment,
    name: &str,
) -> Result<HostIdentity, String> {
    let host = HostName::new(name).map_err(|e| e.to_string())?;
    if env.host(&host).is_none() && &host != env.jump.name() {
        return Err("it is not in the inventory".to_owned());
    }
    let told = |e: crate::transport::error::TransportError| format!("{}: {}", e.hop, e.describe());
    let session = reach.host(&host).await.map_err(told)?;
    let ran = session.run(SCRIPT, LIMIT, &mut |_| {}).await.map_err(told)?;
    read(&String::from_utf8_lossy(&ran.stdout)).ok_or_else(|| "it does not report a host name".to_owned())
}

#[derive(Deserialize, Default)]
struct AskedGrains {
    #[serde(default)]
    level: Value,
    #[serde(default)]
    roles: Value,
}

fn read(text: &str) -> Option<HostIdentity> {
    let mut lines = text.lines();
    let hostname = lines.next()?.trim();
    let short = hostname.split('.').next().unwrap_or(hostname);
    let machine_id = lines.next().map(str::trim).filter(|id| id.len() == 32);
    let rest: Vec<&str> = lines.collect();
    let grains: AskedGrains = match rest.split_first() {
        Some((&"@file", yaml)) => {
            let read: Result<Option<AskedGrains>, _> = serde_saphyr::from_str(&yaml.join("\n"));
            read.ok().flatten().unwrap_or_default()
        }
        Some((&"@salt", json)) => {
            let text = json.join("\n");
            let json = text.find('{').and_then(|at| text.get(at..)).unwrap_or_default();
            let all: Value = serde_json::from_str(json).unwrap_or_default();
            serde_json::from_value(all.get("local").cloned().unwrap_or_default()).unwrap_or_default()
        }
        _ => AskedGrains::default(),
    };
    let word = |v: &Value| match v {
        Value::String(text) if !text.trim().is_empty() => Some(Clean::new(text.trim()).to_string()),
        _ => None,
    };
    Some(HostIdentity {
        hostname: Clean::new(short).to_string(),
        machine_id: machine_id.map(|id| Clean::new(id).to_string()),
        level: word(&grains.level),
        roles: match &grains.roles {
            Value::Array(roles) => Some(roles.iter().filter_map(word).collect()),
            one => word(one).map(|role| vec![role]),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hosts_say_who_they_are() {
        let said =
            read("db2.x\n0123456789abcdef0123456789abcdef\n@file\nlevel: production\nroles: [db]\n").unwrap();
        assert_eq!((said.hostname.as_str(), said.level.as_deref()), ("db2", Some("production")));
        assert_eq!(said.roles.unwrap(), ["db"]);
        let said =
            read("db2\nnone\n@salt\n{\"local\": {\"level\": \"staging\", \"roles\": \"db\"}}\n").unwrap();
        assert_eq!((said.machine_id, said.level.as_deref()), (None, Some("staging")));
        assert_eq!(read("db2\nnone\n").unwrap().level, None);
        assert_eq!(read(""), None);
    }
}
